//! Recorded runs, and others made of them.

use crate::judge::RULES;
use crate::marks::{Facts, Mark};
use aiconform_model::{Event, EventKind};
use aiconform_trial::marks;
use aiconform_trial::testing::{self, recorded, undoing_names_nobody};
use aiconform_verdict::{Judgement, NOT_PROVIDED, State, Verdict};
use serde_json::json;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");
/// Karpenter brings two nodes and removes them.
const MET: &str = "met";
/// Breakage `node-autoscaler-never-removes`.
const UNMET: &str = "unmet";
/// No autoscaler is there, and nobody says so.
const ABSENT: &str = "absent";

fn events(tape: &str) -> Vec<Event> {
    recorded(FOLDER, tape)
}

fn judged(events: Vec<Event>) -> Judgement {
    testing::judged(&RULES, events)
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, FOLDER);
}

#[test]
fn marks_and_facts_of_every_tape_are_read_and_written_again_as_they_stand() {
    for event in [MET, UNMET, ABSENT].into_iter().flat_map(events) {
        match event.kind {
            EventKind::Phase { phase, data } => {
                let mark: Mark = marks::read(&phase, &data).unwrap();
                assert_eq!(matches!(mark, Mark::NotProvided { .. }), phase == NOT_PROVIDED);
                assert_eq!(marks::event(&mark), EventKind::Phase { phase, data });
            }
            EventKind::SubjectStarted { facts, .. } => {
                let read: Facts = serde_json::from_value(facts.clone()).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), facts);
            }
            _ => {}
        }
    }
}

#[test]
fn our_own_undoing_after_a_stop_names_nobody() {
    for tape in [MET, UNMET] {
        undoing_names_nobody(&RULES, &events(tape));
    }
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
