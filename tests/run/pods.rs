//! No pod of a run makes anybody buy a machine by accident, and none costs for ever.

use super::read;
use serde_json::Value;
use std::path::Path;

/// The check whose pods are to bring nodes.
const BRINGS_NODES: &str = "cluster_autoscaling";

/// Whether a pod can only be bound to nodes that are named, or that have no kubelet.
fn is_pinned(pod: &Value) -> bool {
    let required =
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let terms = pod.pointer(required).and_then(Value::as_array);
    // A pod that is kept out of scheduling waits for nobody's machine.
    let gated = pod["spec"]["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty());
    gated
        || terms.is_some_and(|terms| {
            let names = |term: &Value| {
                let fields = term["matchFields"].as_array().into_iter().flatten();
                let keys = term["matchExpressions"].as_array().into_iter().flatten();
                fields.chain(keys).any(|rule| {
                    ["metadata.name", "kubernetes.io/hostname", "kwok.x-k8s.io/node"]
                        .contains(&rule["key"].as_str().unwrap_or_default())
                })
            };
            !terms.is_empty() && terms.iter().all(names)
        })
}

/// Holds every pod of a run folder, whoever made it, to the law.
pub fn are_pinned_and_end_by_themselves(folder: &Path) {
    let mut pods = 0;
    for line in read(&folder.join("events.ndjson")).lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let check = event["check"].as_str().unwrap_or_default();
        let is_pod = event["kind"]["kind"] == "Pod" && event["change"] == "added";
        let ours = event["object"]["metadata"]["labels"]["aiconform.dev/run"].is_string();
        if event["type"] == "watch" && is_pod && ours && !check.is_empty() {
            pods += 1;
            let pod = &event["object"];
            assert!(check == BRINGS_NODES || is_pinned(pod), "{check}: a pod may wait for any node: {pod:#}");
        }
        let path = event["path"].as_str().unwrap_or_default();
        let made = event["type"] == "exchange" && event["method"] == "POST" && path.ends_with("/pods");
        if made && event["status"] == 201 {
            let pod = &event["request"];
            assert!(pod["spec"]["activeDeadlineSeconds"].is_u64(), "{check}: a pod has no deadline: {pod:#}");
        }
    }
    assert!(pods > 10, "{pods} pods were seen");
}
