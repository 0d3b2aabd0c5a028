//! Tries every subject that is there.

use super::ground::ground;
use super::means::Means;
use super::stage::{self, Ground, Stage};
use super::trials::{self, CANARIES, Trial};
use crate::adapters::Wanted;
use crate::find::{With, candidates};
use crate::marks::ID;
use aiconform_check::cx::{Cx, Files, Stop};
use aiconform_check::subject::{self, Started};
use aiconform_model::{Kind, Scope};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeMap;

/// Runs the check.
///
/// # Errors
/// When there is nothing to stand on.
pub async fn run(cx: &Cx, files: Files) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    cx.session.watch_own(&Kind::pod()).await?;
    let ground = ground(cx, &scope).await?;
    let present = subject::start(cx, ID, candidates(cx, &ground, files).await);
    let ground = &ground;
    subject::all(cx, present, |started| act(cx, ground, started)).await;
    Ok(())
}

async fn act(cx: &Cx, ground: &Ground, started: Started<With>) -> Result<(), Stop> {
    let Started { scope, subject, with: With { adapter, plans } } = started;
    let created = stage::created(ground, adapter, &subject.facts);
    let scratch = cx.session.scratch(&scope, &adapter.id().replace('/', "-"), &created).await?;
    let stage = Stage::open(cx, ground, adapter, scratch, subject.facts).await?;
    preflight(&stage).await?;
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
        cx.progress.tell(&scope, &format!("{number} of {}: {}", plans.len(), plan.name));
        match result {
            Ok(()) => {}
            // What could not be judged is not worth its time; the others end here.
            Err(stop @ Stop::NoControl(_)) => return Err(stop),
            // One trial that cannot go on does not take the others with it; the judge sees how far it came.
            Err(stop) => cx.stopped(&scope, &Stop::Hindered(format!("{}: {stop}", plan.name))),
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
