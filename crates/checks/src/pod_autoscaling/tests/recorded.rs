//! Recorded runs.

use super::hand::{judge_events, outcome};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{State, Verdict};

/// Simulated devices of a device plugin, scaled by the controller of Kubernetes through prometheus-adapter.
const MET: &str = include_str!("../tapes/met.ndjson");
/// The same by an external metric.
const EXTERNAL: &str = include_str!("../tapes/external.ndjson");
/// The same by KEDA, beside prometheus-adapter for other metrics.
const KEDA: &str = include_str!("../tapes/keda.ndjson");
/// Breakage `autoscaler-stopped`.
const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// No API of custom metrics.
const ABSENT: &str = include_str!("../tapes/absent.ndjson");

fn events(tape: &str) -> Vec<Event> {
    let events = tape.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    let number = |(place, event): (usize, Event)| Event { sequence: place as u64, ..event };
    events.enumerate().map(number).collect()
}

#[test]
fn tapes_are_judged_as_the_runs_were() {
    for tape in [MET, EXTERNAL, KEDA] {
        let met = judge_events(events(tape));
        assert_eq!((met.verdict, met.simulated), (Verdict::Passed, true), "{}", met.why);
        assert!(met.subjects[0].claims.iter().all(|claim| claim.outcome.is_met()), "{:?}", met.subjects);
    }
    let unmet = judge_events(events(UNMET));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(outcome(&unmet, "rises_with_the_metric").0, "unmet");
    let absent = judge_events(events(ABSENT));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.subjects.iter().all(|subject| subject.state == State::Absent));
    assert!(absent.why.contains("prometheus-adapter"), "{}", absent.why);
}

#[test]
fn a_metric_that_keda_does_not_tell_is_asked_of_keda_and_not_of_an_adapter() {
    // The same run, had KEDA not reached the pod.
    let mut changed = events(KEDA);
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
    // The same run, had the pods not been given their devices.
    let mut changed = events(MET);
    for event in &mut changed {
        if let EventKind::Phase { phase, data } = &mut event.kind
            && phase == "given"
        {
            for pod in data["pods"].as_array_mut().unwrap() {
                pod["look"]["devices"] = serde_json::json!([]);
            }
        }
    }
    let judged = judge_events(changed);
    assert_eq!(outcome(&judged, "new_pods_have_accelerators").0, "unmet");
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
}
