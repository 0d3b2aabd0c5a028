//! Making the breakages that are made once everything serves.

use crate::breakage::Breakage;
use crate::error::LabError;
use crate::first::{Tools, apply};
use crate::process::Component;
use crate::state::Status;
use serde_json::json;
use std::time::Duration;

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
                let left_alone = |said: &Result<String, String>| {
                    said.as_ref().is_ok_and(|pod| !pod.contains("kueue.x-k8s.io/managed"))
                };
                in_force(tools, "kueue-webhooks-removed", PROBE_QUEUED, left_alone).await?;
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
                let denied = |said: &Result<String, String>| {
                    said.as_ref().is_err_and(|why| why.contains("only nodes may change"))
                };
                in_force(tools, "deny-node-patches", PROBE_NODE, denied).await?;
            }
            Breakage::PolicyDemandsLabels => {
                let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"]});
                let expression = "has(object.metadata.labels) && 'team' in object.metadata.labels";
                policy(tools, "demand-labels", &rule, expression, "every pod needs the label team").await?;
                let denied = |said: &Result<String, String>| {
                    said.as_ref().is_err_and(|why| why.contains("needs the label team"))
                };
                in_force(tools, "demand-labels", PROBE, denied).await?;
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
                let rewritten =
                    |said: &Result<String, String>| said.as_ref().is_ok_and(|pod| pod.contains("\"other\""));
                in_force(tools, "other-scheduler", PROBE, rewritten).await?;
            }
            Breakage::SchedulerStopped => stop_scheduler(running).await?,
            Breakage::QueuesOnHold => running.push(actor(lab, *breakage)?),
            scheduler if scheduler.replaces_scheduler() => {
                stop_scheduler(running).await?;
                running.push(actor(lab, *breakage)?);
            }
            other => return Err(LabError::Start(format!("nobody makes the breakage {}", other.name()))),
        }
    }
    Ok(())
}

/// A pod that is asked about and not created.
const PROBE: &[&str] = &["run", "probe", "--image=probe", "--dry-run=server", "-o", "json"];

/// A pod for a queue, asked about and not created.
const PROBE_QUEUED: &[&str] = &[
    "run",
    "probe",
    "--image=probe",
    "--labels=kueue.x-k8s.io/queue-name=probe",
    "--dry-run=server",
    "-o",
    "json",
];

/// A patch of the node's status, asked about and not made.
const PROBE_NODE: &[&str] = &[
    "patch",
    "node",
    "node-0",
    "--subresource=status",
    "--type=merge",
    "--patch={\"status\":{\"capacity\":{\"aiconform.dev/probe\":\"1\"}}}",
    "--dry-run=server",
];

/// Waits until a policy acts: the API server takes new ones up some time after it has stored them.
async fn in_force(
    tools: &Tools,
    name: &str,
    act: &[&str],
    acts: impl Fn(&Result<String, String>) -> bool,
) -> Result<(), LabError> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let said = tools.kubectl(act).await;
        let said =
            said.map(|said| String::from_utf8_lossy(&said).into_owned()).map_err(|error| error.to_string());
        if acts(&said) {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            let what = format!("did not act within 30 s (last seen: {said:?})");
            return Err(LabError::Component { component: name.into(), what, log: "  (it has none)".into() });
        }
        aiconform_wait::pause(Duration::from_millis(200)).await;
    }
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
