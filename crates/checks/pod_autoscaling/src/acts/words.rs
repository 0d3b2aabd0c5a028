//! Words of objects and answers, for people and for what is asked next.

use aiconform_model::Object;
use serde_json::Value;
use std::collections::BTreeMap;

/// Name of the external metric that an autoscaler asks for, and labels of its series.
pub fn external_metric(autoscaler: &Object) -> Option<(String, BTreeMap<String, String>)> {
    let metric = autoscaler.at("/spec/metrics/0/external/metric")?;
    let labels = metric.pointer("/selector/matchLabels").and_then(Value::as_object).into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    Some((metric.get("name")?.as_str()?.to_owned(), labels.collect()))
}

/// Readiness of a ScaledObject, by its own word.
pub fn readiness(object: &Object) -> String {
    let condition = object.condition("Ready");
    let text = |key: &str| condition.and_then(|it| it.get(key)?.as_str()).unwrap_or("not said");
    format!("its ScaledObject says Ready={} {}: {}", text("status"), text("reason"), text("message"))
}

/// Reason for which a pod does not serve.
pub fn waits(pod: &Object) -> String {
    let scheduled = pod.condition("PodScheduled").and_then(|it| it.get("message")?.as_str());
    let statuses = pod.at("/status").and_then(|status| status.get("containerStatuses"));
    let waiting = statuses.and_then(|statuses| statuses.pointer("/0/state/waiting"));
    let text = |key: &str| waiting.and_then(|it| it.get(key)?.as_str()).unwrap_or_default();
    let words = [scheduled.unwrap_or_default(), text("reason"), text("message")].join(" ");
    format!("{} is {} {}", pod.name(), pod.text("/status/phase"), words.trim())
}

/// Reason for which a Deployment makes no pods.
pub fn failure(deployment: &Object) -> Option<String> {
    let condition = deployment.condition("ReplicaFailure")?;
    Some(condition.get("message")?.as_str()?.to_owned())
}

/// Message of a refusal of the API server, to stand behind its status.
pub fn detail(text: &str) -> String {
    let status: Value = serde_json::from_str(text).unwrap_or_default();
    let message = status.get("message").and_then(Value::as_str);
    message.map(|message| format!(": {message}")).unwrap_or_default()
}
