//! What leaves nothing to believe.

use super::hand::*;
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_verdict::Verdict;
use serde_json::{Value, json};

/// Asserts that a whole run passes without this event behind its first phase, and says nothing with it.
fn doubted(kind: EventKind, why: &str) {
    let change = move |kinds: &mut Vec<EventKind>| kinds.insert(2, kind.clone());
    let judged = Run { change: Box::new(change), ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    assert!(judged.why.contains(why), "{}", judged.why);
}

fn watched(kind: Kind, change: Change, object: Value) -> EventKind {
    EventKind::Watch { kind, change, object: Object(object) }
}

fn pod(status: Value) -> Value {
    json!({"metadata": {"name": "plain", "namespace": "n", "labels": {"aiconform.dev/role": "plain"}}, "status": status})
}

#[test]
fn a_gap_in_a_watch_says_nothing() {
    for kind in [Kind::pod(), resource_claim()] {
        doubted(EventKind::WatchGap { kind, why: "410".into() }, "was interrupted (410)");
    }
}

#[test]
fn a_node_that_goes_or_is_not_ready_says_nothing_and_another_node_says_all() {
    let node = |name: &str, ready: &str| json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
    doubted(watched(Kind::node(), Change::Deleted, node(NODE, "True")), "went away");
    doubted(watched(Kind::node(), Change::Modified, node(NODE, "Unknown")), "was not ready");
    let other = watched(Kind::node(), Change::Deleted, node("node-1", "True"));
    let change = move |kinds: &mut Vec<EventKind>| kinds.insert(2, other.clone());
    assert_eq!(Run { change: Box::new(change), ..Run::default() }.judged().verdict, Verdict::Passed);
}

#[test]
fn pods_and_claims_that_someone_else_takes_away_say_nothing() {
    doubted(watched(Kind::pod(), Change::Deleted, pod(json!({}))), "was deleted by someone");
    let evicted = json!({"conditions": [{"type": "DisruptionTarget", "status": "True"}]});
    doubted(watched(Kind::pod(), Change::Modified, pod(evicted)), "was evicted by someone");
    let claim = json!({"metadata": {"name": "c", "labels": {"aiconform.dev/gang": "holder-0"}}});
    doubted(watched(resource_claim(), Change::Deleted, claim), "ResourceClaim c was deleted by someone");
}

/// The first pod that is made comes back changed.
fn rewritten(change: fn(&mut Value)) -> Run {
    let rewrite = move |kinds: &mut Vec<EventKind>| {
        let made = kinds.iter_mut().find_map(|kind| match kind {
            EventKind::Exchange { path, response, .. } if path.ends_with("/pods") => response.as_mut(),
            _ => None,
        });
        change(made.unwrap());
    };
    Run { change: Box::new(rewrite), ..Run::default() }
}

#[test]
fn a_pod_that_was_given_something_on_its_way_in_says_nothing() {
    for change in [
        |pod: &mut Value| pod["spec"]["containers"][0]["resources"]["limits"] = json!({"x.com/gpu": "1"}),
        |pod: &mut Value| pod["spec"]["containers"][0]["resources"]["claims"] = json!([{"name": "all"}]),
    ] {
        let judged = rewritten(change).judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        assert!(judged.why.contains("rewrites pods"), "{}", judged.why);
    }
    let elsewhere = rewritten(|pod| pod["spec"]["schedulerName"] = json!("mine"));
    assert!(elsewhere.judged().why.contains("spec.schedulerName"));
}

#[test]
fn what_platforms_add_to_every_pod_is_no_matter() {
    let judged = rewritten(|pod| {
        pod["spec"]["containers"][0]["env"] = json!([{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]);
        let sidecar = json!({"name": "mesh", "image": "m", "resources": {"requests": {"cpu": "1m"}}});
        pod["spec"]["containers"].as_array_mut().unwrap().push(sidecar);
    });
    assert_eq!(judged.judged().verdict, Verdict::Passed, "{}", judged.judged().why);
}
