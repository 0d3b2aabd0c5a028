//! Recorded runs, and others made of them.

use super::hand::{judge_events, outcome};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{State, Verdict};

/// Prometheus on a lab that holds.
const MET: &str = include_str!("../tapes/met.ndjson");
/// Breakage `monitoring-counts-twice`.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// No monitoring system runs.
const ABSENT: &str = include_str!("../tapes/absent.ndjson");

fn events(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    let number = |(place, event): (usize, Event)| Event { sequence: place as u64, ..event };
    events.enumerate().map(number).collect()
}

/// The same with other texts of scrapes.
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

#[test]
fn a_recorded_run_that_ends_anywhere_fails_nobody() {
    let whole = events(MET);
    for end in 0..whole.len() {
        let judged = judge_events(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
    }
}
