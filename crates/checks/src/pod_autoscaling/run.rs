//! Acts and marks phases; decides nothing.

mod find;
mod said;
mod stage;

use self::find::{Target, find};
use self::stage::Stage;
use super::adapters::{IDS, Source};
use super::objects::{autoscalers, scaled_objects};
use super::plan::{Name, steps};
use crate::accelerators::{blamed, clear};
use crate::cx::{Cx, Detected, Detection, Preview, Stop};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use serde_json::json;

/// The check, and the requirement.
pub const ID: &str = "pod_autoscaling";
/// Which subjects the cluster has: the autoscaler, told of a metric in one way or another.
pub async fn detect(api: &Api) -> Detected {
    let scope = Scope::new(ID, "");
    let mut found = Vec::new();
    for source in Source::ALL {
        let detection = match find(api, &scope, &Profile::default(), source, 1).await {
            Ok(Ok(target)) => Detection::Present(target.facts()),
            Ok(Err(why)) => Detection::Absent(why),
            Err(stop) => Detection::Absent(stop.to_string()),
        };
        found.push((source.id().to_owned(), detection));
    }
    found
}

/// What it would stand on.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    let mut lacking = Vec::new();
    for source in Source::ALL {
        match find(api, &Scope::new(ID, ""), profile, source, 1).await {
            Ok(Ok(target)) => preview.ground.push(format!(
                "up to {} pods with one of {} each, scaled by the metric {}, as {} tells it; {}",
                target.most,
                target.asked(),
                target.metric,
                target.served,
                match source {
                    Source::Custom | Source::External =>
                        "something must gather it from pods that are annotated with prometheus.io/scrape",
                    Source::Keda => "KEDA's operator must reach pods by their addresses",
                }
            )),
            Ok(Err(why)) => lacking.push(why),
            Err(stop) => lacking.push(stop.to_string()),
        }
    }
    // One way is enough.
    if preview.ground.is_empty() {
        lacking.dedup();
        preview.hindrances = lacking;
    }
    preview
}

/// Runs the check.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    // What other checks have is not free.
    let _turn = cx.accelerators.lock().await;
    let named = cx.options.named_of(IDS);
    for source in Source::ALL {
        if named.is_empty() || named.iter().any(|id| id == source.id()) {
            run_one(cx, source, !named.is_empty()).await?;
        }
    }
    Ok(())
}

async fn run_one(cx: &Cx, source: Source, declared: bool) -> Result<(), Stop> {
    let scope = Scope::new(ID, source.id());
    let target =
        match find(cx.session.api(), &Scope::new(ID, ""), &cx.profile, source, cx.options.seed).await? {
            Ok(target) => target,
            Err(why) => {
                cx.write(&scope, EventKind::SubjectAbsent { why, declared });
                return Ok(());
            }
        };
    let facts = target.facts();
    cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared });
    if let Err(stop) = act(cx, &scope, &target).await {
        cx.progress.tell(&scope, &format!("stopped: {stop}"));
        cx.stopped(&scope, &stop);
    }
    cx.write(&scope, EventKind::SubjectEnded {});
    Ok(())
}

/// What is created, and what is made of it.
fn kinds(source: Source) -> Vec<Kind> {
    let scaled = (source == Source::Keda).then(scaled_objects);
    [Kind::pod(), Kind::deployment(), autoscalers()].into_iter().chain(scaled).collect()
}

async fn act(cx: &Cx, scope: &Scope, target: &Target) -> Result<(), Stop> {
    // What may not be watched stops this way of telling a metric, and no other.
    for kind in kinds(target.source) {
        cx.session.watch_own(&kind).await?;
    }
    let suffix = match target.source {
        Source::Custom => "autoscaling",
        Source::External => "autoscaling-external",
        Source::Keda => "autoscaling-keda",
    };
    let own = cx.session.scratch(scope, suffix, &kinds(target.source)).await?;
    let other = cx.session.scratch(scope, &format!("{suffix}-other"), &[Kind::pod()]).await?;
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
    // Of an external metric nobody says to which namespace it belongs.
    let is_tried = |step: &super::plan::Step| target.source.is_of_pods() || step.name != Name::Decoy;
    for step in steps(target.target, target.most).into_iter().filter(is_tried) {
        if !stage.step(&step).await? {
            return Ok(());
        }
    }
    Ok(())
}
