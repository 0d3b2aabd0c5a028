//! Where events go.

use crate::event::{EventKind, Scope};

/// Takes events in the order in which they were seen. Never blocks for long and never fails:
/// a sink that cannot write remembers that, and the run ends with that error.
pub trait Sink: Send + Sync {
    /// Writes one event down and gives its position in the log.
    fn write(&self, scope: &Scope, kind: EventKind) -> u64;
}

/// Takes events and keeps none: for acts that leave no evidence.
pub struct Nowhere;

impl Sink for Nowhere {
    fn write(&self, _: &Scope, _: EventKind) -> u64 {
        0
    }
}
