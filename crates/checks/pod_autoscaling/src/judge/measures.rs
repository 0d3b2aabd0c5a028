//! Measures of how long it took, for people who compare.

use super::history::History;
use aiconform_verdict::Measure;

/// Times from what a pod says to what comes of it, the longest of all steps.
pub fn measures(history: &History) -> Vec<Measure> {
    let steps = || history.steps.iter();
    let shown = steps().filter_map(|step| Some(step.shown?.since(step.when))).max();
    let decided = steps().filter_map(|step| Some(step.decided?.since(step.shown?))).max();
    [
        ("until the metrics API tells what a pod says, at most, in ms", shown),
        ("until the replicas follow what the API tells, at most, in ms", decided),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(Measure { name: name.into(), value: value?.as_millis().to_string() }))
    .collect()
}
