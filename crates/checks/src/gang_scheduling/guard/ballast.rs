//! Whether what holds slots that are to be free later was held until we let go of it.

use super::{ROLE, TRIAL};
use aiconform_model::{Change, Event, EventKind, Object};
use serde_json::Value;
use std::collections::BTreeMap;

/// Ballast that we let go of.
pub struct Ballast<'a> {
    /// Marks of each trial, in order.
    marks: BTreeMap<&'a str, Vec<u64>>,
    /// Where we had deleted a pod, by its name.
    deleted: BTreeMap<&'a str, u64>,
}

impl<'a> Ballast<'a> {
    /// Everything that we deleted. A pod can go on the watch before the answer to the request that deleted it, and not
    /// before the phase in which it was sent.
    pub fn let_go(events: &[&'a Event]) -> Ballast<'a> {
        let mut ballast = Ballast { marks: BTreeMap::new(), deleted: BTreeMap::new() };
        for event in events {
            match &event.kind {
                EventKind::Phase { data, .. } => {
                    let trial = data.get("trial").and_then(Value::as_str).unwrap_or_default();
                    ballast.marks.entry(trial).or_default().push(event.sequence);
                }
                EventKind::Exchange { method, path, .. } if method == "DELETE" => {
                    let path = path.split('?').next().unwrap_or_default();
                    if let Some((_, name)) = path.split_once("/pods/") {
                        ballast.deleted.insert(name, event.sequence);
                    }
                }
                _ => {}
            }
        }
        ballast
    }

    /// Ballast that went before we let go of it, at a position.
    pub fn lost(&self, pod: &Object, change: Change, at: u64) -> Option<String> {
        let goes = change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some();
        if !goes || pod.label(ROLE) != "ballast" {
            return None;
        }
        let marks = self.marks.get(pod.label(TRIAL)).map(Vec::as_slice).unwrap_or_default();
        let sent = self.deleted.get(pod.name());
        // In the phase that had begun when we sent it.
        let since =
            sent.map(|sent| marks.iter().rev().find(|mark| *mark < sent).copied().unwrap_or_default());
        since.is_none_or(|since| at < since).then(|| {
            format!(
                "pod {}, which holds slots that are to be free later, was deleted by someone",
                pod.called()
            )
        })
    }
}
