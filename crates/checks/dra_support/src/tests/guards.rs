//! What leaves nothing to believe.

use super::hand::*;
use crate::marks::{Mark, Step};
use crate::reading::{admitted, class, slice};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::marks;
use aiconform_verdict::Verdict;
use serde_json::{Value, json};

/// Asserts that a whole run passes without this event right after its start, and says nothing with it.
fn doubted(subject: &str, kinds: Vec<EventKind>, why: &str) {
    let judged = with(subject, kinds);
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    assert!(judged.why.contains(why), "{}", judged.why);
}

fn with(subject: &str, kinds: Vec<EventKind>) -> aiconform_verdict::Judgement {
    let mut tape = Tape::default();
    let mut whole = Run::default().tape().events.into_iter();
    let write = |tape: &mut Tape, event: Event| tape.write_of(&event.scope.subject, event.kind);
    write(&mut tape, whole.next().unwrap());
    for kind in kinds {
        tape.write_of(subject, kind);
    }
    whole.for_each(|event| write(&mut tape, event));
    tape.judged()
}

fn watched(kind: Kind, change: Change, object: Value) -> EventKind {
    EventKind::Watch { kind, change, object: Object(object) }
}

fn of_trial(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name, "uid": name, "labels": {"aiconform.dev/trial": "t", "aiconform.dev/role": "claimant",
        "aiconform.dev/gang": name, "aiconform.dev/run": "r"}}, "spec": spec})
}

#[test]
fn a_gap_in_a_watch_says_nothing() {
    for kind in [Kind::pod(), resource_claim(), slice()] {
        doubted("", vec![EventKind::WatchGap { kind, why: "410".into() }], "was interrupted (410)");
    }
}

#[test]
fn slices_and_classes_that_someone_changes_or_deletes_say_nothing() {
    for kind in [slice(), class()] {
        let object = of_trial("published", json!({"devices": [{"name": "one"}]}));
        let other = of_trial("published", json!({"devices": []}));
        let came = watched(kind.clone(), Change::Added, object.clone());
        let changed = watched(kind.clone(), Change::Modified, other);
        let gone = watched(kind.clone(), Change::Deleted, object.clone());
        let same = watched(kind.clone(), Change::Modified, object);
        assert_eq!(with(SUBJECT, vec![came.clone(), same]).verdict, Verdict::Passed);
        doubted(SUBJECT, vec![came.clone(), changed.clone()], "was changed by someone");
        doubted(SUBJECT, vec![came.clone(), gone.clone()], "was deleted by someone");
        // Those of the trial that changes and deletes its own are not that.
        let own = |kind: EventKind| match kind {
            EventKind::Watch { kind, change, mut object } => {
                object.0["metadata"]["labels"]["aiconform.dev/trial"] = json!("kinds");
                EventKind::Watch { kind, change, object }
            }
            other => other,
        };
        assert_eq!(with(SUBJECT, [came, changed, gone].map(own).to_vec()).verdict, Verdict::Passed);
    }
}

#[test]
fn pods_and_claims_that_someone_deletes_say_nothing() {
    for (kind, what) in [(Kind::pod(), "pod "), (resource_claim(), "ResourceClaim ")] {
        let object = of_trial("mine", json!({}));
        let mut going = object.clone();
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        for last in [
            watched(kind.clone(), Change::Deleted, object.clone()),
            watched(kind.clone(), Change::Modified, going),
        ] {
            let came = watched(kind.clone(), Change::Added, object.clone());
            doubted(SUBJECT, vec![came.clone(), last.clone()], what);
            // We said so before.
            let step = Step::Remove { names: vec!["mine".into()] };
            let said = marks::event(&Mark { trial: "t".into(), step });
            assert_eq!(with(SUBJECT, vec![came, said, last]).verdict, Verdict::Passed);
        }
    }
}

#[test]
fn pods_that_are_evicted_or_turned_away_or_lose_their_labels_say_nothing() {
    let pod = |change: fn(&mut Value)| {
        let mut object = of_trial("mine", json!({}));
        change(&mut object);
        vec![watched(Kind::pod(), Change::Modified, object)]
    };
    let evicted = |object: &mut Value| {
        object["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True"}]);
    };
    doubted(SUBJECT, pod(evicted), "was evicted");
    let failed = |object: &mut Value| object["status"] = json!({"phase": "Failed", "reason": "NodeAffinity"});
    doubted(SUBJECT, pod(failed), "NodeAffinity");
    let bare = |object: &mut Value| {
        object["metadata"]["labels"] = json!({"aiconform.dev/run": "r"});
    };
    doubted(SUBJECT, pod(bare), "lost its labels");
}

