//! Where gangs are tried: which node carries the slots, and what a slot is there.

use super::devices;
use super::means::Means;
use super::stage::Ground;
use super::template::FAKE;
use super::trials;
use aiconform_check::cx::{Cx, Level, Stop};
use aiconform_check::land::{Land, image, land, pods_on};
use aiconform_check::profile::{Profile, SlotsOf};
use aiconform_cluster::{Api, RUN_LABEL, free};
use aiconform_model::{EventKind, Kind, Object, Scope};
use serde_json::json;
use tokio::sync::Semaphore;

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

/// Means of which slots are made: the first of the ways that the cluster does not refuse, or what the profile says; and why
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
