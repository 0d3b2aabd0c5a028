//! In which ways accelerators are given to pods, and how many of each are free on which node.

use super::inventory::{
    attribute, classes, is_class, is_named_shared, is_ours, is_resource, is_whole, replicas, slices,
};
use super::way::{Mode, Way};
use aiconform_check::cx::Stop;
use aiconform_check::profile::Profile;
use aiconform_cluster::{Api, suitable};
use aiconform_model::{Kind, Object, Scope, quantity};
use aiconform_trial::kinds::resource_claim;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One way in which whole accelerators are given to pods.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Giver of the devices.
    pub mode: Mode,
    /// Way in which they are asked for.
    pub way: Way,
    /// The DRA driver; empty for a device plugin.
    pub driver: String,
    /// Devices in all and free ones, by node.
    pub nodes: BTreeMap<String, Count>,
    /// UUIDs of the driver's devices where it tells them, by `driver/pool/device`.
    pub names: BTreeMap<String, String>,
    /// Sign that a pod is given a share of a device, if there is one.
    pub shared: Option<String>,
}

/// Devices of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In all.
    pub all: u64,
    /// Given to nobody.
    pub free: u64,
}

impl Offer {
    /// The node with the most free devices.
    pub fn best(&self) -> Option<(&str, Count)> {
        let best = self.nodes.iter().max_by_key(|(name, count)| (count.free, std::cmp::Reverse(*name)));
        best.map(|(name, count)| (name.as_str(), *count))
    }
}

/// Asks the cluster for every way in which whole accelerators are given to pods, on nodes that take test pods.
///
/// # Errors
/// When the cluster does not let itself be asked.
pub async fn offers(api: &Api, scope: &Scope, profile: &Profile) -> Result<Vec<Offer>, Stop> {
    let nodes = api.list(scope, &Kind::node(), "", "").await?;
    let pods = api.list(scope, &Kind::pod(), "", "").await?;
    let mut found = Vec::new();
    if api.serves(scope, &slices()).await? {
        let slices = api.list(scope, &slices(), "", "").await?;
        let classes = api.list(scope, &classes(), "", "").await?;
        let claims = api.list(scope, &resource_claim(), "", "").await?;
        found.extend(of_classes(profile, &slices, &classes, &claims));
    }
    found.extend(of_resources(profile, &nodes, &pods));
    for offer in &mut found {
        // Taints of the accelerators' own are tolerated by every test pod.
        let mut tolerations = profile.tolerations.clone();
        tolerations.extend(Way::tolerations([&offer.way]));
        let takes = |name: &String| {
            nodes.iter().any(|node| node.name() == name && suitable(node, &tolerations).is_ok())
        };
        offer.nodes.retain(|name, _| takes(name));
    }
    found.retain(|offer| !offer.nodes.is_empty());
    Ok(found)
}

fn array<'a>(object: &'a Object, pointer: &str) -> &'a [Value] {
    object.at(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Devices that one driver publishes.
#[derive(Default)]
struct Devices {
    nodes: BTreeMap<String, Count>,
    names: BTreeMap<String, String>,
}

/// One offer for each driver, by its plain class, and for each class that the profile names; and one more where an
/// extended resource stands for that class.
fn of_classes(profile: &Profile, slices: &[Object], classes: &[Object], claims: &[Object]) -> Vec<Offer> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let taken: BTreeSet<String> = claims
        .iter()
        .flat_map(|claim| array(claim, "/status/allocation/devices/results"))
        .map(|result| {
            format!("{}/{}/{}", text(result, "driver"), text(result, "pool"), text(result, "device"))
        })
        .collect();
    let mut drivers: BTreeMap<&str, Devices> = BTreeMap::new();
    for slice in slices {
        let (driver, node) = (slice.text("/spec/driver"), slice.text("/spec/nodeName"));
        if is_ours(driver) || node.is_empty() {
            continue;
        }
        for device in array(slice, "/spec/devices") {
            let id = format!("{driver}/{}/{}", slice.text("/spec/pool/name"), text(device, "name"));
            let Devices { nodes, names } = drivers.entry(driver).or_default();
            if let Some(uuid) = attribute(device, "uuid") {
                names.insert(id.clone(), uuid);
            }
            if is_whole(device) {
                let count = nodes.entry(node.into()).or_default();
                count.all += 1;
                count.free += u64::from(!taken.contains(&id));
            }
        }
    }
    let mut found = Vec::new();
    for (driver, Devices { nodes, names }) in drivers {
        if nodes.is_empty() {
            continue;
        }
        let of_driver = |class: &&Object| is_class(class, &[], &BTreeSet::from([driver]));
        let mut fitting: Vec<&Object> = classes.iter().filter(of_driver).collect();
        // The plain class is called as its driver, or has the shortest name: those of its parts say which.
        fitting.sort_by_key(|class| (class.name() != driver, class.name().len(), class.name()));
        let wanted = &profile.accelerators.device_classes;
        if wanted.is_empty() {
            fitting.truncate(1);
        } else {
            fitting.retain(|class| wanted.iter().any(|wanted| wanted == class.name()));
        }
        for class in fitting {
            let offer = |mode, way| Offer {
                mode,
                way,
                driver: driver.into(),
                nodes: nodes.clone(),
                names: names.clone(),
                shared: None,
            };
            found.push(offer(Mode::Dra, Way::Class(class.name().into())));
            let resource = class.text("/spec/extendedResourceName");
            if !resource.is_empty() {
                found.push(offer(Mode::DraByResource, Way::Resource(resource.into())));
            }
        }
    }
    found
}

