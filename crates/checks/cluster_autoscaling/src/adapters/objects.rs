//! Readings of pods and nodes, whichever the autoscaler.

use aiconform_model::{Object, quantity};
use serde_json::Value;
use std::collections::BTreeMap;

/// Number of a resource that a node has for pods.
pub fn offers(node: &Object, resource: &str) -> f64 {
    let amount = node.at("/status/allocatable").and_then(|amounts| amounts.get(resource)?.as_str());
    amount.and_then(quantity).unwrap_or_default()
}

/// Tells whether a node has all of these labels; of no labels none is.
pub fn fits(node: &Object, selector: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| node.label(key) == value)
}

/// Tells whether the scheduler has said that it has no room for a pod.
pub fn is_refused(pod: &Object) -> bool {
    pod.condition("PodScheduled").is_some_and(|condition| {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        text("status") == Some("False") && text("reason") == Some("Unschedulable")
    })
}

/// The words in which a pod says who disrupts it (its condition `DisruptionTarget`), such as the taint manager, which may not
/// have seen yet that a new node has lost its taint.
pub fn disrupted(pod: &Object) -> Option<String> {
    let condition = pod.condition("DisruptionTarget")?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!("{}: {}", text("reason"), text("message")))
}
