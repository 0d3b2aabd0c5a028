//! The pod that has a device: asked by the API server's proxy, so that nothing needs to reach the pod's network.

use super::inventory::Way;
use crate::cx::{Cx, Stop};
use aiconform_cluster::{Api, Scratch};
use aiconform_model::{Bin, Kind, Object};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Name of the pod.
const POD: &str = "loaded";
/// Port on which the probe serves.
const PORT: u16 = 18080;
/// Longest time until the pod runs: its image may have to be pulled.
const START: Duration = Duration::from_secs(120);
/// Longest time until the pod is gone.
const END: Duration = Duration::from_secs(60);
/// Work is asked for in pieces of so many milliseconds, of which two are always with the device.
const PIECE: u64 = 400;

/// A running pod that was given a device.
pub struct Probe {
    scratch: Arc<Scratch>,
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Milliseconds that were asked for.
    pub asked: u64,
    /// Milliseconds that the device says it worked.
    pub done: u64,
    /// What went wrong.
    pub why: String,
}

fn claim_templates() -> Kind {
    Kind::namespaced("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates")
}

impl Probe {
    /// Starts the pod on one of these nodes and waits until it runs.
    ///
    /// # Errors
    /// When it is refused, or does not run in time; with the last that was seen of it.
    pub async fn start(cx: &Cx, scratch: Arc<Scratch>, way: &Way, nodes: &[String]) -> Result<Probe, Stop> {
        let name = scratch.named(POD);
        if let Way::Class(class) = way {
            let template = json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate",
                "metadata": {"name": name}, "spec": {"spec": {"devices": {"requests": [
                    {"name": "one", "exactly": {"deviceClassName": class}}]}}}});
            scratch.create(&claim_templates(), template).await?;
        }
        let pod = pod(cx, &name, way, nodes);
        scratch.settle(&Kind::pod(), pod.clone(), Duration::from_secs(30)).await?;
        scratch.create(&Kind::pod(), pod).await?;
        let runs = || match scratch.get(&Kind::pod(), &name) {
            Some(pod) if pod.condition_is("Ready", "True") => Ok(pod.text("/spec/nodeName").to_owned()),
            Some(pod) => Err(state(&pod)),
            None => Err("it is not there yet".into()),
        };
        let started =
            scratch.until(format!("the pod {name} to run with a device"), Bin::Platform, START, runs).await?;
        Ok(Probe { node: started.value, name, scratch })
    }

    /// Namespace of the pod.
    pub fn namespace(&self) -> &str {
        self.scratch.namespace()
    }

    async fn ask(&self, question: &str, body: &Value) -> Result<Value, Stop> {
        let path = Api::pod_proxy(self.namespace(), &self.name, PORT, question);
        let api = self.scratch.session().api();
        Ok(api.send(self.scratch.scope(), "POST", &path, Some(body)).await?)
    }

    /// What the device says of itself; nothing where it takes no questions.
    ///
    /// # Errors
    /// When the probe gives no answer.
    pub async fn inspect(&self) -> Result<Option<Value>, Stop> {
        let answers = self.ask("/inspect", &json!({})).await?;
        let devices = answers.get("devices").and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(devices.into_iter().find_map(|(_, answer)| answer.get("device").cloned()))
    }

    /// Keeps the device busy until it is told to stop, and then until what was asked for is done.
    pub async fn load(&self, stop: &AtomicBool) -> Done {
        let mut sum = Done::default();
        let piece = || async { self.ask("/work", &json!({"milliseconds": PIECE})).await };
        let mut pieces: FuturesUnordered<_> = [piece(), piece()].into_iter().collect();
        sum.asked = 2 * PIECE;
        while let Some(answer) = pieces.next().await {
            match answer {
                Ok(answer) => {
                    sum.done += number(&answer, "/done/milliseconds");
                    note(&mut sum.why, &answer);
                }
                Err(stop) => sum.why = stop.to_string(),
            }
            if !stop.load(Ordering::Relaxed) && sum.why.is_empty() {
                sum.asked += PIECE;
                pieces.push(piece());
            }
        }
        sum
    }

    /// Takes so many bytes of the device's memory and holds them (0: lets go of all); gives how many the device says
    /// are held, and what went wrong.
    ///
    /// # Errors
    /// When the probe gives no answer.
    pub async fn hold(&self, bytes: u64) -> Result<(u64, String), Stop> {
        let answer = self.ask("/hold", &json!({"bytes": bytes})).await?;
        let mut why = String::new();
        note(&mut why, &answer);
        Ok((number(&answer, "/done/bytes"), why))
    }

    /// Deletes the pod and waits until it is gone.
    ///
    /// # Errors
    /// When it is refused, or not gone in time.
    pub async fn end(&self) -> Result<(), Stop> {
        self.scratch.delete(&Kind::pod(), &self.name).await?;
        let gone = || match self.scratch.get(&Kind::pod(), &self.name) {
            None => Ok(()),
            Some(pod) => Err(state(&pod)),
        };
        self.scratch.until(format!("the pod {} to be gone", self.name), Bin::Platform, END, gone).await?;
        Ok(())
    }
}

