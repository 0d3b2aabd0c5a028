//! ResourceSlices of what the node has for DRA.

use crate::breakage::Breakage;
use crate::driver::error::SimulatorError;
use crate::driver::fleet::{Device, Nature};
use crate::driver::node::{Node, SLICES};
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use serde_json::{Value, json};
use std::time::Duration;

/// Pause between two looks at the slices: the kubelet deletes those of a driver that it has lost sight of.
const LOOK: Duration = Duration::from_secs(2);

/// The name of the slice with what parts share ends so.
const COUNTERS: &str = "-counters";

/// `resource.k8s.io/v1` ResourceSlice.
pub fn kind() -> Kind {
    Kind::cluster_wide("resource.k8s.io", "v1", "ResourceSlice", "resourceslices")
}

/// Keeps the slices as they should be, until it is dropped.
pub async fn keep(node: &Node, api: &Api) {
    let mut told = String::new();
    loop {
        let said = match publish(node, api).await {
            Ok(false) => {
                node.serves(SLICES);
                String::new()
            }
            Ok(true) => {
                node.serves(SLICES);
                (node.talk)("the node's ResourceSlices are published");
                String::new()
            }
            Err(error) => format!("the node's ResourceSlices cannot be published: {error}"),
        };
        if !said.is_empty() && said != told {
            (node.talk)(&said);
        }
        told = said;
        aiconform_wait::pause(LOOK).await;
    }
}

/// Makes the slices what they should be; gives whether anything had to be done.
///
/// # Errors
/// When the API server refuses or does not answer.
pub async fn publish(node: &Node, api: &Api) -> Result<bool, SimulatorError> {
    let scope = Scope::default();
    let mut found = Vec::new();
    let wanted = slices(node, true);
    for slice in &wanted {
        let name = Object(slice.clone()).name().to_owned();
        found.push(match api.get(&scope, &kind(), "", &name).await {
            Ok(found) => Some(found),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        });
    }
    let generation =
        |slice: &Object| slice.at("/spec/pool/generation").and_then(Value::as_u64).unwrap_or_default();
    let same = |wanted: &Value, found: &Object| {
        let mut spec = found.at("/spec").cloned().unwrap_or_default();
        spec["pool"]["generation"] = wanted["spec"]["pool"]["generation"].clone();
        contains(&spec, &wanted["spec"]) && attributes(&spec) == attributes(&wanted["spec"])
    };
    // Left from when the devices could be split.
    let leftover = if wanted.len() == 1 {
        let name = format!("{}{COUNTERS}", Object(wanted[0].clone()).name());
        api.get(&scope, &kind(), "", &name).await.ok()
    } else {
        None
    };
    let whole = wanted.iter().zip(&found).all(|(wanted, found)| {
        found
            .as_ref()
            .is_some_and(|found| same(wanted, found) || (has_no_counters(found) && same_plain(node, found)))
    });
    if whole && leftover.is_none() {
        return Ok(false);
    }
    found.push(leftover);
    let next = found.iter().flatten().map(generation).max().unwrap_or_default() + 1;
    for found in found.iter().flatten() {
        api.delete(&scope, &kind(), "", found.name()).await?;
    }
    let owner = api.get(&scope, &Kind::node(), "", &node.settings.node_name).await?;
    for shape in [true, false] {
        let mut honoured = true;
        for mut slice in slices(node, shape) {
            slice["spec"]["pool"]["generation"] = next.into();
            // The Node's end is theirs too.
            slice["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "Node",
                "name": node.settings.node_name, "uid": owner.uid(), "controller": true}]);
            let made = api.create(&scope, &kind(), &Object(slice.clone())).await?;
            // An API server without partitionable devices drops what it does not know, and the parts would be given out
            // beside the whole.
            honoured &= contains(made.at("/spec").unwrap_or(&Value::Null), &slice["spec"]);
        }
        if honoured {
            break;
        }
        for slice in slices(node, shape) {
            api.delete(&scope, &kind(), "", Object(slice).name()).await?;
        }
        (node.talk)(
            "the API server does not know partitionable devices: partitions and virtual devices are left out",
        );
    }
    Ok(true)
}

