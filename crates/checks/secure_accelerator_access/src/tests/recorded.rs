//! Recorded runs, and others made of them.

use crate::RULES;
use crate::marks::{Facts, Mark};
use aiconform_model::probe::{Look, Number, Opening, Seen};
use aiconform_model::{Event, EventKind};
use aiconform_trial::{marks, testing};
use aiconform_verdict::{Judgement, State, Verdict};

/// The check's own folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// Both ways of a simulated node that isolates.
const MET: &str = "met";
/// Breakage `one-device-twice`.
const UNMET: &str = "unmet";
/// A node without accelerators.
const ABSENT: &str = "absent";

const BOTH: [&str; 2] = ["dra/accelerator.aiconform.dev", "device-plugin/accelerator.aiconform.dev/gpu"];

fn events(tape: &str) -> Vec<Event> {
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
fn every_mark_and_all_facts_of_the_tapes_are_written_as_they_were() {
    for event in [MET, UNMET, ABSENT].into_iter().flat_map(events) {
        match &event.kind {
            EventKind::Phase { phase, data } => {
                let mark: Mark = marks::read(phase, data).unwrap();
                assert_eq!(marks::event(&mark), event.kind);
            }
            EventKind::SubjectStarted { facts, .. } => {
                let read: Facts = serde_json::from_value(facts.clone()).unwrap();
                let written = serde_json::to_value(read).unwrap();
                for (name, value) in written.as_object().unwrap() {
                    assert_eq!(Some(value), facts.get(name), "{name}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn our_undoing_after_a_stop_names_nobody() {
    testing::undoing_names_nobody(&RULES, &events(MET));
}

/// The judgement of the tape where the container at this port, of pods of this name, sees something else.
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
