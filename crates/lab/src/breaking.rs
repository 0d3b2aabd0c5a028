//! Making the breakages that are made once everything serves.

use crate::breakage::Breakage;
use crate::broken_gateway;
use crate::broken_operator;
use crate::error::LabError;
use crate::first::{Tools, apply};
use crate::part::Part;
use crate::process::Component;
use crate::prometheus;
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
            // Flags and configuration, with which the components and the simulator were started.
            Breakage::GangGateOffScheduler
            | Breakage::GangGateOffApiServer
            | Breakage::DraGateOff
            | Breakage::DeviceTaintsGateOff
            | Breakage::AutoscalerStopped
            | Breakage::AdapterMultipliesValues
            | Breakage::AdapterIgnoresNamespaces
            | Breakage::AdapterWithoutSource
            | Breakage::GarbageCollectorOff
            | Breakage::Simulator(_) => {}
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
                let patch = apply_configuration("Object{spec: Object.spec{schedulerName: \"other\"}}");
                mutation(tools, "other-scheduler", &pods(), &patch).await?;
                let rewritten =
                    |said: &Result<String, String>| said.as_ref().is_ok_and(|pod| pod.contains("\"other\""));
                in_force(tools, "other-scheduler", PROBE, rewritten).await?;
            }
            Breakage::PolicyMisplacesPods => {
                let patch = json_patch("/spec/nodeSelector", "{\"team\": \"nobody\"}");
                mutation(tools, "misplace-pods", &pods(), &patch).await?;
                let misplaced =
                    |said: &Result<String, String>| said.as_ref().is_ok_and(|pod| pod.contains("\"nobody\""));
                in_force(tools, "misplace-pods", PROBE, misplaced).await?;
            }
            Breakage::PolicyDropsRequests => {
                let patch = json_patch("/spec/containers/0/resources", "{}");
                mutation(tools, "drop-requests", &pods(), &patch).await?;
                let dropped =
                    |said: &Result<String, String>| said.as_ref().is_ok_and(|pod| !pod.contains("\"cpu\""));
                in_force(tools, "drop-requests", PROBE_REQUESTS, dropped).await?;
            }
            Breakage::PolicyLowersLeast => {
                let rule = json!({"apiGroups": ["scheduling.k8s.io"], "apiVersions": ["*"],
                    "operations": ["CREATE"], "resources": ["podgroups"]});
                let least = "Object{spec: Object.spec{schedulingPolicy: Object.spec.schedulingPolicy{gang: Object.spec.schedulingPolicy.gang{minCount: 1}}}}";
                mutation(tools, "lower-least", &rule, &apply_configuration(least)).await?;
                let probe = format!("--filename={}", gang_to_probe(lab)?);
                let lowered = |said: &Result<String, String>| {
                    said.as_ref().is_ok_and(|group| group.contains("\"minCount\": 1"))
                };
                let act = ["create", &probe, "--dry-run=server", "-o", "json"];
                in_force(tools, "lower-least", &act, lowered).await?;
            }
            Breakage::PolicyLabelsForAdminAccess => {
                let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["namespaces"]});
                // Not a patch of one path: a namespace may come without labels.
                let patch = apply_configuration(
                    "Object{metadata: Object.metadata{labels: {\"resource.kubernetes.io/admin-access\": \"true\"}}}",
                );
                mutation(tools, "label-for-admin-access", &rule, &patch).await?;
                let labelled = |said: &Result<String, String>| {
                    said.as_ref().is_ok_and(|namespace| {
                        namespace.contains("\"resource.kubernetes.io/admin-access\": \"true\"")
                    })
                };
                let act = ["create", "namespace", "probe", "--dry-run=server", "-o", "json"];
                in_force(tools, "label-for-admin-access", &act, labelled).await?;
            }
            Breakage::KedaStopped => stop(tools, KEDA).await?,
            Breakage::PrometheusOperatorStopped => stop(tools, PROMETHEUS_OPERATOR).await?,
            Breakage::NodeAutoscalerStopped => stop(tools, KARPENTER).await?,
            Breakage::NewNodesNeverReady => stop(tools, KWOK).await?,
            Breakage::NodesAddedByHand => {
                stop(tools, KARPENTER).await?;
                running.push(actor(lab, *breakage)?);
            }
            Breakage::NodeAutoscalerBringsWrongNodes => {
                change_pool(tools, &json!({"spec": {"limits": {"accelerator.aiconform.dev/gpu": "0"}}}))
                    .await?;
                running.push(actor(lab, *breakage)?);
            }
            Breakage::NodeAutoscalerGrowsForImpossible | Breakage::NodeAutoscalerBringsTooMany => {
                running.push(actor(lab, *breakage)?);
            }
            Breakage::NodeAutoscalerNeverRemoves => {
                change_pool(tools, &json!({"spec": {"disruption": {"consolidateAfter": "Never"}}})).await?;
            }
            Breakage::NodeAutoscalerRemovesBusyNodes => {
                // Without the second, it waits for pods that do not want to be disturbed.
                let spec = json!({"expireAfter": "25s", "terminationGracePeriod": "1s"});
                change_pool(tools, &json!({"spec": {"template": {"spec": spec}}})).await?;
            }
            Breakage::SchedulerStopped => stop_scheduler(running).await?,
            monitoring if monitoring.is_of_monitoring() => {
                if lab.parts.contains(&Part::PrometheusOperator) {
                    break_operated_prometheus(tools, *monitoring).await?;
                }
            }
            Breakage::QueuesOnHold | Breakage::StrangersSendRequests | Breakage::KuberayReconcilesOnce => {
                running.push(actor(lab, *breakage)?);
            }
            operator if operator.is_of_operator() => broken_operator::break_it(tools, *operator).await?,
            runtime if runtime.replaces_runtime() => {}
            autoscaler if autoscaler.replaces_autoscaler() => running.push(actor(lab, *breakage)?),
            gateway if gateway.is_of_gateway() => {
                // One that still ends would accept what is to be accepted by nobody, or by another.
                stop(tools, TRAEFIK).await?;
                if *gateway == Breakage::GatewayControllerMissing {
                    // What the implementation has said of the class goes with it.
                    tools.kubectl(&["delete", "gatewayclass", "traefik"]).await?;
                    apply(tools, &broken_gateway::class().to_string()).await?;
                } else {
                    running.push(actor(lab, *breakage)?);
                }
            }
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

