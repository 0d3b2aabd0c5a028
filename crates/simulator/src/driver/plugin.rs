//! Device plugins: each gives out one extended resource.

use crate::driver::cdi;
use crate::driver::error::SimulatorError;
use crate::driver::fleet::{Device, Pool};
use crate::driver::messages::device_plugin::{
    self as messages, AllocateRequest, AllocateResponse, CdiDevice, ContainerAllocateRequest,
    ContainerAllocateResponse, ContainerPreferredAllocationRequest, ContainerPreferredAllocationResponse,
    DevicePluginOptions, Empty, ListAndWatchResponse, PreStartContainerRequest, PreStartContainerResponse,
    PreferredAllocationRequest, PreferredAllocationResponse, RegisterRequest,
};
use crate::driver::node::Node;
use crate::driver::rpc;
use camino::{Utf8Path, Utf8PathBuf};
use hyper::body::Incoming;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;

/// Pause between two looks at the kubelet's socket: a kubelet that starts removes all sockets of plugins.
const LOOK: Duration = Duration::from_millis(300);
/// Pause before the kubelet is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// One device plugin.
pub struct Plugin {
    node: Arc<Node>,
    pool: Pool,
}

impl Plugin {
    /// The plugin that gives out these devices.
    pub fn new(node: Arc<Node>, pool: Pool) -> Plugin {
        Plugin { node, pool }
    }

    /// Serves, and registers with each kubelet that comes, until it is dropped.
    pub async fn serve(self: Arc<Plugin>) {
        let kubelet = self.node.settings.device_plugins.join("kubelet.sock");
        let mut told = String::new();
        loop {
            if let Err(error) = self.clone().serve_one(&kubelet).await {
                let said = format!("{} is not registered: {error}", self.pool.resource);
                if said != told {
                    (self.node.talk)(&said);
                }
                told = said;
            } else {
                told.clear();
            }
            aiconform_wait::pause(AGAIN).await;
        }
    }

    /// Serves one kubelet until another one comes.
    async fn serve_one(self: Arc<Plugin>, kubelet: &Utf8Path) -> Result<(), SimulatorError> {
        let socket = self.socket()?;
        // Asked before, so that a kubelet that comes meanwhile is another one.
        let before = identity(kubelet);
        let listener = rpc::listen(&socket, 0o600)?;
        let plugin = self.clone();
        let serving = rpc::serve(listener, move |request| plugin.clone().handle(request));
        let staying = async {
            let request = RegisterRequest {
                version: "v1beta1".into(),
                endpoint: socket.file_name().unwrap_or_default().into(),
                resource_name: self.pool.resource.clone(),
                options: Some(options()),
            };
            rpc::call::<_, Empty>(kubelet, "/v1beta1.Registration/Register", request).await?;
            self.node.serves(&self.pool.resource);
            (self.node.talk)(&format!("the kubelet has registered {}", self.pool.resource));
            while identity(kubelet) == before && socket.exists() {
                aiconform_wait::pause(LOOK).await;
            }
            Ok(())
        };
        tokio::select! {
            () = serving => Err(SimulatorError::Unusable(format!("{socket} does not listen any more"))),
            ended = staying => ended,
        }
    }

    /// A path that no earlier registration had: a kubelet (seen with 1.37) that is told of a socket whose earlier
    /// connection it has not seen end refuses it, and then never forgets that connection.
    fn socket(&self) -> io::Result<Utf8PathBuf> {
        let folder = &self.node.settings.device_plugins;
        let prefix = format!("aiconform-{}-", self.pool.resource.replace('/', "_"));
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if is_of(entry.file_name(), &prefix) {
                cdi::remove(entry.path())?;
            }
        }
        // Hexadecimal, because the paths of sockets are short: 107 bytes at most.
        Ok(folder.join(format!("{prefix}{:x}.sock", jiff::Timestamp::now().as_millisecond())))
    }

    async fn handle(
        self: Arc<Plugin>,
        request: http::Request<Incoming>,
    ) -> http::Response<tonic::body::Body> {
        match request.uri().path() {
            "/v1beta1.DevicePlugin/GetDevicePluginOptions" => {
                rpc::answer(request, |_: Empty| async { Ok(options()) }).await
            }
            "/v1beta1.DevicePlugin/ListAndWatch" => {
                let ids = self.ids().into_keys();
                let devices = ids.map(|id| messages::Device { id, health: "Healthy".into() }).collect();
                rpc::answer_and_stay::<Empty, _>(request, ListAndWatchResponse { devices }).await
            }
            "/v1beta1.DevicePlugin/Allocate" => {
                rpc::answer(request, |asked: AllocateRequest| async move {
                    let responses: Result<Vec<_>, Status> =
                        asked.container_requests.iter().map(|asked| self.allocate(asked)).collect();
                    Ok(AllocateResponse { container_responses: responses? })
                })
                .await
            }
            "/v1beta1.DevicePlugin/GetPreferredAllocation" => {
                rpc::answer(request, |asked: PreferredAllocationRequest| async move {
                    let ids = self.ids();
                    let responses = asked.container_requests.iter().map(|asked| preferred(&ids, asked));
                    Ok(PreferredAllocationResponse { container_responses: responses.collect() })
                })
                .await
            }
            "/v1beta1.DevicePlugin/PreStartContainer" => {
                rpc::answer(request, |_: PreStartContainerRequest| async { Ok(PreStartContainerResponse {}) })
                    .await
            }
            path => rpc::unknown(path),
        }
    }

    /// Ids, each with its device's index and share.
    fn ids(&self) -> BTreeMap<String, (u32, Option<u32>)> {
        let devices = self.pool.devices.iter().filter_map(|index| self.node.fleet.at(*index));
        devices
            .flat_map(|device| {
                let shares = device.share_numbers().into_iter();
                shares.map(|share| (id(device, share), (device.index, share)))
            })
            .collect()
    }

    fn allocate(&self, asked: &ContainerAllocateRequest) -> Result<ContainerAllocateResponse, Status> {
        let ids = self.ids();
        let name = |id: &String| {
            let (index, share) = ids.get(id)?;
            let device = self.node.fleet.at(*index)?;
            Some(CdiDevice { name: format!("{}={}", cdi::DEVICE, cdi::name(device, *share)) })
        };
        let known = |id: &String| {
            name(id).ok_or_else(|| Status::not_found(format!("{} has no device {id:?}", self.pool.resource)))
        };
        let cdi_devices: Result<Vec<_>, Status> = asked.devices.iter().map(known).collect();
        Ok(ContainerAllocateResponse { environment: Default::default(), cdi_devices: cdi_devices? })
    }
}

