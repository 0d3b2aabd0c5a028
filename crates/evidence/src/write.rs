//! Writing a run folder.

use crate::{BEGINNING, Line, Manifest, digest, hexadecimal};
use aiconform_model::{Event, EventKind, Scope, Sink};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A run folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder holds something already.
    #[error(
        "the run folder {0} is not empty; a run is never written over another: name a new or empty folder"
    )]
    NotEmpty(Utf8PathBuf),
    /// The file system refused.
    #[error("the run folder cannot be written: {0}; name another with --output-dir")]
    Io(#[from] std::io::Error),
    /// Something cannot be turned into JSON.
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A run folder while it is written: the sink of a run.
pub struct Folder {
    path: Utf8PathBuf,
    log: Mutex<Log>,
}

struct Log {
    file: BufWriter<fs_err::File>,
    hash: Sha256,
    previous: String,
    count: u64,
    blobs: BTreeSet<String>,
    failed: Option<WriteError>,
}

impl Folder {
    /// Makes the folder (new or empty) and begins its log.
    ///
    /// # Errors
    /// When the folder holds something, or cannot be written.
    pub fn create(path: &Utf8Path) -> Result<Folder, WriteError> {
        fs_err::create_dir_all(path)?;
        if fs_err::read_dir(path)?.next().is_some() {
            return Err(WriteError::NotEmpty(path.into()));
        }
        fs_err::create_dir(path.join("blobs"))?;
        let file = BufWriter::new(fs_err::File::create_new(path.join("events.ndjson"))?);
        let log = Log {
            file,
            hash: Sha256::new(),
            previous: BEGINNING.into(),
            count: 0,
            blobs: BTreeSet::new(),
            failed: None,
        };
        Ok(Folder { path: path.into(), log: Mutex::new(log) })
    }

    /// Appends an event of another run as it is, its time included; its place is the next one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep(&self, event: Event) -> Result<(), WriteError> {
        self.lock().put(event)
    }

    /// Where the folder is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Keeps bytes under their SHA-256, which it returns. Equal bytes are kept once.
    ///
    /// # Errors
    /// When the blob cannot be written.
    pub fn blob(&self, bytes: &[u8]) -> Result<String, WriteError> {
        let name = digest(bytes);
        let mut log = self.lock();
        if log.blobs.insert(name.clone()) {
            fs_err::write(self.path.join("blobs").join(&name), bytes)?;
        }
        Ok(name)
    }

    /// Closes the log and writes `run.json` and the manifest.
    ///
    /// # Errors
    /// The first error of any event of the run, or of closing it: a run that lost evidence is no run.
    pub fn finish(self, run: &Value) -> Result<(), WriteError> {
        let mut log = self.log.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = log.failed.take() {
            return Err(error);
        }
        log.file.flush()?;
        let run = serde_json_canonicalizer::to_vec(run)?;
        fs_err::write(self.path.join("run.json"), &run)?;
        let manifest = Manifest {
            run: digest(&run),
            events: hexadecimal(log.hash),
            count: log.count,
            blobs: log.blobs.into_iter().collect(),
        };
        fs_err::write(self.path.join("manifest.json"), serde_json_canonicalizer::to_vec(&manifest)?)?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        // A thread that panicked while writing leaves at worst a cut line, which reading finds.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn append(&mut self, scope: &Scope, kind: EventKind) -> Result<(), WriteError> {
        self.put(Event { sequence: self.count, time: Timestamp::now(), scope: scope.clone(), kind })
    }

    fn put(&mut self, event: Event) -> Result<(), WriteError> {
        let mut line = serde_json::to_vec(&Line { previous: self.previous.clone(), event })?;
        self.previous = digest(&line);
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)?;
        self.count += 1;
        Ok(())
    }
}

impl Sink for Folder {
    fn write(&self, scope: &Scope, kind: EventKind) -> u64 {
        let mut log = self.lock();
        let sequence = log.count;
        if log.failed.is_none()
            && let Err(error) = log.append(scope, kind)
        {
            log.failed = Some(error);
        }
        sequence
    }
}
