//! Objects of each kind are created, read, changed and deleted.

use crate::acts::objects::{claim_object, exactly, labels, template_object};
use crate::acts::stage::Trial;
use crate::adapters::synthetic::Device;
use crate::marks::{CHANGED, CHANGED_LABEL, Step};
use crate::reading::{claim_template, class, kinds as all, slice};
use aiconform_check::cx::Stop;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::Kind;
use aiconform_trial::kinds::resource_claim;
use serde_json::{Value, json};

/// Tries each kind. A refusal is evidence: it ends the kind, and the judge reads it.
pub async fn kinds(trial: &Trial<'_>) -> Result<(), Stop> {
    for kind in all() {
        let name = name(trial, &kind);
        let (of, plural) = (kind.kind.clone(), kind.plural.clone());
        trial.mark(Step::Kind { kind: of, plural: plural.clone(), name: name.clone() });
        match one(trial, &kind, &name).await {
            Err(Stop::Cluster(ClusterError::Refused(_))) | Ok(()) => {}
            Err(stop) => return Err(stop),
        }
        trial.mark(Step::KindEnded { plural });
    }
    Ok(())
}

/// Name of an object; one that lies outside the namespace is named by the run, too.
fn name(trial: &Trial<'_>, kind: &Kind) -> String {
    match kind {
        kind if *kind == class() => trial.class(),
        kind if *kind == slice() => trial.stage.names.slice(trial.name),
        _ => trial.named("object"),
    }
}

async fn one(trial: &Trial<'_>, kind: &Kind, name: &str) -> Result<(), Stop> {
    let (stage, scope) = (trial.stage, trial.stage.scratch.scope());
    let api = stage.cx.session.api();
    let namespace = if kind.namespaced { stage.scratch.namespace() } else { "" };
    let object = object(trial, kind, name);
    if kind.namespaced {
        stage.scratch.create(kind, object).await?;
    } else {
        stage.cx.session.create_cluster_wide(scope, kind, object).await?;
    }
    api.get(scope, kind, namespace, name).await?;
    let patch = json!({"metadata": {"labels": {CHANGED_LABEL: CHANGED}}});
    api.merge(scope, kind, (namespace, name), "", &patch).await?;
    api.get(scope, kind, namespace, name).await?;
    api.delete(scope, kind, namespace, name).await?;
    // That there is none is what is expected.
    api.send(scope, "GET", &Api::path(kind, namespace, name), None).await?;
    Ok(())
}

fn object(trial: &Trial<'_>, kind: &Kind, name: &str) -> Value {
    let labels = labels(trial.name, "object", name);
    let request = exactly(&trial.class(), &[], &json!([]));
    if *kind == resource_claim() {
        return claim_object(name, &labels, &request);
    }
    if *kind == claim_template() {
        return template_object(name, &labels, &request);
    }
    let devices = [Device::new("one", "a", "16Gi")];
    let published = trial.stage.names.published(trial.name, &trial.stage.ground.node, &devices);
    let mut object =
        published.into_iter().find(|(of, _)| of == kind).map(|(_, object)| object).unwrap_or_default();
    object["metadata"]["labels"] = labels;
    object
}
