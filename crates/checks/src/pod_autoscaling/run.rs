//! Acts and marks phases; decides nothing.

mod find;
mod stage;

use self::find::{Target, find};
use self::stage::Stage;
use super::objects::autoscalers;
use super::plan::steps;
use crate::accelerators::{blamed, clear};
use crate::cx::{Cx, Detected, Detection, Preview, Stop};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use serde_json::json;

/// The check, and the requirement.
pub const ID: &str = "pod_autoscaling";
/// The subject: the autoscaler, told of a metric of the pods by the API of custom metrics.
pub const SUBJECT: &str = "custom-metrics";

/// Which subjects the cluster has.
pub async fn detect(api: &Api) -> Detected {
    let detection = match find(api, &Scope::new(ID, ""), &Profile::default(), 1).await {
        Ok(Ok(target)) => Detection::Present(target.facts()),
        Ok(Err(why)) => Detection::Absent(why),
        Err(stop) => Detection::Absent(stop.to_string()),
    };
    vec![(SUBJECT.into(), detection)]
}

/// What it would stand on.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    match find(api, &Scope::new(ID, ""), profile, 1).await {
        Ok(Ok(target)) => preview.ground.push(format!(
            "up to {} pods with one of {} each, scaled by the metric {}, as {} tells it; something must gather it from pods that are annotated with prometheus.io/scrape",
            target.most,
            target.asked(),
            target.metric,
            target.served
        )),
        Ok(Err(why)) => preview.hindrances.push(why),
        Err(stop) => preview.hindrances.push(stop.to_string()),
    }
    preview
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    // What other checks have is not free.
    let _turn = cx.accelerators.lock().await;
    let scope = Scope::new(ID, SUBJECT);
    let target = match find(cx.session.api(), &Scope::new(ID, ""), &cx.profile, cx.options.seed).await? {
        Ok(target) => target,
        Err(why) => {
            cx.write(&scope, EventKind::SubjectAbsent { why, declared: false });
            return Ok(());
        }
    };
    for kind in [Kind::pod(), Kind::deployment(), autoscalers()] {
        cx.session.watch_own(&kind).await?;
    }
    let facts = target.facts();
    cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared: false });
    if let Err(stop) = act(cx, &scope, &target).await {
        cx.progress.tell(&scope, &format!("stopped: {stop}"));
        cx.stopped(&scope, &stop);
    }
    cx.write(&scope, EventKind::SubjectEnded {});
    Ok(())
}

async fn act(cx: &Cx, scope: &Scope, target: &Target) -> Result<(), Stop> {
    let kinds = [Kind::pod(), Kind::deployment(), autoscalers()];
    let own = cx.session.scratch(scope, "autoscaling", &kinds).await?;
    let other = cx.session.scratch(scope, "autoscaling-other", &[Kind::pod()]).await?;
    let stage = Stage::new(cx, target, own.clone(), other.clone());
    let acted = blamed(&own, go(&stage, target).await).await;
    // What is deleted from here on is our own undoing, early or not.
    stage.phase("over", json!({}));
    let ended = stage.end().await;
    acted.and(ended).and(clear(&own).await).and(clear(&other).await)
}

/// Every step, until one does not come to what it must: what follows would begin elsewhere.
async fn go(stage: &Stage<'_>, target: &Target) -> Result<(), Stop> {
    stage.create().await?;
    for step in steps(target.target, target.most) {
        if !stage.step(&step).await? {
            return Ok(());
        }
    }
    Ok(())
}
