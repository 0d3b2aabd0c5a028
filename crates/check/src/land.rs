//! Nodes that can carry test pods, and the image that the pods run.

use crate::cx::Stop;
use crate::pod::{CPU, MEMORY};
use crate::profile::Profile;
use aiconform_cluster::{Api, free, may_become_ready, suitable};
use aiconform_model::{Bin, Kind, Object, Scope, quantity};
use aiconform_trial::labels::FAKE;
use aiconform_wait::Wait;
use serde_json::{Value, json};
use std::time::Duration;

/// Test pods that a node must have room for: the largest trial, with room for others to come.
const LEAST: u64 = 16;
/// Nodes beside the first that may carry slots.
const OTHER_NODES: usize = 2;
/// Longest time for a node that is not ready to become so, and between two looks.
const READY: Duration = Duration::from_secs(30);
const BETWEEN: Duration = Duration::from_millis(500);
/// Room for pods that is left to others.
const OTHERS: f64 = 5.0;

/// Nodes that were chosen.
pub struct Land {
    /// The node that carries the slots.
    pub node: Object,
    /// Test pods that it has room for.
    pub room: u64,
    /// Other nodes that carry some of them where it matters that they are several; they may be fake.
    pub others: Vec<String>,
    /// All fake nodes.
    pub fakes: Vec<String>,
}

/// Chooses the nodes.
///
/// # Errors
/// When nodes cannot be read, or none can carry the test pods.
pub async fn land(api: &Api, scope: &Scope, profile: &Profile) -> Result<Land, Stop> {
    let nodes = nodes(api, scope, profile).await?;
    let mut reasons = Vec::new();
    let mut best: Option<(u64, Object)> = None;
    let mut others: Vec<String> = Vec::new();
    let mut fakes: Vec<String> = Vec::new();
    for node in nodes {
        // What is bound to a fake node never runs: such nodes can carry slots beside a real one, and no more.
        if !node.annotation(FAKE).is_empty() {
            fakes.extend(
                suitable(&node, &[json!({"key": FAKE, "operator": "Exists"})]).map(|()| node.name().into()),
            );
            continue;
        }
        if let Err(unsuitable) = suitable(&node, &profile.tolerations) {
            reasons.push(unsuitable.0);
            continue;
        }
        let (room, bound) = room(api, scope, &node).await?;
        if room < LEAST {
            reasons.push(format!(
                "{}: it has room for {room} test pods of {CPU} CPU and {MEMORY} memory, {LEAST} are needed; the bound is its {bound}",
                node.name()
            ));
        } else if best.as_ref().is_none_or(|(most, _)| room > *most) {
            others.extend(best.replace((room, node)).map(|(_, node)| node.name().to_owned()));
        } else {
            others.push(node.name().into());
        }
        // One node carries all slots; of many, the first few are as good as any.
        if best.is_some() && reasons.len() > 20 {
            break;
        }
    }
    let Some((room, node)) = best else {
        return Err(Stop::Hindered(format!("no node can carry the test pods: {}", reasons.join("; "))));
    };
    // Some of the fake nodes are as good as real ones where it matters that nodes are several.
    others.extend(fakes.iter().take(OTHER_NODES).cloned());
    others.truncate(OTHER_NODES);
    Ok(Land { node, room, others, fakes })
}

/// The nodes that are meant; where none takes pods and one may in a moment, once it does or has had its time.
async fn nodes(api: &Api, scope: &Scope, profile: &Profile) -> Result<Vec<Object>, Stop> {
    let selector: Vec<String> =
        profile.node_selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let selector = selector.join(",");
    let kind = Kind::node();
    let list = || api.list(scope, &kind, "", &selector);
    let waits = |nodes: &[Object]| {
        let real = || nodes.iter().filter(|node| node.annotation(FAKE).is_empty());
        real().all(|node| suitable(node, &profile.tolerations).is_err()) && real().any(may_become_ready)
    };
    let nodes = list().await?;
    if !waits(&nodes) {
        return Ok(nodes);
    }
    let wait = Wait {
        condition: "a node to become ready".into(),
        bin: Bin::Platform,
        limit: READY,
        sink: api.sink().as_ref(),
        scope,
    };
    let ask = || async {
        let nodes = list().await.map_err(|error| error.to_string())?;
        if waits(&nodes) { Err("no node takes pods yet".to_owned()) } else { Ok(nodes) }
    };
    // Why each is not good enough is said of those that are there at the end.
    match wait.asking(BETWEEN, ask).await {
        Ok(met) => Ok(met.value),
        Err(_) => Ok(list().await?),
    }
}

/// Pods that are bound to a node.
///
/// # Errors
/// When they cannot be listed.
pub async fn pods_on(api: &Api, scope: &Scope, node: &str) -> Result<Vec<Object>, Stop> {
    let path = format!("/api/v1/pods?limit=1000&fieldSelector=spec.nodeName%3D{node}");
    let list = api.send(scope, "GET", &path, None).await?;
    let pods = list.get("items").and_then(Value::as_array);
    Ok(pods.map(|pods| pods.iter().cloned().map(Object).collect()).unwrap_or_default())
}

/// Number of test pods that a node holds beside what is there, and the resource by which it is bounded: a trial whose pods
/// do not fit for want of CPU would say nothing of gangs.
async fn room(api: &Api, scope: &Scope, node: &Object) -> Result<(u64, String), Stop> {
    let pods = pods_on(api, scope, node.name()).await?;
    let free = free(node, &pods);
    let least = ["pods", "cpu", "memory"]
        .into_iter()
        .map(|name| {
            let there = free.get(name).copied().unwrap_or_default();
            let pods = match name {
                "pods" => there - OTHERS,
                "cpu" => there / quantity(CPU).unwrap_or(1.0) - OTHERS,
                _ => there / quantity(MEMORY).unwrap_or(1.0) - OTHERS,
            };
            (pods.max(0.0), name)
        })
        .min_by(|one, other| one.0.total_cmp(&other.0));
    let (room, name) = least.unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never below zero, and small")]
    Ok((room as u64, name.to_owned()))
}

/// A pause image that the node holds already, else the community's, from the platform's registry where it names one.
pub fn image(node: &Object, profile: &Profile) -> String {
    if profile.image_registry.is_some() {
        return community_image(profile);
    }
    let images = node.at("/status/images").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    images
        .iter()
        .filter_map(|image| image.get("names").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| {
            let last = name.rsplit('/').next().unwrap_or_default();
            last.starts_with("pause:") && !name.contains("@sha256")
        })
        .map_or_else(|| community_image(profile), str::to_owned)
}

/// The community's pause image, from the platform's registry where it names one.
pub fn community_image(profile: &Profile) -> String {
    format!("{}/pause:3.10.1", profile.image_registry.as_deref().unwrap_or("registry.k8s.io"))
}
