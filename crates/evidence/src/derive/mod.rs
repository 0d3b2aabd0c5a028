//! A derived run: the same evidence under pseudonyms, with a chain and digests of its own, and the digest of the original.

mod collect;
mod key;
mod patterns;
mod pseudonym;
mod replace;

pub use collect::Sort;
pub use key::{Key, KeyError};

use crate::read::Opened;
use crate::{Folder, ReadError, WriteError};
use aiconform_model::Event;
use camino::{Utf8Path, Utf8PathBuf};
use collect::{Collector, Edge, Entry};
use replace::Replacer;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A run cannot be derived.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The original cannot be believed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The derived run cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A blob is no text, so that nobody knows which names are in it.
    #[error(
        "{0} is no text, so it is not known which names are in it; submit with the names as they were seen"
    )]
    Blob(Utf8PathBuf),
    /// There are more names than can be looked for.
    #[error("the names of the run cannot be looked for: {0}")]
    Names(String),
    /// A word is replaced that the form of an event needs.
    #[error(
        "event {sequence} is no event under pseudonyms ({why}); a word of it is also a name of the platform"
    )]
    Form {
        /// Its sequence.
        sequence: u64,
        /// The part that does not fit.
        why: String,
    },
    /// A name is still there.
    #[error(
        "a name ({sort}) would still stand in {place}; nothing was written, this is a fault of aiconform"
    )]
    Left {
        /// Sort of the name; the name itself is not told.
        sort: &'static str,
        /// Where.
        place: String,
    },
}

/// The names of a run, with their pseudonyms.
pub struct Names {
    entries: BTreeMap<String, Entry>,
    kept: BTreeMap<String, Sort>,
    replacer: Replacer,
    nameless: Replacer,
    run: Value,
    digest: String,
    blobs: BTreeMap<String, String>,
}

impl Names {
    /// Finds the names in a run folder, which is checked whole, and in the texts that are published beside it; each of
    /// `hidden` counts as one too.
    ///
    /// # Errors
    /// When the run folder cannot be believed, or a blob is no text.
    pub fn of(run: &Utf8Path, key: &Key, hidden: &[String], beside: &[String]) -> Result<Names, DeriveError> {
        let mut collector = Collector::default();
        hidden.iter().for_each(|word| collector.hide(word));
        let opened = Opened::read(run, |event| collector.event(key, &event))?;
        collector.run(key, &opened.run);
        beside.iter().for_each(|text| collector.text(key, text));
        let mut blobs = BTreeMap::new();
        for digest in &opened.blobs {
            let text = blob(run, digest)?;
            collector.text(key, &text);
            blobs.insert(digest.clone(), String::new());
        }
        let (mut entries, kept) = collector.finish(key);
        entries.retain(|name, _| !blobs.contains_key(name));
        let names = |entries: &BTreeMap<String, Entry>| Replacer::new(entries).map_err(DeriveError::Names);
        let mut replacer = names(&entries)?;
        if !blobs.is_empty() {
            for (digest, new) in &mut blobs {
                *new = crate::digest(replacer.text(&blob(run, digest)?).as_bytes());
            }
            // Events name a blob by its digest.
            let mut all = entries.clone();
            all.extend(blobs.iter().filter(|(old, new)| old != new).map(|(old, new)| {
                (old.clone(), Entry { sort: Sort::Machine, edge: Edge::Hexadecimal, pseudonym: new.clone() })
            }));
            replacer = names(&all)?;
        }
        let sorts = entries.values().map(|entry| {
            let words = format!("<{}>", entry.sort.words());
            (entry.pseudonym.clone(), Entry { pseudonym: words, ..entry.clone() })
        });
        let nameless = names(&sorts.collect())?;
        Ok(Names { nameless, entries, kept, replacer, run: opened.run, digest: opened.digest, blobs })
    }

    /// Each name that is replaced: what it is of, the name, the pseudonym.
    pub fn replaced(&self) -> impl Iterator<Item = (Sort, &str, &str)> {
        self.entries.iter().map(|(name, entry)| (entry.sort, name.as_str(), entry.pseudonym.as_str()))
    }

