//! Acts and marks phases; decides nothing.

use super::adapters::{Adapter, Wanted, adapters, with_signs};
use super::history::TRIALS;
use super::means::Means;
use super::stage::{Ground, Stage};
use super::template::{CPU, FAKE, MEMORY};
use super::trials::{self, CANARIES, Trial};
use crate::cx::{Cx, Detection, Files, Level, Stop};
use crate::profile::{Profile, SlotsOf};
use aiconform_cluster::{Api, free, quantity, suitable};
use aiconform_model::{EventKind, Kind, Object, Scope};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::Semaphore;

const ID: &str = "gang_scheduling";
/// Test pods that a node must have room for: the largest trial, with room for others to come.
const LEAST: u64 = 16;
/// Nodes beside the first that may carry slots.
const OTHER_NODES: usize = 2;
/// Room for pods that is left to others.
const OTHERS: f64 = 5.0;

/// Runs the check.
pub async fn run(cx: &Cx, files: Files) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let ground = ground(cx, &scope).await?;
    let chosen: Vec<&'static dyn Adapter> = adapters(files)
        .into_iter()
        // Where only named trials are made there is no verdict, and nothing for a control to stand beside.
        .filter(|adapter| !adapter.control() || cx.options.level != Level::Named)
        .filter(|adapter| adapter.control() || wanted(cx).is_empty() || wanted(cx).contains(&adapter.id()))
        .collect();
    let present = subjects(cx, &ground, &chosen).await;
    join_all(present.into_iter().map(|(adapter, facts)| subject(cx, &ground, adapter, facts))).await;
    Ok(())
}

/// Adapters named on the command line or in the profile.
fn wanted(cx: &Cx) -> Vec<&str> {
    cx.options
        .adapters
        .iter()
        .map(String::as_str)
        .chain(cx.profile.gang_scheduling.adapter.as_deref())
        .collect()
}

/// Chooses the node, the image and the PriorityClass.
async fn ground(cx: &Cx, scope: &Scope) -> Result<Ground, Stop> {
    let api = cx.session.api();
    let selector: Vec<String> =
        cx.profile.node_selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let nodes = api.list(scope, &Kind::node(), "", &selector.join(",")).await?;
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
        if let Err(unsuitable) = suitable(&node, &cx.profile.tolerations) {
            reasons.push(unsuitable.0);
            continue;
        }
        let (room, bound) = room(cx, scope, &node).await?;
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
    let wide = trials::wants_fakes(&cx.options);
    if wide && fakes.is_empty() {
        cx.progress.tell(scope, "the trial scale is left out: there are no fake nodes (lab up --fake-nodes)");
    }
    // Some of the fake nodes are as good as real ones where it matters that nodes are several.
    others.extend(fakes.iter().take(OTHER_NODES).cloned());
    others.truncate(OTHER_NODES);
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
    let priority_class = match &cx.profile.priority_class {
        Some(name) => name.clone(),
        None => {
            let name = format!("aiconform-{}", cx.session.id());
            // Below what cluster-autoscaler scales up for, and never evicting anyone.
            let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": {"name": name}, "value": -1000, "preemptionPolicy": "Never",
                "description": "Test pods of aiconform; removed with the run."});
            cx.session.create_cluster_wide(scope, &Kind::priority_class(), class).await?;
            name
        }
    };
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
    let means = means(cx, scope, &node).await?;
    let fact = json!({"node": node.name(), "others": others, "fake_nodes": fakes.len(), "image": image, "priority_class": priority_class,
        "room": room, "capacity": means.says()});
    cx.write(scope, EventKind::Fact { name: "ground".into(), value: fact });
    let budget = Semaphore::new(match means {
        Means::Slots => usize::try_from(room).unwrap_or(usize::MAX),
        Means::Cpu { .. } => 1,
    });
    Ok(Ground { means, node: node.name().into(), others, fakes, image, priority_class, higher_class, budget })
}

