//! Accelerators that the nodes offer.

use crate::makers::makers;
pub use crate::way::Way;
use aiconform_check::cx::Stop;
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope, quantity};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Last parts of the names of extended resources that are whole accelerators.
const RESOURCES: [&str; 9] =
    ["gpu", "tpu", "npu", "neuron", "neurondevice", "gaudi", "i915", "xe", "accelerator"];
/// Ending that NVIDIA's device plugin writes behind the name of a resource whose devices are shared (`renameByDefault`).
const SHARED: &str = ".shared";
/// Drivers of devices that a run publishes itself.
const OURS: &str = "dra.aiconform.dev";

/// Accelerators that the nodes offer.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By node: how many accelerators, and names of those that have one.
    pub nodes: BTreeMap<String, (u64, Vec<String>)>,
    /// Ways in which they are asked for, the best first.
    pub ways: Vec<Way>,
}

impl Inventory {
    /// As it stands in the evidence.
    pub fn told(&self) -> Value {
        let node = |(node, (devices, names)): (&String, &(u64, Vec<String>))| {
            (node.clone(), json!({"devices": devices, "names": names}))
        };
        self.nodes.iter().map(node).collect::<serde_json::Map<_, _>>().into()
    }
}

/// `resource.k8s.io/v1` ResourceSlice.
pub fn slices() -> Kind {
    Kind::cluster_wide("resource.k8s.io", "v1", "ResourceSlice", "resourceslices")
}

/// `resource.k8s.io/v1` DeviceClass.
pub fn classes() -> Kind {
    Kind::cluster_wide("resource.k8s.io", "v1", "DeviceClass", "deviceclasses")
}

/// Asks what the nodes offer. What two allocators offer are different devices: else one could be given out twice.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn inventory(api: &Api, scope: &Scope, profile: &Profile) -> Result<Inventory, Stop> {
    let mut found = Inventory::default();
    if api.serves(scope, &slices()).await? {
        let slices = api.list(scope, &slices(), "", "").await?;
        let classes = api.list(scope, &classes(), "", "").await?;
        add_classes(&mut found, profile, &slices, &classes);
    }
    for node in api.list(scope, &Kind::node(), "", "").await? {
        add_resources(&mut found, profile, &node);
    }
    Ok(found)
}

