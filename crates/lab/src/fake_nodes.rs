//! Fake nodes beside the real one: the API server and the scheduler are real, KWOK plays their kubelets. What is bound
//! to one is said to run and does not.

use crate::error::LabError;
use aiconform_cluster::{Api, Connection, Mirror, Target};
use aiconform_model::{Kind, Nowhere, Object, Scope};
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// KWOK's own annotation (KwokConfiguration, `manageNodesWithAnnotationSelector`); as a taint it keeps away what has
/// not asked for fake nodes, and as a label it selects them.
pub const FAKE: &str = "kwok.x-k8s.io/node";
const LIMIT: Duration = Duration::from_secs(120);

/// Makes them, and waits until all are ready.
///
/// # Errors
/// When the API server refuses one, or one is not ready in time.
pub async fn make(kubeconfig: Utf8PathBuf, count: u32) -> Result<(), LabError> {
    let target = Target { kubeconfig: Some(kubeconfig), context: None };
    let api = Api::new(Connection::open(&target).await?, Arc::new(Nowhere));
    for number in 0..count {
        api.create(&Scope::default(), &Kind::node(), &Object(node(number))).await?;
    }
    let mirror = Mirror::new();
    mirror.watch(&api, &Kind::node(), "", ("labelSelector", FAKE)).await?;
    let mut changes = mirror.changes();
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    let all_ready = async {
        loop {
            changes.borrow_and_update();
            if mirror.all(&Kind::node(), "", is_ready).len() == wanted || changes.changed().await.is_err() {
                return;
            }
        }
    };
    if tokio::time::timeout(LIMIT, all_ready).await.is_err() {
        let ready = mirror.all(&Kind::node(), "", is_ready).len();
        let what =
            format!("were not all ready within {} s (last seen: {ready} of {wanted})", LIMIT.as_secs());
        let log = "  (aiconform lab exec -- kubectl -n kube-system logs deployment/kwok-controller)".into();
        return Err(LabError::Component { component: "fake nodes".into(), what, log });
    }
    Ok(())
}

/// Ready, and the taint of a node that was not has been taken away.
fn is_ready(node: &Object) -> Option<()> {
    let taints = node.at("/spec/taints").and_then(Value::as_array).map_or(0, Vec::len);
    (node.condition_is("Ready", "True") && taints == 1).then_some(())
}

fn node(number: u32) -> Value {
    let name = format!("fake-{number}");
    let amounts = json!({"cpu": "32", "memory": "256Gi", "pods": "110"});
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "annotations": {FAKE: "fake"},
            "labels": {FAKE: "fake", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {"taints": [{"key": FAKE, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"capacity": amounts, "allocatable": amounts}})
}
