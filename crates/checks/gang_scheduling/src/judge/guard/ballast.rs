//! Guard of the ballast: it holds slots that are to be free later until we let go of it.

use crate::judge::history::History;
use aiconform_model::{Change, EventKind, Object};
use aiconform_trial::labels::{ROLE, TRIAL};
use aiconform_trial::{Position, Story};
use std::collections::BTreeMap;

/// Ballast of which we let go.
#[derive(Clone, Debug, Default)]
pub struct Ballast {
    /// Marks of each trial, in order.
    marks: BTreeMap<String, Vec<Position>>,
    /// Positions of the requests that deleted a pod, by its name.
    deleted: BTreeMap<String, Position>,
}

impl Ballast {
    /// Everything that we deleted. A pod can go on the watch before the answer to the request that deleted it, and not
    /// before the step in which it was sent.
    pub fn let_go(story: &Story<'_>, history: &History) -> Ballast {
        let marks = history.trials.iter().map(|trial| {
            let marks = trial.phases.iter().map(|phase| phase.at).collect();
            (trial.name.clone(), marks)
        });
        let deleted = story.events().filter_map(|event| match &event.kind {
            EventKind::Exchange { method, path, .. } if method == "DELETE" => {
                let (_, name) = path.split('?').next()?.split_once("/pods/")?;
                Some((name.to_owned(), Position::of(event)))
            }
            _ => None,
        });
        Ballast { marks: marks.collect(), deleted: deleted.collect() }
    }

    /// Ballast that went before we let go of it, at a position.
    pub fn lost(&self, pod: &Object, change: Change, at: Position) -> Option<String> {
        let goes = change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some();
        if !goes || pod.label(ROLE) != "ballast" {
            return None;
        }
        let marks = self.marks.get(pod.label(TRIAL)).map(Vec::as_slice).unwrap_or_default();
        let sent = self.deleted.get(pod.name());
        // In the step that had begun when we sent it.
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
