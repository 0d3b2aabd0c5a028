//! Acts and marks phases; decides nothing.
//!
//! Backends and sender are shared by all classes; hosts of routes and names of batches keep the classes apart. The probe as a
//! backend answers on a port of its own, because what it can be asked otherwise must not be reached through a gateway, which
//! may be open to the world.

mod objects;
mod stage;
mod traffic;

use self::stage::Stage;
use crate::find::{Target, find};
use crate::marks::{ABSENT, ID, Mark, gateways, http_routes};
use aiconform_accelerators::blamed;
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::land::land;
use aiconform_check::subject::{Candidate, Started, all, start, stopped};
use aiconform_model::{Kind, Scope};
use aiconform_trial::kinds::service;
use serde_json::Value;
use std::future::ready;

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let targets = match find(cx.session.api(), &cx.profile).await {
        Ok(targets) => targets,
        Err(Stop::Hindered(why)) => {
            let nothing = Candidate {
                id: ABSENT.into(),
                control: false,
                declared: cx.profile.ai_inference != Default::default(),
                facts: Value::Null,
                found: Ok(Detection::Absent(why)),
                with: (),
            };
            start(cx, ID, [nothing]);
            return Ok(());
        }
        Err(stop) => return Err(stop),
    };
    let candidates = targets.into_iter().map(|target| Candidate {
        id: target.class.clone(),
        control: false,
        declared: target.declared,
        facts: Value::Null,
        found: Ok(Detection::Present(target.facts.clone())),
        with: target,
    });
    let (accepted, others): (Vec<_>, Vec<_>) =
        start(cx, ID, candidates).into_iter().partition(|started| started.with.is_accepted);
    // What nobody implements is not in force, and there is nothing to be done with it.
    all(cx, others, |_| ready(Ok(()))).await;
    if !accepted.is_empty() {
        act(cx, accepted).await;
    }
    Ok(())
}

/// Tries all classes side by side, with one set of backends and one sender.
async fn act(cx: &Cx, accepted: Vec<Started<Target>>) {
    match stage(cx).await {
        Ok(stage) => {
            let stage = &stage;
            let act =
                |class: Started<Target>| async move { stage.try_class(&class.scope, &class.with).await };
            all(cx, accepted, act).await;
        }
        Err(stop) => stopped(cx, accepted, &stop),
    }
    cx.mark(&Scope::new(ID, ""), &Mark::Over {});
}

async fn stage(cx: &Cx) -> Result<Stage<'_>, Stop> {
    let scope = Scope::new(ID, "");
    let kinds = [Kind::pod(), service(), gateways(), http_routes()];
    for kind in &kinds {
        cx.session.watch_own(kind).await?;
    }
    // Pods are held to nodes that are there, so that none that waits makes an autoscaler buy one. On fake ones they would not
    // run.
    let land = land(cx.session.api(), &scope, &cx.profile).await?;
    let others = land.others.into_iter().filter(|other| !land.fakes.contains(other));
    let nodes: Vec<String> = others.chain([land.node.name().to_owned()]).collect();
    // An implementation may put pods of its own beside a Gateway, which ask for more than those of the run.
    let scratch = cx.session.scratch_at(&scope, "inference", &kinds, "baseline").await?;
    blamed(&scratch, Stage::new(cx, scratch.clone(), &nodes).await).await
}
