//! Acts and marks phases; decides nothing.

use super::adapters::{Adapter, Wanted, adapters, with_signs};
use super::ground::ground;
use super::history::{CAPACITY, QUOTA, TRIALS};
use super::means::Means;
use super::stage::{self, Ground, Stage};
use super::trials::{self, CANARIES, Trial};
use crate::cx::{Cx, Detected, Detection, Files, Level, Stop};
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_verdict::OWN_CONTROL;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ID: &str = "gang_scheduling";

/// Runs the check.
pub async fn run(cx: &Cx, files: Files) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let ground = ground(cx, &scope).await?;
    let all = adapters(files);
    let wanted = wanted(cx, &all);
    let chosen: Vec<&'static dyn Adapter> = all
        .into_iter()
        // Where only named trials are made there is no verdict, and nothing for a control to stand beside.
        .filter(|adapter| !adapter.control() || cx.options.level != Level::Named)
        .filter(|adapter| {
            adapter.control() || wanted.is_empty() || wanted.iter().any(|id| id == adapter.id())
        })
        .collect();
    let present = subjects(cx, &ground, &chosen).await;
    join_all(present.into_iter().map(|(adapter, facts)| subject(cx, &ground, adapter, facts))).await;
    Ok(())
}

/// Adapters named on the command line or in the profile.
fn wanted(cx: &Cx, all: &[&'static dyn Adapter]) -> Vec<String> {
    let known: Vec<&str> = all.iter().map(|adapter| adapter.id()).collect();
    let mut wanted = cx.options.named_of(&known);
    wanted.extend(cx.profile.gang_scheduling.adapter.clone());
    wanted
}

/// Which subjects the cluster has.
pub async fn detect(api: &Api, files: Files) -> Detected {
    join_all(
        adapters(files)
            .into_iter()
            .map(|adapter| async { (adapter.id().to_owned(), detection(api, adapter).await) }),
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
        let declared = wanted(cx, chosen).iter().any(|id| id == adapter.id());
        let detection = match detection {
            Detection::Present(_) if !adapter.counts(ground.means) => {
                Detection::Absent(ground.means.cannot())
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
                if ground.means == Means::Quota {
                    facts[CAPACITY] = json!(QUOTA);
                    facts[OWN_CONTROL] = json!(true);
                }
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
    let created = stage::created(ground, adapter, &facts);
    let scratch = cx.session.scratch(scope, &adapter.id().replace('/', "-"), &created).await?;
    let stage = Stage::new(cx, ground, adapter, scratch, facts);
    stage.watch().await?;
    stage.settle().await?;
    preflight(&stage).await?;
    stage.make_fence().await?;
    let plans = trials::plans(cx, ground, adapter, &stage.facts);
    if ground.means.are_private() {
        put_slots(&stage, &plans).await?;
    }
    let mut trials: FuturesUnordered<_> = plans
        .iter()
        .map(|plan| {
            let stage = &stage;
            async move {
                let wanted = if matches!(ground.means, Means::Cpu { .. }) { 1 } else { plan.pods };
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
            amounts.insert(resource, plan.steps().last().copied().unwrap_or_default());
        }
        amounts.insert(canary, CANARIES);
    }
    session.add_node_resources(scope, &ground.node, &amounts).await?;
    if let Some(plan) = plans.iter().find(|plan| plan.trial == Trial::Fragmentation) {
        let (resource, canary) = stage.resources(&plan.name);
        // Of the first, one is held until the gang has waited.
        for (other, slots) in ground.others.iter().zip([trials::EACH, 1]) {
            let slots = BTreeMap::from([(resource.clone(), slots), (canary.clone(), CANARIES)]);
            session.add_node_resources(scope, other, &slots).await?;
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