    /// Each name that stays, because it is a word that everybody uses: what it is of, and the name.
    pub fn kept(&self) -> impl Iterator<Item = (Sort, &str)> {
        self.kept.iter().map(|(name, sort)| (*sort, name.as_str()))
    }

    /// A text with pseudonyms.
    pub fn replace(&self, text: &str) -> String {
        self.replacer.text(text).into_owned()
    }

    /// A text with pseudonyms in which each of them is replaced by what it is of.
    pub fn nameless(&self, text: &str) -> String {
        self.nameless.text(text).into_owned()
    }

    /// Number of texts of the run that change: events, and blobs.
    ///
    /// # Errors
    /// When the run folder can no longer be read.
    pub fn changes(&self, run: &Utf8Path) -> Result<(usize, usize), DeriveError> {
        let mut changed = 0;
        Opened::read(run, |event| {
            let renamed = self.event(&event);
            changed += usize::from(renamed.is_ok_and(|renamed| renamed != event));
        })?;
        Ok((changed, self.blobs.iter().filter(|(old, new)| old != new).count()))
    }

    /// Writes the derived run of a run folder into a new or empty one, for a submission: it says that its test artifacts are without
    /// failures.
    ///
    /// # Errors
    /// When one of them cannot be read or written, or a name would be left.
    pub fn derive(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), DeriveError> {
        let folder = Folder::create(to)?;
        let mut failed = None;
        Opened::read(from, |event| {
            if failed.is_none() {
                failed = self.kept_event(&folder, &event).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        for digest in self.blobs.keys() {
            let text = self.replace(&blob(from, digest)?);
            self.look(&text, || format!("blobs/{digest}"))?;
            folder.blob(text.as_bytes())?;
        }
        let mut run = self.run.clone();
        self.replacer.value(&mut run);
        self.look(&run.to_string(), || "run.json".into())?;
        if let Some(run) = run.as_object_mut() {
            run.insert("derived".into(), json!({"from": self.digest, "without_failures": true}));
        }
        folder.finish(&run)?;
        Ok(())
    }

    /// Looks for a name that is left in a text.
    ///
    /// # Errors
    /// When there is one.
    pub fn look(&self, text: &str, place: impl Fn() -> String) -> Result<(), DeriveError> {
        match self.replacer.left(text) {
            Some(name) => {
                let sort = self.entries.get(name).map_or("blob", |entry| entry.sort.words());
                Err(DeriveError::Left { sort, place: place() })
            }
            None => Ok(()),
        }
    }

    fn kept_event(&self, folder: &Folder, event: &Event) -> Result<(), DeriveError> {
        let event = self.event(event)?;
        let text = serde_json::to_string(&event).map_err(WriteError::Json)?;
        self.look(&text, || format!("event {}", event.sequence))?;
        folder.keep(event)?;
        Ok(())
    }

    fn event(&self, event: &Event) -> Result<Event, DeriveError> {
        /// Fields that hold words of ours and no text.
        const WORDS: &[&str] = &["type", "time", "check", "change", "bin", "method"];
        let form =
            |error: serde_json::Error| DeriveError::Form { sequence: event.sequence, why: error.to_string() };
        let mut value = serde_json::to_value(event).map_err(form)?;
        if let Some(map) = value.as_object_mut() {
            let texts = map.iter_mut().filter(|(name, _)| !WORDS.contains(&name.as_str()));
            texts.for_each(|(_, item)| self.replacer.value(item));
        }
        serde_json::from_value(value).map_err(form)
    }
}

fn blob(run: &Utf8Path, digest: &str) -> Result<String, DeriveError> {
    let file = run.join("blobs").join(digest);
    let bytes = fs_err::read(&file).map_err(ReadError::Io)?;
    String::from_utf8(bytes).map_err(|_| DeriveError::Blob(file))
}

#[cfg(test)]
mod tests;
