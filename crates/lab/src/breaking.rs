//! Making the breakages that are made once everything serves.

use crate::breakage::Breakage;
use crate::error::LabError;
use crate::first::{Tools, apply};
use crate::process::Component;
use crate::state::Status;
use serde_json::json;

/// Breaks what is to be broken.
///
/// # Errors
/// When the API server refuses it.
pub async fn apply_all(lab: &Status, tools: &Tools, running: &mut Vec<Component>) -> Result<(), LabError> {
    for breakage in &lab.breakages {
        match breakage {
            Breakage::GangGateOffScheduler | Breakage::GangGateOffApiServer => {}
            Breakage::KueueWebhooksRemoved => {
                for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
                    let name =
                        format!("kueue-{}", kind.replace("webhookconfiguration", "-webhook-configuration"));
                    tools.kubectl(&["delete", kind, &name]).await?;
                }
            }
            Breakage::KueueExcludesSlots => {
                let queue = json!({"apiVersion": "v1", "kind": "List", "items": [
                    {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": "team-a"}},
                    {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "team-a"},
                        "spec": {"namespaceSelector": {}, "resourceGroups": [{
                            "coveredResources": ["cpu", "memory"],
                            "flavors": [{"name": "team-a", "resources": [
                                {"name": "cpu", "nominalQuota": "1000"},
                                {"name": "memory", "nominalQuota": "1000Gi"}]}]}]}}]});
                apply(tools, &queue.to_string()).await?;
            }
            Breakage::PolicyDeniesNodePatches => {
                let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                    "resources": ["nodes/status"]});
                let expression = "request.userInfo.username.startsWith('system:node:')";
                policy(tools, "deny-node-patches", &rule, expression, "only nodes may change their status")
                    .await?;
            }
            Breakage::PolicyDemandsLabels => {
                let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"]});
                let expression = "has(object.metadata.labels) && 'team' in object.metadata.labels";
                policy(tools, "demand-labels", &rule, expression, "every pod needs the label team").await?;
            }
            Breakage::WebhookRewritesPods => {
                let items = json!({"apiVersion": "v1", "kind": "List", "items": [
                    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
                        "metadata": {"name": "other-scheduler"},
                        "spec": {"failurePolicy": "Fail", "reinvocationPolicy": "Never",
                            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                                "operations": ["CREATE"], "resources": ["pods"]}]},
                            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {
                                "expression": "Object{spec: Object.spec{schedulerName: \"other\"}}"}}]}},
                    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
                        "metadata": {"name": "other-scheduler"}, "spec": {"policyName": "other-scheduler"}}]});
                apply(tools, &items.to_string()).await?;
            }
            Breakage::SchedulerStopped => stop_scheduler(running).await?,
            Breakage::QueuesOnHold => running.push(actor(lab, *breakage)?),
            Breakage::SchedulerBindsPart
            | Breakage::SchedulerKeepsReservation
            | Breakage::SchedulerGangsPlainPods
            | Breakage::SchedulerNeverBindsGang
            | Breakage::SchedulerNeverRetries => {
                stop_scheduler(running).await?;
                running.push(actor(lab, *breakage)?);
            }
        }
    }
    Ok(())
}

async fn stop_scheduler(running: &mut Vec<Component>) -> Result<(), LabError> {
    if let Some(place) = running.iter().position(|component| component.name() == "kube-scheduler") {
        running.remove(place).stop().await?;
    }
    Ok(())
}

/// A program of ours in the lab: this same binary under another first argument.
fn actor(lab: &Status, breakage: Breakage) -> Result<Component, LabError> {
    let kubeconfig = lab.state.join("admin.kubeconfig");
    let program = camino::Utf8PathBuf::try_from(std::env::current_exe()?)
        .map_err(|error| LabError::Io(std::io::Error::other(error)))?;
    let arguments = ["lab-actor".to_owned(), breakage.name(), kubeconfig.into_string()];
    Component::start(&breakage.name(), &program, &arguments, &lab.state.join("logs"))
}

/// A ValidatingAdmissionPolicy and its binding.
async fn policy(
    tools: &Tools,
    name: &str,
    rule: &serde_json::Value,
    expression: &str,
    message: &str,
) -> Result<(), LabError> {
    let items = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name}, "spec": {"failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": expression, "message": message}]}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}]});
    apply(tools, &items.to_string()).await
}
