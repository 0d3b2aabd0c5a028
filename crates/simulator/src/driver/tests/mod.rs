//! Parts of the simulator against a kubelet and an API server of the tests' own, over real sockets.

mod api;
mod driver;
mod exporter;
mod plugin;
mod work;

use crate::driver::node::Node;
use crate::settings::Settings;
use aiconform_cluster::Api;
use camino::Utf8Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Settings whose folders all lie in a temporary one.
fn settings() -> (TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let settings = Settings {
        kubelet_root: root.join("kubelet"),
        device_plugins: root.join("device-plugins"),
        cdi: root.join("cdi"),
        major: Some(240),
        metrics: "127.0.0.1:0".into(),
        ..Settings::default()
    };
    std::fs::create_dir_all(&settings.device_plugins).unwrap();
    (folder, settings)
}

fn node(settings: &Settings, api: Option<Api>) -> Arc<Node> {
    Arc::new(Node::new(settings.clone(), api, Arc::new(|_| ())).unwrap())
}

/// Asks again and again until it is so; ends the test after ten seconds.
async fn until(what: &str, mut look: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if look() {
            return;
        }
        aiconform_wait::pause(std::time::Duration::from_millis(10)).await;
    }
    panic!("not within 10 s: {what}");
}
