//! Objects: claims, and the pods that name them, as they are written.

use crate::reading::{GROUP, VERSION, claim_template};
use aiconform_model::{Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE, TRIAL};
use serde_json::{Value, json};

/// Name of the one request of a claim, and of the one claim of a pod.
const DEVICE: &str = "device";

/// Rules by which administrators put taints on devices of others (KEP-5055), in the versions in which they can be served.
pub fn taint_rules() -> [Kind; 3] {
    [VERSION, "v1beta2", "v1alpha3"]
        .map(|version| Kind::cluster_wide(GROUP, version, "DeviceTaintRule", "devicetaintrules"))
}

/// Tells whether such a rule keeps devices of any driver from claims. One without a selector is for none; the effect `None`
/// only shows what another would do.
pub fn taints_all(rule: &Object) -> bool {
    let selector = rule.at("/spec/deviceSelector").and_then(Value::as_object);
    let named = |key: &str| selector.is_some_and(|selector| selector.contains_key(key));
    selector.is_some()
        && !["driver", "pool", "device"].iter().any(|key| named(key))
        && rule.text("/spec/taint/effect") != "None"
}

/// Labels of what belongs to a trial; `name` is what the judge calls it by.
pub fn labels(trial: &str, role: &str, name: &str) -> Value {
    json!({TRIAL: trial, ROLE: role, GANG: name})
}

/// A request of one device of a class, with selectors (CEL) and tolerations of its own.
pub fn exactly(class: &str, selectors: &[String], tolerations: &Value) -> Value {
    json!({"name": DEVICE, "exactly": wanted(class, selectors, tolerations)})
}

/// A request of one device in the order of what is preferred: name and selectors of each way.
pub fn first_available(class: &str, ways: &[(&str, &[String])]) -> Value {
    let ways: Vec<Value> = ways
        .iter()
        .map(|(name, selectors)| {
            let mut way = wanted(class, selectors, &json!([]));
            way["name"] = json!(name);
            way
        })
        .collect();
    json!({"name": DEVICE, "firstAvailable": ways})
}

fn wanted(class: &str, selectors: &[String], tolerations: &Value) -> Value {
    let mut wanted = json!({"deviceClassName": class, "allocationMode": "ExactCount", "count": 1});
    if !selectors.is_empty() {
        wanted["selectors"] = selectors.iter().map(|cel| json!({"cel": {"expression": cel}})).collect();
    }
    if tolerations.as_array().is_some_and(|tolerations| !tolerations.is_empty()) {
        wanted["tolerations"] = tolerations.clone();
    }
    wanted
}

/// A claim of one request.
pub fn claim_object(name: &str, labels: &Value, request: &Value) -> Value {
    json!({"apiVersion": resource_claim().api_version(), "kind": resource_claim().kind, "metadata": {"name": name, "labels": labels},
        "spec": {"devices": {"requests": [request]}}})
}

/// A template of such claims, which carry the same labels.
pub fn template_object(name: &str, labels: &Value, request: &Value) -> Value {
    json!({"apiVersion": claim_template().api_version(), "kind": claim_template().kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {"metadata": {"labels": labels}, "spec": {"devices": {"requests": [request]}}}})
}

/// Gives a pod's container a claim: `field` is `resourceClaimName` or `resourceClaimTemplateName`.
pub fn give(pod: &mut Value, field: &str, name: &str) {
    pod["spec"]["resourceClaims"] = json!([{"name": DEVICE, field: name}]);
    pod["spec"]["containers"][0]["resources"]["claims"] = json!([{"name": DEVICE}]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_concerns_us_that_names_nobody_and_keeps_devices_back() {
        let rule = |spec: Value| taints_all(&Object(json!({"spec": spec})));
        let taint = json!({"key": "a/b", "effect": "NoSchedule"});
        assert!(rule(json!({"deviceSelector": {}, "taint": taint})));
        // Without a selector it is for no device.
        assert!(!rule(json!({"taint": taint})));
        for key in ["driver", "pool", "device"] {
            assert!(!rule(json!({"deviceSelector": {key: "x"}, "taint": taint})));
        }
        assert!(!rule(json!({"deviceSelector": {}, "taint": {"key": "a/b", "effect": "None"}})));
    }
}
