//! Reading a run folder: everything is checked against the manifest and the chain before it is believed.

use crate::{BEGINNING, Line, Manifest, digest, hexadecimal};
use aiconform_model::{Event, Scope};
use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::BufRead;

/// A run folder cannot be believed, or not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is missing or unreadable.
    #[error("{0}; is this a finished run folder?")]
    Io(#[from] std::io::Error),
    /// A file is not the JSON it should be.
    #[error("{file}, line {line}, column {column}: {why}")]
    Json {
        /// The file.
        file: Utf8PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// Words of the parser.
        why: String,
    },
    /// A digest differs from the manifest's.
    #[error(
        "{file} was changed after the run: its SHA-256 is {found}, the manifest says {expected}; get the run folder as it was written"
    )]
    Changed {
        /// The file.
        file: Utf8PathBuf,
        /// Digest in the manifest.
        expected: String,
        /// Digest of the file.
        found: String,
    },
    /// The manifest names a blob by something that is no digest, so that it could lead anywhere.
    #[error(
        "{file} has a blob {name:?}, and the name of a blob is its SHA-256, 64 lower-case hexadecimal digits; get the run folder as it was written"
    )]
    Name {
        /// The manifest.
        file: Utf8PathBuf,
        /// The blob, from the run folder.
        name: String,
    },
    /// An event does not follow the one before it.
    #[error("events.ndjson, line {line}: {why}; an event before it was changed, removed or added")]
    Chain {
        /// Line, from 1.
        line: usize,
        /// The part that does not fit.
        why: String,
    },
}

/// The evidence of a run: its events in the order in which they were seen.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// All events.
    pub events: Vec<Event>,
}

impl Evidence {
    /// Reads the lines of `events.ndjson` and checks the chain; `file` is for the error.
    ///
    /// # Errors
    /// [`ReadError`] with the place of the first line that does not fit. Nothing is skipped.
    pub fn read(reader: impl BufRead, file: &Utf8Path) -> Result<Evidence, ReadError> {
        Evidence::read_through(reader, file, |_| {}).map(|(evidence, _)| evidence)
    }

    /// Like [`Evidence::read`], with every event passed through `cut` before it is kept; gives the SHA-256 of the whole
    /// too.
    fn read_through(
        reader: impl BufRead,
        file: &Utf8Path,
        mut cut: impl FnMut(&mut Event),
    ) -> Result<(Evidence, String), ReadError> {
        let mut events: Vec<Event> = Vec::new();
        let (_, digest) = each(reader, file, |mut event| {
            cut(&mut event);
            events.push(event);
        })?;
        Ok((Evidence { events }, digest))
    }

    /// The events of one subject, with those that concern the whole check or the whole run.
    pub fn of<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| {
            (event.scope.check.is_empty() || event.scope.check == scope.check)
                && (event.scope.subject.is_empty() || event.scope.subject == scope.subject)
        })
    }
}

/// A finished run folder, read and found unchanged.
#[derive(Clone, Debug)]
pub struct Stored {
    /// `run.json`: who, what, versions, cluster fingerprint, flags, seeds.
    pub run: Value,
    /// The events.
    pub evidence: Evidence,
}

impl Stored {
    /// Reads a run folder and checks every digest and the chain of events.
    ///
    /// # Errors
    /// [`ReadError`] with the place of the first thing that does not fit. Nothing is skipped.
    pub fn open(path: &Utf8Path) -> Result<Stored, ReadError> {
        Stored::open_through(path, |_| {})
    }

    /// Like [`Stored::open`], with every event passed through `cut` once it is checked: what `cut` takes from it is not
    /// kept in memory.
    ///
    /// # Errors
    /// As [`Stored::open`].
    pub fn open_through(path: &Utf8Path, mut cut: impl FnMut(&mut Event)) -> Result<Stored, ReadError> {
        let mut events = Vec::new();
        let opened = Opened::read(path, |mut event| {
            cut(&mut event);
            events.push(event);
        })?;
        Ok(Stored { run: opened.run, evidence: Evidence { events } })
    }
}

/// A run folder of which everything was checked, and nothing but this was kept.
pub(crate) struct Opened {
    /// `run.json`.
    pub run: Value,
    /// Digests of its blobs.
    pub blobs: BTreeSet<String>,
    /// SHA-256 of `manifest.json`, which stands for the whole folder.
    pub digest: String,
}

