//! What is told beside the claims: how long each thing takes, for people who compare.

use super::history::History;
use aiconform_model::Event;
use aiconform_verdict::{Measure, Subject};
use serde_json::Value;

/// What was measured of a subject.
pub fn measures(events: &[&Event], _: &Subject) -> Vec<Measure> {
    let history = History::of(events);
    let settled = |phase: &str| history.phase(phase)?.data.get("settled").and_then(Value::as_u64);
    let counted = ["first_settled", "held_settled", "released_settled"].map(settled);
    let longest = counted.into_iter().collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
    let all = [
        ("time until a workload is found, in ms", settled("found")),
        ("longest time until requests are counted, in ms", longest),
        ("time until a pod that is gone is told no more, in ms", settled("gone_settled")),
    ];
    let told =
        |(name, value): (&str, Option<u64>)| Some(Measure { name: name.into(), value: value?.to_string() });
    all.into_iter().filter_map(told).collect()
}
