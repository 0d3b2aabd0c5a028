//! Preview: what the cluster would refuse or change, asked without creating anything.

use crate::adapters::subject;
use crate::judge::admitted;
use aiconform_accelerators::{Container, Offer, ProbePod, offers};
use aiconform_check::cx::{Preview, Stop};
use aiconform_check::profile::Profile;
use aiconform_cluster::Api;
use aiconform_model::{Kind, Object, Scope};
use serde_json::json;

/// Dry-runs a pod that asks for a device, one that asks for none, and one that makes device nodes, in a namespace that
/// exists.
pub async fn preview(api: &Api, profile: &Profile) -> Preview {
    let mut preview = Preview::default();
    if let Err(stop) = look(api, profile, &mut preview).await {
        preview.hindrances.push(stop.to_string());
    }
    preview
}

async fn look(api: &Api, profile: &Profile, preview: &mut Preview) -> Result<(), Stop> {
    for offer in offers(api, &Scope::default(), profile).await?.iter().filter(|offer| offer.shared.is_none())
    {
        let Some((node, count)) = offer.best() else { continue };
        preview.ground.push(format!(
            "{}: {} of {} devices of node {node} are free; {}",
            subject(offer),
            count.free,
            count.all,
            if count.free >= 2 {
                "two are needed, and all of them are taken for a while"
            } else {
                "two are needed"
            }
        ));
        try_pods(api, profile, offer, node, preview).await;
    }
    Ok(())
}

async fn try_pods(api: &Api, profile: &Profile, offer: &Offer, node: &str, preview: &mut Preview) {
    let nodes = [node.to_owned()];
    let pod = |container| ProbePod {
        role: "plan",
        trial: "plan",
        nodes: &nodes,
        containers: vec![container],
        restarts: true,
    };
    let makes = Container { makes_nodes: true, ..Container::without() };
    let containers = [(Container::without(), false), (Container::with(&offer.way, 1), false), (makes, true)];
    for (container, can_do_without) in containers {
        let mut object = pod(container).lone(profile, "aiconform-plan");
        object["metadata"]["namespace"] = json!(profile.namespace.as_deref().unwrap_or("default"));
        for (key, value) in &profile.labels {
            object["metadata"]["labels"][key] = json!(value);
        }
        let sent = Object(object);
        let why = match api.dry_run(&Scope::default(), &Kind::pod(), &sent).await {
            Err(error) => Some(error.to_string()),
            Ok(got) => admitted(&sent.0, &got.0),
        };
        match why {
            Some(why) if can_do_without => {
                preview.ground.push(format!("no pod makes device nodes by itself: {why}"));
            }
            Some(why) if !preview.hindrances.contains(&why) => preview.hindrances.push(why),
            _ => {}
        }
    }
}
