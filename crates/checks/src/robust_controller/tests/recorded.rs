//! Recorded runs.

use super::super::{CLAIMS, RULES};
use aiconform_evidence::Evidence;
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Judgement, State, Verdict, judge};
use proptest::prelude::*;

/// KubeRay and Kueue as they should be.
const MET: &str = include_str!("../tapes/met.ndjson");
/// KubeRay whose webhook is not called, beside Kueue, which has one of the same name.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// A lab without JobSet and LeaderWorkerSet.
const ABSENT: &str = include_str!("../tapes/absent.ndjson");

fn events(tape: &str) -> Vec<Event> {
    let mut events: Vec<Event> = tape.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (place, event) in events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
    events
}

fn judged(events: &[Event]) -> Judgement {
    judge(&RULES, &Evidence { events: events.to_vec() })
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A run that is cut off has neither failed nor, before its end, passed.
    #[test]
    fn a_run_that_is_cut_off_is_inconclusive(share in 0_usize..1000) {
        let mut cut = events(MET);
        cut.retain(|event| event.scope.subject != "kueue/clusterqueue");
        let ended = |events: &[Event]| events.iter().any(|event| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == "found_again"));
        cut.truncate(cut.len() * share / 1000);
        let judged = judged(&cut);
        prop_assert_ne!(judged.verdict, Verdict::Failed, "{}", judged.why);
        if !ended(&cut) {
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
        let found = |judged: &Judgement| (judged.verdict, words(judged, 0, "met"), words(judged, 0, "unmet"));
        prop_assert_eq!(found(&judged(&recorded)), found(&judged(&other)));
    }
}
