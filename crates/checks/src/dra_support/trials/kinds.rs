//! Objects of each kind are created, read, changed and deleted.

use crate::cx::Stop;
use crate::dra_support::adapters::synthetic::Device;
use crate::dra_support::objects::{
    claim, claim_object, claim_template, class, exactly, kinds as all, labels, slice, template_object,
};
use crate::dra_support::stage::Trial;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::Kind;
use serde_json::{Value, json};

/// A label that the change puts on an object.
pub const CHANGED_LABEL: &str = "aiconform.dev/changed";
/// Its value.
pub const CHANGED: &str = "yes";

/// Tries each kind. A refusal is evidence: it ends the kind, and the judge reads it.
pub async fn kinds(trial: &Trial<'_>) -> Result<(), Stop> {
    for kind in all() {
        let name = name(trial, &kind);
        trial.phase("kind", json!({"kind": kind.kind, "plural": kind.plural, "name": name}));
        match one(trial, &kind, &name).await {
            Err(Stop::Cluster(ClusterError::Refused(_))) | Ok(()) => {}
            Err(stop) => return Err(stop),
        }
        trial.phase("kind_ended", json!({"plural": kind.plural}));
    }
    Ok(())
}

/// What lies outside the namespace is named by the run, too.
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
    if *kind == claim() {
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