/// Names of the attributes of a slice's devices: one more than is wanted was said by a simulator before this one.
fn attributes(spec: &Value) -> Vec<Vec<&String>> {
    let devices = spec["devices"].as_array().into_iter().flatten();
    devices
        .map(|device| device["attributes"].as_object().into_iter().flatten().map(|(name, _)| name).collect())
        .collect()
}

fn has_no_counters(found: &Object) -> bool {
    found.at("/spec/sharedCounters").is_none()
}

/// Tells whether this is the slice of an API server that knows no parts.
fn same_plain(node: &Node, found: &Object) -> bool {
    slices(node, false).iter().any(|slice| {
        let mut slice = slice["spec"].clone();
        slice["pool"]["generation"] = found.at("/spec/pool/generation").cloned().unwrap_or_default();
        let spec = found.at("/spec").unwrap_or(&Value::Null);
        contains(spec, &slice) && attributes(spec) == attributes(&slice)
    })
}

/// Tells whether `found` says all that `wanted` says; the server may add defaults.
fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| contains(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found.iter().zip(wanted).all(|(found, wanted)| contains(found, wanted))
        }
        _ => found == wanted,
    }
}

/// The slices: one with the devices and, where they can be split, one with what their parts share.
fn slices(node: &Node, parts: bool) -> Vec<Value> {
    let settings = &node.settings;
    let all = node.fleet.claimable.devices.iter().filter_map(|index| node.fleet.at(*index));
    let devices: Vec<&Device> = all.filter(|device| parts || device.nature == Nature::Whole).collect();
    let split = devices.iter().any(|device| device.nature != Nature::Whole);
    let name = format!("{}-{}", settings.node_name, settings.driver);
    let slice = |suffix: &str, key: &str, content: Vec<Value>| {
        json!({
            "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": format!("{name}{suffix}")},
            "spec": {"driver": settings.driver, "nodeName": settings.node_name,
                "pool": {"name": settings.node_name, "generation": 1, "resourceSliceCount": if split { 2 } else { 1 }},
                key: content},
        })
    };
    let described = devices.iter().map(|device| describe(node, device, split)).collect();
    let mut slices = vec![slice("", "devices", described)];
    if split {
        let wholes = devices.iter().filter(|device| device.nature == Nature::Whole);
        let counters = wholes.map(
            |whole| json!({"name": whole.name, "counters": {"memory": {"value": whole.memory.to_string()}}}),
        );
        slices.push(slice(COUNTERS, "sharedCounters", counters.collect()));
    }
    slices
}

fn describe(node: &Node, device: &Device, split: bool) -> Value {
    let settings = &node.settings;
    let mut attributes = json!({
        "productName": {"string": settings.model},
        "uuid": {"string": device.uuid},
        "type": {"string": kind_of(device)},
        "index": {"int": device.index},
        "simulator.aiconform.dev/simulated": {"bool": true},
    });
    let whole = device
        .parent
        .as_ref()
        .and_then(|parent| node.fleet.devices.iter().find(|whole| whole.uuid == *parent));
    if !settings.is_broken(Breakage::VersionNotAdvertised) {
        attributes["driverVersion"] = json!({"version": node.advertised_driver_version()});
        attributes["runtimeVersion"] = json!({"version": node.advertised_runtime_version()});
    }
    if let Some(parent) = &device.parent {
        attributes["parentUUID"] = json!({"string": parent});
    }
    let mut described = json!({
        "name": device.name, "attributes": attributes,
        "capacity": {"memory": {"value": device.memory.to_string()}},
    });
    if split {
        described["consumesCounters"] = json!([{"counterSet": whole.unwrap_or(device).name,
            "counters": {"memory": {"value": device.memory.to_string()}}}]);
    }
    described
}

/// Kind of a device, as its slice says it.
fn kind_of(device: &Device) -> &'static str {
    match device.nature {
        Nature::Whole => "gpu",
        Nature::Partition => "partition",
        Nature::Virtual => "vgpu",
    }
}
