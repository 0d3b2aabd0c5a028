//! Recorded runs, and others made of them.

use super::super::RULES;
use aiconform_evidence::Evidence;
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Judgement, NOT_PROVIDED, State, Verdict, judge};
use serde_json::json;

/// Karpenter brings two nodes and removes them.
const MET: &str = include_str!("../tapes/met.ndjson");
/// Breakage `node-autoscaler-never-removes`.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// No autoscaler is there, and nobody says so.
const ABSENT: &str = include_str!("../tapes/absent.ndjson");

fn events(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    let number = |(place, event): (usize, Event)| Event { sequence: place as u64, ..event };
    events.enumerate().map(number).collect()
}

fn judged(events: Vec<Event>) -> Judgement {
    judge(&RULES, &Evidence { events })
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judged(events(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    let karpenter = met.subjects.iter().find(|subject| subject.id == "karpenter").unwrap();
    assert!(karpenter.claims.iter().all(|claim| claim.outcome.is_met()), "{karpenter:?}");
    let unmet = judged(events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert!(unmet.why.contains("is still there"), "{}", unmet.why);
    let absent = judged(events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn nothing_found_is_not_applicable_only_where_it_is_stated_and_all_could_be_looked_at() {
    let with = |key: &str, value: serde_json::Value| {
        let mut events = events(ABSENT);
        for event in &mut events {
            if let EventKind::Phase { phase, data } = &mut event.kind
                && phase == NOT_PROVIDED
            {
                data["stated"] = json!("the profile says so");
                data[key] = value.clone();
            }
        }
        judged(events).verdict
    };
    assert_eq!(with("unread", json!([])), Verdict::NotApplicable);
    assert_eq!(with("unread", json!(["Deployments: forbidden"])), Verdict::Inconclusive);
    assert_eq!(with("found", json!(["a Deployment"])), Verdict::Inconclusive);
    assert_eq!(with("stated", json!("")), Verdict::Inconclusive);
    // With an autoscaler in force, a statement is nothing.
    let mut found = events(MET);
    for event in &mut found {
        if let EventKind::Phase { phase, data } = &mut event.kind
            && phase == NOT_PROVIDED
        {
            *data = json!({"stated": "there is none", "looked_for": ["a"], "found": [], "unread": []});
        }
    }
    assert_eq!(judged(found).verdict, Verdict::Passed);
}

#[test]
fn a_recorded_run_that_ends_anywhere_fails_nobody() {
    let whole = events(MET);
    for end in (0..whole.len()).step_by(7) {
        let judged = judged(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
    }
}
