//! Acts: the metric is set step by step, and it is waited for what comes of it. Nothing is decided here.

pub mod objects;
mod stage;
mod steps;
mod words;

use self::objects::scaled_objects;
use self::stage::Stage;
use crate::adapters::{IDS, Source};
use crate::find::{Target, find};
use crate::marks::{Facts, ID, Mark, autoscalers};
use crate::plan::{Name, Step, steps};
use aiconform_accelerators::{blamed, clear};
use aiconform_check::cx::{Cx, Detection, Stop};
use aiconform_check::subject::{Candidate, Started, one, start};
use aiconform_model::{Kind, Scope};
use serde_json::json;

/// Runs the check.
///
/// # Errors
/// None: what stops a subject stands with it.
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    // What other checks have is not free.
    let _turn = cx.accelerators.take(ID).await;
    let named = cx.options.named_of(IDS);
    for source in Source::ALL {
        if named.is_empty() || named.iter().any(|id| id == source.id()) {
            let candidate = candidate(cx, source, !named.is_empty()).await;
            for started in start(cx, ID, [candidate]) {
                one(cx, started, |started| act(cx, started)).await;
            }
        }
    }
    Ok(())
}

/// A way in which the autoscaler may be told a metric, as it is found. What cannot be looked for stops this way and no other.
async fn candidate(cx: &Cx, source: Source, declared: bool) -> Candidate<Option<Target>> {
    let scope = Scope::new(ID, "");
    let (found, with) = match find(cx.session.api(), &scope, &cx.profile, source, cx.options.seed).await {
        Ok(Ok(target)) => (Ok(Detection::Present(json!(target.facts()))), Some(target)),
        Ok(Err(why)) => (Ok(Detection::Absent(why)), None),
        Err(stop) => (Err(stop), None),
    };
    let facts = json!(Facts { own_control: true, ..Facts::default() });
    Candidate { id: source.id().into(), control: false, declared, facts, found, with }
}

/// Kinds of what is created, and of what is made of it.
fn kinds(source: Source) -> Vec<Kind> {
    let scaled = (source == Source::Keda).then(scaled_objects);
    [Kind::pod(), Kind::deployment(), autoscalers()].into_iter().chain(scaled).collect()
}

async fn act(cx: &Cx, Started { scope, with, .. }: Started<Option<Target>>) -> Result<(), Stop> {
    let Some(target) = &with else { return Ok(()) };
    // What may not be watched stops this way of telling a metric, and no other.
    for kind in kinds(target.source) {
        cx.session.watch_own(&kind).await?;
    }
    let suffix = match target.source {
        Source::Custom => "autoscaling",
        Source::External => "autoscaling-external",
        Source::Keda => "autoscaling-keda",
    };
    let own = cx.session.scratch(&scope, suffix, &kinds(target.source)).await?;
    let other = cx.session.scratch(&scope, &format!("{suffix}-other"), &[Kind::pod()]).await?;
    let stage = Stage::new(cx, target, own.clone(), other.clone());
    let acted = blamed(&own, go(&stage, target).await).await;
    // What is deleted from here on is our own undoing, early or not.
    stage.mark(&Mark::Over {});
    let ended = stage.end().await;
    acted.and(ended).and(clear(&own).await).and(clear(&other).await)
}

/// Goes every step, until one does not come to what it must: what follows would begin elsewhere.
async fn go(stage: &Stage<'_>, target: &Target) -> Result<(), Stop> {
    stage.create().await?;
    // Of an external metric nobody says to which namespace it belongs.
    let is_tried = |step: &Step| target.source.is_of_pods() || step.name != Name::Decoy;
    for step in steps(target.target, target.most).into_iter().filter(is_tried) {
        if !stage.step(&step).await? {
            return Ok(());
        }
    }
    Ok(())
}
