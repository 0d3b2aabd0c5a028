//! Bringing parts into a lab: their images, their manifests, and the wait until they serve.

use crate::breakage::Mechanism;
use crate::error::LabError;
use crate::image;
use crate::metrics_adapter;
use crate::node::Node;
use crate::part::{Daemon, Manifests, Part};
use crate::patience;
use crate::process::tail;
use crate::prometheus;
use crate::registry;
use crate::running::{LIMIT, connects};
use crate::simulated::{of_nodes, offered, offers, simulated};
use crate::state::Status;
use crate::tools::{Tools, apply};
use futures::future::try_join_all;
use serde_json::json;
use std::time::Duration;

const REGISTRY: Part = Part::of("registry");

/// Imports a part's images; needs containerd only.
///
/// # Errors
/// When containerd refuses one.
pub async fn import(part: Part, lab: &Status, tools: &Tools) -> Result<(), LabError> {
    for (binary, path, image) in part.row().images {
        image::import(lab, tools, (binary, path), image).await?;
    }
    if matches!(part.row().manifests, Manifests::Simulator) {
        image::import_own(lab, tools, &aiconform_images::SIMULATOR, image::everywhere).await?;
        if lab.pose.is_some() {
            image::import_own(lab, tools, &aiconform_images::LOAD_NVIDIA, image::everywhere).await?;
        }
    }
    Ok(())
}

/// Applies the kinds of a part's own module and waits until they are served; needs the API server only.
///
/// # Errors
/// When the API server refuses one.
pub async fn kinds(part: Part, lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let Manifests::Module(own) = part.row().manifests else { return Ok(()) };
    if part.row().yields_to.is_some_and(|newer| lab.parts.contains(&Part::of(newer))) {
        return Ok(());
    }
    let (kinds, _) = of_module(part, own, lab)?;
    if kinds.is_empty() {
        return Ok(());
    }
    apply(tools, &kinds).await?;
    // Objects of a kind are refused until the API server serves it.
    let served = ["wait", "--for=condition=Established", "--timeout=60s", "-f", "-"];
    tools.kubectl_with(&served, &kinds).await.map(drop)
}

/// Applies a part's manifests but for its kinds, with what the lab's breakages change of its settings; where it is there
/// already, what is not as it should be becomes so.
///
/// # Errors
/// When the API server refuses one.
pub async fn begin(part: Part, lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let manifests = match part.row().manifests {
        Manifests::Module(own) => of_module(part, own, lab)?.1,
        Manifests::Own(own) => match &part.row().serving {
            Some(serving) => serving.certified(own, &lab.state.join("pki"))?,
            None => own.to_owned(),
        },
        Manifests::Simulator => {
            aiconform_simulator::manifest(&simulated(lab)?, aiconform_images::SIMULATOR.name)
        }
        Manifests::Prometheus => {
            let faults = lab.mechanisms().filter_map(|mechanism| match mechanism {
                Mechanism::Prometheus(fault) => Some(*fault),
                _ => None,
            });
            prometheus::manifests(&faults.collect::<Vec<_>>())
        }
        Manifests::MetricsAdapter => {
            let fault = lab.mechanisms().find_map(|mechanism| match mechanism {
                Mechanism::MetricsAdapter(fault) => Some(*fault),
                _ => None,
            });
            let external = !lab.parts.iter().any(|part| part.row().apart);
            metrics_adapter::manifests(fault, external)
        }
    };
    if let Some(namespace) = part.row().namespace {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        apply(tools, &namespace.to_string()).await?;
    }
    // What runs on the nodes only has none.
    if manifests.is_empty() { Ok(()) } else { apply(tools, &manifests).await }
}

