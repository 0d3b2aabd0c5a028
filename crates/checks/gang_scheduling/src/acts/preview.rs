//! Preview: what the cluster would refuse or change, asked without creating anything.

use super::ground::means;
use super::means::Means;
use super::template::Template;
use crate::adapters::{Gang, Wanted, adapters};
use crate::reading::Reading;
use aiconform_check::cx::{Detection, Files, Preview, Stop};
use aiconform_check::land::{community_image, land};
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use serde_json::{Value, json};

/// Dry-runs a gang and a single pod of every subject that is there, in a namespace that exists and without the run's
/// PriorityClass, which does not exist yet.
pub async fn preview(api: &Api, profile: &Profile, files: Files) -> Preview {
    let mut preview = Preview::default();
    let slots = match stands_on(api, profile).await {
        Ok((slots, ground)) => {
            preview.ground = ground;
            slots
        }
        Err(stop) => {
            preview.hindrances.push(stop.to_string());
            Means::Slots
        }
    };
    let found = &mut preview.hindrances;
    for adapter in adapters(files) {
        let Ok(Detection::Present(facts)) = adapter.detect(api).await else { continue };
        if !adapter.counts(slots) {
            found.push(format!("{}: {}", adapter.id(), slots.cannot()));
            continue;
        }
        let template = Template {
            run: "plan".into(),
            trial: "plan".into(),
            prefix: String::new(),
            role: "single",
            resource: slots.resource("slots.aiconform.dev/plan"),
            amount: 1,
            means: slots,
            nodes: vec!["plan".into()],
            image: profile.image.clone().unwrap_or_else(|| community_image(profile)),
            priority_class: profile.priority_class.clone().unwrap_or_default(),
            runs: false,
            profile: profile.clone(),
            facts,
        };
        let reading = Reading::of(adapter.id(), adapter.signs());
        let written = || -> Result<(Gang, (Kind, Value)), Stop> {
            let gang = adapter.gang(&Wanted::whole("aiconform-plan", 2), &template)?;
            Ok((gang, adapter.single("aiconform-plan-single", &template)?))
        };
        let (gang, single) = match written() {
            Ok(written) => written,
            Err(stop) => {
                found.push(format!("{}: {stop}", adapter.id()));
                continue;
            }
        };
        for (kind, object) in gang.group.into_iter().chain(gang.members.into_iter().take(1)).chain([single]) {
            if let Some(sentence) = dry_run(api, profile, &kind, object, &reading).await {
                found.push(format!("{}: {sentence}", adapter.id()));
                break;
            }
        }
    }
    preview
}

/// Means of which a slot would be made, on which node, what it could prove, and why it is no better one.
async fn stands_on(api: &Api, profile: &Profile) -> Result<(Means, Vec<String>), Stop> {
    let scope = Scope::default();
    let land = land(api, &scope, profile).await?;
    let (slots, refused) = means(api, &scope, profile, &land.node).await?;
    let mut ground = vec![
        format!("slots on node {}: {}", land.node.name(), slots.says()),
        format!("which can prove: {}", slots.proves()),
    ];
    ground.extend(refused.into_iter().map(|why| format!("no better, because: {why}")));
    Ok((slots, ground))
}

async fn dry_run(
    api: &Api,
    profile: &Profile,
    kind: &Kind,
    mut object: Value,
    reading: &Reading,
) -> Option<String> {
    object["metadata"]["namespace"] = json!(profile.namespace.as_deref().unwrap_or("default"));
    for (key, value) in &profile.labels {
        object["metadata"]["labels"][key] = json!(value);
    }
    if profile.priority_class.is_none() {
        without_priority(&mut object);
    }
    let sent = Object(object);
    match api.dry_run(&Scope::default(), kind, &sent).await {
        Err(error) => Some(error.to_string()),
        Ok(got) if *kind == Kind::pod() => reading.changed(&sent, &got),
        Ok(_) => None,
    }
}

/// Takes the name of a PriorityClass out of an object, wherever it stands.
fn without_priority(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("priorityClassName");
            fields.values_mut().for_each(without_priority);
        }
        Value::Array(items) => items.iter_mut().for_each(without_priority),
        _ => {}
    }
}
