//! What a run that was stopped removes is nobody else's doing.

use super::hand::{CHECK, SUBJECT, judge_events};
use crate::marks::{DECOY, SCALED, autoscalers};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::testing::recorded;
use serde_json::{Value, json};

/// Events up to a place, then a stop, then the end of everything as the watches see it.
fn stopped(events: &[Event], end: usize, scope: &Scope) -> Vec<Event> {
    let mut cut = events[..end].to_vec();
    let time = cut[end - 1].time;
    let mut push = |scope: &Scope, kind: EventKind| {
        let sequence = cut.len() as u64;
        cut.push(Event { sequence, time, scope: scope.clone(), kind });
    };
    push(scope, EventKind::Stopped { why: "interrupted by the user".into() });
    for (kind, mut object) in last_seen(&events[..end]) {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        // What is taken away is also rewritten on its way, as by a controller that lets go of it.
        object["spec"] = json!({"replicas": 0, "containers": []});
        for change in [Change::Modified, Change::Deleted, Change::Added] {
            let (kind, object) = (kind.clone(), Object(object.clone()));
            push(&Scope::new(CHECK, SUBJECT), EventKind::Watch { kind, change, object });
        }
    }
    cut
}

/// Objects that are ours, as they were seen last; without any, some that may have been made and not been seen yet.
fn last_seen(events: &[Event]) -> Vec<(Kind, Value)> {
    let mut seen: Vec<(Kind, Value)> = Vec::new();
    for event in events {
        let EventKind::Watch { kind, object, .. } = &event.kind else { continue };
        let is_it = |(other, known): &(Kind, Value)| {
            other == kind && known["metadata"]["name"] == object.0["metadata"]["name"]
        };
        seen.retain(|known| !is_it(known));
        seen.push((kind.clone(), object.0.clone()));
    }
    let role = |role: &str| json!({"metadata": {"name": role, "labels": {"aiconform.dev/role": role}}});
    seen.extend([(Kind::pod(), role(SCALED)), (Kind::pod(), role(DECOY))]);
    seen.extend([(Kind::deployment(), role(SCALED)), (autoscalers(), role(SCALED))]);
    seen
}

#[test]
fn undoing_after_a_stop_names_nobody() {
    let events = recorded(env!("CARGO_MANIFEST_DIR"), "met");
    for scope in [Scope::default(), Scope::new(CHECK, "")] {
        for end in 1..events.len() {
            let judged = judge_events(stopped(&events, end, &scope));
            for claim in judged.subjects.iter().flat_map(|subject| &subject.claims) {
                let text = claim.outcome.text();
                let blamed = ["deleted", "someone", "rewrites pods"].iter().any(|words| text.contains(words));
                assert!(!blamed, "{end}: {text}");
            }
        }
    }
}
