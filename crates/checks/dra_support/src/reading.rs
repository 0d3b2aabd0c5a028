//! Readings of objects of dynamic resource allocation (KEP-4381), by those who make them and by the judge.

use aiconform_model::{Change, Kind, Object};
use aiconform_trial::foreign::changed;
use aiconform_trial::kinds::resource_claim;
use serde_json::Value;
use std::collections::BTreeSet;

/// The API group.
pub const GROUP: &str = "resource.k8s.io";
/// Stable since Kubernetes 1.34; what KAR-0051 asks for.
pub const VERSION: &str = "v1";
/// Devices that a driver publishes.
pub fn slice() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "ResourceSlice", "resourceslices")
}

/// Class that a request names, with selectors of its own.
pub fn class() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "DeviceClass", "deviceclasses")
}

/// Template that gives each pod which names it a claim of its own.
pub fn claim_template() -> Kind {
    Kind::namespaced(GROUP, VERSION, "ResourceClaimTemplate", "resourceclaimtemplates")
}

/// The kinds that KAR-0051 asks for.
pub fn kinds() -> [Kind; 4] {
    [class(), resource_claim(), claim_template(), slice()]
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

/// Tells whether an object is gone, or being deleted.
pub fn is_gone(object: &Object, change: Change) -> bool {
    change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some()
}

/// The difference of an object from what was sent.
pub fn admitted(path: &str, sent: &Value, got: &Value) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let (sent, got) = (Object(sent.clone()), Object(got.clone()));
    if path.ends_with("/pods") {
        return changed(&sent, &got, |_| false);
    }
    if !path.starts_with(&format!("/apis/{GROUP}/")) {
        return None;
    }
    ["/spec", "/metadata/labels"].iter().find_map(|pointer| {
        let (was, is) = (sent.at(pointer), got.at(pointer));
        let text = |value: Option<&Value>| value.map_or("absent".into(), Value::to_string);
        (!kept(was, is)).then(|| {
            format!(
                "{} {} was changed on its way in: {pointer} was {}, is {}; a webhook or policy of the platform rewrites it",
                sent.kind(),
                sent.name(),
                text(was),
                text(is)
            )
        })
    })
}

/// Fields that make an object another one when someone adds them; an API server adds others, with their defaults.
const MEANINGFUL: &[&str] = &[
    "adminAccess",
    "allNodes",
    "config",
    "constraints",
    "exactly",
    "firstAvailable",
    "nodeName",
    "nodeSelector",
    "perDeviceNodeSelection",
    "selectors",
    "taints",
    "tolerations",
];

/// Tells whether everything that was sent is there as it was sent, and nothing beside it that makes it mean something else.
fn kept(sent: Option<&Value>, got: Option<&Value>) -> bool {
    match (sent, got) {
        (None, _) => true,
        (Some(Value::Object(sent)), Some(Value::Object(got))) => {
            sent.iter().all(|(key, value)| kept(Some(value), got.get(key)))
                && MEANINGFUL.iter().all(|key| sent.contains_key(*key) || !got.contains_key(*key))
        }
        (Some(Value::Array(sent)), Some(Value::Array(got))) => {
            sent.len() == got.len() && sent.iter().zip(got).all(|(sent, got)| kept(Some(sent), Some(got)))
        }
        (sent, got) => sent == got,
    }
}
