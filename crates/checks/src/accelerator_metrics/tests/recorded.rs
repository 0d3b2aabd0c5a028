//! Recorded runs, and others made of them.

use super::hand::{judge_events, outcome_of};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{State, Verdict};

/// Two dialects of a simulated node that holds.
const MET: &str = include_str!("../tapes/met.ndjson");
/// Breakage `constant-utilisation`.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// No exporter runs.
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
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    for subject in &met.subjects {
        assert!(subject.claims.iter().all(|claim| claim.outcome.is_met()), "{subject:?}");
    }
    let unmet = judge_events(events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(outcome_of(&unmet, "dcgm", "utilisation_follows_the_load"), "unmet");
    let absent = judge_events(events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn devices_that_change_places_fail() {
    // The load shows on the device with the other number.
    let swap = |text: &str| {
        let lines = text.lines().map(|line| {
            let (one, other) =
                ("GPU-c4dd07a0-f377-0f48-d47e-023f3443626f", "GPU-14267fda-2c28-a4da-d5cf-a2f76f3c703b");
            line.replace(one, "~").replace(other, one).replace('~', other) + "\n"
        });
        lines.collect()
    };
    let judged = judge_events(changed(MET, swap));
    for subject in ["dcgm", "opentelemetry"] {
        for claim in
            ["utilisation_follows_the_load", "memory_follows_the_allocation", "attribution_follows_the_pod"]
        {
            assert_eq!(outcome_of(&judged, subject, claim), "unmet", "{subject} {claim}");
        }
    }
}

#[test]
fn lines_that_end_otherwise_make_no_difference() {
    let judged = judge_events(changed(MET, |text| text.trim_end().replace('\n', "\r\n")));
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}

#[test]
fn a_recorded_run_that_ends_anywhere_fails_nobody() {
    let whole = events(MET);
    for end in (0..whole.len()).step_by(7) {
        let judged = judge_events(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
    }
}
