//! Recorded runs, and others made of them. What the claims make of a trial, hand-made trials show beside them.

use super::RULES;
use aiconform_accelerators::shares::marks::Mark;
use aiconform_model::{Event, EventKind};
use aiconform_trial::{marks, testing};
use aiconform_verdict::{Judgement, State, Verdict};

/// The check's own folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// A simulated node that holds.
const MET: &str = "met";
/// Breakage `one-holder-at-a-time`.
const UNMET: &str = "unmet";
/// Nothing of the kind is offered.
const ABSENT: &str = "absent";

fn recorded(tape: &str) -> Vec<Event> {
    testing::recorded(HERE, tape)
}

fn judged(events: Vec<Event>) -> Judgement {
    testing::judged(&RULES, events)
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, HERE);
}

#[test]
fn every_mark_of_the_tapes_is_written_as_it_was() {
    for event in [MET, UNMET, ABSENT].into_iter().flat_map(recorded) {
        if let (EventKind::Phase { phase, data }, true) = (&event.kind, event.scope.check == RULES.check) {
            assert_eq!(marks::event(&marks::read::<Mark>(phase, data).unwrap()), event.kind);
        }
    }
}

#[test]
fn our_undoing_after_a_stop_names_nobody() {
    testing::undoing_names_nobody(&RULES, &recorded(MET));
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judged(recorded(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    let subjects: Vec<&str> = met.subjects.iter().map(|subject| subject.id.as_str()).collect();
    assert_eq!(subjects, ["virtual-devices", "dra-virtual-devices"]);
    for subject in &met.subjects {
        assert!(subject.claims.iter().all(|claim| claim.outcome.is_met()), "{subject:?}");
    }
    let unmet = judged(recorded(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    for subject in &unmet.subjects {
        assert_eq!(subject.outcome("shares_work_at_once").unwrap().word(), "unmet", "{}", subject.id);
    }
    let absent = judged(recorded(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn without_the_word_of_the_scheduler_nobody_knows_that_one_more_waits() {
    let mut events = recorded(MET);
    for event in &mut events {
        if let EventKind::Watch { object, .. } = &mut event.kind {
            object.0["status"]["conditions"] = serde_json::json!([]);
        }
    }
    for subject in judged(events).subjects {
        assert_eq!(subject.outcome("one_more_waits").unwrap().word(), "unknown", "{}", subject.id);
    }
}
