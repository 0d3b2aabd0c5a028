//! Recorded runs, and others made of them. What the claims make of a trial, hand-made trials show beside them.

use super::RULES;
use aiconform_evidence::Evidence;
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Judgement, State, Verdict};

/// A simulated node that holds.
const MET: &str = include_str!("tapes/met.ndjson");
/// Breakage `one-holder-at-a-time`.
const UNMET: &str = include_str!("tapes/unmet.ndjson");
/// Nothing of the kind is offered.
const ABSENT: &str = include_str!("tapes/absent.ndjson");

fn recorded(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    events.enumerate().map(|(place, event)| Event { sequence: place as u64, ..event }).collect()
}

fn judged(events: Vec<Event>) -> Judgement {
    aiconform_verdict::judge(&RULES, &Evidence { events })
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
fn a_recorded_run_that_ends_anywhere_fails_nobody() {
    let whole = recorded(MET);
    for end in 0..whole.len() {
        let judged = judged(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
    }
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
