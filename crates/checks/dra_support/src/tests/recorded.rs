//! Recorded runs, and what is true of others that are made of them.

use super::super::{CLAIMS, RULES};
use super::hand::outcome;
use crate::marks::{Facts, Mark};
use aiconform_model::{Event, EventKind};
use aiconform_trial::{marks, testing};
use aiconform_verdict::{Judgement, Outcome, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A Kubernetes that gives what is asked for.
const MET: &str = "met";
/// Breakage `scheduler-ignores-selectors`.
const UNMET: &str = "unmet";
/// Breakage `dra-gate-off`.
const ABSENT: &str = "absent";

fn events(tape: &str) -> Vec<Event> {
    testing::recorded(env!("CARGO_MANIFEST_DIR"), tape)
}

fn judged(events: &[Event]) -> Judgement {
    testing::judged(&RULES, events.to_vec())
}

fn words(judged: &Judgement, word: &str) -> Vec<&'static str> {
    let claims = judged.subjects[0].claims.iter();
    claims.filter(|claim| claim.outcome.word() == word).map(|claim| claim.id).collect()
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn undoing_names_nobody() {
    for tape in [MET, UNMET] {
        testing::undoing_names_nobody(&RULES, &events(tape));
    }
}

#[test]
fn marks_and_facts_of_every_tape_are_read_and_written_alike() {
    let mut read = 0;
    for tape in [MET, UNMET, ABSENT] {
        for event in events(tape) {
            match &event.kind {
                EventKind::Phase { phase, data } => {
                    let mark: Mark =
                        marks::read(phase, data).unwrap_or_else(|error| panic!("{phase}: {error}"));
                    assert_eq!(marks::event(&mark), event.kind);
                    read += 1;
                }
                EventKind::SubjectStarted { facts, .. } => {
                    assert_eq!(json!(Facts::read(facts).unwrap()), *facts);
                }
                _ => {}
            }
        }
    }
    assert!(read > 80, "{read}");
}

#[test]
fn a_mark_that_another_version_wrote_leaves_nothing_to_tell() {
    for (phase, data) in [
        ("crowd_closed", json!({})),
        ("crowd_closed", json!({"trial": "crowd", "more": 1})),
        ("unmatched", json!({"trial": "select"})),
        ("another", json!({"trial": "select"})),
        ("crowd_closed", Value::Null),
    ] {
        assert!(marks::read::<Mark>(phase, &data).is_err(), "{phase} {data}");
    }
    let mut events = events(MET);
    let step = events.iter_mut().find_map(|event| match &mut event.kind {
        EventKind::Phase { phase, .. } if phase == "selected" => Some(phase),
        _ => None,
    });
    *step.unwrap() = "chosen".into();
    let judged = judged(&events);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("the mark \"chosen\""), "{}", judged.why);
}

#[test]
fn recorded_runs_are_judged_as_they_were() {
    let met = judged(&events(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, false), "{}", met.why);
    assert_eq!(words(&met, "met").len(), CLAIMS.len());

    let unmet = judged(&events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(
        words(&unmet, "unmet"),
        ["selectors_are_followed", "unmatched_claim_waits", "first_available_is_first"]
    );

    let absent = judged(&events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Failed, "{}", absent.why);
    assert!(absent.why.contains("does not serve resource.k8s.io/v1"), "{}", absent.why);
    assert_eq!(words(&absent, "met"), ["plain_pods_are_bound"]);
}

#[test]
fn a_server_before_1_34_that_serves_no_version_fails_and_one_that_serves_an_earlier_one_is_inconclusive() {
    let with = |served: Value| {
        let mut events = events(ABSENT);
        for event in &mut events {
            if let EventKind::SubjectStarted { facts, .. } = &mut event.kind {
                facts["served"] = served.clone();
                facts["minor"] = 33.into();
            }
        }
        judged(&events).verdict
    };
    assert_eq!(with(json!([])), Verdict::Failed);
    assert_eq!(with(json!(["v1beta1"])), Verdict::Inconclusive);
}

#[test]
fn a_witness_is_among_the_evidence() {
    let events = events(UNMET);
    let judged = judged(&events);
    for claim in &judged.subjects[0].claims {
        if let Outcome::Unmet { events: witnesses, .. } = &claim.outcome {
            assert!(!witnesses.is_empty(), "{}", claim.id);
            assert!(witnesses.iter().all(|at| usize::try_from(*at).unwrap() < events.len()));
        }
    }
}

/// Whether an event shows a trial's pods or claims.
fn shows(event: &Event, trial: &str) -> bool {
    matches!(&event.kind, EventKind::Watch { object, .. } if object.label("aiconform.dev/trial") == trial)
}

#[test]
fn nothing_of_a_trial_that_was_not_seen_is_met() {
    for (trial, claims) in [
        ("select", &["claim_is_allocated", "selectors_are_followed", "unmatched_claim_waits"] as &[&str]),
        ("crowd", &["device_is_given_once", "freed_device_is_given_again"]),
        ("free", &["freed_device_is_given_again"]),
        ("share", &["shared_claim_is_one_device"]),
        ("prefer", &["first_available_is_first"]),
        ("taints", &["tainted_device_is_kept_back"]),
    ] {
        let mut blind = events(MET);
        blind.retain(|event| !shows(event, trial));
        let judged = judged(&blind);
        for claim in claims {
            assert_eq!(outcome(&judged, claim), "unknown", "{claim}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A run that is cut off has not failed, and has not passed before its MUSTs were tried.
    #[test]
    fn a_run_that_is_cut_off_is_inconclusive(share in 0_usize..1000) {
        let mut cut = events(MET);
        let ends = |events: &[Event]| events.iter().filter(|event| {
            matches!(&event.kind, EventKind::Phase { phase, .. } if phase == "trial_ended")
        }).count();
        let all = ends(&cut);
        cut.truncate(cut.len() * share / 1000);
        let judged = judged(&cut);
        prop_assert_ne!(judged.verdict, Verdict::Failed, "{}", judged.why);
        if ends(&cut) < all {
            prop_assert_ne!(judged.verdict, Verdict::Passed);
        }
    }

    /// What is not seen of what was tried never turns a failure into a pass.
    #[test]
    fn what_is_lost_of_a_failed_run_makes_no_pass(seed in any::<u64>(), one_in in 2_u64..40) {
        let mut lost = events(UNMET);
        let mut state = seed;
        lost.retain(|event| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            !matches!(event.kind, EventKind::Watch { .. }) || (state >> 33) % one_in != 0
        });
        prop_assert_ne!(judged(&lost).verdict, Verdict::Passed);
    }

    /// A verdict depends on the order of what was seen, and on no clock.
    #[test]
    fn a_recorded_run_is_judged_alike_however_fast_it_went(factor in 0_i64..2000, tape in 0_usize..2) {
        let recorded = events([MET, UNMET][tape]);
        let start = recorded[0].time.as_millisecond();
        let mut other = recorded.clone();
        for event in &mut other {
            let since = (event.time.as_millisecond() - start) * factor / 100;
            event.time = jiff::Timestamp::from_millisecond(start + since).unwrap();
        }
        let found = |judged: &Judgement| (judged.verdict, words(judged, "met"), words(judged, "unmet"));
        prop_assert_eq!(found(&judged(&recorded)), found(&judged(&other)));
    }
}
