//! Acts and marks phases; decides nothing.

mod stage;

use crate::adapters::{IDS, Operator, shipped};
use crate::find::{definition, found};
use crate::limits::{READY, STILL_READY};
use crate::marks::{ID, Mark};
use aiconform_check::cx::{Cx, Detected, Detection, Files, Preview, Stop};
use aiconform_check::land::{Land, image, land};
use aiconform_check::subject::{Candidate, Started, all, start};
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use futures::future::join_all;
use serde_json::json;
use stage::{Ground, Stage};
use std::any::Any;

/// The operators that come with the program, and those of the user's files.
fn operators(files: Files) -> impl Iterator<Item = &'static Operator> {
    let own = files.iter().filter_map(|file| (file.as_ref() as &dyn Any).downcast_ref::<Operator>());
    shipped().iter().chain(own)
}

/// Looks whether an operator's custom resource is there.
async fn look(api: &Api, operator: &Operator) -> Result<Detection, Stop> {
    let kind = &operator.plan().kind;
    let scope = Scope::new(ID, operator.id());
    Ok(match definition(api, &scope, kind).await? {
        Some(definition) if !definition.served.contains(&kind.version) => Detection::Absent(format!(
            "{} {}.{} is served as {}, not as {}: another version of {}, for which there is no file; a file of your own can be given",
            "CustomResourceDefinition",
            kind.plural,
            kind.group,
            definition.served.join(", "),
            kind.version,
            operator.plan().product
        )),
        Some(_) => Detection::Present(operator.facts()),
        None => Detection::Absent(format!(
            "there is no CustomResourceDefinition {}.{}: {}",
            kind.plural,
            kind.group,
            operator.install()
        )),
    })
}

/// Finds the operators that the cluster has.
pub async fn detect(api: &Api, files: Files) -> Detected {
    let looks = operators(files).map(|operator| async {
        let seen = look(api, operator).await.unwrap_or_else(|stop| Detection::Absent(stop.to_string()));
        (operator.id().to_owned(), seen)
    });
    join_all(looks).await
}

/// Tells what would be tried.
pub async fn preview(api: &Api, files: Files) -> Preview {
    let mut preview = Preview::default();
    for operator in operators(files) {
        if !matches!(look(api, operator).await, Ok(Detection::Present(_))) {
            continue;
        }
        match found(api, &Scope::new(ID, operator.id()), operator).await {
            Ok(found) => {
                let webhooks: Vec<&str> = found.own().iter().map(|webhook| webhook.name.as_str()).collect();
                let webhooks = if webhooks.is_empty() { "none".into() } else { webhooks.join(", ") };
                let (id, pods) = (operator.id(), found.pods.len());
                preview.ground.push(format!("{id}: {pods} pods; webhooks that are called: {webhooks}"));
            }
            Err(stop) => preview.hindrances.push(stop.to_string()),
        }
    }
    preview
}

/// Runs the check.
pub async fn run(cx: &Cx, files: Files) -> Result<(), Stop> {
    let mut wanted = cx.options.named_of(IDS);
    wanted.extend(cx.profile.robust_controller.operator.clone().filter(|_| cx.options.adapters.is_empty()));
    let mut candidates = Vec::new();
    for (number, operator) in operators(files).enumerate() {
        let id = operator.id().to_owned();
        let declared = wanted.contains(&id);
        if wanted.is_empty() || declared {
            let found = look(cx.session.api(), operator).await;
            let (facts, with) = (operator.facts(), (number, operator));
            candidates.push(Candidate { id, control: false, declared, facts, found, with });
        }
    }
    let started = start(cx, ID, candidates);
    if started.is_empty() {
        return Ok(());
    }
    let ground = &ground(cx, &Scope::new(ID, "")).await?;
    all(cx, started, |Started { scope, with: (number, operator), .. }| async move {
        act(cx, ground, &scope, operator, number).await
    })
    .await;
    Ok(())
}

async fn ground(cx: &Cx, scope: &Scope) -> Result<Ground, Stop> {
    let Land { node, .. } = land(cx.session.api(), scope, &cx.profile).await?;
    let image = cx.profile.image.clone().unwrap_or_else(|| image(&node, &cx.profile));
    let priority_class = cx.priority_class(scope, "-robust").await?;
    let fact = json!({"node": node.name(), "image": image, "priority_class": priority_class});
    cx.write(scope, EventKind::Fact { name: "ground".into(), value: fact });
    Ok(Ground { node: node.name().into(), image, priority_class })
}

/// From the operator's pods to the end of its resource.
async fn act(
    cx: &Cx,
    ground: &Ground,
    scope: &Scope,
    operator: &Operator,
    number: usize,
) -> Result<(), Stop> {
    cx.progress.tell(scope, &format!("{} is tried", operator.plan().product));
    let suffix = format!("robust-{number}");
    let kinds = [vec![Kind::deployment(), Kind::pod()], operator.plan().children.clone()].concat();
    let scratch = cx.session.scratch(scope, &suffix, &kinds).await?;
    let stage = Stage::new(cx, ground, scratch, operator, &suffix);
    let (found, waited) = stage.find(&READY).await?;
    stage.mark(&Mark::Found { found, waited });
    stage.make_plain().await?;
    stage.ask().await?;
    if stage.create().await? {
        stage.make_again().await?;
        stage.change().await?;
        stage.delete().await?;
    }
    let (found, waited) = stage.find(&STILL_READY).await?;
    stage.mark(&Mark::FoundAgain { found, waited });
    Ok(())
}
