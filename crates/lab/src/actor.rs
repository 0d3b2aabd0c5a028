//! Programs of ours in the lab that break it from outside its components: actors that hold queues, that bring nodes and that
//! send requests to what is not theirs; a scheduler in place of kube-scheduler, an autoscaler in place of the controller
//! manager's, and a gateway in place of Traefik.

use crate::broken_autoscaler;
use crate::broken_gateway::{self, Gateway};
use crate::broken_scheduler::{self, Scheduler};
use crate::buyer::{Buyer, Errand};
use crate::error::LabError;
use aiconform_cluster::{Api, ClusterError, Connection, Mirror, Target};
use aiconform_model::{Kind, Nowhere, Object, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Program of ours that runs in a broken lab, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A scheduler with this fault.
    Scheduler(broken_scheduler::Fault),
    /// An autoscaler of pods with this fault.
    Autoscaler(broken_autoscaler::Fault),
    /// An implementation of the Gateway API with this fault.
    Gateway(broken_gateway::Fault),
    /// Somebody who brings nodes.
    Buyer(Errand),
    /// Somebody who puts every ClusterQueue on hold.
    HoldsQueues,
    /// Somebody who sends requests to every pod that is annotated for Prometheus.
    SendsRequests,
    /// Somebody who lets pods of every namespace that is made from now on reach nobody and be reached by nobody; DNS they may
    /// ask if this is set.
    DeniesNetwork(bool),
    /// Somebody who takes KubeRay's rights as soon as a RayCluster is as it should be.
    TakesRights,
}

/// Plays the actor that is given as JSON, until it is killed.
pub fn main(actor: &str, kubeconfig: &str) -> ExitCode {
    // Nothing but this process uses the library that makes certificates here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(actor) = serde_json::from_str::<Actor>(actor) else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(LabError::from)
        .and_then(|runtime| runtime.block_on(play(actor, kubeconfig)).map_err(LabError::from));
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

async fn play(actor: Actor, kubeconfig: &str) -> Result<(), ClusterError> {
    let target = Target { kubeconfig: Some(kubeconfig.into()), context: None };
    let api = Api::new(Connection::open(&target).await?, Arc::new(Nowhere));
    let mirror = Mirror::new();
    match actor {
        Actor::Scheduler(fault) => Scheduler::new(api, mirror, fault).run().await,
        Actor::Autoscaler(fault) => broken_autoscaler::run(&api, fault).await,
        Actor::Gateway(fault) => Gateway::new(api, mirror, fault).run().await,
        Actor::Buyer(errand) => Buyer::new(api, mirror, errand).run().await,
        Actor::HoldsQueues => hold_queues(&api, &mirror).await,
        Actor::SendsRequests => send_requests(&api, &mirror).await,
        Actor::DeniesNetwork(but_dns) => deny_network(&api, &mirror, but_dns).await,
        Actor::TakesRights => take_rights(&api, &mirror).await,
    }
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

/// Label of the policies of the actor that denies the network.
pub const DENIED: &str = "lab.aiconform.dev/denied";

/// Puts a policy that denies everything into every namespace that is made from now on.
async fn deny_network(api: &Api, mirror: &Arc<Mirror>, but_dns: bool) -> Result<(), ClusterError> {
    let kind = Kind::namespace();
    mirror.watch(api, &kind, "", ("labelSelector", "")).await?;
    let mut changes = mirror.changes();
    let names = || mirror.all(&kind, "", |namespace| Some(namespace.name().to_owned()));
    let mut known: BTreeSet<String> = names().into_iter().collect();
    let dns = json!([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]}]);
    let policies = Kind::namespaced("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
    loop {
        for name in names() {
            if known.insert(name.clone()) {
                let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                    "metadata": {"name": "denied", "namespace": name, "labels": {DENIED: "true"}},
                    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
                        "egress": if but_dns { dns.clone() } else { json!([]) }}});
                match api.create(&Scope::default(), &policies, &Object(policy)).await {
                    // It may be on its way out again.
                    Err(error) if error.refusal().is_none() => return Err(error),
                    _ => {}
                }
            }
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