fn of_resources(profile: &Profile, nodes: &[Object], pods: &[Object]) -> Vec<Offer> {
    let mut found: BTreeMap<String, Offer> = BTreeMap::new();
    for node in nodes {
        let allocatable =
            node.at("/status/allocatable").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, amount) in allocatable.iter().filter(|(name, _)| is_resource(name, profile)) {
            let amount = amount.as_str().and_then(quantity).unwrap_or_default();
            if amount < 1.0 {
                continue;
            }
            let of_node = |pod: &&Object| {
                pod.text("/spec/nodeName") == node.name()
                    && !matches!(pod.text("/status/phase"), "Succeeded" | "Failed")
            };
            let taken: f64 = pods.iter().filter(of_node).map(|pod| asked(pod, name)).sum();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of devices")]
            let count = Count { all: amount as u64, free: (amount - taken).max(0.0) as u64 };
            let offer = found.entry(name.clone()).or_insert_with(|| Offer {
                mode: Mode::DevicePlugin,
                way: Way::Resource(name.clone()),
                driver: String::new(),
                nodes: BTreeMap::new(),
                names: BTreeMap::new(),
                shared: None,
            });
            offer.shared = offer.shared.take().or_else(|| shares(node, name));
            offer.nodes.insert(node.name().into(), count);
        }
    }
    found.into_values().collect()
}

/// Sign that a resource is of shares: its name, or a label of the node.
fn shares(node: &Object, name: &str) -> Option<String> {
    let (domain, last) = name.rsplit_once('/')?;
    match replicas(node, domain, last) {
        Some(count) if count > 1.0 => {
            Some(format!("labels of {} say that each device is given out {count} times", node.name()))
        }
        _ => is_named_shared(last).then(|| format!("by its name {name} is of shares")),
    }
}

/// Amount of a resource that a pod's containers ask for.
fn asked(pod: &Object, resource: &str) -> f64 {
    let of = |container: &Value| {
        let amount =
            container.pointer("/resources/requests").and_then(|amounts| amounts.get(resource)?.as_str());
        amount.and_then(quantity).unwrap_or_default()
    };
    let all = array(pod, "/spec/containers").iter().map(of).sum::<f64>();
    all.max(array(pod, "/spec/initContainers").iter().map(of).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class(name: &str, driver: &str, resource: Value) -> Object {
        Object(json!({"metadata": {"name": name}, "spec": {"extendedResourceName": resource,
            "selectors": [{"cel": {"expression": format!("device.driver == '{driver}'")}}]}}))
    }

    #[test]
    fn each_driver_has_its_plain_class_and_devices_that_are_taken_are_not_free() {
        let device = |name: &str, kind: &str| {
            json!({"name": name,
            "attributes": {"uuid": {"string": format!("GPU-{name}")}, "type": {"string": kind}}})
        };
        let slice = |driver: &str| {
            Object(json!({"spec": {"driver": driver, "nodeName": "n", "pool": {"name": "n"},
            "devices": [device("a", "gpu"), device("b", "gpu"), device("c", "mig")]}}))
        };
        let classes = [
            class("mig.x.com", "gpu.x.com", json!("")),
            class("gpu.x.com", "gpu.x.com", json!("x.com/by-claim")),
        ];
        let claim = Object(json!({"status": {"allocation": {"devices": {"results": [
            {"driver": "gpu.x.com", "pool": "n", "device": "b"}]}}}}));
        let slices = [slice("gpu.x.com"), slice("ab.dra.aiconform.dev")];
        let found = of_classes(&Profile::default(), &slices, &classes, &[claim]);
        let ways: Vec<(Mode, &Way)> = found.iter().map(|offer| (offer.mode, &offer.way)).collect();
        let by_resource = Way::Resource("x.com/by-claim".into());
        assert_eq!(ways, [(Mode::Dra, &Way::Class("gpu.x.com".into())), (Mode::DraByResource, &by_resource)]);
        assert_eq!(found[0].best(), Some(("n", Count { all: 2, free: 1 })));
        assert_eq!(found[0].names["gpu.x.com/n/a"], "GPU-a");
        let mut profile = Profile::default();
        profile.accelerators.device_classes = vec!["mig.x.com".into()];
        let named = of_classes(&profile, &slices, &classes, &[]);
        assert_eq!((named.len(), &named[0].way), (1, &Way::Class("mig.x.com".into())));
    }

    #[test]
    fn what_pods_have_of_a_resource_is_not_free_and_shares_are_told() {
        let node = |name: &str| {
            Object(json!({"metadata": {"name": name, "labels": {"y.com/gpu.replicas": "4"}},
            "status": {"allocatable": {"cpu": "4", "x.com/gpu": "4", "x.com/gpu.shared": "6", "y.com/gpu": "8", "z.com/gpu": "0"}}}))
        };
        let pod = |node: &str, phase: &str| {
            Object(json!({"spec": {"nodeName": node, "containers": [
            {"resources": {"requests": {"x.com/gpu": "2"}}}, {}]}, "status": {"phase": phase}}))
        };
        let pods = [pod("a", "Running"), pod("a", "Succeeded"), pod("b", "Pending"), pod("b", "Running")];
        let found = of_resources(&Profile::default(), &[node("a"), node("b")], &pods);
        let shared: Vec<Option<&str>> = found.iter().map(|offer| offer.shared.as_deref()).collect();
        assert_eq!(
            shared,
            [
                None,
                Some("by its name x.com/gpu.shared is of shares"),
                Some("labels of a say that each device is given out 4 times")
            ]
        );
        assert_eq!(found[0].nodes["a"], Count { all: 4, free: 2 });
        assert_eq!(found[0].nodes["b"], Count { all: 4, free: 0 });
        assert_eq!(found[0].best().map(|(node, _)| node), Some("a"));
    }
}
