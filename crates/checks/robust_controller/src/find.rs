//! Where an operator's webhooks and pods are: found by the group and resource that they are about, and by the Services that
//! the API server calls; names stand in files only as hints.

use crate::adapters::Operator;
use crate::marks::{Definition, Found, Pod, Webhook};
use aiconform_check::cx::Stop;
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{Kind, Object, Scope};
use aiconform_trial::kinds::{endpoint_slice, service};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn definitions() -> Kind {
    Kind::cluster_wide("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
}

fn configurations() -> [Kind; 2] {
    let kind =
        |kind: &str, plural: &str| Kind::cluster_wide("admissionregistration.k8s.io", "v1", kind, plural);
    [
        kind("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
        kind("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    ]
}

fn items(object: &Value, pointer: &str) -> impl Iterator<Item = Object> + use<> {
    object.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default().into_iter().map(Object)
}

/// The definition of a kind, if there is one.
///
/// # Errors
/// When it may not be read.
pub async fn definition(api: &Api, scope: &Scope, kind: &Kind) -> Result<Option<Definition>, ClusterError> {
    // Read as a list of one: some are a megabyte, and only this is of use.
    let name = format!("{}.{}", kind.plural, kind.group);
    let path = format!("{}?fieldSelector=metadata.name%3D{name}", Api::path(&definitions(), "", ""));
    let list = api.send(scope, "GET", &path, None).await?;
    let found = items(&list, "/items").next();
    Ok(found.map(|object| Definition {
        established: object.condition_is("Established", "True"),
        served: items(&object.0, "/spec/versions")
            .filter(|version| version.at("/served") == Some(&Value::Bool(true)))
            .map(|version| version.text("/name").to_owned())
            .collect(),
        says: items(&object.0, "/status/conditions")
            .filter(|condition| {
                condition.text("/status") != "True"
                    && ["Established", "NamesAccepted"].contains(&condition.text("/type"))
            })
            .map(|condition| format!("{}: {}", condition.text("/type"), condition.text("/message")))
            .collect::<Vec<_>>()
            .join("; "),
    }))
}

/// Looks for an operator's definition, webhooks and pods.
///
/// # Errors
/// When it may not be read.
pub async fn found(api: &Api, scope: &Scope, operator: &Operator) -> Result<Found, Stop> {
    let kind = &operator.plan().kind;
    let mut found = Found { definition: definition(api, scope, kind).await?, ..Found::default() };
    let labelled = if operator.controller().is_empty() {
        Vec::new()
    } else {
        api.list(scope, &Kind::pod(), "", operator.controller()).await?
    };
    let hinted: BTreeSet<&str> = labelled.iter().map(Object::uid).collect();
    found.labelled = !labelled.is_empty();
    let mut behind: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for configurations in configurations() {
        for configuration in api.list(scope, &configurations, "", "").await? {
            for webhook in items(&configuration.0, "/webhooks").filter(|webhook| is_about(webhook, kind)) {
                let namespace = webhook.text("/clientConfig/service/namespace");
                let name = webhook.text("/clientConfig/service/name");
                let mut read = Webhook {
                    configuration: configuration.name().to_owned(),
                    name: webhook.text("/name").to_owned(),
                    failure_policy: webhook.text("/failurePolicy").to_owned(),
                    service: webhook.text("/clientConfig/url").to_owned(),
                    exclusive: is_only_about(&configuration, kind),
                    ..Webhook::default()
                };
                if !name.is_empty() {
                    read.service = format!("{namespace}/{name}");
                    let pods = pods_of(api, scope, namespace, name).await?;
                    read.endpoints = endpoints(api, scope, namespace, name).await?;
                    read.hinted = pods.iter().any(|pod| hinted.contains(pod.uid()));
                    behind.insert(read.service.clone(), pods);
                }
                found.webhooks.push(read);
            }
        }
    }
    let own: BTreeSet<String> = found.own().iter().map(|webhook| webhook.service.clone()).collect();
    let services = own.iter().cloned().collect::<Vec<_>>().join(", ");
    let mut pods = labelled;
    if found.labelled {
        // Who reconciles may be others than who answers webhooks.
        found.by = format!("their labels ({})", operator.controller());
    } else if !own.is_empty() {
        pods = own.iter().filter_map(|service| behind.remove(service)).flatten().collect();
        found.by = format!("the Services of its webhooks ({services})");
    }
    found.pods = pods
        .iter()
        // One that is over, as after an eviction, is not one that should be ready.
        .filter(|pod| !matches!(pod.text("/status/phase"), "Succeeded" | "Failed"))
        .map(as_it_is)
        .collect();
    found.pods.sort_by(|one, other| one.name.cmp(&other.name));
    found.pods.dedup();
    Ok(found)
}

/// Tells whether a configuration has no webhook that is called for another group.
fn is_only_about(configuration: &Object, kind: &Kind) -> bool {
    items(&configuration.0, "/webhooks")
        .flat_map(|webhook| items(&webhook.0, "/rules"))
        .flat_map(|rule| items(&rule.0, "/apiGroups"))
        .all(|group| group.0 == kind.group)
}

/// Tells whether a webhook is called when an object of this kind is created; one that is called for everything is of no
/// operator.
fn is_about(webhook: &Object, kind: &Kind) -> bool {
    let has = |rule: &Object, pointer: &str, wanted: &str, all: bool| {
        items(&rule.0, pointer).any(|value| value.0 == wanted || (all && value.0 == "*"))
    };
    items(&webhook.0, "/rules").any(|rule| {
        has(&rule, "/apiGroups", &kind.group, false)
            && (has(&rule, "/resources", &kind.plural, true) || has(&rule, "/resources", "*/*", false))
            && has(&rule, "/operations", "CREATE", true)
    })
}

/// The pods that a Service selects.
async fn pods_of(api: &Api, scope: &Scope, namespace: &str, name: &str) -> Result<Vec<Object>, ClusterError> {
    let service = match api.get(scope, &service(), namespace, name).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        service => service?,
    };
    let selector: Vec<String> = service
        .at("/spec/selector")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if selector.is_empty() {
        return Ok(Vec::new());
    }
    api.list(scope, &Kind::pod(), namespace, &selector.join(",")).await
}

/// Number of endpoints of a Service that are ready.
async fn endpoints(api: &Api, scope: &Scope, namespace: &str, name: &str) -> Result<u64, ClusterError> {
    let selector = format!("kubernetes.io/service-name={name}");
    let slices = api.list(scope, &endpoint_slice(), namespace, &selector).await?;
    let ready = slices
        .iter()
        .flat_map(|slice| items(&slice.0, "/endpoints"))
        // What is not said is ready (EndpointConditions).
        .filter(|endpoint| endpoint.at("/conditions/ready") != Some(&Value::Bool(false)));
    Ok(ready.count() as u64)
}

fn as_it_is(pod: &Object) -> Pod {
    // As the pod is here and now; what is kept of it for judging has no states of containers.
    let status = pod.at("/status").unwrap_or(&Value::Null);
    let states = items(status, "/containerStatuses");
    let says = items(status, "/containerStatuses")
        .filter_map(|state| {
            let waiting = state.at("/state/waiting").or(state.at("/state/terminated"))?;
            Some(format!("{}: {}", state.text("/name"), Object(waiting.clone()).text("/reason")))
        })
        .collect::<Vec<_>>()
        .join("; ");
    Pod {
        name: format!("{}/{}", pod.namespace(), pod.name()),
        uid: pod.uid().into(),
        ready: pod.condition_is("Ready", "True") && pod.at("/metadata/deletionTimestamp").is_none(),
        restarts: states.filter_map(|state| state.at("/restartCount")?.as_u64()).sum(),
        says: if says.is_empty() { pod.text("/status/phase").to_owned() } else { says },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn webhooks_of_others_are_not_the_operators() {
        let webhook = |service: &str, hinted: bool, exclusive: bool| Webhook {
            name: "same".into(),
            service: service.into(),
            hinted,
            exclusive,
            ..Webhook::default()
        };
        let found = |webhooks: &[Webhook], labelled: bool| {
            let found = Found { webhooks: webhooks.to_vec(), labelled, ..Found::default() };
            let own: Vec<String> = found.own().iter().map(|webhook| webhook.service.clone()).collect();
            (own.join(" "), found.is_shared("same"))
        };
        let (own, other) = (webhook("own", true, true), webhook("other", false, false));
        assert_eq!(found(&[own.clone(), other.clone()], true), ("own".into(), true));
        // The operator's pods are there, its webhook is not.
        assert_eq!(found(std::slice::from_ref(&other), true), (String::new(), true));
        // One that is about nothing else and leads to pods that are not the operator's, such as a guard of the platform's.
        let guard = Webhook { hinted: false, endpoints: 1, ..own.clone() };
        assert_eq!(found(&[guard, other.clone()], true), (String::new(), true));
        // Its pods are not there: what is about nothing else leads to where they would be.
        let dead = Webhook { hinted: false, ..own };
        assert_eq!(found(&[dead, other.clone()], false), ("own".into(), true));
        // Nothing tells whose it is.
        assert_eq!(found(&[other], false), ("other".into(), false));
    }

    #[test]
    fn a_webhook_is_about_a_kind_whose_group_it_names() {
        let kind = Kind::namespaced("ray.io", "v1", "RayCluster", "rayclusters");
        let about = |groups: &[&str], resources: &[&str], operations: &[&str]| {
            let rule = json!({"apiGroups": groups, "resources": resources, "operations": operations});
            is_about(&Object(json!({"rules": [rule]})), &kind)
        };
        assert!(about(&["ray.io"], &["rayclusters"], &["CREATE", "UPDATE"]));
        assert!(about(&["ray.io"], &["*"], &["*"]));
        assert!(about(&["apps", "ray.io"], &["*/*"], &["CREATE"]));
        // A policy engine is called for everything.
        assert!(!about(&["*"], &["*"], &["*"]));
        assert!(!about(&["ray.io"], &["rayjobs"], &["CREATE"]));
        assert!(!about(&["ray.io"], &["rayclusters"], &["UPDATE"]));
    }
}
