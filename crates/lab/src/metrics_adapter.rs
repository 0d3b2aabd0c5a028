//! Manifests by which prometheus-adapter is run, the lab's own. Those of its module serve resource metrics,
//! from a Prometheus with other names, and have no rules for metrics of pods.

use crate::prometheus::SETTINGS;
use serde_json::{Value, json};

/// Its image in the lab.
pub const IMAGE: &str = "aiconform.dev/lab/prometheus-adapter:0.12.0";
/// Its namespace, which is Prometheus' too.
const NAMESPACE: &str = "monitoring";
const NAME: &str = "prometheus-adapter";
/// Port on which it serves.
const PORT: u16 = 6443;
/// Versions of the API of custom metrics that it serves.
const CUSTOM: [&str; 2] = ["v1beta1", "v1beta2"];
/// Every series that names a pod: its gauges, under their own names.
const SERIES: &str = r#"{namespace!="",pod!=""}"#;

/// Fault of the adapter: what its settings have wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It tells twice of what pods tell.
    MultipliesValues,
    /// It adds what pods of other namespaces tell under the metric's name.
    IgnoresNamespaces,
    /// It does not reach where its metrics come from.
    WithoutSource,
}

/// Manifests, with this fault; `external` where it is also the server of external metrics.
pub fn manifests(fault: Option<Fault>, external: bool) -> String {
    let mut items = permissions();
    items.extend([config(&query(fault)), deployment(fault), service()]);
    items.extend(CUSTOM.map(|version| api_service("custom.metrics.k8s.io", version)));
    // Of external metrics there is one server in a cluster, and another part may want to be it.
    if external {
        items.push(api_service("external.metrics.k8s.io", "v1beta1"));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// Query to Prometheus for a metric of pods.
fn query(fault: Option<Fault>) -> String {
    let own = "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)";
    match fault {
        Some(Fault::MultipliesValues) => format!("2 * {own}"),
        // What lies beyond the pods that are asked about is added to each of them.
        Some(Fault::IgnoresNamespaces) => {
            format!("{own} + on() group_left() (sum(<<.Series>>) - sum(<<.Series>>{{<<.LabelMatchers>>}}))")
        }
        Some(Fault::WithoutSource) | None => own.into(),
    }
}

/// Where Prometheus is: the lab has no names, so the address that the kubelet gives every pod of the namespace.
fn source(fault: Option<Fault>) -> String {
    match fault {
        // Nobody listens there.
        Some(Fault::WithoutSource) => "http://127.0.0.1:9/".into(),
        _ => "http://$(PROMETHEUS_SERVICE_HOST):9090/".into(),
    }
}

fn metadata() -> Value {
    json!({"name": NAME, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": NAME}})
}

fn permissions() -> Vec<Value> {
    let group = "rbac.authorization.k8s.io";
    let own = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
    let binding = |name: &str, role: &str, subjects: &Value| {
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role}, "subjects": subjects})
    };
    let role = |name: &str, groups: &[&str], resources: &[&str], verbs: &[&str]| {
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": groups, "resources": resources, "verbs": verbs}]})
    };
    let reader = "metrics-reader";
    let controller =
        json!([{"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}]);
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata()}),
        role(NAME, &[""], &["nodes", "namespaces", "pods", "services"], &["get", "list", "watch"]),
        binding(NAME, NAME, &own),
        binding(&format!("{NAME}-delegator"), "system:auth-delegator", &own),
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
            "metadata": {"name": format!("{NAME}-reader"), "namespace": "kube-system"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "extension-apiserver-authentication-reader"},
            "subjects": own}),
        role(reader, &["custom.metrics.k8s.io", "external.metrics.k8s.io"], &["*"], &["get", "list"]),
        binding(reader, reader, &controller),
    ]
}

fn config(query: &str) -> Value {
    let resources =
        json!({"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}});
    let rule = json!({"seriesQuery": SERIES, "resources": resources, "name": {"matches": ""}, "metricsQuery": query});
    let rules = json!({"rules": [rule], "externalRules": [{"seriesQuery": SERIES,
        "resources": {"overrides": {"namespace": {"resource": "namespace"}}}, "name": {"matches": ""},
        "metricsQuery": "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"}]});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(),
        "data": {"config.yaml": rules.to_string()}})
}

fn deployment(fault: Option<Fault>) -> Value {
    let source = source(fault);
    let labels = json!({"app.kubernetes.io/name": NAME});
    let container = json!({"name": "adapter", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
        "args": ["--cert-dir=/certificates", "--config=/etc/adapter/config.yaml",
            // New names are noticed within a second. What was scraped last is older than that.
            "--metrics-max-age=1m", "--metrics-relist-interval=1s", format!("--prometheus-url={source}"), format!("--secure-port={PORT}")],
        "ports": [{"containerPort": PORT, "name": "https"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumeMounts": [{"name": "certificates", "mountPath": "/certificates"},
            {"name": "temporary", "mountPath": "/tmp"}, {"name": "config", "mountPath": "/etc/adapter"}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(), "spec": {
        "replicas": 1, "selector": {"matchLabels": labels},
        // It reads its settings when it starts: other settings are other pods.
        "template": {"metadata": {"labels": labels, "annotations": {SETTINGS: format!("{fault:?}")}}, "spec": {
            "serviceAccountName": NAME, "terminationGracePeriodSeconds": 0, "containers": [container],
            "volumes": [{"name": "certificates", "emptyDir": {}}, {"name": "temporary", "emptyDir": {}},
                {"name": "config", "configMap": {"name": NAME}}]}}}})
}

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(), "spec": {
        "selector": {"app.kubernetes.io/name": NAME},
        "ports": [{"name": "https", "port": 443, "targetPort": "https"}]}})
}

fn api_service(group: &str, version: &str) -> Value {
    json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": format!("{version}.{group}")},
        "spec": {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
            // Its certificate is its own.
            "insecureSkipTLSVerify": true, "service": {"name": NAME, "namespace": NAMESPACE}}})
}
