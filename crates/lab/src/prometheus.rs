//! The objects with which Prometheus runs in a lab. Its module brings none.

use crate::error::LabError;
use crate::first::{Tools, apply};
use serde_json::{Value, json};

/// Its namespace.
pub const NAMESPACE: &str = "monitoring";
/// Name of its Deployment, its Service and what it needs, and value of its label `app.kubernetes.io/name`.
const NAME: &str = "prometheus";
/// Image of its pod.
pub const IMAGE: &str = "aiconform.dev/lab/prometheus:3.13.5";

/// Applies them.
///
/// # Errors
/// When the API server refuses one.
pub async fn begin(tools: &Tools) -> Result<(), LabError> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects()});
    apply(tools, &list.to_string()).await
}

fn objects() -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": NAME});
    let named = json!({"name": NAME, "namespace": NAMESPACE, "labels": labels});
    let role = "rbac.authorization.k8s.io";
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {
            "pod-security.kubernetes.io/enforce": "restricted"}}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}),
        json!({"apiVersion": format!("{role}/v1"), "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": labels},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ]}),
        json!({"apiVersion": format!("{role}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": labels},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
            "roleRef": {"apiGroup": role, "kind": "ClusterRole", "name": NAME}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named,
            // JSON is YAML.
            "data": {"prometheus.yml": format!("{:#}\n", configuration())}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod()}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": {
            "selector": labels, "ports": [{"name": "web", "port": 9090, "targetPort": "web"}]}}),
    ]
}

fn pod() -> Value {
    json!({
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 1,
        "containers": [{
            "name": NAME,
            "image": IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "args": [
                "--config.file=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.path=/data",
                "--storage.tsdb.retention.time=2h",
                // A target that comes or goes is taken up after this time, 5 s by default.
                "--scrape.discovery-reload-interval=1s",
            ],
            "ports": [{"name": "web", "containerPort": 9090}],
            "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "web"}, "periodSeconds": 1},
            "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}},
            "securityContext": {"runAsNonRoot": true, "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"}},
            "volumeMounts": [{"name": "configuration", "mountPath": "/etc/prometheus"},
                {"name": "data", "mountPath": "/data"}],
        }],
        "volumes": [{"name": "configuration", "configMap": {"name": NAME}}, {"name": "data", "emptyDir": {}}],
    })
}

/// What it scrapes: pods that say so themselves, and pods behind Services that say so.
fn configuration() -> Value {
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [job("pods", "pod", "pod"), job("services", "endpointslice", "service")],
    })
}

/// A job that finds its targets in this role and goes by the annotations `prometheus.io/scrape`, `prometheus.io/port`,
/// `prometheus.io/path` and `prometheus.io/scheme` of this kind of object, as is widely done
/// (documentation/examples/prometheus-kubernetes.yml of Prometheus).
fn job(name: &str, role: &str, annotated: &str) -> Value {
    let annotation = |what: &str| format!("__meta_kubernetes_{annotated}_annotation_prometheus_io_{what}");
    let copied = |from: &str, to: &str| json!({"source_labels": [from], "target_label": to});
    let given = |what: &str, to: &str| json!({"source_labels": [annotation(what)], "regex": "(.+)", "target_label": to});
    json!({
        "job_name": name,
        "kubernetes_sd_configs": [{"role": role}],
        "relabel_configs": [
            {"source_labels": [annotation("scrape")], "regex": "true", "action": "keep"},
            // A pod that has ended keeps its address for a while.
            {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Pending|Succeeded|Failed|Unknown",
                "action": "drop"},
            given("scheme", "__scheme__"),
            given("path", "__metrics_path__"),
            {"source_labels": ["__address__", annotation("port")], "regex": "(.+?)(?::\\d+)?;(\\d+)",
                "replacement": "$1:$2", "target_label": "__address__"},
            copied("__meta_kubernetes_namespace", "namespace"),
            copied("__meta_kubernetes_pod_name", "pod"),
            copied("__meta_kubernetes_pod_node_name", "node"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_text_that_the_config_map_holds_whole() {
        let objects = objects();
        let map = objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap();
        let text = map["data"]["prometheus.yml"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), configuration());
    }

    #[test]
    fn it_may_read_what_its_jobs_look_for_and_nothing_else() {
        let objects = objects();
        let role = objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap();
        let rules = role["rules"].as_array().unwrap();
        assert!(rules.iter().all(|rule| rule["verbs"] == json!(["list", "watch"])));
        let resources = rules.iter().flat_map(|rule| rule["resources"].as_array().unwrap());
        assert_eq!(resources.collect::<Vec<_>>(), ["pods", "services", "endpointslices"]);
    }
}