/// Kinds and other manifests of a part's own module; only the image's name and pull policy are changed, and what its row or a
/// breakage asks for.
fn of_module(part: Part, own: &str, lab: &Status) -> Result<(String, String), LabError> {
    let mut manifests = fs_err::read_to_string(lab.binary(&format!("{}.yaml", part.name())))? + own;
    if let Some(rearranged) = part.row().rearranged {
        manifests = rearranged(&manifests);
    }
    let excludes_slots = lab.mechanisms().any(|mechanism| matches!(mechanism, Mechanism::KueueQuotas));
    let mut changed = changed(part, &manifests, excludes_slots);
    if let Some(serving) = &part.row().serving {
        changed = serving.certified(&changed, &lab.state.join("pki"))?;
    }
    let (kinds, objects) = kinds_first(&changed);
    Ok((undescribed(&kinds), objects))
}

fn changed(part: Part, manifests: &str, excludes_slots: bool) -> String {
    let product = part.row();
    let mut out = String::new();
    for line in manifests.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        // The first key of a list's item stands behind its dash.
        let field = line.trim_start();
        let (dash, key) = field.strip_prefix("- ").map_or(("", field), |key| ("- ", key));
        let image = key.strip_prefix("image: ");
        let replaced = image.zip(product.replaces).is_some_and(|(image, old)| image.starts_with(old));
        if replaced {
            out.push_str(&format!("{indent}{dash}image: {}\n", product.images[0].2));
        } else if line.trim_start() == "imagePullPolicy: Always" {
            out.push_str(&format!("{indent}imagePullPolicy: IfNotPresent\n"));
        } else {
            if excludes_slots && line.trim_start() == "integrations:" {
                let prefixes = "excludeResourcePrefixes: [slots.aiconform.dev]";
                out.push_str(&format!("{indent}resources:\n{indent}  {prefixes}\n"));
            }
            let instead = product.instead.iter().find(|(old, _)| *old == line.trim_start());
            for line in instead.map_or(&[line.trim_start()][..], |(_, lines)| lines) {
                out.push_str(&format!("{indent}{line}\n"));
            }
        }
    }
    out
}

/// Waits until a part serves.
///
/// # Errors
/// With its own log when it does not in time.
pub async fn ready(part: Part, lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let row = part.row();
    if let Some(daemon) = &row.daemon {
        return try_join_all(lab.nodes.iter().map(|node| serves(lab, node, daemon))).await.map(drop);
    }
    let (asked, input, wanted) = row.serves;
    let is_simulator = matches!(row.manifests, Manifests::Simulator);
    let offers = if is_simulator { offers(lab)? } else { String::new() };
    let nodes: Vec<String> = of_nodes(lab).map(|node| format!("node/{}", node.name())).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let simulator = [&["get"], row.workload, &nodes, &["-o", &offers]].concat();
    let all = offered(lab);
    let (asked, wanted) = if is_simulator { (simulator.as_slice(), all.as_str()) } else { (asked, wanted) };
    let seen = |said: &str| said.contains(wanted);
    let last = match until(tools, asked, input, row.limit, |said| said.as_ref().is_ok_and(|said| seen(said)))
        .await
    {
        Ok(()) if part == REGISTRY => return registry::fill(lab, tools).await,
        Ok(()) => return Ok(()),
        Err(last) => last,
    };
    let log = tools.kubectl(&[&["logs", "--tail=12"], row.workload].concat()).await;
    let log =
        String::from_utf8_lossy(&log.unwrap_or_else(|error| error.to_string().into_bytes())).into_owned();
    let what = format!("did not serve within {} s (last seen: {last})", row.limit.as_secs());
    Err(LabError::Component { component: part.name().into(), what, log })
}

/// Waits until a program that runs on a node serves.
async fn serves(lab: &Status, node: &Node, daemon: &Daemon) -> Result<(), LabError> {
    let address = format!("{}:{}", node.address(), daemon.port);
    patience::until(LIMIT, || connects(&address)).await.map_err(|seen| {
        let component = node.component(daemon.program);
        let log = tail(&lab.state.join("logs").join(format!("{component}.log")));
        let what = format!("did not serve at {address} within {} s (last seen: {seen})", LIMIT.as_secs());
        LabError::Component { component, what, log }
    })
}

