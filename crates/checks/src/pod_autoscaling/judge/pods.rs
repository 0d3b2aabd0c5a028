//! Pods that were wanted and did not run, for a reason which is neither the autoscaler's nor the accelerators'.

use super::super::history::History;
use aiconform_model::{Change, Object};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reasons of a container that has no image, or may not have what it names.
const NO_IMAGE: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
];

/// Why the pods that were wanted when a step was closed did not run, where that says nothing of the platform's accelerators:
/// they were not created, had no room, or no image.
pub fn hindered(history: &History, wanted: u64, closed: u64) -> Option<String> {
    let mut pods: BTreeMap<&str, &Object> = BTreeMap::new();
    for (_, change, pod) in history.pods.iter().filter(|(at, ..)| *at < closed) {
        match change {
            Change::Deleted => pods.remove(pod.name()),
            _ => pods.insert(pod.name(), pod),
        };
    }
    if (pods.len() as u64) < wanted {
        return Some(format!(
            "{} of {wanted} pods were created: a quota or a policy may refuse them",
            pods.len()
        ));
    }
    pods.values().filter(|pod| !pod.condition_is("Ready", "True")).find_map(|pod| {
        if let Some(condition) = pod.condition("PodScheduled")
            && pod.condition_is("PodScheduled", "False")
        {
            let message = condition.get("message").and_then(Value::as_str).unwrap_or_default();
            return Some(format!(
                "the pod {} found no room, and what was counted free before may have gone to somebody else: {message}",
                pod.name()
            ));
        }
        let statuses = pod.at("/status/containerStatuses").and_then(Value::as_array);
        let reason = |status: &Value| {
            status.pointer("/state/waiting/reason").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut reasons = statuses.into_iter().flatten().map(reason);
        let reason = reasons.find(|reason| NO_IMAGE.contains(&reason.as_str()))?;
        Some(format!("the pod {} has no image ({reason})", pod.name()))
    })
}
