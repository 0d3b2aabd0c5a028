//! What somebody else has changed makes everything unknown, and is named.

use super::hand::{Run, judged};
use crate::judge::{History, RULES};
use crate::marks::{gateways, http_routes};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::Story;
use aiconform_trial::kinds::service;
use aiconform_trial::testing::undoing_names_nobody;
use aiconform_verdict::Verdict;
use serde_json::{Value, json};

/// The doubt when this comes before the first phase of that name.
fn doubt(before: &str, kind: EventKind) -> Option<String> {
    let run = Run::default();
    let mut events = run.events();
    let place = events
        .iter()
        .position(|event| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == before))
        .unwrap();
    events.insert(place, Event { kind, ..events[place].clone() });
    let events: Vec<Event> = events
        .into_iter()
        .enumerate()
        .map(|(place, event)| Event { sequence: place as u64, ..event })
        .collect();
    let (subject, all) = (run.subject(), events.iter().collect::<Vec<_>>());
    let story = Story::of(&all, &subject, RULES.over);
    let said = (RULES.doubt)(&story, &History::read(&story).unwrap());
    let verdict = judged(events).verdict;
    assert_eq!(verdict == Verdict::Inconclusive, said.is_some(), "{said:?}");
    said
}

fn seen(kind: &Kind, change: Change, object: Value) -> EventKind {
    EventKind::Watch { kind: kind.clone(), change, object: Object(object) }
}

fn rules(services: &[String], weights: &[u64]) -> Value {
    let references =
        services.iter().zip(weights).map(|(name, weight)| json!({"name": name, "weight": weight}));
    json!([{"backendRefs": references.collect::<Vec<_>>()}])
}

fn created(sent: Value, got: Value) -> EventKind {
    EventKind::Exchange {
        method: "POST".into(),
        path: "/apis/x".into(),
        status: 201,
        request: Some(sent),
        response: Some(got),
        milliseconds: 1,
    }
}

#[test]
fn what_is_deleted_or_changed_by_somebody_else_is_named_and_our_own_undoing_is_not() {
    let gone = |kind: &Kind| seen(kind, Change::Deleted, json!({"metadata": {"name": "a"}}));
    for kind in [Kind::pod(), service(), http_routes()] {
        assert!(doubt("told", gone(&kind)).unwrap().contains("deleted by someone else"), "{kind}");
        assert!(doubt("end", gone(&kind)).is_some(), "{kind}");
        assert_eq!(doubt("over", gone(&kind)), None, "{kind}");
    }
    let generation = |number: i64| {
        seen(&http_routes(), Change::Modified, json!({"metadata": {"name": "a", "generation": number}}))
    };
    assert!(doubt("told", generation(2)).unwrap().contains("changed by someone else"));
    assert_eq!(doubt("told", generation(1)), None);
    let unready =
        json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    assert!(
        doubt("told", seen(&Kind::pod(), Change::Modified, unready.clone())).unwrap().contains("not ready")
    );
    // It is not ready before it is.
    assert_eq!(doubt("direct", seen(&Kind::pod(), Change::Modified, unready)), None);
}

#[test]
fn a_route_that_is_rewritten_on_its_way_in_is_named_and_defaults_are_not() {
    let names = ["a".to_owned(), "b".to_owned()];
    let route = |weights: &[u64]| json!({"kind": "HTTPRoute", "metadata": {"name": "r"}, "spec": {"rules": rules(&names, weights)}});
    let mut defaulted = route(&[80, 20]);
    defaulted["spec"]["rules"][0]["backendRefs"][0]["group"] = json!("");
    assert_eq!(doubt("told", created(route(&[80, 20]), defaulted)), None);
    let said = doubt("told", created(route(&[80, 20]), route(&[80, 30]))).unwrap();
    assert!(said.contains("spec.rules[0].backendRefs[1].weight"), "{said}");
    let mut fewer = route(&[80, 20]);
    fewer["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap().pop();
    assert!(doubt("told", created(route(&[80, 20]), fewer)).is_some());
}

#[test]
fn an_interrupted_watch_on_what_is_created_is_named_and_one_on_anything_else_is_not() {
    let gap = |kind: Kind| EventKind::WatchGap { kind, why: "410".into() };
    for kind in [Kind::pod(), service(), gateways(), http_routes()] {
        let said = doubt("told", gap(kind.clone())).unwrap();
        assert!(said.contains(&format!("the watch on {} was interrupted (410)", kind.plural)), "{said}");
        assert_eq!(doubt("over", gap(kind)), None);
    }
    assert_eq!(doubt("told", gap(Kind::node())), None);
}

#[test]
fn what_another_class_changes_of_its_own_is_not_changed_by_someone_else() {
    let route = |host: &str, generation: i64| {
        let object =
            json!({"metadata": {"name": "a", "generation": generation}, "spec": {"hostnames": [host]}});
        seen(&http_routes(), Change::Modified, object)
    };
    assert_eq!(doubt("changed", route("split-1.test", 2)), None);
    assert!(doubt("change", route("split-0.test", 2)).is_some(), "it is before our own change");
    assert_eq!(doubt("told_again", route("split-0.test", 2)), None);
    assert!(doubt("told_again", route("split-0.test", 3)).is_some());
    assert!(doubt("told_again", route("header-0.test", 2)).is_some(), "only one route is changed");
    let gateway = |class: &str| {
        let object = json!({"metadata": {"name": "g", "generation": 2}, "spec": {"gatewayClassName": class}});
        seen(&gateways(), Change::Modified, object)
    };
    assert_eq!(doubt("changed", gateway("another")), None);
    assert!(doubt("changed", gateway("c")).is_some());
}

#[test]
fn our_own_undoing_after_a_stop_names_nobody() {
    let objects = [Kind::pod(), service(), gateways(), http_routes()]
        .map(|kind| seen(&kind, Change::Added, json!({"metadata": {"name": "a", "generation": 1}})));
    let whole = Run::default().events();
    let scope = Scope::new("ai_inference", "");
    let watched = objects.map(|kind| Event { scope: scope.clone(), kind, ..whole[2].clone() });
    let events = whole[..3].iter().cloned().chain(watched).chain(whole[3..].iter().cloned());
    let events = events.enumerate().map(|(place, event)| Event { sequence: place as u64, ..event });
    undoing_names_nobody(&RULES, &events.collect::<Vec<_>>());
}
