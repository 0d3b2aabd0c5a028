//! Slots that are devices: published by the run itself for one node, claimed by pods, and prepared by nobody, because
//! no driver stands behind them (dynamic resource allocation, KEP-4381). What is bound to one never starts.

use aiconform_model::Kind;
use serde_json::{Value, json};

const GROUP: &str = "resource.k8s.io";
/// Stable since Kubernetes 1.34.
const VERSION: &str = "v1";
/// Names the run's devices, below the run's id.
const DOMAIN: &str = "slots.aiconform.dev";
/// The attribute by which a class knows the devices of its trial.
const TRIAL: &str = "trial";

/// Devices of one node, under one driver.
pub fn slice() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "ResourceSlice", "resourceslices")
}

fn class() -> Kind {
    Kind::cluster_wide(GROUP, VERSION, "DeviceClass", "deviceclasses")
}

/// Template that pods name to get a claim each.
pub fn claim_template() -> Kind {
    Kind::namespaced(GROUP, VERSION, "ResourceClaimTemplate", "resourceclaimtemplates")
}

/// Name of the class of the devices that stand for a private resource.
fn class_of(resource: &str) -> String {
    resource.split('/').rev().collect::<Vec<_>>().join(".")
}

/// The devices that stand for private resources of one node, each so many, with a class for each resource.
pub fn published(run: &str, node: &str, resources: &[(&str, u64)]) -> Vec<(Kind, Value)> {
    let driver = format!("{run}.{DOMAIN}");
    let short = |resource: &str| resource.rsplit('/').next().unwrap_or_default().to_owned();
    let devices: Vec<Value> = resources
        .iter()
        .flat_map(|(resource, count)| {
            (0..*count).map(move |number| {
                json!({"name": format!("{}-{number}", short(resource)),
                    "attributes": {TRIAL: {"string": short(resource)}}})
            })
        })
        .collect();
    let pool = short(resources.first().map_or("", |(resource, _)| resource));
    // By a selector: a kubelet takes away what is published under its name by drivers that it does not know.
    let slice_object = json!({"apiVersion": slice().api_version(), "kind": "ResourceSlice",
        "metadata": {"name": format!("aiconform-{pool}")},
        "spec": {"driver": driver, "pool": {"name": pool, "generation": 1, "resourceSliceCount": 1},
            "nodeSelector": {"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]},
            "devices": devices}});
    let mut objects = vec![(slice(), slice_object)];
    for (resource, _) in resources {
        let expression = format!(
            "device.driver == '{driver}' && device.attributes['{driver}'].{TRIAL} == '{}'",
            short(resource)
        );
        let class_object = json!({"apiVersion": class().api_version(), "kind": "DeviceClass",
            "metadata": {"name": class_of(resource)}, "spec": {"selectors": [{"cel": {"expression": expression}}]}});
        objects.push((class(), class_object));
    }
    objects
}

/// Name of the template of claims of so many devices of a trial.
pub fn template_name(prefix: &str, trial: &str, canary: bool, amount: u64) -> String {
    let role = if canary { "canary" } else { "slots" };
    format!("{prefix}{trial}-{role}-{amount}")
}

/// Template of claims of this name.
pub fn claimed(name: &str, resource: &str, amount: u64) -> (Kind, Value) {
    let object = json!({"apiVersion": claim_template().api_version(), "kind": "ResourceClaimTemplate",
        "metadata": {"name": name}, "spec": {"spec": {"devices": {"requests": [
            {"name": "slots", "exactly": {"deviceClassName": class_of(resource), "allocationMode": "ExactCount",
                "count": amount}}]}}}});
    (claim_template(), object)
}

/// Gives a pod a claim of this template, which its first container has.
pub fn claim(pod: &mut Value, template: &str) {
    pod["spec"]["resourceClaims"] = json!([{"name": "slots", "resourceClaimTemplateName": template}]);
    pod["spec"]["containers"][0]["resources"]["claims"] = json!([{"name": "slots"}]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_selects_the_devices_of_its_trial_and_names_are_short_enough() {
        let resource = "slots.aiconform.dev/0a1b2c3d-kueue-topology-near-miss-large";
        let canary = format!("{resource}-canary");
        let objects = published("0a1b2c3d", "node-0", &[(resource, 2), (&canary, 1)]);
        let devices = objects[0].1["spec"]["devices"].as_array().unwrap();
        assert_eq!(devices.len(), 3);
        for (object, resource) in objects[1..].iter().zip([resource, canary.as_str()]) {
            let name = class_of(resource);
            assert_eq!(object.1["metadata"]["name"], name);
            // What it selects is what the devices say, and of no other trial.
            let short = resource.rsplit('/').next().unwrap();
            let expression = object.1["spec"]["selectors"][0]["cel"]["expression"].as_str().unwrap();
            assert!(expression.ends_with(&format!(".trial == '{short}'")), "{expression}");
            assert!(devices.iter().any(|device| device["attributes"]["trial"]["string"] == short));
            let (_, template) = claimed("t", resource, 1);
            let class = &template["spec"]["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"];
            assert_eq!(*class, name);
        }
        for device in devices {
            // Limits of the API: a name is a DNS label, a text has 64 characters.
            assert!(device["name"].as_str().unwrap().len() <= 63, "{device}");
            assert!(device["attributes"]["trial"]["string"].as_str().unwrap().len() <= 64, "{device}");
        }
    }
}
