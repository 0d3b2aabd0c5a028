//! Preview: what the cluster would refuse or change, asked without creating anything.

use super::objects::{claim_object, exactly, give, labels};
use super::stage::DEADLINE;
use crate::adapters::synthetic::{Device, Names};
use crate::find::served;
use crate::marks::CLAIMANT;
use crate::reading::admitted;
use aiconform_check::cx::{Preview, Stop};
use aiconform_check::land::{image, land};
use aiconform_check::pod::{CPU, MEMORY, TestPod};
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use aiconform_trial::kinds::resource_claim;
use serde_json::{Value, json};

/// Dry-runs a pod with a claim, the claim, and a slice of devices with their class, in a namespace that exists and without
/// the run's PriorityClass, which does not exist yet.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    if let Err(stop) = look(api, profile, &mut preview).await {
        preview.hindrances.push(stop.to_string());
    }
    preview
}

async fn look(api: &Api, profile: &Profile, preview: &mut Preview) -> Result<(), Stop> {
    let scope = Scope::default();
    let land = land(api, &scope, profile).await?;
    let served = served(api, &scope, profile).await?;
    preview.ground.push(format!(
        "devices of the run's own on node {}, which no driver prepares: allocation and scheduling are the platform's",
        land.node.name()
    ));
    preview.ground.extend(served.left_out().cloned());
    let names = Names { run: "plan".into() };
    let nodes = [land.node.name().to_owned()];
    let pod = TestPod {
        name: "aiconform-plan",
        labels: labels("plan", CLAIMANT, "plan"),
        nodes: &nodes,
        image: &profile.image.clone().unwrap_or_else(|| image(&land.node, profile)),
        priority_class: profile.priority_class.as_deref().unwrap_or_default(),
        resources: json!({"requests": {"cpu": CPU, "memory": MEMORY}}),
        runs: false,
        deadline: Some(DEADLINE),
        profile,
    };
    let mut pod = pod.object();
    if profile.priority_class.is_none()
        && let Some(spec) = pod["spec"].as_object_mut()
    {
        spec.remove("priorityClassName");
    }
    if !served.stable() {
        preview.hindrances.extend(refused(api, profile, &Kind::pod(), pod).await);
        return Ok(());
    }
    give(&mut pod, "resourceClaimName", "aiconform-plan");
    let request = exactly(&names.class("plan"), &[], &json!([]));
    let claimed = claim_object("aiconform-plan", &labels("plan", "claim", "plan"), &request);
    let published = names.published("plan", land.node.name(), &[Device::new("one", "a", "16Gi")]);
    for (kind, object) in [(Kind::pod(), pod), (resource_claim(), claimed)].into_iter().chain(published) {
        preview.hindrances.extend(refused(api, profile, &kind, object).await);
    }
    Ok(())
}

/// Refusal of an object by the cluster, or its change of it.
async fn refused(api: &Api, profile: &Profile, kind: &Kind, mut object: Value) -> Option<String> {
    if kind.namespaced {
        object["metadata"]["namespace"] = json!(profile.namespace.as_deref().unwrap_or("default"));
    }
    for (key, value) in &profile.labels {
        object["metadata"]["labels"][key] = json!(value);
    }
    let sent = Object(object);
    match api.dry_run(&Scope::default(), kind, &sent).await {
        Err(error) => Some(error.to_string()),
        Ok(got) => admitted(&Api::path(kind, sent.namespace(), ""), &sent.0, &got.0),
    }
}
