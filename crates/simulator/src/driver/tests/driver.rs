//! The DRA driver, as a kubelet meets it.

use super::api::{self, Objects};
use crate::driver::dra::Driver;
use crate::driver::messages::dra::{
    Claim, NodePrepareResourceResponse, NodePrepareResourcesRequest, NodePrepareResourcesResponse,
    NodeUnprepareResourcesRequest, NodeUnprepareResourcesResponse,
};
use crate::driver::messages::registration::{InfoRequest, PluginInfo};
use crate::driver::{cdi, rpc, slices};
use crate::settings::Settings;
use aiconform_cluster::Api;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinHandle;

struct Lab {
    _folder: TempDir,
    settings: Settings,
    api: Api,
    objects: Objects,
}

impl Lab {
    async fn new() -> Lab {
        let (folder, settings) = super::settings();
        let (api, objects) = api::server(&folder).await;
        Lab { _folder: folder, settings, api, objects }
    }

    /// A driver that serves; the one before must have ended.
    async fn driver(&self) -> JoinHandle<std::io::Result<()>> {
        let socket = self.settings.kubelet_root.join("plugins/accelerator.aiconform.dev/dra.sock");
        let _ = std::fs::remove_file(&socket);
        let driver = Arc::new(Driver::new(super::node(&self.settings, Some(self.api.clone()))).unwrap());
        let serving = tokio::spawn(driver.serve());
        super::until("the driver listens", || socket.exists()).await;
        serving
    }

    fn path(name: &str) -> String {
        format!("/apis/resource.k8s.io/v1/namespaces/n/resourceclaims/{name}")
    }

    fn allocate(&self, name: &str, device: &str) {
        let result = json!({"request": "r", "driver": "accelerator.aiconform.dev", "pool": "node-0", "device": device});
        let claim = json!({"metadata": {"namespace": "n", "name": name, "uid": format!("uid-{name}")},
            "status": {"allocation": {"devices": {"results": [result]}}}});
        self.objects.lock().unwrap().insert(Lab::path(name), claim);
    }

    async fn prepare(&self, name: &str) -> NodePrepareResourceResponse {
        let claim = claim(name);
        let socket = self.settings.kubelet_root.join("plugins/accelerator.aiconform.dev/dra.sock");
        let method = "/k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin/NodePrepareResources";
        let request = NodePrepareResourcesRequest { claims: vec![claim.clone()] };
        let mut answer: NodePrepareResourcesResponse = rpc::call(&socket, method, request).await.unwrap();
        answer.claims.remove(&claim.uid).unwrap()
    }

    async fn undo(&self, name: &str) -> String {
        let claim = claim(name);
        let socket = self.settings.kubelet_root.join("plugins/accelerator.aiconform.dev/dra.sock");
        let method = "/v1beta1.DRAPlugin/NodeUnprepareResources";
        let request = NodeUnprepareResourcesRequest { claims: vec![claim.clone()] };
        let mut answer: NodeUnprepareResourcesResponse = rpc::call(&socket, method, request).await.unwrap();
        answer.claims.remove(&claim.uid).unwrap().error
    }

    fn is_injected(&self, name: &str) -> bool {
        cdi::claim_file(&self.settings.cdi, &format!("uid-{name}")).exists()
    }
}

fn claim(name: &str) -> Claim {
    Claim { namespace: "n".into(), uid: format!("uid-{name}"), name: name.into() }
}

#[tokio::test]
async fn the_kubelet_finds_the_driver_under_a_name_that_its_own_library_can_send() {
    let lab = Lab::new().await;
    let _serving = lab.driver().await;
    let socket = lab.settings.kubelet_root.join("plugins_registry/accelerator.aiconform.dev@reg.sock");
    super::until("the registration listens", || socket.exists()).await;
    let info: PluginInfo =
        rpc::call(&socket, "/pluginregistration.Registration/GetInfo", InfoRequest {}).await.unwrap();
    assert_eq!((info.kind.as_str(), info.name.as_str()), ("DRAPlugin", "accelerator.aiconform.dev"));
    assert_eq!(info.supported_versions, ["v1.DRAPlugin", "v1beta1.DRAPlugin"]);
    // What gRPC in Go makes of the socket's path.
    let authority = socket.as_str().replace('/', "%2F");
    assert!(authority.parse::<http::uri::Authority>().is_ok(), "{authority}");
}

