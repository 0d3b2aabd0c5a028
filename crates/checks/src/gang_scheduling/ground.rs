//! Where gangs are tried: which node carries the slots, and what a slot is there.

use super::devices;
use super::means::Means;
use super::stage::Ground;
use super::template::{CPU, FAKE, MEMORY};
use super::trials;
use crate::cx::{Cx, Level, Stop};
use crate::profile::{Profile, SlotsOf};
use aiconform_cluster::{Api, RUN_LABEL, free, may_become_ready, suitable};
use aiconform_model::{Bin, EventKind, Kind, Object, Scope, quantity};
use aiconform_wait::Wait;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Semaphore;

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
    others: Vec<String>,
    /// All fake nodes.
    fakes: Vec<String>,
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

/// Chooses the nodes, the image and the PriorityClass, and watches what the trials stand on.
///
/// # Errors
/// When there is nothing to stand on, or the cluster refuses a watch or the PriorityClass.
pub async fn ground(cx: &Cx, scope: &Scope) -> Result<Ground, Stop> {
    let api = cx.session.api();
    let Land { node, room, others, mut fakes } = land(api, scope, &cx.profile).await?;
    let wide = trials::wants_fakes(&cx.options);
    if wide && fakes.is_empty() {
        cx.progress.tell(scope, "the trial scale is left out: there are no fake nodes (lab up --fake-nodes)");
    }
    if wide {
        // One watch for hundreds of nodes.
        cx.session.mirror().watch(api, &Kind::node(), "", ("labelSelector", FAKE)).await?;
    } else {
        fakes.clear();
    }
    let alone = others.iter().filter(|other| !fakes.contains(other)).map(String::as_str);
    for name in alone.chain([node.name()]) {
        let selector = format!("metadata.name={name}");
        cx.session.mirror().watch(api, &Kind::node(), "", ("fieldSelector", &selector)).await?;
    }
    let priority_class = cx.priority_class(scope, "").await?;
    let mut higher_class = String::new();
    if cx.options.level == Level::All || cx.options.trials.iter().any(|trial| trial == "preemption") {
        higher_class = format!("aiconform-{}-higher", cx.session.id());
        // Above the other, which nobody but test pods has, and still below everyone's.
        let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": higher_class}, "value": -999, "preemptionPolicy": "PreemptLowerPriority",
            "description": "Test pods of aiconform; removed with the run."});
        cx.session.create_cluster_wide(scope, &Kind::priority_class(), class).await?;
    }
    let image = cx.profile.image.clone().unwrap_or_else(|| image(&node, &cx.profile));
    let (means, refused) = means(api, scope, &cx.profile, &node).await?;
    for why in &refused {
        cx.progress.tell(scope, &format!("slots are made otherwise: {why}"));
    }
    if matches!(means, Means::Cpu { .. }) {
        // Whoever comes to the node or leaves it changes what is free.
        let others = format!(
            "fieldSelector=spec.nodeName%3D{}&labelSelector=%21{}",
            node.name(),
            RUN_LABEL.replace('/', "%2F")
        );
        cx.session.mirror().watch_where(api, &Kind::pod(), "", &others).await?;
    }
    let fact = json!({"node": node.name(), "others": others, "fake_nodes": fakes.len(), "image": image, "priority_class": priority_class,
        "room": room, "capacity": means.says()});
    cx.write(scope, EventKind::Fact { name: "ground".into(), value: fact });
    let budget = Semaphore::new(match means {
        Means::Cpu { .. } => 1,
        _ => usize::try_from(room).unwrap_or(usize::MAX),
    });
    Ok(Ground { means, node: node.name().into(), others, fakes, image, priority_class, higher_class, budget })
}

/// What slots are made of: the first of the ways that the cluster does not refuse, or what the profile says; and why
/// it is no better one.
///
/// # Errors
/// When nothing is left, or the cluster does not answer.
pub async fn means(
    api: &Api,
    scope: &Scope,
    profile: &Profile,
    node: &Object,
) -> Result<(Means, Vec<String>), Stop> {
    let ways = match profile.gang_scheduling.capacity {
        Some(way) => vec![way],
        None => vec![SlotsOf::NodeStatus, SlotsOf::Cpu, SlotsOf::Devices, SlotsOf::Quota],
    };
    let mut refused = Vec::new();
    for way in ways {
        let asked = match way {
            SlotsOf::NodeStatus => status_may_be_patched(api, scope, node).await,
            SlotsOf::Cpu => {
                let free = free(node, &pods_on(api, scope, node.name()).await?);
                Means::cpu(free.get("cpu").copied().unwrap_or_default()).ok_or_else(|| {
                    Stop::Hindered(format!("{}: too little CPU is free to make slots of it", node.name()))
                })
            }
            SlotsOf::Devices => devices_may_be_published(api, scope, node).await,
            SlotsOf::Quota => Ok(Means::Quota),
        };
        match asked {
            Ok(means) => return Ok((means, refused)),
            // Only what the profile asks for is asked of the cluster, and its refusal is the user's to see.
            Err(stop) if profile.gang_scheduling.capacity.is_some() => return Err(stop),
            Err(Stop::Cluster(error)) if error.refusal().is_none() => return Err(error.into()),
            Err(stop) => refused.push(stop.to_string()),
        }
    }
    Err(Stop::Hindered(refused.join("; ")))
}

async fn status_may_be_patched(api: &Api, scope: &Scope, node: &Object) -> Result<Means, Stop> {
    let patch = json!({"status": {"capacity": {"slots.aiconform.dev/probe": "1"}}});
    api.merge(scope, &Kind::node(), ("", node.name()), "status?dryRun=All", &patch).await?;
    Ok(Means::Slots)
}

async fn devices_may_be_published(api: &Api, scope: &Scope, node: &Object) -> Result<Means, Stop> {
    if !api.serves(scope, &devices::slice()).await? {
        let why = format!("the API server does not serve {}", devices::slice().api_version());
        return Err(Stop::Hindered(why));
    }
    for (kind, object) in devices::published("probe", node.name(), &[("slots.aiconform.dev/probe", 1)]) {
        api.dry_run(scope, &kind, &Object(object)).await?;
    }
    Ok(Means::Devices)
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

/// How many test pods a node holds beside what is there, and by which of its resources that is bounded: a trial whose
/// pods do not fit for want of CPU would say nothing of gangs.
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
