//! Recorded runs.

use super::hand::{judge_events, outcome};
use crate::RULES;
use crate::marks::{Facts, Mark};
use aiconform_model::{Event, EventKind};
use aiconform_trial::marks;
use aiconform_trial::testing::{self, recorded};
use aiconform_verdict::{State, Verdict};
use serde::Deserialize;
use serde_json::json;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");
/// Runs that hold: simulated devices of a device plugin, scaled by the controller of Kubernetes through prometheus-adapter,
/// by an external metric, and by KEDA beside prometheus-adapter for other metrics.
const HOLD: [&str; 3] = ["met", "external", "keda"];

/// Events of a tape: `unmet` is of the breakage `autoscaler-stopped`, and in `absent` there is no API of custom metrics.
fn events(tape: &str) -> Vec<Event> {
    recorded(FOLDER, tape)
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, FOLDER);
}

#[test]
fn marks_and_facts_of_tapes_are_read_and_written_as_they_stand() {
    for event in HOLD.into_iter().chain(["unmet", "absent"]).flat_map(events) {
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
    for tape in HOLD {
        let met = judge_events(events(tape));
        assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
        assert!(met.subjects[0].claims.iter().all(|claim| claim.outcome.is_met()), "{:?}", met.subjects);
    }
    let unmet = judge_events(events("unmet"));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(outcome(&unmet, "rises_with_the_metric").0, "unmet");
    let absent = judge_events(events("absent"));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
    assert!(absent.why.contains("prometheus-adapter"), "{}", absent.why);
}

#[test]
fn a_metric_that_keda_does_not_tell_is_asked_of_keda_and_not_of_an_adapter() {
    // As if KEDA not reached the pod.
    let mut changed = events("keda");
    for event in &mut changed {
        if let EventKind::Scrape { status, text, .. } = &mut event.kind {
            (*status, *text) = (500, r#"{"kind":"Status","code":500}"#.into());
        }
    }
    let judged = judge_events(changed);
    let (word, why) = outcome(&judged, "metric_is_read_as_set");
    assert!(word == "unknown" && why.contains("KEDA's operator") && !why.contains("prometheus.io"), "{why}");
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn what_no_pod_reaches_any_more_is_no_accelerator() {
    // As if the pods not been given their devices.
    let mut changed = events("met");
    for event in &mut changed {
        if let EventKind::Phase { phase, data } = &mut event.kind
            && phase == "given"
        {
            for pod in data["pods"].as_array_mut().unwrap() {
                pod["look"]["devices"] = json!([]);
            }
        }
    }
    let judged = judge_events(changed);
    assert_eq!(outcome(&judged, "new_pods_have_accelerators").0, "unmet");
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
}
