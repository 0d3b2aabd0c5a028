//! Nodes that can carry test pods, and how many they can.

use aiconform_model::{Amounts, Object, quantity};
use serde_json::Value;

/// Why a node is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuitable(pub String);

/// Tells whether a node can carry test pods: ready, not cordoned, no taint that the tolerations do not cover.
///
/// # Errors
/// [`Unsuitable`] in words for the user.
pub fn suitable(node: &Object, tolerations: &[Value]) -> Result<(), Unsuitable> {
    let no = |why: String| Err(Unsuitable(format!("{}: {why}", node.name())));
    if !node.condition_is("Ready", "True") {
        return no("it is not ready".into());
    }
    if node.at("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        return no("it is cordoned".into());
    }
    if node.at("/metadata/deletionTimestamp").is_some() {
        return no("it is being deleted".into());
    }
    let taints = node.at("/spec/taints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for taint in taints {
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let effect = text(taint, "effect");
        let tolerated = tolerations.iter().any(|toleration| {
            let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
            let same_key = key == text(taint, "key") || (key.is_empty() && operator == "Exists");
            let same_value = operator == "Exists" || text(toleration, "value") == text(taint, "value");
            let wanted = text(toleration, "effect");
            same_key && same_value && (wanted.is_empty() || wanted == effect)
        });
        if effect != "PreferNoSchedule" && !tolerated {
            return no(format!("it has the taint {}:{effect}", text(taint, "key")));
        }
    }
    Ok(())
}

/// Tells whether what keeps pods from a node may be over in a moment: the node controller's own taints
/// (pkg/controller/nodelifecycle) stay until its next round, up to 5 s after the kubelet said that it is ready, and a
/// busy kubelet says so late.
pub fn may_become_ready(node: &Object) -> bool {
    const OWN: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let taints = node.at("/spec/taints").and_then(Value::as_array);
    let has = taints
        .into_iter()
        .flatten()
        .any(|taint| taint.get("key").and_then(Value::as_str).is_some_and(|key| OWN.contains(&key)));
    has || !node.condition_is("Ready", "True")
}

/// Amounts that are free on a node beside these pods, which are bound to it: CPU in cores, memory in bytes, and pods.
pub fn free(node: &Object, pods: &[Object]) -> Amounts {
    let allocatable = |name: &str| {
        let amounts = node.at("/status/allocatable").and_then(|amounts| amounts.get(name));
        amounts.and_then(Value::as_str).and_then(quantity).unwrap_or_default()
    };
    let there: Vec<&Object> = pods.iter().filter(|pod| !has_ended(pod)).collect();
    ["cpu", "memory", "pods"]
        .into_iter()
        .map(|name| {
            let taken: f64 = there.iter().map(|pod| if name == "pods" { 1.0 } else { asks(pod, name) }).sum();
            (name.to_owned(), (allocatable(name) - taken).max(0.0))
        })
        .collect()
}

/// Tells whether a pod has ended: then it takes nothing any more (kube-scheduler's own rule).
fn has_ended(pod: &Object) -> bool {
    matches!(pod.text("/status/phase"), "Succeeded" | "Failed")
}

/// Amount of a resource that pods ask for, those that have ended left out.
pub fn demand(pods: &[Object], name: &str) -> f64 {
    pods.iter().filter(|pod| !has_ended(pod)).map(|pod| asks(pod, name)).sum()
}

/// Amount of a resource that a pod asks for: its own request where it has one, else that of its containers or of the largest
/// init container, beside those that go on running; and the overhead of its runtime (KEP-753, KEP-2837).
fn asks(pod: &Object, name: &str) -> f64 {
    let amount = |value: Option<&Value>| {
        value.and_then(|amounts| amounts.get(name)?.as_str().and_then(quantity)).unwrap_or_default()
    };
    let overhead = amount(pod.at("/spec/overhead"));
    let own = amount(pod.at("/spec/resources/requests"));
    if own > 0.0 {
        return own + overhead;
    }
    let of = |pointer: &str| pod.at(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let request = |container: &Value| amount(container.pointer("/resources/requests"));
    let goes_on =
        |container: &&Value| container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
    let init = of("/spec/initContainers");
    let beside: f64 = init.iter().filter(goes_on).map(request).sum();
    let largest = init.iter().filter(|container| !goes_on(container)).map(request).fold(0.0, f64::max);
    let running: f64 = of("/spec/containers").iter().map(request).sum();
    running.max(largest) + beside + overhead
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_free_counts_what_pods_ask_for_and_not_those_that_have_ended() {
        let node = Object(json!({"status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "110"}}}));
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}});
        let sidecar = json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}});
        let pods = [
            Object(json!({"spec": {"containers": [container("100m"), container("200m")]}})),
            Object(
                json!({"spec": {"initContainers": [container("500m"), sidecar], "containers": [container("100m")],
                "overhead": {"cpu": "10m"}}}),
            ),
            Object(
                json!({"spec": {"resources": {"requests": {"cpu": "40m"}}, "containers": [container("1m")]}}),
            ),
            Object(json!({"spec": {"containers": [container("1")]}, "status": {"phase": "Succeeded"}})),
        ];
        let found = free(&node, &pods);
        assert!((found["cpu"] - (2.0 - 0.3 - 0.56 - 0.04)).abs() < 1e-9, "{found:?}");
        assert!((found["memory"] - (1024.0 - 4.0 * 64.0) * 1_048_576.0).abs() < 1.0, "{found:?}");
        assert!((found["pods"] - 107.0).abs() < 1e-9);
    }

    #[test]
    fn only_what_the_node_controller_takes_away_by_itself_is_waited_for() {
        let tainted = |key: &str| node(json!({"taints": [{"key": key, "effect": "NoExecute"}]}), "True");
        assert!(may_become_ready(&tainted("node.kubernetes.io/not-ready")));
        assert!(may_become_ready(&node(json!({}), "False")));
        assert!(!may_become_ready(&tainted("example.com/kept")));
        assert!(!may_become_ready(&node(json!({"unschedulable": true}), "True")));
    }

    fn node(spec: Value, ready: &str) -> Object {
        Object(json!({"metadata": {"name": "n"}, "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
    }

    #[test]
    fn cordoned_unready_and_tainted_nodes_are_left_alone() {
        assert!(suitable(&node(json!({}), "True"), &[]).is_ok());
        assert!(suitable(&node(json!({}), "Unknown"), &[]).is_err());
        assert!(suitable(&node(json!({"unschedulable": true}), "True"), &[]).is_err());
        let tainted = node(json!({"taints": [{"key": "gpu", "value": "a", "effect": "NoSchedule"}]}), "True");
        assert!(suitable(&tainted, &[]).is_err());
        assert!(suitable(&tainted, &[json!({"key": "gpu", "operator": "Exists"})]).is_ok());
        assert!(suitable(&tainted, &[json!({"key": "gpu", "value": "b"})]).is_err());
    }
}
