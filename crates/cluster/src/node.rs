//! Which nodes can carry test pods.

use aiconform_model::Object;
use serde_json::Value;

/// Why a node is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuitable(pub String);

/// Whether a node can carry test pods: ready, not cordoned, no taint that the tolerations do not cover.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
