//! Words of Kueue's objects, and of pods that it gates, on a gang.

use aiconform_model::{Kind, Object};
use serde_json::Value;

/// API group of Kueue's objects.
pub const GROUP: &str = "kueue.x-k8s.io";

/// A Workload's condition that says that its quota cannot hold it; gives the gang's name and Kueue's words.
pub fn refusal(kind: &Kind, object: &Object) -> Option<(String, String)> {
    if kind.group != GROUP || kind.plural != "workloads" {
        return None;
    }
    let condition = object.condition("QuotaReserved")?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    // `Inadmissible` names a queue that is missing or on hold: that is no decision about the gang.
    (text("status") == "False" && text("reason") == "Pending")
        .then(|| (owner(object), text("message").to_owned()))
}

/// The gang of a Workload: its own name for a group of pods, else its Job's.
pub fn owner(workload: &Object) -> String {
    workload
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .and_then(|owners| {
            owners.iter().find(|owner| owner.get("kind").and_then(Value::as_str) == Some("Job"))
        })
        .and_then(|owner| owner.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_else(|| workload.name())
        .to_owned()
}

/// Tells whether Kueue's webhook has gated a pod.
pub fn gates(pod: &Object) -> bool {
    let gates = pod.at("/spec/schedulingGates").and_then(Value::as_array);
    gates
        .into_iter()
        .flatten()
        .any(|gate| gate.get("name").and_then(Value::as_str) == Some("kueue.x-k8s.io/admission"))
}

/// The gang of a Workload.
pub fn queued(kind: &Kind, object: &Object) -> Option<String> {
    (kind.group == GROUP && kind.plural == "workloads").then(|| owner(object))
}

/// The Job of a Workload, when it has one.
pub fn takes_job(kind: &Kind, object: &Object) -> Option<String> {
    let name = queued(kind, object)?;
    (name != object.name()).then_some(name)
}