#[test]
fn what_a_claim_was_given_and_is_taken_away_while_its_pod_is_there_says_nothing() {
    let judged = |pod: Option<Sight>| {
        let mut tape = Tape::default();
        let whole = Run::default().tape();
        tape.write(whole.events[0].kind.clone());
        tape.pod("t", "claimant", "mine", New);
        tape.claim("t", "mine", &["one"], &["mine"]);
        if let Some(sight) = pod {
            tape.mark("t", Step::Remove { names: vec!["other".into()] });
            if sight == Gone {
                tape.mark("t", Step::Remove { names: vec!["mine".into()] });
            }
            tape.pod("t", "claimant", "mine", sight);
        }
        tape.claim("t", "mine", &[], &[]);
        for event in &whole.events[1..] {
            tape.write(event.kind.clone());
        }
        tape.judged()
    };
    let taken = judged(None);
    assert_eq!(taken.verdict, Verdict::Inconclusive);
    assert!(taken.why.contains("was taken away"), "{}", taken.why);
    assert_eq!(judged(Some(Gone)).verdict, Verdict::Passed);
}

#[test]
fn a_claim_of_others_that_holds_a_device_of_the_run_says_nothing() {
    let hindrance = |what: &str| {
        vec![EventKind::Hindrance {
            who: "ResourceClaim a/b".into(),
            what: what.into(),
            why: "it was given one".into(),
        }]
    };
    doubted(SUBJECT, hindrance("devices of the run"), "ResourceClaim a/b is not ours");
    assert_eq!(with(SUBJECT, hindrance("something else")).verdict, Verdict::Passed);
}

#[test]
fn a_node_that_changes_says_nothing() {
    let node = |object: Value| vec![watched(Kind::node(), Change::Modified, object)];
    let unready =
        json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    doubted("", node(unready), "");
}

#[test]
fn what_comes_after_an_early_end_is_our_own_undoing() {
    let mut tape = Run::default().tape();
    tape.events.pop();
    tape.write_of("", EventKind::Stopped { why: "interrupted by the user".into() });
    tape.write_of("", EventKind::WatchGap { kind: resource_claim(), why: "the run ends".into() });
    assert_eq!(outcome(&tape.judged(), "selectors_are_followed"), "met");
}

#[test]
fn what_is_rewritten_on_its_way_in_is_named_and_what_an_api_server_adds_is_not() {
    let path = "/apis/resource.k8s.io/v1/namespaces/n/resourceclaims?fieldManager=a";
    let sent = json!({"kind": "ResourceClaim", "metadata": {"name": "c", "labels": {"a": "b"}},
        "spec": {"devices": {"requests": [{"name": "device", "exactly": {"deviceClassName": "x"}}]}}});
    let got = |change: fn(&mut Value)| {
        let mut got = sent.clone();
        got["metadata"]["uid"] = json!("u");
        got["spec"]["devices"]["requests"][0]["exactly"]["count"] = json!(1);
        change(&mut got);
        admitted(path, &sent, &got)
    };
    assert_eq!(got(|_| {}), None);
    let rewritten: [fn(&mut Value); 5] = [
        |got| got["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] = json!("y"),
        |got| got["spec"]["devices"]["requests"][0]["exactly"]["selectors"] = json!([]),
        |got| got["spec"]["devices"]["config"] = json!([{}]),
        |got| got["spec"]["devices"]["requests"] = json!([]),
        |got| got["metadata"]["labels"] = json!({}),
    ];
    for change in rewritten {
        let why = got(change).unwrap();
        assert!(why.contains("ResourceClaim c was changed on its way in"), "{why}");
    }
    // It is what the judge looks at.
    let mut other = sent.clone();
    other["spec"] = json!({"devices": {}});
    let exchange = EventKind::Exchange {
        method: "POST".into(),
        path: path.into(),
        status: 201,
        request: Some(sent),
        response: Some(other),
        milliseconds: 1,
    };
    doubted(SUBJECT, vec![exchange], "was changed on its way in");
}

#[test]
fn a_pod_that_is_given_to_another_scheduler_is_named() {
    let sent = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    let got = json!({"metadata": {"name": "p"}, "spec": {"schedulerName": "other", "containers": []}});
    let why = admitted("/api/v1/namespaces/n/pods", &sent, &got).unwrap();
    assert!(why.contains("schedulerName"), "{why}");
}
