//! How long it took, for people who compare.

use super::history::History;
use aiconform_model::Event;
use aiconform_verdict::{Measure, Subject};

/// Times from what a pod says to what comes of it, the longest of all steps.
pub fn measures(events: &[&Event], subject: &Subject) -> Vec<Measure> {
    let history = History::of(events, subject);
    let steps = || history.steps.iter();
    let told = steps().filter_map(|step| Some(step.shown? - step.begin.1)).max();
    let decided = steps().filter_map(|step| Some(step.decided? - step.shown?)).max();
    [
        ("until the metrics API tells what a pod says, at most, in ms", told),
        ("until the replicas follow what the API tells, at most, in ms", decided),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(Measure { name: name.into(), value: value?.to_string() }))
    .collect()
}
