//! One run into a folder, judged: what `run` and `lab faults` share.

use crate::exit::UsageError;
use aiconform_engine::{End, Judged, RecordError, record};

pub use aiconform_engine::{Interrupt, Setup};

/// Runs, and tells a folder that cannot be used from what could not be done.
///
/// # Errors
/// When the folder cannot be written or the cluster does not answer.
pub async fn run(setup: Setup) -> anyhow::Result<(End, Judged)> {
    record(setup).await.map_err(|error| match error {
        RecordError::Folder { .. } => UsageError(error.to_string()).into(),
        RecordError::Cluster(error) => error.into(),
        error => error.into(),
    })
}
