//! When nothing that was seen of a subject can be believed.

use super::history::{History, is_scaled};
use crate::adapters::alike;
use crate::marks::{Facts, autoscalers};
use crate::plan::LEAST;
use crate::scaler::Scaler;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::{Guard, Position, Story};
use serde_json::Value;
use std::collections::BTreeSet;

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    // The pod that says the value is the first that came: what follows stands on it.
    let carrier = history.pods.first().map(|(_, _, pod)| pod.name());
    // What it has never wanted, nobody but someone else has made.
    let wanted: BTreeSet<u64> = history.scalers.iter().filter_map(|(.., scaler)| scaler.wants).collect();
    story.doubt(Guard {
        watches: &|kind| [Kind::pod(), Kind::deployment(), autoscalers()].contains(kind),
        admitted: &mut |_| None,
        own: &mut |event| {
            let at = Position::of(event);
            let EventKind::Watch { kind, change, object } = &event.kind else { return None };
            if is_scaled(kind, object) {
                return pod(&history.facts, carrier, event, *change, object);
            }
            if *kind == autoscalers() {
                return rules(history, at, &Scaler::of(object, history.source));
            }
            let replicas = history.replicas.iter().find(|replicas| replicas.at == at)?.count;
            // It scales first and says so afterwards: before its next word nothing can be held against anyone.
            let has_spoken = history.scalers.iter().any(|(spoken, ..)| *spoken > at && *spoken < story.end());
            (has_spoken && replicas != 1 && !wanted.is_empty() && !wanted.contains(&replicas)).then(|| {
                format!(
                    "someone else than the autoscaler scaled the Deployment to {replicas} (event {at}): it has never wanted that"
                )
            })
        },
    })
}

/// The difference of a pod from what was sent, or the loss of the one that says the metric.
fn pod(facts: &Facts, carrier: Option<&str>, event: &Event, change: Change, pod: &Object) -> Option<String> {
    let (at, name, resource) = (event.sequence, pod.name(), &facts.asked_by);
    if change == Change::Added && !asks(facts, pod) {
        return Some(format!(
            "the pod {name} was changed on its way in (event {at}): it does not ask for {resource} any more; a webhook or policy of the platform rewrites pods"
        ));
    }
    let is_lost = change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some();
    (is_lost && carrier == Some(name)).then(|| {
        format!(
            "the pod {name}, which says the metric, was deleted (event {at}), although it is marked to be kept when others go"
        )
    })
}

/// Tells whether a pod asks for an accelerator in the way that it was sent with.
fn asks(facts: &Facts, pod: &Object) -> bool {
    if facts.given_by == "dra" {
        let claims = pod.at("/spec/resourceClaims").and_then(Value::as_array);
        return claims.is_some_and(|claims| !claims.is_empty());
    }
    let limits = pod.at("/spec/containers/0/resources/limits");
    limits.and_then(|limits| limits.get(&facts.asked_by)).is_some()
}

/// The difference of the autoscaler's rules from what was sent.
fn rules(history: &History, at: Position, scaler: &Scaler) -> Option<String> {
    let Scaler { least, most, target, .. } = scaler;
    let kept = *least == Some(LEAST) && *most == Some(history.facts.most);
    (!kept || !target.is_some_and(|target| alike(target, history.facts.target))).then(|| {
        let told = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
        let [least, most] = [least, most].map(|value| told(value.map(|value| value.to_string())));
        let target = told(target.map(|target| target.to_string()));
        format!(
            "someone changed the HorizontalPodAutoscaler (event {at}): it is told {least} to {most} replicas and an average of {target}"
        )
    })
}