/// A pod that requests CPU, asked about and not created.
const PROBE_REQUESTS: &[&str] = &[
    "run",
    "probe",
    "--image=probe",
    "--overrides={\"spec\":{\"containers\":[{\"name\":\"probe\",\"image\":\"probe\",\"resources\":{\"requests\":{\"cpu\":\"1m\"}}}]}}",
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
    in_force_with(tools, name, act, "", acts).await
}

/// The same of an act that reads its input.
pub(crate) async fn in_force_with(
    tools: &Tools,
    name: &str,
    act: &[&str],
    input: &str,
    acts: impl Fn(&Result<String, String>) -> bool,
) -> Result<(), LabError> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let said = tools.kubectl_with(act, input).await;
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

/// The file of a gang of two, to be asked about and not created.
fn gang_to_probe(lab: &Status) -> Result<camino::Utf8PathBuf, LabError> {
    let (_, served) = lab.kubernetes.gangs();
    let version = served.trim_start_matches("--runtime-config=").trim_end_matches("=true");
    let group = json!({"apiVersion": version, "kind": "PodGroup",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}});
    let file = lab.state.join("gang-to-probe.json");
    fs_err::write(&file, group.to_string())?;
    Ok(file)
}

/// Namespace, Deployment and the label of its pods.
type Program = (&'static str, &'static str, &'static str);
const KEDA: Program = ("keda", "deployment/keda-operator", "app=keda-operator");
const PROMETHEUS_OPERATOR: Program =
    ("prometheus-operator", "deployment/prometheus-operator", "app.kubernetes.io/name=prometheus-operator");
const KARPENTER: Program = ("karpenter", "deployment/karpenter", "app.kubernetes.io/name=karpenter");
const TRAEFIK: Program = ("traefik", "deployment/traefik", "app=traefik");
const KWOK: Program = ("kube-system", "deployment/kwok-controller", "app=kwok-controller");

/// Takes the pods of a Deployment away, and waits until they are gone.
async fn stop(tools: &Tools, (namespace, deployment, label): Program) -> Result<(), LabError> {
    tools.kubectl(&["-n", namespace, "scale", deployment, "--replicas=0"]).await?;
    tools.kubectl(&["-n", namespace, "wait", "--for=delete", "pod", "-l", label, "--timeout=60s"]).await?;
    Ok(())
}

/// What is wrong with the lab's Prometheus is wrong with the one that prometheus-operator runs.
async fn break_operated_prometheus(tools: &Tools, breakage: Breakage) -> Result<(), LabError> {
    if breakage == Breakage::MonitoringFindsNothing {
        tools.kubectl(&["delete", "clusterrolebinding", "operated-prometheus"]).await?;
    }
    if let Some(class) = prometheus::scrape_class(breakage) {
        let patch = format!("--patch={}", json!({"spec": {"scrapeClasses": [class]}}));
        let which = ["-n", "prometheus-operator", "patch", "prometheuses.monitoring.coreos.com", "lab"];
        tools.kubectl(&[&which[..], &["--type=merge", &patch]].concat()).await?;
    }
    Ok(())
}

/// Changes Karpenter's pool of accelerators.
async fn change_pool(tools: &Tools, patch: &serde_json::Value) -> Result<(), LabError> {
    let patch = format!("--patch={patch}");
    tools.kubectl(&["patch", "nodepool", "accelerators", "--type=merge", &patch]).await?;
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
pub(crate) async fn policy(
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

/// Pods as they are created.
fn pods() -> serde_json::Value {
    json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]})
}

/// A change of what is created to what an expression says.
fn apply_configuration(expression: &str) -> serde_json::Value {
    json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
}

/// A part of what is created, put there or replaced: configuration that is applied takes nothing away.
pub(crate) fn json_patch(path: &str, value: &str) -> serde_json::Value {
    let expression = format!("[JSONPatch{{op: \"add\", path: \"{path}\", value: {value}}}]");
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}

/// A MutatingAdmissionPolicy and its binding.
pub(crate) async fn mutation(
    tools: &Tools,
    name: &str,
    rule: &serde_json::Value,
    change: &serde_json::Value,
) -> Result<(), LabError> {
    let items = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name}, "spec": {"failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "matchConstraints": {"resourceRules": [rule]}, "mutations": [change]}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name}, "spec": {"policyName": name}}]});
    apply(tools, &items.to_string()).await
}
