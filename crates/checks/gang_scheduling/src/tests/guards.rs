//! What leaves nothing to believe of a subject.

use super::hand::*;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{State, Verdict};
use serde_json::{Value, json};

#[test]
fn a_pod_that_the_kubelet_turned_away_in_any_other_trial_leaves_nothing_to_believe() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &GOOD);
    let turned_away = json!({
        "metadata": {"name": "cleanup-leak-0", "namespace": "n", "uid": "x", "labels": {"aiconform.dev/trial": "cleanup",
            "aiconform.dev/role": "single", "aiconform.dev/gang": "cleanup-leak-0"}},
        "spec": {"nodeName": "node-0"}, "status": {"phase": "Failed", "reason": "OutOfslots.aiconform.dev/x"}});
    let last = tape.events.pop().unwrap();
    let kind = EventKind::Watch { kind: Kind::pod(), change: Change::Modified, object: Object(turned_away) };
    tape.write("kube-native", kind);
    tape.write("kube-native", last.kind);
    assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_gap_in_the_watch_or_a_foreign_change_makes_the_subject_inconclusive() {
    let gap = EventKind::WatchGap { kind: Kind::pod(), why: "410".into() };
    let node = |object: Value| EventKind::Watch {
        kind: Kind::node(),
        change: Change::Modified,
        object: Object(object),
    };
    let unready = node(
        json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
    );
    let cordoned = node(json!({"metadata": {"name": "a"}, "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
    for kind in [gap, unready, cordoned] {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.started("kube-native", false);
        tape.events.push(Event {
            sequence: tape.events.len() as u64,
            time: jiff::Timestamp::from_millisecond(1_800_000_000_000 + tape.clock).unwrap(),
            scope: Scope::default(),
            kind,
        });
        fitting(&mut tape, "kube-native", 4);
        near_miss(&mut tape, "kube-native", &GOOD);
        assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
    }
}

#[test]
fn fields_that_were_dropped_take_the_subject_out_of_those_that_count() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &NearMiss { gang_bound: 3, ..GOOD });
    for event in &mut tape.events {
        if let EventKind::Watch { object, .. } = &mut event.kind
            && let Some(spec) = object.0.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.remove("schedulingGroup");
        }
    }
    let judged = tape.judged();
    assert_eq!(judged.subjects[1].state, State::NotInForce);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("nothing in force"), "{}", judged.why);
}

#[test]
fn a_pod_that_was_rewritten_on_its_way_in_is_named() {
    let mut tape = Tape::default();
    control(&mut tape);
    tape.started("kube-native", false);
    let sent = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    let got = json!({"metadata": {"name": "p"}, "spec": {"schedulerName": "other", "containers": []}});
    tape.write(
        "kube-native",
        EventKind::Exchange {
            method: "POST".into(),
            path: "/api/v1/namespaces/n/pods".into(),
            status: 201,
            request: Some(sent),
            response: Some(got),
            milliseconds: 1,
        },
    );
    near_miss(&mut tape, "kube-native", &NearMiss { gang_bound: 3, ..GOOD });
    let judged = tape.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("schedulerName") && judged.why.contains("other"), "{}", judged.why);
}

#[test]
fn a_pod_of_a_job_that_was_rewritten_on_its_way_in_is_named() {
    let template = json!({"metadata": {"labels": {"aiconform.dev/trial": "t", "aiconform.dev/role": "gang",
        "aiconform.dev/gang": "g"}}, "spec": {"priorityClassName": "low", "containers": []}});
    let judged = |scheduler: &str| {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.started("kueue/job", false);
        tape.write(
            "kueue/job",
            EventKind::Exchange {
                method: "POST".into(),
                path: "/apis/batch/v1/namespaces/n/jobs".into(),
                status: 201,
                request: Some(json!({"spec": {"template": template}})),
                response: Some(json!({})),
                milliseconds: 1,
            },
        );
        let mut pod = template.clone();
        pod["metadata"]["name"] = json!("g-0");
        pod["spec"]["schedulerName"] = json!(scheduler);
        let kind = EventKind::Watch { kind: Kind::pod(), change: Change::Added, object: Object(pod) };
        tape.write("kueue/job", kind);
        tape.judged().why
    };
    assert!(judged("other").contains("g-0 was changed on its way in"), "{}", judged("other"));
    assert!(!judged("default-scheduler").contains("changed"), "{}", judged("default-scheduler"));
}

#[test]
fn what_goes_after_an_early_end_is_our_own_undoing() {
    let judged = |stopped: bool| {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.started("kube-native", false);
        fitting(&mut tape, "kube-native", 4);
        let mut kinds = vec![EventKind::WatchGap { kind: Kind::pod(), why: "the run ends".into() }];
        if stopped {
            kinds.insert(0, EventKind::Stopped { why: "interrupted by the user".into() });
        }
        for kind in kinds {
            tape.write("", kind);
        }
        let judged = tape.judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        outcome(&judged, "fitting_gang_completes").to_owned()
    };
    assert_eq!((judged(true).as_str(), judged(false).as_str()), ("met", "unknown"));
}
