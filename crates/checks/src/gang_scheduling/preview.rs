//! What the cluster would refuse or change, asked without creating anything.

use super::adapters::{ADAPTERS, Wanted};
use super::guard::changed;
use super::means::Means;
use super::run::community_image;
use super::template::Template;
use crate::cx::Detection;
use crate::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use serde_json::{Value, json};

/// Dry-runs a gang and a single pod of every subject that is there, in a namespace that exists and without the run's
/// PriorityClass, which does not exist yet.
pub async fn preview(api: &Api, profile: &Profile) -> Vec<String> {
    let mut found = Vec::new();
    for adapter in ADAPTERS {
        let Ok(Detection::Present(facts)) = adapter.detect(api).await else { continue };
        let template = Template {
            run: "plan".into(),
            trial: "plan".into(),
            prefix: String::new(),
            role: "single",
            resource: "slots.aiconform.dev/plan".into(),
            amount: 1,
            means: Means::Slots,
            nodes: vec!["plan".into()],
            image: profile.image.clone().unwrap_or_else(|| community_image(profile)),
            priority_class: profile.priority_class.clone().unwrap_or_default(),
            runs: false,
            profile: profile.clone(),
            facts,
        };
        let gang = adapter.gang(&Wanted::whole("aiconform-plan", 2), &template);
        let single = adapter.single("aiconform-plan-single", &template);
        for (kind, object) in gang.group.into_iter().chain(gang.members.into_iter().take(1)).chain([single]) {
            if let Some(sentence) = dry_run(api, profile, &kind, object).await {
                found.push(format!("{}: {sentence}", adapter.id()));
                break;
            }
        }
    }
    found
}

async fn dry_run(api: &Api, profile: &Profile, kind: &Kind, mut object: Value) -> Option<String> {
    object["metadata"]["namespace"] = json!(profile.namespace.as_deref().unwrap_or("default"));
    for (key, value) in &profile.labels {
        object["metadata"]["labels"][key] = json!(value);
    }
    if profile.priority_class.is_none()
        && let Some(spec) = object["spec"].as_object_mut()
    {
        spec.remove("priorityClassName");
        if let Some(inner) =
            spec.get_mut("template").and_then(|template| template.get_mut("spec")?.as_object_mut())
        {
            inner.remove("priorityClassName");
        }
    }
    let sent = Object(object);
    match api.dry_run(&Scope::default(), kind, &sent).await {
        Err(error) => Some(error.to_string()),
        Ok(got) if *kind == Kind::pod() => changed(&sent, &got, "kueue/"),
        Ok(_) => None,
    }
}
