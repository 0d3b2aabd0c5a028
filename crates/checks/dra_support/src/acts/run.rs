//! Tries the subject.

use super::objects::labels;
use super::stage::{Ground, Stage};
use super::trials;
use crate::adapters::synthetic::ID as SYNTHETIC;
use crate::find::{Served, served};
use crate::marks::{CANARY, ID};
use crate::reading::{claim_template, class, slice};
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::land::{Land, image, land};
use aiconform_check::subject::{self, Candidate, Started};
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_trial::kinds::resource_claim;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Runs the check.
///
/// # Errors
/// When there is nothing to stand on.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let scope = Scope::new(ID, "");
    let served = served(cx.session.api(), &scope, &cx.profile).await?;
    cx.session.watch_own(&Kind::pod()).await?;
    if served.stable() {
        for kind in [slice(), class()] {
            cx.session.watch_own(&kind).await?;
        }
    }
    let ground = ground(cx, &scope).await?;
    let scope = Scope::new(ID, SYNTHETIC);
    for why in served.left_out() {
        cx.progress.tell(&scope, &format!("left out: {why}"));
    }
    let candidate = Candidate {
        id: SYNTHETIC.into(),
        control: false,
        declared: false,
        facts: Value::Null,
        found: Ok(Detection::Present(json!(served.facts()))),
        with: served,
    };
    let ground = &ground;
    subject::all(cx, subject::start(cx, ID, [candidate]), |started| act(cx, ground, started)).await;
    Ok(())
}

async fn ground(cx: &Cx, scope: &Scope) -> Result<Ground, Stop> {
    let api = cx.session.api();
    let Land { node, room, .. } = land(api, scope, &cx.profile).await?;
    let selector = format!("metadata.name={}", node.name());
    cx.session.mirror().watch(api, &Kind::node(), "", ("fieldSelector", &selector)).await?;
    let priority_class = cx.priority_class(scope, "-dra").await?;
    let image = cx.profile.image.clone().unwrap_or_else(|| image(&node, &cx.profile));
    let fact = json!({"node": node.name(), "image": image, "priority_class": priority_class, "room": room});
    cx.write(scope, EventKind::Fact { name: "ground".into(), value: fact });
    let budget = Semaphore::new(usize::try_from(room).unwrap_or(usize::MAX));
    Ok(Ground { node: node.name().into(), image, priority_class, budget })
}

async fn act(cx: &Cx, ground: &Ground, started: Started<Served>) -> Result<(), Stop> {
    let Started { scope, with: served, .. } = started;
    let created = if served.stable() {
        vec![Kind::pod(), resource_claim(), claim_template()]
    } else {
        vec![Kind::pod()]
    };
    let scratch = cx.session.scratch(&scope, "dra", &created).await?;
    let mut stage = Stage::new(cx, ground, scratch);
    if served.stable() {
        let (mirror, namespace) = (cx.session.mirror(), stage.scratch.namespace());
        mirror.watch(cx.session.api(), &resource_claim(), namespace, ("labelSelector", "")).await?;
    }
    let probe = stage.scratch.named("preflight");
    let pod = stage.pod(&probe, labels("preflight", CANARY, &probe));
    stage.scratch.settle(&Kind::pod(), pod, stage.alive()).await?;
    stage.make_fence(served.stable()).await?;
    let plans = trials::plans(&served);
    // Where no pod is bound nothing can be said of claims: the first trial decides whether there are others.
    if let Some(plan) = plans.first() {
        trials::run(&stage, *plan).await?;
        cx.progress.tell(&scope, &format!("1 of {}: {}", plans.len(), plan.name));
    }
    let mut trials: FuturesUnordered<_> = plans
        .iter()
        .skip(1)
        .map(|plan| {
            let stage = &stage;
            async move {
                let permit = ground.budget.acquire_many(plan.pods).await;
                let result = trials::run(stage, *plan).await;
                drop(permit);
                (plan, result)
            }
        })
        .collect();
    let mut number = 1;
    while let Some((plan, result)) = trials.next().await {
        number += 1;
        cx.progress.tell(&scope, &format!("{number} of {}: {}", plans.len(), plan.name));
        // One trial that cannot go on does not take the others with it; the judge sees how far it came.
        if let Err(stop) = result {
            cx.stopped(&scope, &stop);
        }
    }
    drop(trials);
    if served.stable() { stage.look_for_others().await } else { Ok(()) }
}
