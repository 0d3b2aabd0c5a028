//! Breakages of an operator, KubeRay's, and of what it stands on: made once it serves.

use crate::breakage::Breakage;
use crate::breaking::{in_force_with, json_patch, mutation, policy};
use crate::error::LabError;
use crate::first::{Tools, apply};
use serde_json::{Value, json};

/// Its webhooks.
const WEBHOOKS: [&str; 2] = ["validatingwebhookconfiguration", "kuberay-validating-webhook-configuration"];
/// Its ClusterRole, and the binding of it.
const ROLE: &str = "kuberay-operator";
/// A resource that its webhook denies: two groups of one name.
const NONSENSE: &str = r#"{"apiVersion":"ray.io/v1","kind":"RayCluster","metadata":{"name":"probe","namespace":"default"},"spec":{
    "headGroupSpec":{"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}},
    "workerGroupSpecs":[
        {"groupName":"one","replicas":0,"minReplicas":0,"maxReplicas":1,"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}},
        {"groupName":"one","replicas":0,"minReplicas":0,"maxReplicas":1,"rayStartParams":{},"template":{"spec":{"containers":[{"name":"probe","image":"probe"}]}}}]}}"#;

/// Breaks it.
///
/// # Errors
/// When the API server refuses it, or it does not come into force.
pub async fn break_it(tools: &Tools, breakage: Breakage) -> Result<(), LabError> {
    match breakage {
        Breakage::KuberayStopped => {
            let scale = ["-n", "ray-system", "scale", "deployment", "kuberay-operator", "--replicas=0"];
            tools.kubectl(&scale).await?;
            let gone = ["-n", "ray-system", "wait", "--for=delete", "--timeout=60s", "pods", "--all"];
            tools.kubectl(&gone).await.map(drop)
        }
        Breakage::KuberayWebhookRemoved => {
            let [kind, name] = WEBHOOKS;
            tools.kubectl(&["delete", kind, name]).await?;
            asked(tools, "kuberay-webhook-removed", |said| said.is_ok()).await
        }
        Breakage::KuberayWebhookFailsOpen => {
            let [kind, name] = WEBHOOKS;
            let nowhere = r#"{"spec":{"selector":{"app.kubernetes.io/component":"nobody"}}}"#;
            let service =
                ["-n", "ray-system", "patch", "service", "kuberay-webhook-service", "--patch", nowhere];
            tools.kubectl(&service).await?;
            let ignore = r#"[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]"#;
            tools.kubectl(&["patch", kind, name, "--type=json", "--patch", ignore]).await?;
            asked(tools, "kuberay-webhook-fails-open", |said| said.is_ok()).await
        }
        Breakage::PolicyInsteadOfWebhook => {
            let [kind, name] = WEBHOOKS;
            tools.kubectl(&["delete", kind, name]).await?;
            deny_nonsense(tools).await
        }
        Breakage::PolicyBeforeWebhook => deny_nonsense(tools).await,
        Breakage::KuberayWithoutRights => {
            tools.kubectl(&["delete", "clusterrolebinding", ROLE]).await.map(drop)
        }
        Breakage::KuberayStatusStale => {
            let role = tools.kubectl(&["get", "clusterrole", ROLE, "-o", "json"]).await?;
            let mut role: Value = serde_json::from_slice(&role).unwrap_or_default();
            if let Some(rules) = role["rules"].as_array_mut() {
                rules.retain(|rule| !rule["resources"].to_string().contains("rayclusters/status"));
            }
            let patch = json!({"rules": role["rules"]}).to_string();
            tools.kubectl(&["patch", "clusterrole", ROLE, "--type=merge", "--patch", &patch]).await.map(drop)
        }
        Breakage::FinalizerNeverCleared => {
            let rule = json!({"apiGroups": ["ray.io"], "apiVersions": ["*"], "operations": ["CREATE"],
                "resources": ["rayclusters"]});
            let patch = json_patch("/metadata/finalizers", "[\"lab.aiconform.dev/never\"]");
            mutation(tools, "add-finalizer", &rule, &patch).await?;
            let sense = NONSENSE.replacen("\"one\"", "\"other\"", 1);
            let act = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
            in_force_with(tools, "add-finalizer", &act, &sense, |said| {
                said.as_ref().is_ok_and(|said| said.contains("lab.aiconform.dev/never"))
            })
            .await
        }
        Breakage::PolicyDeniesReplicaSets => {
            let rule = json!({"apiGroups": ["apps"], "apiVersions": ["*"], "operations": ["CREATE"],
                "resources": ["replicasets"]});
            policy(tools, "deny-replica-sets", &rule, "false", "no ReplicaSets here").await?;
            let probe = r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"probe","namespace":"default"},
                "spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
                "spec":{"containers":[{"name":"probe","image":"probe"}]}}}}"#;
            let act = ["create", "--dry-run=server", "-f", "-"];
            in_force_with(tools, "deny-replica-sets", &act, probe, |said| {
                said.as_ref().is_err_and(|why| why.contains("no ReplicaSets here"))
            })
            .await
        }
        Breakage::DefinitionNotEstablished => not_established(tools).await,
        other => Err(LabError::Start(format!("{} is no breakage of an operator", other.name()))),
    }
}

/// A policy that denies what the webhook denies.
async fn deny_nonsense(tools: &Tools) -> Result<(), LabError> {
    let rule = json!({"apiGroups": ["ray.io"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
        "resources": ["rayclusters"]});
    let names = "object.spec.?workerGroupSpecs.orValue([])";
    let unique =
        format!("{names}.all(one, {names}.filter(other, other.groupName == one.groupName).size() == 1)");
    policy(tools, "unique-groups", &rule, &unique, "names of groups must differ").await?;
    asked(tools, "unique-groups", |said| said.as_ref().is_err_and(|why| why.contains("unique-groups"))).await
}

/// The definition of RayClusters comes after another that has taken its names.
async fn not_established(tools: &Tools) -> Result<(), LabError> {
    let name = "rayclusters.ray.io";
    let definition = tools.kubectl(&["get", "crd", name, "-o", "json"]).await?;
    let mut definition: Value = serde_json::from_slice(&definition).unwrap_or_default();
    let metadata = json!({"name": name});
    definition["metadata"] = metadata;
    if let Some(definition) = definition.as_object_mut() {
        definition.remove("status");
    }
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let other = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "otherclusters.ray.io"}, "spec": {"group": "ray.io", "scope": "Namespaced",
            "names": {"plural": "otherclusters", "kind": "RayCluster", "listKind": "RayClusterList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}});
    tools.kubectl(&["delete", "crd", name, "--wait", "--timeout=60s"]).await?;
    apply(tools, &other.to_string()).await?;
    let served = ["wait", "--for=condition=Established", "--timeout=60s", "crd/otherclusters.ray.io"];
    tools.kubectl(&served).await?;
    apply(tools, &definition.to_string()).await?;
    let asked =
        ["get", "crd", name, "-o", "jsonpath={.status.conditions[?(@.type==\"NamesAccepted\")].status}"];
    let taken = |said: &Result<String, String>| said.as_ref().is_ok_and(|said| said == "False");
    in_force_with(tools, "definition-not-established", &asked, "", taken).await
}

/// Waits until a resource that makes no sense is answered as it should be.
async fn asked(
    tools: &Tools,
    name: &str,
    acts: impl Fn(&Result<String, String>) -> bool,
) -> Result<(), LabError> {
    in_force_with(tools, name, &["create", "--dry-run=server", "-f", "-"], NONSENSE, acts).await
}
