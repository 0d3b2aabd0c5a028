//! A device plugin, as a kubelet meets it.

use crate::driver::messages::device_plugin::{
    AllocateRequest, AllocateResponse, ContainerAllocateRequest, DevicePluginOptions, Empty, RegisterRequest,
};
use crate::driver::plugin::Plugin;
use crate::driver::rpc;
use crate::settings::Settings;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// A kubelet that takes registrations and remembers them.
fn kubelet(settings: &Settings, seen: &Arc<Mutex<Vec<RegisterRequest>>>) -> JoinHandle<()> {
    let listener = rpc::listen(&settings.device_plugins.join("kubelet.sock"), 0o600).unwrap();
    let seen = seen.clone();
    tokio::spawn(rpc::serve(listener, move |request| {
        let seen = seen.clone();
        rpc::answer(request, |asked: RegisterRequest| async move {
            seen.lock().unwrap().push(asked);
            Ok(Empty {})
        })
    }))
}

#[tokio::test]
async fn a_plugin_registers_with_each_kubelet_under_another_path_and_gives_what_it_has() {
    let (_folder, settings) = super::settings();
    let settings = Settings { devices: 0, plugins: vec!["a.b/s=shared:1x2".parse().unwrap()], ..settings };
    let node = super::node(&settings, None);
    let seen = Arc::new(Mutex::new(Vec::<RegisterRequest>::new()));
    let count = || seen.lock().unwrap().len();
    let first = kubelet(&settings, &seen);
    let plugin = Arc::new(Plugin::new(node.clone(), node.fleet.plugins[0].clone()));
    let _serving = tokio::spawn(plugin.serve());
    super::until("the plugin registers", || count() == 1).await;
    super::until("it is known to serve", || node.missing().is_empty()).await;
    first.abort();
    let _second = kubelet(&settings, &seen);
    super::until("the plugin registers again", || count() == 2).await;
    let (before, now) = {
        let seen = seen.lock().unwrap();
        (seen[0].clone(), seen[1].clone())
    };
    assert_ne!(before.endpoint, now.endpoint);
    assert_eq!((now.resource_name.as_str(), now.version.as_str()), ("a.b/s", "v1beta1"));
    assert!(!settings.device_plugins.join(before.endpoint).exists());
    let socket = settings.device_plugins.join(now.endpoint);
    let options: DevicePluginOptions =
        rpc::call(&socket, "/v1beta1.DevicePlugin/GetDevicePluginOptions", Empty {}).await.unwrap();
    assert!(options.get_preferred_allocation_available);
    let asked = |id: &str| AllocateRequest {
        container_requests: vec![ContainerAllocateRequest { devices: vec![id.into()] }],
    };
    let given: AllocateResponse =
        rpc::call(&socket, "/v1beta1.DevicePlugin/Allocate", asked("gpu-0::1")).await.unwrap();
    let name = &given.container_responses[0].cdi_devices[0].name;
    assert_eq!(name, "simulator.aiconform.dev/device=gpu-0-share-2");
    let refused = rpc::call::<_, AllocateResponse>(&socket, "/v1beta1.DevicePlugin/Allocate", asked("gpu-7"));
    assert!(refused.await.unwrap_err().to_string().contains("no device \"gpu-7\""));
    let unknown = rpc::call::<_, Empty>(&socket, "/v1beta1.DevicePlugin/Else", Empty {}).await;
    assert!(unknown.unwrap_err().to_string().contains("is not served"));
}