/// What slots are made of: private ones where node status may be patched, else CPU; or what the profile says.
async fn means(cx: &Cx, scope: &Scope, node: &Object) -> Result<Means, Stop> {
    let wanted = cx.profile.gang_scheduling.capacity;
    let api = cx.session.api();
    let mut refused = None;
    if wanted != Some(SlotsOf::Cpu) {
        let patch = json!({"status": {"capacity": {"slots.aiconform.dev/probe": "1"}}});
        match api.merge(scope, &Kind::node(), ("", node.name()), "status?dryRun=All", &patch).await {
            Ok(_) => return Ok(Means::Slots),
            Err(error) if error.refusal().is_none() || wanted.is_some() => return Err(error.into()),
            Err(error) => refused = Some(error),
        }
    }
    let free = free(node, &pods_on(cx, scope, node).await?);
    let Some(means) = Means::cpu(free.get("cpu").copied().unwrap_or_default()) else {
        let why = refused.map(|error| format!("; {error}")).unwrap_or_default();
        let sentence = format!("{}: too little CPU is free to make slots of it{why}", node.name());
        return Err(Stop::Hindered(sentence));
    };
    if let Some(error) = refused {
        cx.progress.tell(scope, &format!("slots are made of CPU, one trial after another: {error}"));
    }
    // Whoever comes to the node or leaves it changes what is free.
    let others = format!(
        "fieldSelector=spec.nodeName%3D{}&labelSelector=%21{}",
        node.name(),
        aiconform_cluster::RUN_LABEL.replace('/', "%2F")
    );
    cx.session.mirror().watch_where(api, &Kind::pod(), "", &others).await?;
    Ok(means)
}

async fn pods_on(cx: &Cx, scope: &Scope, node: &Object) -> Result<Vec<Object>, Stop> {
    let path = format!("/api/v1/pods?limit=1000&fieldSelector=spec.nodeName%3D{}", node.name());
    let list = cx.session.api().send(scope, "GET", &path, None).await?;
    let pods = list.get("items").and_then(Value::as_array);
    Ok(pods.map(|pods| pods.iter().cloned().map(Object).collect()).unwrap_or_default())
}

