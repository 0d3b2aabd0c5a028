//! Recorded runs, and others made of them.

use super::hand::{judge_events, outcome};
use crate::judge::RULES;
use crate::marks::Mark;
use aiconform_model::{Event, EventKind};
use aiconform_trial::{marks, testing};
use aiconform_verdict::{State, Verdict};

/// Prometheus on a lab that holds.
const MET: &str = "met";
/// Breakage `monitoring-counts-twice`.
const UNMET: &str = "unmet";
/// No monitoring system runs.
const ABSENT: &str = "absent";

fn events(tape: &str) -> Vec<Event> {
    testing::recorded(env!("CARGO_MANIFEST_DIR"), tape)
}

/// A tape with other texts of scrapes.
fn changed(tape: &str, change: impl Fn(&str) -> String) -> Vec<Event> {
    let mut events = events(tape);
    for event in &mut events {
        if let EventKind::Scrape { text, .. } = &mut event.kind {
            *text = change(text);
        }
    }
    events
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judge_events(events(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, false), "{}", met.why);
    assert!(met.subjects[0].claims.iter().all(|claim| claim.outcome.is_met()), "{:?}", met.subjects[0]);
    let unmet = judge_events(events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(outcome(&unmet, "counted_once"), "unmet");
    let absent = judge_events(events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn undoing_after_a_stop_names_nobody() {
    testing::undoing_names_nobody(&RULES, &events(MET));
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

#[test]
fn pods_that_change_places_in_what_is_told_are_found() {
    // In the labels of the workload, so that its counts go with the wrong pod.
    let swap = |text: &str| {
        if !text.starts_with('{') {
            return text.to_owned();
        }
        text.replace("\"aiconform_who\":\"one\"", "~")
            .replace("\"aiconform_who\":\"other\"", "\"aiconform_who\":\"one\"")
            .replace('~', "\"aiconform_who\":\"other\"")
    };
    let judged = judge_events(changed(MET, swap));
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
    assert_eq!(outcome(&judged, "counter_is_exact"), "unmet");
    assert_eq!(outcome(&judged, "labels_name_the_pod"), "unmet");
}
