//! Objects that are created: pods that have an accelerator each and say a metric, what makes them, and what scales it.

use crate::adapters::Source;
use crate::marks::{DECOY, SCALED};
use crate::plan::LEAST;
use aiconform_accelerators::{Container, ProbePod, Way};
use aiconform_check::cx::Cx;
use aiconform_cluster::RUN_LABEL;
use aiconform_model::Kind;
use aiconform_model::probe::{GAUGE, PORT};
use aiconform_trial::labels::{GANG, ROLE, TRIAL};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Annotation: of two pods, the one with the lower cost goes first when replicas are taken away (Kubernetes, "ReplicaSet: Pod deletion
/// cost").
pub const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Kind of `monitoring.coreos.com/v1` PodMonitor, by which the Prometheus operator is told what to scrape.
pub fn pod_monitors() -> Kind {
    Kind::namespaced("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors")
}

/// Kind of `keda.sh/v1alpha1` ScaledObject, of which KEDA makes a HorizontalPodAutoscaler.
pub fn scaled_objects() -> Kind {
    Kind::namespaced("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")
}

/// Annotations that say to a monitoring system that a pod's metrics are to be gathered.
fn declared() -> Value {
    json!({"prometheus.io/scrape": "true", "prometheus.io/port": PORT.to_string(), "prometheus.io/path": "/metrics"})
}

/// Environment that makes the probe say the metric from its start on, as 0: of pods that say nothing, custom metrics would
/// tell nothing. External ones are added up, and one pod is enough to say them; when it stops, no sum of others is left.
fn says(source: Source, metric: &str) -> Vec<(&'static str, &str)> {
    match source {
        Source::Custom => vec![(GAUGE, metric)],
        Source::External | Source::Keda => Vec::new(),
    }
}

/// Container of the probe.
fn container<'a>(way: Option<&'a Way>, environment: &'a [(&'a str, &'a str)]) -> Container<'a> {
    let container = match way {
        Some(way) => Container::with(way, 1),
        None => Container::without(),
    };
    Container { environment, ..container }
}

fn pod<'a>(role: &'a str, nodes: &'a [String], container: Container<'a>) -> ProbePod<'a> {
    ProbePod { role, trial: SCALED, nodes, containers: vec![container], restarts: true }
}

/// A pod without an accelerator that says the metric, with the labels of the scaled ones where `gang` is theirs.
pub fn decoy(cx: &Cx, name: &str, gang: &str, metric: (Source, &str), nodes: &[String]) -> Value {
    let environment = says(metric.0, metric.1);
    let mut object = pod(DECOY, nodes, container(None, &environment)).lone(&cx.profile, name);
    object["metadata"]["labels"][GANG] = json!(gang);
    object["metadata"]["annotations"] = declared();
    object
}

/// The Deployment of one pod that has an accelerator, and templates of the pods' claims.
pub fn deployment(
    cx: &Cx,
    name: &str,
    metric: (Source, &str),
    way: &Way,
    nodes: &[String],
) -> (Vec<Value>, Value) {
    let environment = says(metric.0, metric.1);
    let pod = pod(SCALED, nodes, container(Some(way), &environment));
    let made = pod.object(cx, name);
    let mut labels = json!({RUN_LABEL: cx.session.id(), TRIAL: SCALED, ROLE: SCALED, GANG: name});
    let mut annotations = declared();
    for (key, value) in &cx.profile.labels {
        labels[key] = json!(value);
    }
    for (key, value) in &cx.profile.annotations {
        annotations[key] = json!(value);
    }
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {GANG: name}},
        "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": made["spec"]}}});
    (pod.templates(name), object)
}

/// The HorizontalPodAutoscaler that scales it: by the average of the metric over its pods, at once in both directions. Which series of an external
/// metric are meant, labels tell.
pub fn autoscaler(
    name: &str,
    source: Source,
    (metric, selector): (&str, &BTreeMap<String, String>),
    target: f64,
    most: u64,
) -> Value {
    let mut named = json!({"name": metric});
    if !selector.is_empty() {
        named["selector"] = json!({"matchLabels": selector});
    }
    let kind = if source.is_of_pods() { "Pods" } else { "External" };
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": LEAST, "maxReplicas": most,
        "metrics": [{"type": kind, source.member(): {"metric": named,
            "target": {"type": "AverageValue", "averageValue": target.to_string()}}}],
        "behavior": at_once()}})
}

/// Behaviour of an autoscaler that makes as many pods more or less as are wanted, without waiting whether they still are.
fn at_once() -> Value {
    let rule =
        |policy: Value| json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [policy]});
    json!({"scaleUp": rule(json!({"type": "Pods", "value": 100, "periodSeconds": 15})),
        "scaleDown": rule(json!({"type": "Percent", "value": 100, "periodSeconds": 15}))})
}

/// The ScaledObject of which KEDA makes an autoscaler: KEDA asks the pod at this address for what it says.
pub fn scaled_object(name: &str, said: &str, address: &str, target: f64, most: u64) -> Value {
    json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicaCount": LEAST, "maxReplicaCount": most,
        "advanced": {"horizontalPodAutoscalerConfig": {"name": name, "behavior": at_once()}},
        "triggers": [{"type": "metrics-api", "metricType": "AverageValue", "metadata": {
            "url": format!("http://{address}/metrics"), "format": "prometheus", "valueLocation": said,
            "targetValue": target.to_string()}}]}})
}

/// The PodMonitor that tells a Prometheus operator of the pods of this name, where one is installed.
pub fn pod_monitor(name: &str, gang: &str) -> Value {
    json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {"name": name}, "spec": {
        "selector": {"matchLabels": {GANG: gang}},
        "podMetricsEndpoints": [{"portNumber": PORT, "path": "/metrics", "interval": "5s"}]}})
}
