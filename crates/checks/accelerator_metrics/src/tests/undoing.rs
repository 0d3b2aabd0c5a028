//! What a run that was stopped removes is nobody else's doing.

use super::hand::{Run, both, judge_events};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::testing::recorded;
use serde_json::json;

const CHECK: &str = "accelerator_metrics";

/// Events up to a place, then a stop, then the end of the pod as the watch sees it.
fn stopped(events: &[Event], end: usize, scope: &Scope, pod: &str) -> Vec<Event> {
    let mut cut = events[..end].to_vec();
    let last = cut.last().unwrap().clone();
    let mut push = |scope: &Scope, kind: EventKind| {
        let sequence = cut.len() as u64;
        cut.push(Event { sequence, time: last.time, scope: scope.clone(), kind });
    };
    push(scope, EventKind::Stopped { why: "interrupted by the user".into() });
    let object =
        json!({"metadata": {"name": pod, "namespace": "n", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    for change in [Change::Modified, Change::Deleted] {
        let object = Object(object.clone());
        push(&Scope::new(CHECK, ""), EventKind::Watch { kind: Kind::pod(), change, object });
    }
    cut
}

#[test]
fn undoing_after_a_stop_names_nobody() {
    let run = Run::default();
    for (events, pod) in
        [(recorded(env!("CARGO_MANIFEST_DIR"), "met"), "loaded"), (both(&run, &run), "probe")]
    {
        for scope in [Scope::default(), Scope::new(CHECK, "")] {
            for end in (1..events.len()).step_by(13) {
                let judged = judge_events(stopped(&events, end, &scope, pod));
                for subject in &judged.subjects {
                    for text in subject.claims.iter().map(|claim| claim.outcome.text()) {
                        assert!(!text.contains("deleted") && !text.contains("someone"), "{end}: {text}");
                    }
                }
            }
        }
    }
}