/// Waits until a part that was there runs as its manifests now are, serves, and has left nothing of what it did before.
///
/// # Errors
/// With its own log when it does not in time.
pub async fn again(part: Part, lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let row = part.row();
    let rollout = [&["rollout", "status", "--timeout=120s"], row.workload].concat();
    tools.kubectl(&rollout).await?;
    ready(part, lab, tools).await
}

/// Asks kubectl until its answer is as wanted; the error is the last one that was not.
pub async fn until(
    tools: &Tools,
    asked: &[&str],
    input: &str,
    limit: Duration,
    wanted: impl Fn(&Result<String, String>) -> bool,
) -> Result<(), String> {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let said = tools.kubectl_with(asked, input).await;
        let said = said
            .map(|said| String::from_utf8_lossy(&said).trim().to_owned())
            .map_err(|error| error.to_string());
        if wanted(&said) {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(said.unwrap_or_else(|error| error));
        }
        aiconform_wait::pause(Duration::from_millis(200)).await;
    }
}

/// CustomResourceDefinitions, and everything else.
fn kinds_first(manifests: &str) -> (String, String) {
    let (kinds, objects): (Vec<&str>, Vec<&str>) = manifests
        .split_inclusive("\n---\n")
        .partition(|object| object.lines().any(|line| line == "kind: CustomResourceDefinition"));
    (kinds.concat(), objects.concat())
}

/// CustomResourceDefinitions without the prose of their fields, which is most of them: the API server reads them again and
/// again for every kind that is added, and nothing goes by the words. A field that is called `description` has its own lines
/// below it and none behind the colon.
fn undescribed(kinds: &str) -> String {
    let mut out = String::with_capacity(kinds.len());
    let mut prose = None;
    for line in kinds.lines() {
        let indent = line.len() - line.trim_start().len();
        if prose.is_some_and(|prose| line.trim().is_empty() || indent > prose) {
            continue;
        }
        prose = line.trim_start().starts_with("description: ").then_some(indent);
        if prose.is_none() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_kinds_only_the_prose_goes_and_a_field_of_that_name_stays() {
        let kinds = "a:\n  description: one\n    goes on\n  type: object\n  properties:\n    description:\n      description: |-\n        lines:\n\n          - deeper\n      type: string\n---\nb: {}\n";
        let wanted = "a:\n  type: object\n  properties:\n    description:\n      type: string\n---\nb: {}\n";
        assert_eq!(undescribed(kinds), wanted);
    }

    #[test]
    fn kinds_are_told_from_objects() {
        let manifests = "kind: A\n---\nkind: CustomResourceDefinition\n---\nkind: B\n";
        let kinds = "kind: CustomResourceDefinition\n---\n".to_owned();
        assert_eq!(kinds_first(manifests), (kinds, "kind: A\n---\nkind: B\n".to_owned()));
    }

    #[test]
    fn of_manifests_the_image_its_pull_policy_and_what_the_row_names_are_changed() {
        let manifests = "  image: us-central1-docker.pkg.dev/a/kueue:main\n  imagePullPolicy: Always\n  integrations:\n  image: other\n";
        let begin = "  image: aiconform.dev/lab/kueue:0.18.2\n  imagePullPolicy: IfNotPresent\n";
        let end = "  internalCertManagement:\n    enable: false\n  integrations:\n  image: other\n";
        assert_eq!(changed(Part::of("kueue"), manifests, false), format!("{begin}{end}"));
        let first = "  - image: us-central1-docker.pkg.dev/a/kueue:main\n    name: a\n";
        let wanted = "  - image: aiconform.dev/lab/kueue:0.18.2\n    name: a\n";
        assert_eq!(changed(Part::of("kueue"), first, false), wanted);
        let excluded = "  resources:\n    excludeResourcePrefixes: [slots.aiconform.dev]\n";
        assert_eq!(changed(Part::of("kueue"), manifests, true), format!("{begin}{excluded}{end}"));
    }
}