impl Opened {
    /// Checks a run folder and hands over each event.
    pub fn read(path: &Utf8Path, event: impl FnMut(Event)) -> Result<Opened, ReadError> {
        let manifest_file = path.join("manifest.json");
        let manifest_bytes = fs_err::read(&manifest_file)?;
        let manifest: Manifest = parse(&manifest_file, 1, &manifest_bytes)?;
        let run_file = path.join("run.json");
        let run_bytes = fs_err::read(&run_file)?;
        compare(&run_file, &manifest.run, &run_bytes)?;
        let run = parse(&run_file, 1, &run_bytes)?;
        // The manifest may be foreign: all names are looked at before the first is opened, and none is read twice.
        if let Some(blob) = manifest.blobs.iter().find(|blob| !is_digest(blob)) {
            let shown: String = blob.chars().take(LONGEST_NAME).collect();
            return Err(ReadError::Name { file: manifest_file, name: format!("blobs/{shown}") });
        }
        let blobs: BTreeSet<String> = manifest.blobs.into_iter().collect();
        for blob in &blobs {
            let file = path.join("blobs").join(blob);
            compare(&file, blob, &fs_err::read(&file)?)?;
        }
        let events_file = path.join("events.ndjson");
        let events = std::io::BufReader::new(fs_err::File::open(&events_file)?);
        let (count, found) = each(events, &events_file, event)?;
        if count as u64 != manifest.count {
            let why = format!("{count} events, the manifest says {}", manifest.count);
            return Err(ReadError::Chain { line: count + 1, why });
        }
        // The chain says where a change is; the digest also covers the last line, which nothing follows.
        same(&events_file, &manifest.events, found)?;
        Ok(Opened { run, blobs, digest: digest(&manifest_bytes) })
    }
}

/// Reads lines of `events.ndjson`, checks the chain and hands over each event; gives their number and the SHA-256 of all.
fn each(
    mut reader: impl BufRead,
    file: &Utf8Path,
    mut event: impl FnMut(Event),
) -> Result<(usize, String), ReadError> {
    let mut count = 0;
    let mut expected = BEGINNING.to_owned();
    let mut whole = Sha256::new();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok((count, hexadecimal(whole)));
        }
        whole.update(&bytes);
        let line = count + 1;
        if bytes.pop() != Some(b'\n') {
            return Err(ReadError::Chain { line, why: "the line is cut off".into() });
        }
        let read: Line<Event> = parse(file, line, &bytes)?;
        if read.previous != expected {
            let why = "it does not carry the hash of the line before it".into();
            return Err(ReadError::Chain { line, why });
        }
        if read.event.sequence != count as u64 {
            let why = format!("its sequence is {}, not {count}", read.event.sequence);
            return Err(ReadError::Chain { line, why });
        }
        expected = digest(&bytes);
        event(read.event);
        count += 1;
    }
}

/// Most characters of a name that an error shows.
const LONGEST_NAME: usize = 100;

/// Tells whether a text is a SHA-256 as [`digest`] writes it.
fn is_digest(text: &str) -> bool {
    text.len() == BEGINNING.len() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn compare(file: &Utf8Path, expected: &str, bytes: &[u8]) -> Result<(), ReadError> {
    same(file, expected, digest(bytes))
}

fn same(file: &Utf8Path, expected: &str, found: String) -> Result<(), ReadError> {
    if found == expected {
        return Ok(());
    }
    Err(ReadError::Changed { file: file.into(), expected: expected.into(), found })
}

fn parse<T: DeserializeOwned>(file: &Utf8Path, line: usize, bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::Json {
        file: file.into(),
        line: line + error.line().saturating_sub(1),
        column: error.column(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_digest_is_a_digest() {
        assert!(is_digest(&digest(b"x")));
        let long = "a".repeat(65);
        let upper = "A".repeat(64);
        let accented = "é".repeat(32);
        for other in ["", "/dev/zero", "../../x", &BEGINNING[1..], &long, &upper, &accented] {
            assert!(!is_digest(other), "{other}");
        }
    }

    proptest! {
        /// Whatever stands in the file, there is an answer, and an error names a line of the file.
        #[test]
        fn any_bytes_are_events_or_an_error_with_its_place(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
            match Evidence::read(bytes.as_slice(), Utf8Path::new("events.ndjson")) {
                Ok(evidence) => prop_assert!(evidence.events.len() < lines),
                Err(ReadError::Json { line, .. } | ReadError::Chain { line, .. }) => {
                    prop_assert!(line <= lines);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }

        /// A line that was cut short anywhere is never taken for a whole one.
        #[test]
        fn a_line_that_is_cut_off_is_refused(cut in 1_usize..100) {
            let event = r#"{"sequence":0,"time":"2026-01-01T00:00:00Z","scope":{"check":"","subject":""},"type":"phase","phase":"p","data":{}}"#;
            let text = format!("{{\"previous\":\"{BEGINNING}\",{}\n", &event[1..]);
            let name = Utf8Path::new("events.ndjson");
            prop_assert_eq!(Evidence::read(text.as_bytes(), name).unwrap().events.len(), 1);
            let cut = &text.as_bytes()[..text.len() - cut];
            prop_assert!(Evidence::read(cut, name).is_err());
        }
    }
}
