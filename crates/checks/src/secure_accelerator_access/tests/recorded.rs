//! Recorded runs, and others made of them.

use super::super::RULES;
use aiconform_evidence::Evidence;
use aiconform_model::probe::{Look, Number, Opening, Seen};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Judgement, State, Verdict, judge};

/// Both ways of a simulated node that isolates.
const MET: &str = include_str!("../tapes/met.ndjson");
/// Breakage `one-device-twice`.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// A node without accelerators.
const ABSENT: &str = include_str!("../tapes/absent.ndjson");

const BOTH: [&str; 2] = ["dra/accelerator.aiconform.dev", "device-plugin/accelerator.aiconform.dev/gpu"];

fn events(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    events.enumerate().map(|(place, event)| Event { sequence: place as u64, ..event }).collect()
}

fn judged(events: Vec<Event>) -> Judgement {
    judge(&RULES, &Evidence { events })
}

/// The same where the containers of this name in pods of this name see something else.
fn seeing(pod: &str, port: u16, change: impl Fn(&mut Look)) -> Judgement {
    let mut events = events(MET);
    let mut changed = 0;
    for event in &mut events {
        if let EventKind::Exchange { path, response: Some(response), .. } = &mut event.kind
            && path.ends_with(&format!("/pods/{pod}:{port}/proxy/look"))
        {
            let mut look: Look = serde_json::from_value(response.clone()).unwrap();
            change(&mut look);
            *response = serde_json::to_value(look).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "{pod}:{port} was never asked");
    judged(events)
}

/// Device nodes of both ways, of which each subject's holders have two.
fn leak(look: &mut Look) {
    for minor in 0..4 {
        let number = Number { block: false, major: 240, minor };
        let opening = Opening { errno: 6, name: "ENXIO".into() };
        look.devices.push(Seen { path: format!("/dev/accel{minor}"), number, opening });
    }
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    let met = judged(events(MET));
    assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
    assert_eq!(met.subjects.len(), 2);
    for claim in met.subjects.iter().flat_map(|subject| &subject.claims) {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    let unmet = judged(events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    for subject in BOTH {
        let subject = unmet.subjects.iter().find(|known| known.id == subject).unwrap();
        for claim in ["others_device_is_denied", "requested_is_visible", "no_device_twice"] {
            assert!(
                subject.outcome(claim).is_some_and(|outcome| outcome.is_unmet()),
                "{} {claim}",
                subject.id
            );
        }
        for claim in ["no_request_no_access", "sibling_has_no_access", "made_node_is_denied"] {
            assert!(subject.outcome(claim).is_some_and(|outcome| outcome.is_met()), "{} {claim}", subject.id);
        }
    }
    let absent = judged(events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
}

#[test]
fn a_leak_that_is_put_into_a_recorded_run_is_found_where_it_is() {
    for (pod, port, claim) in [
        ("plain", 18080, "no_request_no_access"),
        ("asks", 18081, "environment_gives_nothing"),
        ("holder-0", 18082, "sibling_has_no_access"),
        ("holder-1", 18080, "sibling_has_no_access"),
        ("pair", 18082, "sibling_has_no_access"),
        ("holder-2", 18082, "sibling_has_no_access"),
    ] {
        let judged = seeing(pod, port, leak);
        assert_eq!(judged.verdict, Verdict::Failed, "{pod}:{port}: {}", judged.why);
        for subject in &judged.subjects {
            assert!(
                subject.outcome(claim).is_some_and(|outcome| outcome.is_unmet()),
                "{pod}:{port} {}",
                subject.id
            );
        }
    }
}

#[test]
fn a_recorded_run_that_ends_anywhere_neither_fails_nor_passes_early() {
    let whole = events(MET);
    for end in (0..whole.len() - 30).step_by(5) {
        let judged = judged(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
        let unready = judged.subjects.iter().any(|subject| subject.state != State::Passed);
        assert!(judged.verdict != Verdict::Passed || !unready, "{end}");
    }
}

#[test]
fn a_recorded_run_without_the_answers_of_the_holders_says_nothing() {
    let mut events = events(MET);
    events.retain(|event| match &event.kind {
        EventKind::Exchange { path, .. } => {
            !(path.contains("/pods/holder-") && path.ends_with("/proxy/look"))
        }
        _ => true,
    });
    let judged = judged(events);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("no pod was given a device"), "{}", judged.why);
}
