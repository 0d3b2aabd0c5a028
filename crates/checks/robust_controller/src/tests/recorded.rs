//! Recorded runs.

use crate::judge::{CLAIMS, RULES};
use crate::limits::LIMITS;
use crate::marks::Mark;
use aiconform_model::{Event, EventKind, Scope};
use aiconform_trial::{marks, story, testing};
use aiconform_verdict::{Judgement, State, Verdict};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// KubeRay and Kueue as they should be.
const MET: &str = "met";
/// KubeRay whose webhook is not called, beside Kueue, which has one of the same name.
const UNMET: &str = "unmet";
/// A lab without JobSet and LeaderWorkerSet.
const ABSENT: &str = "absent";

fn events(tape: &str) -> Vec<Event> {
    testing::recorded(env!("CARGO_MANIFEST_DIR"), tape)
}

fn judged(events: &[Event]) -> Judgement {
    testing::judged(&RULES, events.to_vec())
}

fn words(judged: &Judgement, place: usize, word: &str) -> Vec<&'static str> {
    let claims = judged.subjects[place].claims.iter();
    claims.filter(|claim| claim.outcome.word() == word).map(|claim| claim.id).collect()
}

#[test]
fn recorded_runs_are_judged_as_they_were() {
    let met = judged(&events(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, false), "{}", met.why);
    assert_eq!(met.deciding.as_deref(), Some("kuberay/raycluster"));
    assert_eq!(words(&met, 0, "met").len(), CLAIMS.len());
    // A ClusterQueue owns nothing.
    assert_eq!(words(&met, 1, "met").len(), CLAIMS.len() - 2);

    let unmet = judged(&events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(words(&unmet, 0, "unmet"), ["webhook_denies"]);
    assert!(unmet.why.contains("no webhook is called"), "{}", unmet.why);

    let absent = judged(&events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
    assert!(absent.subjects[0].why.contains("install JobSet"), "{}", absent.subjects[0].why);
}

#[test]
fn what_was_not_seen_of_an_operator_is_not_met() {
    let mut blind = events(MET);
    blind.retain(|event| !matches!(event.kind, EventKind::Watch { .. }));
    let judged = judged(&blind);
    for claim in [
        "children_are_made",
        "status_follows",
        "deletion_completes",
        "child_is_made_again",
        "change_is_followed",
    ] {
        assert_eq!(judged.subjects[0].outcome(claim).unwrap().word(), "unknown", "{claim}");
    }
}

#[test]
fn undoing_after_a_stop_names_nobody() {
    for tape in [MET, UNMET] {
        testing::undoing_names_nobody(&RULES, &events(tape));
    }
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn marks_are_read_and_written_as_they_stand() {
    for event in [MET, UNMET, ABSENT].into_iter().flat_map(events) {
        if let EventKind::Phase { phase, data } = &event.kind {
            let mark: Mark = marks::read(phase, data).unwrap();
            assert_eq!(marks::event(&mark), event.kind);
            let mut later = data.clone();
            later["of_a_later_version"] = true.into();
            assert!(marks::read::<Mark>(phase, &later).is_err(), "{phase}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

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

    /// A verdict depends on the order of what was seen, and on no clock but by the measure of its limits.
    #[test]
    fn a_recorded_run_is_judged_alike_however_fast_it_went(factor in 0_i64..2000, tape in 0_usize..2) {
        let recorded = events([MET, UNMET][tape]);
        let start = recorded[0].time.as_millisecond();
        let mut other = recorded.clone();
        for event in &mut other {
            let since = (event.time.as_millisecond() - start) * factor / 100;
            event.time = jiff::Timestamp::from_millisecond(start + since).unwrap();
        }
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let limits = LIMITS.iter().map(|limit| (limit.key, limit.seconds * factor as f64 / 100.0));
        let value = serde_json::json!(limits.collect::<BTreeMap<_, _>>());
        let kind = EventKind::Fact { name: story::LIMITS.into(), value };
        other.insert(0, Event { scope: Scope::default(), kind, ..other[0].clone() });
        let found = |judged: &Judgement| (judged.verdict, words(judged, 0, "met"), words(judged, 0, "unmet"));
        prop_assert_eq!(found(&judged(&recorded)), found(&judged(&other)));
    }
}