/// Id of a device or of one of its shares, as the kubelet knows it.
pub fn id(device: &Device, share: Option<u32>) -> String {
    share.map_or_else(|| device.name.clone(), |share| format!("{}::{}", device.name, share - 1))
}

/// Tells whether a socket is of the plugin of this prefix, and not of one whose resource only begins with the
/// same name.
fn is_of(name: &str, prefix: &str) -> bool {
    let time = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".sock"));
    time.is_some_and(|time| time.chars().all(|character| character.is_ascii_hexdigit()))
}

fn options() -> DevicePluginOptions {
    DevicePluginOptions { pre_start_required: false, get_preferred_allocation_available: true }
}

/// Gives shares of the devices of which most are free, and else devices in their order.
fn preferred(
    ids: &BTreeMap<String, (u32, Option<u32>)>,
    asked: &ContainerPreferredAllocationRequest,
) -> ContainerPreferredAllocationResponse {
    let device = |id: &String| ids.get(id).map(|(index, _)| *index);
    let mut chosen = asked.must_include.clone();
    let mut free: Vec<&String> = asked.available.iter().filter(|id| !chosen.contains(id)).collect();
    while chosen.len() < usize::try_from(asked.allocation_size).unwrap_or_default() {
        let left = |id: &String| free.iter().filter(|other| device(other) == device(id)).count();
        let Some(best) = free.iter().min_by_key(|id| (std::cmp::Reverse(left(id)), ids.get(**id))).copied()
        else {
            break;
        };
        free.retain(|id| *id != best);
        chosen.push(best.clone());
    }
    ContainerPreferredAllocationResponse { devices: chosen }
}

/// Numbers that tell one socket from a later one at the same path.
fn identity(path: &Utf8Path) -> Option<(u64, i64, i64)> {
    let metadata = fs_err::metadata(path).ok()?;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_removes_its_own_sockets_and_none_of_another() {
        let of = |name: &str| is_of(name, "aiconform-a.b_gpu-");
        assert!(of("aiconform-a.b_gpu-19a2f.sock"));
        assert!(!of("aiconform-a.b_gpu-partition-19a2f.sock") && !of("aiconform-a.b_gpu.shared-19a2f.sock"));
    }

    #[test]
    fn shares_are_spread_over_devices() {
        let ids: BTreeMap<String, (u32, Option<u32>)> = (0..2)
            .flat_map(|device| {
                (0..2).map(move |share| (format!("gpu-{device}::{share}"), (device, Some(share + 1))))
            })
            .collect();
        let asked = |available: &[&str], must_include: &[&str], size: i32| {
            let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
            let asked = ContainerPreferredAllocationRequest {
                available: texts(available),
                must_include: texts(must_include),
                allocation_size: size,
            };
            preferred(&ids, &asked).devices
        };
        let all = ["gpu-0::0", "gpu-0::1", "gpu-1::0", "gpu-1::1"];
        assert_eq!(asked(&all, &[], 2), ["gpu-0::0", "gpu-1::0"]);
        assert_eq!(asked(&all[1..], &[], 1), ["gpu-1::0"]);
        assert_eq!(asked(&all, &["gpu-1::1"], 2), ["gpu-1::1", "gpu-0::0"]);
        assert_eq!(asked(&all[..1], &[], 3), ["gpu-0::0"]);
    }
}