/// The sum of a number over all devices of an answer.
fn number(answers: &Value, pointer: &str) -> u64 {
    let devices = answers.get("devices").and_then(Value::as_object);
    devices.into_iter().flatten().filter_map(|(_, answer)| answer.pointer(pointer)?.as_u64()).sum()
}

/// Notes what a device or the probe said no to.
fn note(why: &mut String, answers: &Value) {
    let refused = answers.get("devices").and_then(Value::as_object);
    let refused = refused.into_iter().flatten().filter_map(|(_, answer)| answer.get("refused")?.as_str());
    let errors =
        answers.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(first) = refused.chain(errors).next() {
        *why = first.into();
    }
}

/// What keeps a pod from running, in words.
fn state(pod: &Object) -> String {
    let waiting =
        pod.at("/status").and_then(|status| status.get("containerStatuses")?.pointer("/0/state/waiting"));
    let reason = waiting.and_then(|waiting| waiting.get("reason")?.as_str()).unwrap_or_default();
    let message = waiting.and_then(|waiting| waiting.get("message")?.as_str()).unwrap_or_default();
    let scheduled = pod.condition("PodScheduled").and_then(|condition| condition.get("message")?.as_str());
    format!("{} {reason} {message} {}", pod.text("/status/phase"), scheduled.unwrap_or_default())
        .trim()
        .to_owned()
}

fn pod(cx: &Cx, name: &str, way: &Way, nodes: &[String]) -> Value {
    let profile = &cx.profile;
    let image = profile
        .probe_image
        .clone()
        .unwrap_or_else(|| format!("aiconform.dev/probe:{}", env!("CARGO_PKG_VERSION")));
    let terms: Vec<Value> = nodes
        .iter()
        .map(|node| json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}))
        .collect();
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false, "enableServiceLinks": false,
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}},
        "containers": [{"name": "probe", "image": image, "imagePullPolicy": "IfNotPresent",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1},
            "resources": {"requests": {"cpu": "5m", "memory": "8Mi"}}}]}});
    let container = &mut pod["spec"]["containers"][0];
    match way {
        Way::Resource(resource) => container["resources"]["limits"] = json!({resource: "1"}),
        Way::Class(_) => {
            container["resources"]["claims"] = json!([{"name": "device"}]);
            pod["spec"]["resourceClaims"] = json!([{"name": "device", "resourceClaimTemplateName": name}]);
        }
    }
    let mut tolerations = profile.tolerations.clone();
    // Nodes with accelerators often keep others away by a taint of the resource's name.
    tolerations
        .push(json!({"key": if let Way::Resource(resource) = way { resource } else { "nvidia.com/gpu" },
        "operator": "Exists"}));
    pod["spec"]["tolerations"] = json!(tolerations);
    if !profile.image_pull_secrets.is_empty() {
        pod["spec"]["imagePullSecrets"] =
            profile.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
    }
    pod
}
