//! The kinds of dynamic resource allocation (KEP-4381), and how claims and the pods that name them are written.

use crate::pod::{GANG, ROLE, TRIAL};
use aiconform_model::{Kind, Object};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The API group.
pub const GROUP: &str = "resource.k8s.io";
/// Stable since Kubernetes 1.34; what KAR-0051 asks for.
pub const VERSION: &str = "v1";
/// The first minor version of Kubernetes that has it.
pub const FIRST_MINOR: u64 = 34;
/// Name of the one request of a claim, and of the one claim of a pod.
pub const DEVICE: &str = "device";

/// Devices that a driver publishes.
pub fn slice() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "ResourceSlice", "resourceslices")
}

/// What a request names, with selectors of its own.
pub fn class() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "DeviceClass", "deviceclasses")
}

/// What devices are given to.
pub fn claim() -> Kind {
    Kind::namespaced(GROUP, VERSION, "ResourceClaim", "resourceclaims")
}

/// What gives each pod that names it a claim of its own.
pub fn claim_template() -> Kind {
    Kind::namespaced(GROUP, VERSION, "ResourceClaimTemplate", "resourceclaimtemplates")
}

/// The kinds that KAR-0051 asks for.
pub fn kinds() -> [Kind; 4] {
    [class(), claim(), claim_template(), slice()]
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
    json!({"apiVersion": claim().api_version(), "kind": claim().kind, "metadata": {"name": name, "labels": labels},
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

/// A device that a claim was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// Its driver.
    pub driver: String,
    /// The driver's pool that it is in.
    pub pool: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Device {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of pool {}", self.name, self.pool)
    }
}

/// The devices that a claim is given, as its status says.
pub fn given(claim: &Object) -> Vec<Device> {
    results(claim).map(device).collect()
}

fn results(claim: &Object) -> impl Iterator<Item = &Value> {
    claim.at("/status/allocation/devices/results").and_then(Value::as_array).into_iter().flatten()
}

fn device(result: &Value) -> Device {
    let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Device { driver: text("driver"), pool: text("pool"), name: text("device") }
}

/// Of several ways of a request, the names of those in which it was met.
pub fn ways(claim: &Object) -> Vec<String> {
    results(claim)
        .filter_map(|result| result.get("request")?.as_str()?.split_once('/').map(|(_, way)| way.to_owned()))
        .collect()
}

/// UIDs of the pods that a claim is reserved for.
pub fn reserved(claim: &Object) -> BTreeSet<String> {
    let reserved = claim.at("/status/reservedFor").and_then(Value::as_array);
    reserved.into_iter().flatten().filter_map(|user| user.get("uid")?.as_str().map(str::to_owned)).collect()
}
