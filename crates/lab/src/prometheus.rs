//! The objects with which Prometheus runs in a lab. Its module brings none.

use serde_json::{Value, json};

/// Its namespace.
pub const NAMESPACE: &str = "monitoring";
/// Name of its Deployment, its Service and what it needs, and value of its label `app.kubernetes.io/name`.
const NAME: &str = "prometheus";
/// Image of its pod.
pub const IMAGE: &str = "aiconform.dev/lab/prometheus:3.13.5";

/// Annotation of a pod that is to be another one where its settings are others.
pub const SETTINGS: &str = "lab.aiconform.dev/settings";

/// Fault of Prometheus: what its settings have wrong, in the words of the breakage's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    FindsNothing,
    CountsTwice,
    StandsStill,
    KeepsPeaks,
    DropsBuckets,
    NamesWrongPod,
    TakesAll,
    KeepsGone,
}

/// Manifests, with these faults.
pub fn manifests(faults: &[Fault]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": objects(faults)}).to_string()
}

fn objects(faults: &[Fault]) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": NAME});
    let named = json!({"name": NAME, "namespace": NAMESPACE, "labels": labels});
    // It reads its settings when it starts: other settings are other pods.
    let settings = json!({SETTINGS: format!("{faults:?}")});
    let role = "rbac.authorization.k8s.io";
    let mut objects = vec![
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
            "data": {"prometheus.yml": format!("{:#}\n", configuration(faults)),
                "rules.yml": format!("{:#}\n", rules(faults))}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": settings}, "spec": pod()}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": {
            "selector": labels, "ports": [{"name": "web", "port": 9090, "targetPort": "web"}]}}),
    ];
    if faults.contains(&Fault::FindsNothing) {
        objects.retain(|object| object["kind"] != "ClusterRoleBinding");
    }
    objects
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

/// Configuration of what it scrapes: pods that say so themselves, and pods behind Services that say so.
fn configuration(faults: &[Fault]) -> Value {
    let mut jobs = vec![job("pods", "pod", "pod"), job("services", "endpointslice", "service")];
    for fault in faults {
        match fault {
            Fault::CountsTwice => jobs.push(job("pods-again", "pod", "pod")),
            Fault::TakesAll => {
                for rules in jobs.iter_mut().filter_map(|job| job["relabel_configs"].as_array_mut()) {
                    rules.retain(|rule| rule["action"] != "keep");
                }
            }
            Fault::NamesWrongPod => change(
                &mut jobs,
                "relabel_configs",
                || json!({"target_label": "pod", "replacement": "another"}),
            ),
            Fault::DropsBuckets => change(
                &mut jobs,
                "metric_relabel_configs",
                || json!({"source_labels": ["__name__"], "regex": ".+_bucket", "action": "drop"}),
            ),
            _ => {}
        }
        // What rules are to tell in its place is stored under another name.
        for (metric, _) in told(*fault) {
            change(&mut jobs, "metric_relabel_configs", || {
                json!({"source_labels": ["__name__"], "regex": metric, "target_label": "__name__",
                    "replacement": format!("{RAW}{metric}")})
            });
        }
    }
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["/etc/prometheus/rules.yml"],
        "scrape_configs": jobs,
    })
}

/// Class of the monitors that name none: what a Prometheus that prometheus-operator runs is to do with all
/// that it scrapes, where that is a breakage of its own.
pub fn scrape_class(fault: Fault) -> Option<Value> {
    let (field, rule) = match fault {
        Fault::NamesWrongPod => ("relabelings", json!({"targetLabel": "pod", "replacement": "another"})),
        Fault::DropsBuckets => (
            "metricRelabelings",
            json!({"sourceLabels": ["__name__"], "regex": ".+_bucket", "action": "drop"}),
        ),
        _ => return None,
    };
    Some(json!({"name": "broken", "default": true, field: [rule]}))
}

/// Adds a rule to every job.
fn change(jobs: &mut [Value], field: &str, rule: impl Fn() -> Value) {
    for job in jobs {
        match job[field].as_array_mut() {
            Some(rules) => rules.push(rule()),
            None => job[field] = json!([rule()]),
        }
    }
}

/// Before the name under which something is stored that is to be told otherwise.
const RAW: &str = "raw:";
/// Metrics that inference servers tell (vLLM, "Production Metrics").
const SERVED: [&str; 5] = [
    "vllm:request_success_total",
    GAUGE,
    "vllm:time_to_first_token_seconds_bucket",
    "vllm:time_to_first_token_seconds_count",
    "vllm:time_to_first_token_seconds_sum",
];
/// A gauge among it.
const GAUGE: &str = "vllm:num_requests_running";

/// Metrics that are not told as they were scraped, and what is told in their place.
fn told(fault: Fault) -> Vec<(&'static str, String)> {
    let all = |expression: fn(&str) -> String| SERVED.map(|metric| (metric, expression(metric))).to_vec();
    match fault {
        // Of a counter, the lowest is the first.
        Fault::StandsStill => all(|metric| format!("min_over_time({RAW}{metric}[1h]) and {RAW}{metric}")),
        Fault::KeepsGone => all(|metric| format!("last_over_time({RAW}{metric}[1h])")),
        Fault::KeepsPeaks => {
            vec![(GAUGE, format!("max_over_time({RAW}{GAUGE}[1h]) and {RAW}{GAUGE}"))]
        }
        _ => Vec::new(),
    }
}

/// Rules by which something is told otherwise than it was scraped; none in a lab that is not broken so.
fn rules(faults: &[Fault]) -> Value {
    let told = faults.iter().flat_map(|fault| told(*fault));
    let rules: Vec<Value> =
        told.map(|(metric, expression)| json!({"record": metric, "expr": expression})).collect();
    if rules.is_empty() {
        return json!({"groups": []});
    }
    json!({"groups": [{"name": "told", "interval": "1s", "rules": rules}]})
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
        let objects = objects(&[]);
        let map = objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap();
        let text = map["data"]["prometheus.yml"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), configuration(&[]));
    }

    #[test]
    fn what_is_told_otherwise_is_stored_under_another_name() {
        for fault in [Fault::StandsStill, Fault::KeepsGone, Fault::KeepsPeaks] {
            let (configuration, rules) = (configuration(&[fault]), rules(&[fault]));
            let stored = configuration["scrape_configs"][0]["metric_relabel_configs"].as_array().unwrap();
            let told = rules["groups"][0]["rules"].as_array().unwrap();
            assert_eq!(stored.len(), told.len());
            for (stored, told) in stored.iter().zip(told) {
                assert_eq!(stored["regex"], told["record"]);
                assert!(told["expr"].as_str().unwrap().contains(stored["replacement"].as_str().unwrap()));
            }
        }
        assert_eq!(rules(&[]), json!({"groups": []}));
    }

    #[test]
    fn it_may_read_what_its_jobs_look_for_and_nothing_else() {
        let objects = objects(&[]);
        let role = objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap();
        let rules = role["rules"].as_array().unwrap();
        assert!(rules.iter().all(|rule| rule["verbs"] == json!(["list", "watch"])));
        let resources = rules.iter().flat_map(|rule| rule["resources"].as_array().unwrap());
        assert_eq!(resources.collect::<Vec<_>>(), ["pods", "services", "endpointslices"]);
    }
}