#[tokio::test]
async fn a_claim_is_prepared_once_and_its_device_is_nobody_elses_until_it_is_undone() {
    let lab = Lab::new().await;
    let _serving = lab.driver().await;
    lab.allocate("a", "gpu-0");
    lab.allocate("b", "gpu-0");
    let first = lab.prepare("a").await;
    assert_eq!(first.error, "");
    let device = &first.devices[0];
    assert_eq!(device.cdi_device_ids, ["simulator.aiconform.dev/claim=uid-a-gpu-0"]);
    assert_eq!((device.request_names[0].as_str(), device.pool_name.as_str()), ("r", "node-0"));
    assert_eq!(lab.prepare("a").await, first);
    let refused = lab.prepare("b").await;
    assert!(refused.devices.is_empty() && refused.error.contains("prepared for claim n/a"), "{refused:?}");
    assert!(!lab.is_injected("b"));
    assert_eq!((lab.undo("a").await, lab.undo("a").await), (String::new(), String::new()));
    assert!(!lab.is_injected("a"));
    assert_eq!(lab.prepare("b").await.error, "");
}

#[tokio::test]
async fn what_an_earlier_process_prepared_is_remembered_as_long_as_the_claim_exists() {
    let lab = Lab::new().await;
    let serving = lab.driver().await;
    lab.allocate("a", "gpu-0");
    lab.allocate("b", "gpu-0");
    let first = lab.prepare("a").await;
    serving.abort();
    assert!(serving.await.is_err());
    let _serving = lab.driver().await;
    assert!(lab.prepare("b").await.error.contains("prepared for claim n/a"));
    assert_eq!(lab.prepare("a").await, first);
    lab.objects.lock().unwrap().remove(&Lab::path("a"));
    assert_eq!(lab.prepare("b").await.error, "");
    assert!(lab.is_injected("b") && !lab.is_injected("a"));
}

#[tokio::test]
async fn a_claim_that_is_not_there_or_another_one_is_refused() {
    let lab = Lab::new().await;
    let _serving = lab.driver().await;
    assert!(lab.prepare("a").await.error.contains("404"));
    lab.allocate("a", "gpu-0");
    lab.objects.lock().unwrap().get_mut(&Lab::path("a")).unwrap()["metadata"]["uid"] = "other".into();
    assert!(lab.prepare("a").await.error.contains("another claim of that name"));
}

#[tokio::test]
async fn slices_are_made_again_when_they_are_lost_and_anew_when_they_are_wrong() {
    let lab = Lab::new().await;
    let settings = Settings { partitions: 2, ..lab.settings.clone() };
    let owner = json!({"metadata": {"name": "node-0", "uid": "node-uid"}});
    lab.objects.lock().unwrap().insert("/api/v1/nodes/node-0".into(), owner);
    let node = super::node(&settings, Some(lab.api.clone()));
    assert!(slices::publish(&node, &lab.api).await.unwrap());
    assert!(!slices::publish(&node, &lab.api).await.unwrap());
    let path = |suffix: &str| {
        format!("/apis/resource.k8s.io/v1/resourceslices/node-0-accelerator.aiconform.dev{suffix}")
    };
    let at = |suffix: &str, pointer: &str| -> Value {
        lab.objects.lock().unwrap()[&path(suffix)].pointer(pointer).cloned().unwrap_or_default()
    };
    assert_eq!(at("", "/spec/devices").as_array().unwrap().len(), 6);
    assert_eq!(at("", "/spec/devices/1/consumesCounters/0/counterSet"), "gpu-0");
    assert_eq!(at("-counters", "/spec/sharedCounters/1/name"), "gpu-1");
    assert_eq!(at("", "/metadata/ownerReferences/0/uid"), "node-uid");
    lab.objects.lock().unwrap().remove(&path("-counters"));
    assert!(slices::publish(&node, &lab.api).await.unwrap());
    assert_eq!(
        (at("", "/spec/pool/generation"), at("-counters", "/spec/pool/generation")),
        (2.into(), 2.into())
    );
    // Without partitions, the other slice is of no use any more.
    let node = super::node(&lab.settings, Some(lab.api.clone()));
    assert!(slices::publish(&node, &lab.api).await.unwrap());
    assert_eq!(at("", "/spec/pool/resourceSliceCount"), 1);
    assert!(!lab.objects.lock().unwrap().contains_key(&path("-counters")));
}

#[tokio::test]
async fn a_node_whose_labels_are_not_written_is_waited_for() {
    let lab = Lab::new().await;
    let settings = Settings { devices: 0, ..lab.settings.clone() };
    let node = super::node(&settings, Some(lab.api.clone()));
    assert_eq!(node.missing(), ["labels of the Node"]);
    lab.objects
        .lock()
        .unwrap()
        .insert("/api/v1/nodes/node-0".into(), json!({"metadata": {"name": "node-0"}}));
    let writing = node.clone();
    let _writing = tokio::spawn(async move { writing.annotate().await });
    super::until("they are known to be written", || node.missing().is_empty()).await;
}
