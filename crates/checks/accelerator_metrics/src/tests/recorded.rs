//! Recorded runs, and others made of them.

use super::hand::{judge_events, outcome_of};
use crate::RULES;
use crate::marks::{Facts, Mark};
use aiconform_model::{Event, EventKind};
use aiconform_trial::marks;
use aiconform_trial::testing::{self, recorded};
use aiconform_verdict::{State, Verdict};
use serde::Deserialize;
use serde_json::json;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// Events of a tape: `met` is of two dialects of a simulated node that holds, `unmet` of the breakage
/// `constant-utilisation`, and in `absent` no exporter runs.
fn events(tape: &str) -> Vec<Event> {
    recorded(FOLDER, tape)
}

/// Events of a tape with other texts of scrapes.
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
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, FOLDER);
}

#[test]
fn marks_and_facts_of_tapes_are_read_and_written_as_they_stand() {
    for event in ["met", "unmet", "absent"].into_iter().flat_map(events) {
        match &event.kind {
            EventKind::Phase { phase, data } => {
                let mark: Mark = marks::read(phase, data).unwrap();
                assert_eq!(marks::event(&mark), event.kind);
            }
            EventKind::SubjectStarted { facts, .. } => {
                assert_eq!(&json!(Facts::deserialize(facts).unwrap()), facts);
            }
            _ => {}
        }
    }
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judge_events(events("met"));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    for subject in &met.subjects {
        assert!(subject.claims.iter().all(|claim| claim.outcome.is_met()), "{subject:?}");
    }
    let unmet = judge_events(events("unmet"));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(outcome_of(&unmet, "dcgm", "utilisation_follows_the_load"), "unmet");
    let absent = judge_events(events("absent"));
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
    let judged = judge_events(changed("met", swap));
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
    let judged = judge_events(changed("met", |text| text.trim_end().replace('\n', "\r\n")));
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}
