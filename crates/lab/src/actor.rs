//! Programs of ours in the lab that break it from outside its components: actors that hold queues, that bring nodes and that
//! send requests to what is not theirs; a scheduler in place of kube-scheduler, an autoscaler in place of the controller
//! manager's, and a gateway in place of Traefik.

use crate::breakage::Breakage;
use crate::broken_autoscaler;
use crate::broken_gateway::Gateway;
use crate::broken_scheduler::Scheduler;
use crate::buyer::Buyer;
use crate::error::LabError;
use aiconform_cluster::{Api, ClusterError, Connection, Mirror, Target};
use aiconform_model::{Kind, Nowhere, Scope};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Runs until it is killed.
pub fn main(breakage: &str, kubeconfig: &str) -> ExitCode {
    // Nothing but this process uses the library that makes certificates here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(breakage) = Breakage::named(breakage) else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(LabError::from)
        .and_then(|runtime| runtime.block_on(act(breakage, kubeconfig)).map_err(LabError::from));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Its stderr is its log.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn act(breakage: Breakage, kubeconfig: &str) -> Result<(), ClusterError> {
    let target = Target { kubeconfig: Some(kubeconfig.into()), context: None };
    let api = Api::new(Connection::open(&target).await?, Arc::new(Nowhere));
    let mirror = Mirror::new();
    if breakage.replaces_scheduler() {
        return Scheduler::new(api, mirror, breakage).run().await;
    }
    if breakage.is_of_gateway() {
        return Gateway::new(api, mirror, breakage).run().await;
    }
    if breakage == Breakage::KuberayReconcilesOnce {
        return take_rights(&api, &mirror).await;
    }
    if breakage == Breakage::StrangersSendRequests {
        return send_requests(&api, &mirror).await;
    }
    if breakage.replaces_autoscaler() {
        return broken_autoscaler::run(&api, breakage).await;
    }
    if breakage == Breakage::QueuesOnHold {
        return hold_queues(&api, &mirror).await;
    }
    Buyer::new(api, mirror, breakage).run().await
}

/// Sends a request every second to every pod that is annotated for Prometheus, as to an inference server.
async fn send_requests(api: &Api, mirror: &Arc<Mirror>) -> Result<(), ClusterError> {
    let kind = Kind::pod();
    mirror.watch(api, &kind, "", ("labelSelector", "")).await?;
    loop {
        let servers = mirror.everywhere(&kind, |pod| {
            let port = pod.annotation("prometheus.io/port").parse().ok()?;
            let serves =
                pod.annotation("prometheus.io/scrape") == "true" && pod.condition_is("Ready", "True");
            serves.then(|| Api::pod_proxy(pod.namespace(), pod.name(), port, "/v1/chat/completions"))
        });
        for path in servers {
            // Whoever does not answer is no inference server, or gone.
            let _ = api.send(&Scope::default(), "POST", &path, Some(&json!({}))).await;
        }
        aiconform_wait::pause(Duration::from_secs(1)).await;
    }
}

/// Takes KubeRay's rights as soon as a RayCluster is as it should be.
async fn take_rights(api: &Api, mirror: &Arc<Mirror>) -> Result<(), ClusterError> {
    let kind = Kind::namespaced("ray.io", "v1", "RayCluster", "rayclusters");
    mirror.watch(api, &kind, "", ("labelSelector", "")).await?;
    let mut changes = mirror.changes();
    loop {
        let right = mirror
            .everywhere(&kind, |cluster| cluster.condition_is("RayClusterProvisioned", "True").then_some(()));
        if !right.is_empty() {
            let bindings = Kind::cluster_wide(
                "rbac.authorization.k8s.io",
                "v1",
                "ClusterRoleBinding",
                "clusterrolebindings",
            );
            api.delete(&Scope::default(), &bindings, "", "kuberay-operator").await?;
        }
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Puts every ClusterQueue on hold as soon as it is seen.
async fn hold_queues(api: &Api, mirror: &Arc<Mirror>) -> Result<(), ClusterError> {
    let kind = Kind::cluster_wide("kueue.x-k8s.io", "v1beta2", "ClusterQueue", "clusterqueues");
    mirror.watch(api, &kind, "", ("labelSelector", "")).await?;
    let mut changes = mirror.changes();
    loop {
        let free = mirror.all(&kind, "", |queue| {
            (queue.text("/spec/stopPolicy") != "Hold").then(|| queue.name().to_owned())
        });
        for name in free {
            let hold = json!({"spec": {"stopPolicy": "Hold"}});
            match api.merge(&Scope::default(), &kind, ("", &name), "", &hold).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}
