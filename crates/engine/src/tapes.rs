//! Run folders for tests, made of tapes.

use aiconform_evidence::Folder;
use aiconform_model::{Event, Sink};
use camino::{Utf8Path, Utf8PathBuf};
use std::path::Path;

/// A run on which gangs start whole.
pub const MET: &str = include_str!("../../checks/gang_scheduling/tapes/met.ndjson");
/// A run on which they do not.
pub const UNMET: &str = include_str!("../../checks/gang_scheduling/tapes/unmet.ndjson");

/// A run on which they do not, by our interpretation alone.
pub const INTERPRETED: &str = include_str!("../../checks/gang_scheduling/tapes/retries.ndjson");

/// Stores a tape as a run of these checks, in a folder `run`.
pub fn stored(folder: &Path, tape: &str, release: &str, checks: &[&str]) -> Utf8PathBuf {
    let path = Utf8Path::from_path(folder).unwrap().join("run");
    let written = Folder::create(&path).unwrap();
    for line in tape.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        written.write(&event.scope, event.kind);
    }
    let run = serde_json::json!({"tool": {"name": "aiconform", "version": "0.1.0"}, "release": release,
        "checks": checks, "cluster": {"version": "v1.37.2"}});
    written.finish(&run).unwrap();
    path
}
