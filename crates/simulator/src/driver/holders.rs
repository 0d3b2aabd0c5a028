//! Holders of each device, as the kubelet tells them at this moment.

use crate::driver::error::SimulatorError;
use crate::driver::fleet::Fleet;
use crate::driver::messages::pod_resources::{
    ContainerResources, ListPodResourcesRequest, ListPodResourcesResponse,
};
use crate::driver::node::Node;
use crate::driver::{plugin, rpc};
use crate::settings::Settings;
use std::collections::BTreeMap;

/// A container that has a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Namespace of its pod.
    pub namespace: String,
    /// Its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
}

/// Holders by index of the device; several where it is shared.
pub type Holders = BTreeMap<u32, Vec<Holder>>;

/// Asks the kubelet.
///
/// # Errors
/// When it is not there, or does not answer.
pub async fn ask(node: &Node) -> Result<Holders, SimulatorError> {
    let socket = node.settings.kubelet_root.join("pod-resources/kubelet.sock");
    let list = rpc::call(&socket, "/v1.PodResourcesLister/List", ListPodResourcesRequest {}).await?;
    Ok(read(&node.settings, &node.fleet, &list))
}

fn read(settings: &Settings, fleet: &Fleet, list: &ListPodResourcesResponse) -> Holders {
    let mut holders = Holders::new();
    for pod in &list.pods {
        for container in &pod.containers {
            let holder = Holder {
                namespace: pod.namespace.clone(),
                pod: pod.name.clone(),
                container: container.name.clone(),
            };
            for index in claimed(settings, fleet, container).chain(plugged(fleet, container)) {
                let known = holders.entry(index).or_default();
                // Several shares of one device, or several requests for it.
                if !known.contains(&holder) {
                    known.push(holder.clone());
                }
            }
        }
    }
    holders
}

fn claimed(settings: &Settings, fleet: &Fleet, container: &ContainerResources) -> impl Iterator<Item = u32> {
    container
        .dynamic_resources
        .iter()
        .flat_map(|claim| &claim.claim_resources)
        .filter(|given| given.driver_name == settings.driver && given.pool_name == settings.node_name)
        .filter_map(|given| fleet.named(&fleet.claimable, &given.device_name))
        .map(|device| device.index)
}

fn plugged(fleet: &Fleet, container: &ContainerResources) -> impl Iterator<Item = u32> {
    container.devices.iter().flat_map(|given| {
        let pools = fleet.plugins.iter().filter(|pool| pool.resource == given.resource_name);
        let devices = pools.flat_map(|pool| &pool.devices).filter_map(|index| fleet.at(*index));
        let has = |id: &String| given.device_ids.contains(id);
        devices
            .filter(move |device| device.share_numbers().iter().any(|share| has(&plugin::id(device, *share))))
            .map(|device| device.index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::messages::pod_resources::{
        ClaimResource, ContainerDevices, DynamicResource, PodResources,
    };

    fn pod(name: &str, containers: Vec<ContainerResources>) -> PodResources {
        PodResources { name: name.into(), namespace: "n".into(), containers }
    }

    fn plugged_in(ids: &[&str]) -> ContainerResources {
        let device_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let devices = vec![ContainerDevices { resource_name: "a.b/s".into(), device_ids }];
        ContainerResources { name: "c".into(), devices, dynamic_resources: Vec::new() }
    }

    fn claimed_by(driver: &str, pool: &str) -> ContainerResources {
        let given =
            ClaimResource { driver_name: driver.into(), pool_name: pool.into(), device_name: "gpu-1".into() };
        let claim = DynamicResource { claim_resources: vec![given], ..DynamicResource::default() };
        ContainerResources { name: "c".into(), devices: Vec::new(), dynamic_resources: vec![claim] }
    }

    #[test]
    fn holders_of_claims_and_shares_are_known_and_strangers_are_not() {
        let settings = Settings { plugins: vec!["a.b/s=shared:1x3".parse().unwrap()], ..Settings::default() };
        let fleet = Fleet::new(&settings);
        let pods = vec![
            pod("claim", vec![claimed_by("accelerator.aiconform.dev", "node-0")]),
            pod(
                "foreign",
                vec![claimed_by("other", "node-0"), claimed_by("accelerator.aiconform.dev", "node-1")],
            ),
            pod("one", vec![plugged_in(&["gpu-2::0", "gpu-2::1"])]),
            pod("two", vec![plugged_in(&["gpu-2::2", "gpu-9::0"])]),
        ];
        let holders = read(&settings, &fleet, &ListPodResourcesResponse { pods });
        let names =
            |index: u32| -> Vec<&str> { holders[&index].iter().map(|holder| holder.pod.as_str()).collect() };
        assert_eq!(holders.keys().copied().collect::<Vec<u32>>(), [1, 2]);
        assert_eq!((names(1), names(2)), (vec!["claim"], vec!["one", "two"]));
    }
}
