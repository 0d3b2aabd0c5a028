//! The run folder: `run.json`, `events.ndjson` (each line carries the hash of the one before),
//! `blobs/<sha256>`, and `manifest.json` with the digests of these three; written and read.

pub mod derive;
mod read;
mod redact;
mod write;

pub use read::{Evidence, ReadError, Stored};
pub use redact::redact;
pub use write::{Folder, WriteError};

use sha2::{Digest, Sha256};

/// Hash that the first event carries in place of a predecessor's.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 as lower-case hexadecimal text.
pub fn digest(bytes: &[u8]) -> String {
    hexadecimal(Sha256::new().chain_update(bytes))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line of `events.ndjson`: the event and the hash of the line before it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Line<E> {
    previous: String,
    #[serde(flatten)]
    event: E,
}

/// `manifest.json`: the digests from which a changed folder is told.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// SHA-256 of `run.json`.
    run: String,
    /// SHA-256 of `events.ndjson`.
    events: String,
    /// Number of events.
    count: u64,
    /// SHA-256 of every blob, sorted; a blob's name is its digest.
    blobs: Vec<String>,
}
