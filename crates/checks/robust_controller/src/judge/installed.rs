//! Ground that an operator stands on: the platform's own controllers, its definition, its pods.

use super::history::History;
use aiconform_trial::{InForce, met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::time::Duration;

/// Control: Kubernetes' own controllers make what is to be made of an object.
pub fn plain_controller_works(history: &History) -> Outcome {
    let Some(end) = &history.plain_ended else {
        return unknown(history.lack("no Deployment was made"));
    };
    let made = history.replica_set.filter(|made| made.at < end.at);
    let (Some(begin), Some(made)) = (&history.plain, made) else {
        return unmet(
            "no ReplicaSet was made of a Deployment: Kubernetes' own controllers do not work, or not in time",
            [end.at],
        );
    };
    let late = history.limits.plain.too_late("a ReplicaSet was made of a Deployment", begin.when, made.when);
    late.unwrap_or_else(|| met("a ReplicaSet was made of a Deployment"))
}

/// The custom resource's definition is established.
pub fn kind_is_established(history: &History) -> Outcome {
    let Some(found) = &history.found else {
        return unknown(history.lack("the definition was not read"));
    };
    let plan = &history.plan;
    let name = format!("{}.{}", plan.kind.plural, plan.kind.group);
    match &found.mark.definition {
        None => unmet(format!("CustomResourceDefinition {name} is not there any more"), [found.at]),
        Some(definition) if !definition.established => unmet(
            format!("CustomResourceDefinition {name} is not established: {}", definition.says),
            [found.at],
        ),
        Some(definition) if !definition.served.contains(&plan.kind.version) => unknown(format!(
            "CustomResourceDefinition {name} serves {}, not {}",
            definition.served.join(", "),
            plan.kind.version
        )),
        Some(definition) => met(format!(
            "CustomResourceDefinition {name} is established; it serves {}",
            definition.served.join(", ")
        )),
    }
}

/// The operator's pods are ready, at the beginning and at the end.
pub fn controller_is_ready(history: &History) -> Outcome {
    let Some(found) = &history.found else {
        return unknown(history.lack("the operator's pods were not looked for"));
    };
    let first = &found.mark;
    if first.pods.is_empty() {
        if first.by.is_empty() {
            return unknown(
                "its pods were not found: no webhook leads to a Service of theirs, and no pod has the labels of its file",
            );
        }
        return unmet(format!("there is no pod of it, by {}", first.by), [found.at]);
    }
    if let Some(pod) = first.pods.iter().find(|pod| !pod.ready) {
        return unmet(format!("its pod {} is not ready: {}", pod.name, pod.says), [found.at]);
    }
    let [before, after] = history.waited;
    if let Some(late) = ready_late(history.limits.ready, before) {
        return late;
    }
    let Some(again) = &history.found_again else {
        return unknown(history.lack("the operator's pods were not looked at again"));
    };
    for pod in &first.pods {
        match again.mark.pods.iter().find(|other| other.uid == pod.uid) {
            None => {
                return unknown(format!(
                    "its pod {} was there at the beginning and not at the end",
                    pod.name
                ));
            }
            Some(now) if now.restarts > pod.restarts => {
                let times = now.restarts - pod.restarts;
                return unmet(
                    format!("its pod {} was started again {times} times meanwhile: {}", pod.name, now.says),
                    [again.at],
                );
            }
            Some(now) if !now.ready => {
                return unmet(
                    format!("its pod {} is not ready any more: {}", pod.name, now.says),
                    [again.at],
                );
            }
            Some(_) => {}
        }
    }
    if let Some(late) = ready_late(history.limits.still_ready, after) {
        return late;
    }
    let names: Vec<&str> = first.pods.iter().map(|pod| pod.name.as_str()).collect();
    met(format!("{} ready before and after, found by {}", names.join(", "), first.by))
}

/// The outcome of pods that were ready after the limit.
fn ready_late(limit: InForce, waited: Option<Duration>) -> Option<Outcome> {
    waited.filter(|waited| *waited > limit.time).map(|waited| limit.late("its pods were ready", waited))
}