/// How many test pods a node holds beside what is there, and by which of its resources that is bounded: a trial whose
/// pods do not fit for want of CPU would say nothing of gangs.
async fn room(cx: &Cx, scope: &Scope, node: &Object) -> Result<(u64, String), Stop> {
    let pods = pods_on(cx, scope, node).await?;
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
fn image(node: &Object, profile: &Profile) -> String {
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

/// Which subjects the cluster has.
pub async fn detect(api: &Api, files: Files) -> Vec<(&'static str, Detection)> {
    join_all(
        adapters(files).into_iter().map(|adapter| async { (adapter.id(), detection(api, adapter).await) }),
    )
    .await
}

async fn detection(api: &Api, adapter: &dyn Adapter) -> Detection {
    adapter.detect(api).await.unwrap_or_else(|stop| Detection::Absent(stop.to_string()))
}

/// Tells which subjects there are, in the adapters' order, so that the evidence has one order; gives those that are.
async fn subjects(
    cx: &Cx,
    ground: &Ground,
    chosen: &[&'static dyn Adapter],
) -> Vec<(&'static dyn Adapter, Value)> {
    let found = join_all(chosen.iter().map(|adapter| detection(cx.session.api(), *adapter))).await;
    let mut present = Vec::new();
    for (adapter, detection) in chosen.iter().zip(found) {
        let scope = Scope::new(ID, adapter.id());
        let declared = wanted(cx).contains(&adapter.id());
        let detection = match detection {
            Detection::Present(_) if ground.means != Means::Slots && !adapter.counts_cpu() => {
                Detection::Absent(
                    "its file writes quotas of private slots, and node status may not be patched here".into(),
                )
            }
            found => found,
        };
        match detection {
            Detection::Absent(why) => {
                cx.progress.tell(&scope, &format!("not here: {why}"));
                cx.write(&scope, EventKind::SubjectAbsent { why, declared });
            }
            Detection::Present(facts) => {
                let mut facts = with_signs(*adapter, facts);
                let control = adapter.control();
                // What is going to be tried is part of the evidence: a trial that never began is not forgotten.
                let plans = trials::plans(cx, ground, *adapter, &facts);
                facts[TRIALS] = plans.into_iter().map(|plan| plan.name).collect();
                cx.write(&scope, EventKind::SubjectStarted { facts: facts.clone(), control, declared });
                present.push((*adapter, facts));
            }
        }
    }
    present
}

async fn subject(cx: &Cx, ground: &Ground, adapter: &'static dyn Adapter, facts: Value) {
    let scope = Scope::new(ID, adapter.id());
    if let Err(stop) = act(cx, ground, adapter, facts, &scope).await {
        cx.progress.tell(&scope, &format!("stopped: {stop}"));
        cx.stopped(&scope, &stop);
    }
    cx.write(&scope, EventKind::SubjectEnded {});
}

async fn act(
    cx: &Cx,
    ground: &Ground,
    adapter: &'static dyn Adapter,
    facts: Value,
    scope: &Scope,
) -> Result<(), Stop> {
    let created = [adapter.kinds(&facts), adapter.creates(), vec![Kind::pod()]].concat();
    let scratch = cx.session.scratch(scope, &adapter.id().replace('/', "-"), &created).await?;
    let stage = Stage::new(cx, ground, adapter, scratch, facts);
    stage.watch().await?;
    stage.settle().await?;
    preflight(&stage).await?;
    stage.make_fence().await?;
    let plans = trials::plans(cx, ground, adapter, &stage.facts);
    if ground.means == Means::Slots {
        put_slots(&stage, &plans).await?;
    }
    let mut trials: FuturesUnordered<_> = plans
        .iter()
        .map(|plan| {
            let stage = &stage;
            async move {
                let wanted = if ground.means == Means::Slots { plan.pods } else { 1 };
                let permit = ground.budget.acquire_many(wanted).await;
                let result = trials::run(stage, plan).await;
                drop(permit);
                (plan, result)
            }
        })
        .collect();
    let mut number = 0;
    while let Some((plan, result)) = trials.next().await {
        number += 1;
        cx.progress.tell(scope, &format!("{number} of {}: {}", plans.len(), plan.name));
        match result {
            Ok(()) => {}
            // What could not be judged is not worth its time; the others end here.
            Err(stop @ Stop::NoControl(_)) => return Err(stop),
            // One trial that cannot go on does not take the others with it; the judge sees how far it came.
            Err(stop) => cx.stopped(scope, &Stop::Hindered(format!("{}: {stop}", plan.name))),
        }
    }
    Ok(())
}

/// Puts the slots of all trials of a subject on their nodes.
async fn put_slots(stage: &Stage<'_>, plans: &[trials::Plan]) -> Result<(), Stop> {
    let (session, ground, scope) = (&stage.cx.session, stage.ground, stage.scratch.scope());
    let mut amounts = BTreeMap::new();
    for plan in plans {
        let (resource, canary) = stage.resources(&plan.name);
        // Slots on fake nodes are the trial's own business.
        if !matches!(plan.trial, Trial::Scale(_)) {
            amounts.insert(resource, plan.start);
        }
        amounts.insert(canary, CANARIES);
    }
    session.add_node_resources(scope, &ground.node, &amounts).await?;
    if let Some(plan) = plans.iter().find(|plan| plan.trial == Trial::Fragmentation) {
        let one = BTreeMap::from([(stage.resources(&plan.name).0, 1)]);
        for other in &ground.others {
            session.add_node_resources(scope, other, &one).await?;
        }
    }
    Ok(())
}

/// Dry-runs a pod and a gang of the subject: a refusal is found before anything is tried.
async fn preflight(stage: &Stage<'_>) -> Result<(), Stop> {
    let (resource, _) = stage.resources("fence");
    let template = stage.template("preflight", "single", &resource);
    let name = stage.scratch.named("preflight");
    let gang = stage.adapter.gang(&Wanted::whole(&name, 2), &template)?;
    let single = stage.adapter.single(&name, &template)?;
    let api = stage.cx.session.api();
    for (kind, object) in gang.group.into_iter().chain(gang.members.into_iter().take(1)).chain([single]) {
        let object = stage.scratch.prepared(object);
        api.dry_run(stage.scratch.scope(), &kind, &object).await?;
    }
    Ok(())
}