fn add_classes(found: &mut Inventory, profile: &Profile, slices: &[Object], classes: &[Object]) {
    let mut drivers: BTreeSet<&str> = BTreeSet::new();
    for slice in slices {
        let driver = slice.text("/spec/driver");
        if is_ours(driver) || slice.text("/spec/nodeName").is_empty() {
            continue;
        }
        let devices =
            slice.at("/spec/devices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let whole: Vec<&Value> = devices.iter().filter(|device| is_whole(device)).collect();
        if whole.is_empty() {
            continue;
        }
        drivers.insert(driver);
        let (count, names) = found.nodes.entry(slice.text("/spec/nodeName").into()).or_default();
        *count += whole.len() as u64;
        names.extend(whole.iter().filter_map(|device| attribute(device, "uuid")));
    }
    let wanted = &profile.accelerators.device_classes;
    let mut names: Vec<&str> =
        classes.iter().filter(|class| is_class(class, wanted, &drivers)).map(Object::name).collect();
    // The plain class of a driver has the shortest name: those of its parts say which.
    names.sort_by_key(|name| name.len());
    found.ways.extend(names.into_iter().map(|name| Way::Class(name.into())));
}

/// Tells whether a class is one of those that the profile names or, where it names none, selects devices of these drivers.
pub(super) fn is_class(class: &Object, wanted: &[String], drivers: &BTreeSet<&str>) -> bool {
    if !wanted.is_empty() {
        return wanted.iter().any(|wanted| wanted == class.name());
    }
    let selectors = expressions(class).concat();
    // Words between quotes that are no domains: types of devices.
    let of_parts =
        selectors.split(['"', '\'']).skip(1).step_by(2).any(|word| !word.contains('.') && is_part(word));
    !of_parts && drivers.iter().any(|driver| selectors.contains(driver))
}

/// The expressions by which a class selects devices.
pub fn expressions(class: &Object) -> Vec<&str> {
    let selectors = class.at("/spec/selectors").and_then(Value::as_array);
    selectors
        .into_iter()
        .flatten()
        .filter_map(|selector| selector.pointer("/cel/expression")?.as_str())
        .collect()
}

/// Tells whether a device of this type is a part of another.
pub fn is_part(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    ["mig", "partition", "vgpu", "part"].iter().any(|part| kind.contains(part))
}

/// Tells whether a driver's devices are such that a run publishes itself.
pub(super) fn is_ours(driver: &str) -> bool {
    driver.ends_with(OURS)
}

/// A device that is neither a part of another nor shares counters with it.
pub(super) fn is_whole(device: &Value) -> bool {
    !attribute(device, "type").is_some_and(|kind| is_part(&kind))
}

/// An attribute of a device that is a text or a version, by the last part of its name.
pub fn attribute(device: &Value, name: &str) -> Option<String> {
    let attributes = device.get("attributes").or_else(|| device.pointer("/basic/attributes"))?.as_object()?;
    let (_, value) = attributes.iter().find(|(key, _)| key.rsplit('/').next() == Some(name))?;
    value.get("string").or_else(|| value.get("version"))?.as_str().map(str::to_owned)
}

/// Tells whether an extended resource is one of accelerators: one that the profile names or, where it names none, one that is
/// known as such. Time-slices of a device go by the name of the device, or by that and a word behind it.
pub fn is_resource(name: &str, profile: &Profile) -> bool {
    let base = |name: &str| {
        name.rsplit_once('/')
            .is_some_and(|(_, last)| RESOURCES.contains(&last.strip_suffix(SHARED).unwrap_or(last)))
    };
    let wanted = &profile.accelerators.resources;
    let is_known = || makers().iter().any(|maker| maker.resources.iter().any(|known| known == name));
    if wanted.is_empty() { base(name) || is_known() } else { wanted.iter().any(|wanted| wanted == name) }
}

/// Tells whether the last part of a resource's name says that its devices are shared.
pub(super) fn is_named_shared(last: &str) -> bool {
    last.ends_with(SHARED)
}

fn add_resources(found: &mut Inventory, profile: &Profile, node: &Object) {
    let allocatable = node.at("/status/allocatable").and_then(Value::as_object).cloned().unwrap_or_default();
    // Chips that are offered under several names, by the first of them.
    let mut chips: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, amount) in allocatable {
        let Some((domain, last)) = name.rsplit_once('/') else { continue };
        let wanted = &profile.accelerators.resources;
        let base = last.strip_suffix(SHARED).unwrap_or(last);
        let is_meant = is_resource(&name, profile);
        let amount = amount.as_str().and_then(quantity).unwrap_or_default();
        let replicas = replicas(node, domain, last);
        if !is_meant || amount < 1.0 || (base != last && replicas.is_none()) {
            continue;
        }
        let replicas = replicas.unwrap_or(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of devices")]
        let devices = (amount / replicas).round() as u64;
        let one_chip = makers().iter().map(|maker| &maker.one_chip).find(|names| names.contains(&name));
        let more = match one_chip.and_then(|names| names.first()) {
            Some(first) => {
                let known = chips.entry(first).or_default();
                let more = devices.saturating_sub(*known);
                *known += more;
                more
            }
            None => devices,
        };
        found.nodes.entry(node.name().into()).or_default().0 += more;
        if base != last && wanted.is_empty() {
            // A share is no way to a device.
            continue;
        }
        let way = Way::Resource(name);
        if !found.ways.contains(&way) {
            found.ways.push(way);
        }
    }
}

/// In how many shares each device of a resource is given out, where the node's labels say it.
pub(super) fn replicas(node: &Object, domain: &str, last: &str) -> Option<f64> {
    let base = last.strip_suffix(SHARED).unwrap_or(last);
    let count = [last, base]
        .into_iter()
        .find_map(|last| node.label(&format!("{domain}/{last}.replicas")).parse::<f64>().ok())?;
    Some(count.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(driver: &str, devices: Value) -> Object {
        Object::new(json!({"spec": {"driver": driver, "nodeName": "node-0", "devices": devices}}))
    }

    #[test]
    fn chips_under_several_names_are_counted_once_and_names_of_makers_are_known() {
        let mut found = Inventory::default();
        let node = |allocatable: Value| {
            Object::new(json!({"metadata": {"name": "n"}, "status": {"allocatable": allocatable}}))
        };
        let neuron = json!({"aws.amazon.com/neuron": "16", "aws.amazon.com/neurondevice": "16", "aws.amazon.com/neuroncore": "32"});
        add_resources(&mut found, &Profile::default(), &node(neuron));
        assert_eq!(found.nodes["n"].0, 16);
        add_resources(&mut found, &Profile::default(), &node(json!({"huawei.com/Ascend910": "2"})));
        assert_eq!(found.nodes["n"].0, 18);
    }

    #[test]
    fn devices_and_resources_are_added_and_parts_are_not() {
        let devices = json!([
            {"name": "gpu-0", "attributes": {"uuid": {"string": "GPU-a"}, "type": {"string": "gpu"}}},
            {"name": "gpu-0-part-0", "attributes": {"uuid": {"string": "MIG-a"}, "type": {"string": "partition"}}}]);
        let class = |name: &str, driver: &str| {
            let expression =
                format!("device.driver == '{driver}' && device.attributes['{driver}'].type == 'gpu'");
            let expression =
                if name.starts_with("mig") { expression.replace("'gpu'", "'mig'") } else { expression };
            Object::new(
                json!({"metadata": {"name": name}, "spec": {"selectors": [{"cel": {"expression": expression}}]}}),
            )
        };
        let classes =
            ["some.gpu.x.com", "gpu.x.com", "mig.x.com"].map(|name| class(name, "gpu.x.com")).into_iter();
        let classes: Vec<Object> = classes.chain([class("other", "o.com")]).collect();
        let slices = [slice("gpu.x.com", devices), slice("ab.dra.aiconform.dev", json!([{"name": "ours"}]))];
        let mut found = Inventory::default();
        add_classes(&mut found, &Profile::default(), &slices, &classes);
        let node = Object::new(
            json!({"metadata": {"name": "node-0", "labels": {"y.com/gpu.replicas": "4", "x.com/gpu.shared.replicas": "8"}},
            "status": {"allocatable": {"cpu": "4", "x.com/gpu": "2", "x.com/gpu.shared": "8", "w.com/gpu.shared": "8", "y.com/gpu": "8",
                "slots.aiconform.dev/a": "3", "z.com/gpu": "0"}}}),
        );
        add_resources(&mut found, &Profile::default(), &node);
        assert_eq!(found.nodes["node-0"], (6, vec!["GPU-a".to_owned()]));
        let class = |name: &str| Way::Class(name.into());
        let resource = |name: &str| Way::Resource(name.into());
        assert_eq!(
            found.ways,
            [class("gpu.x.com"), class("some.gpu.x.com"), resource("x.com/gpu"), resource("y.com/gpu")]
        );
    }
}
