//! The one guard: when nothing that was seen of a subject can be believed, because the platform, or somebody else, changed
//! what it stands on. It looks only while our own acts last: what goes afterwards goes by our undoing.

use crate::foreign::gap;
use crate::story::Story;
use aiconform_model::{Event, EventKind, Kind};
use serde_json::Value;

/// An object that was created for the subject: path, as it was sent, and as it was admitted.
pub struct Admitted<'a> {
    /// Path and query of the request.
    pub path: &'a str,
    /// The object as it was sent.
    pub sent: &'a Value,
    /// The object as the API server answered.
    pub got: &'a Value,
}

/// Parts of the guard that a check adds.
pub struct Guard<'g> {
    /// Tells whether the subject stands on watches of this kind, so that a gap in one makes everything unknown.
    pub watches: &'g dyn Fn(&Kind) -> bool,
    /// The difference of an admitted object from what was sent.
    pub admitted: &'g mut dyn FnMut(&Admitted<'_>) -> Option<String>,
    /// Anything else that speaks against the subject, one event after the other.
    pub own: &'g mut dyn FnMut(&Event) -> Option<String>,
}

impl Story<'_> {
    /// Why nothing of the subject can be believed: the first reason, in the order of the log.
    pub fn doubt(&self, guard: Guard<'_>) -> Option<String> {
        self.acting().find_map(|event| {
            let common = match &event.kind {
                EventKind::WatchGap { kind, .. } if (guard.watches)(kind) => gap(&event.kind),
                EventKind::Exchange {
                    method,
                    path,
                    status: 200..300,
                    request: Some(sent),
                    response: Some(got),
                    ..
                } if method == "POST" && self.is_own(event) => {
                    (guard.admitted)(&Admitted { path, sent, got })
                }
                _ => None,
            };
            common.or_else(|| (guard.own)(event))
        })
    }
}
