//! Acts and marks phases; decides nothing.

use super::adapters::{IDS, Operator, shipped};
use super::discover::{definition, found};
use super::stage::{Ground, READY, STILL_READY, Stage};
use crate::cx::{Cx, Detected, Detection, Preview, Stop};
use crate::gang_scheduling::ground::{Land, image, land};
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{EventKind, Kind, Scope};
use futures::future::join_all;
use serde_json::json;

/// Id of the requirement.
pub const ID: &str = "robust_controller";

/// The operators that come with the program, and those of the user's files.
fn operators(profile: &Profile) -> impl Iterator<Item = &Operator> {
    shipped().iter().chain(&profile.robust_controller.operators)
}

/// Whether an operator's custom resource is there.
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

/// Which operators the cluster has.
pub async fn detect(api: &Api) -> Detected {
    let looks = shipped().iter().map(|operator| async {
        let seen = look(api, operator).await.unwrap_or_else(|stop| Detection::Absent(stop.to_string()));
        (operator.id().to_owned(), seen)
    });
    join_all(looks).await
}

/// What would be tried.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    for operator in operators(profile) {
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
pub async fn run(cx: &Cx) -> Result<(), Stop> {
    let api = cx.session.api();
    let mut wanted = cx.options.named_of(IDS);
    wanted.extend(cx.profile.robust_controller.operator.clone().filter(|_| cx.options.adapters.is_empty()));
    let mut present = Vec::new();
    for operator in operators(&cx.profile) {
        let declared = wanted.iter().any(|id| id == operator.id());
        if !wanted.is_empty() && !declared {
            continue;
        }
        let scope = Scope::new(ID, operator.id());
        match look(api, operator).await {
            Ok(Detection::Present(facts)) => {
                cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared });
                present.push((scope, operator));
            }
            Ok(Detection::Absent(why)) => cx.write(&scope, EventKind::SubjectAbsent { why, declared }),
            // Whether it is there is not known: that is not the same as that it is not.
            Err(stop) => {
                let facts = operator.facts();
                cx.write(&scope, EventKind::SubjectStarted { facts, control: false, declared });
                cx.stopped(&scope, &stop);
                cx.write(&scope, EventKind::SubjectEnded {});
            }
        }
    }
    if present.is_empty() {
        return Ok(());
    }
    let scope = Scope::new(ID, "");
    let ground = ground(cx, &scope).await?;
    let tries = present.iter().enumerate().map(|(number, (scope, operator))| {
        let ground = &ground;
        async move {
            cx.progress.tell(scope, &format!("{} is tried", operator.plan().product));
            if let Err(stop) = act(cx, ground, scope, operator, number).await {
                cx.progress.tell(scope, &format!("stopped: {stop}"));
                cx.stopped(scope, &stop);
            }
            cx.write(scope, EventKind::SubjectEnded {});
        }
    });
    join_all(tries).await;
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
    let suffix = format!("robust-{number}");
    let kinds = [vec![Kind::deployment(), Kind::pod()], operator.plan().children.clone()].concat();
    let scratch = cx.session.scratch(scope, &suffix, &kinds).await?;
    let stage = Stage::new(cx, ground, scratch, operator, &suffix);
    stage.find("found", READY).await?;
    stage.make_plain().await?;
    stage.ask().await?;
    if stage.create().await? {
        stage.make_again().await?;
        stage.change().await?;
        stage.delete().await?;
    }
    stage.find("found_again", STILL_READY).await
}
