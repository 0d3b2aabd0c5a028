//! An autoscaler of ours in place of the HorizontalPodAutoscaler's controller, which does as it should but for one thing.
//!
//! It knows metrics of pods and external ones with an average value as target, which is all that the trials stand on, and
//! asks the real metrics API.

use aiconform_cluster::{Api, ClusterError, encode};
use aiconform_model::{Kind, Object, Scope, quantity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// Fault of the autoscaler: the one thing that it does wrong, in the words of the breakage's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Overshoots,
    RoundsDown,
    NeverScalesDown,
    ScalesDownBlind,
    IgnoresLimits,
    CountsAcrossNamespaces,
}

/// Time between two looks at everything.
const PERIOD: Duration = Duration::from_secs(1);

/// Scales with this fault until it is killed.
pub async fn run(api: &Api, fault: Fault) -> Result<(), ClusterError> {
    loop {
        for autoscaler in api.list(&Scope::default(), &autoscalers(), "", "").await? {
            // What goes away meanwhile is no matter.
            let _ = look_at(api, fault, &autoscaler).await;
        }
        aiconform_wait::pause(PERIOD).await;
    }
}

fn autoscalers() -> Kind {
    Kind::namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
}

async fn look_at(api: &Api, fault: Fault, autoscaler: &Object) -> Result<(), ClusterError> {
    let scope = Scope::default();
    let namespace = autoscaler.namespace();
    let name = autoscaler.text("/spec/scaleTargetRef/name");
    let deployment = api.get(&scope, &Kind::deployment(), namespace, name).await?;
    let number = |object: &Object, pointer: &str| object.at(pointer).and_then(Value::as_u64);
    let current = number(&deployment, "/spec/replicas").unwrap_or(1);
    let of = if autoscaler.at("/spec/metrics/0/external").is_some() { "external" } else { "pods" };
    let metric = autoscaler.text(&format!("/spec/metrics/0/{of}/metric/name"));
    let target = autoscaler.text(&format!("/spec/metrics/0/{of}/target/averageValue"));
    let target = quantity(target).unwrap_or(1.0).max(0.001);
    let values = values(api, fault, namespace, &asked(autoscaler)).await;
    let found = !values.is_empty();
    #[allow(clippy::cast_precision_loss, reason = "pods are few")]
    let pods = if of == "pods" { values.len() as f64 } else { current as f64 };
    let average = values.iter().sum::<f64>() / pods.max(1.0);
    let wanted = wanted(fault, current, found.then(|| values.iter().sum()), target);
    let (least, most) =
        (number(autoscaler, "/spec/minReplicas").unwrap_or(1), number(autoscaler, "/spec/maxReplicas"));
    let limited = match fault {
        Fault::IgnoresLimits => wanted,
        _ => wanted.clamp(least, most.unwrap_or(u64::MAX).max(least)),
    };
    if limited != current {
        let patch = json!({"spec": {"replicas": limited}});
        api.merge(&scope, &Kind::deployment(), (namespace, name), "", &patch).await?;
    }
    let active = if found { ("True", "ValidMetricFound") } else { ("False", "FailedGetPodsMetric") };
    let mut status = json!({"currentReplicas": current, "desiredReplicas": limited, "conditions": [
        {"type": "ScalingActive", "status": active.0, "reason": active.1, "message": "told by the lab's own autoscaler"}]});
    if found {
        #[allow(clippy::cast_possible_truncation, reason = "a value of a test")]
        let thousandths = (average * 1000.0).round() as i64;
        let kind = if of == "pods" { "Pods" } else { "External" };
        status["currentMetrics"] = json!([{"type": kind, of: {"metric": {"name": metric},
            "current": {"averageValue": format!("{thousandths}m")}}}]);
    }
    let patch = json!({"status": status});
    api.merge(&scope, &autoscalers(), (namespace, autoscaler.name()), "status", &patch).await
}

/// Number of pods that are wanted, before limits: of the sum of what the pods tell, where they tell
/// something.
fn wanted(fault: Fault, current: u64, told: Option<f64>, target: f64) -> u64 {
    let Some(sum) = told else {
        return if fault == Fault::ScalesDownBlind { 0 } else { current };
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of pods of a test")]
    let count = |pods: f64| pods.max(0.0) as u64;
    let right = count((sum / target - 1e-9).ceil());
    match fault {
        Fault::Overshoots if right > current => right + 1,
        // What it has overshot it keeps.
        Fault::Overshoots if right + 1 == current => current,
        Fault::NeverScalesDown => right.max(current),
        Fault::RoundsDown => count((sum / target + 1e-9).floor()),
        _ => right,
    }
}

/// Group, and what of a namespace is asked: where an autoscaler's metric is read.
fn asked(autoscaler: &Object) -> (&'static str, String) {
    let metric = |of: &str| autoscaler.text(&format!("/spec/metrics/0/{of}/metric/name"));
    let Some(external) = autoscaler.at("/spec/metrics/0/external/metric") else {
        return ("custom.metrics.k8s.io", format!("pods/*/{}", metric("pods")));
    };
    let labels = external.pointer("/selector/matchLabels").and_then(Value::as_object).into_iter().flatten();
    let labels: Vec<String> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    let selector = encode(&labels.join(","));
    ("external.metrics.k8s.io", format!("{}?labelSelector={selector}", metric("external")))
}

/// Values that are told of a namespace; none where the API does not know it.
async fn values(api: &Api, fault: Fault, namespace: &str, asked: &(&str, String)) -> Vec<f64> {
    let mut values = in_namespace(api, namespace, asked).await;
    if fault == Fault::CountsAcrossNamespaces && !values.is_empty() {
        let everywhere = api.list(&Scope::default(), &Kind::namespace(), "", "").await.unwrap_or_default();
        for other in everywhere.iter().map(Object::name).filter(|other| *other != namespace) {
            // Added to the first pod: the average of more pods would be another wrong.
            values[0] += in_namespace(api, other, asked).await.iter().sum::<f64>();
        }
    }
    values
}

async fn in_namespace(api: &Api, namespace: &str, (group, what): &(&str, String)) -> Vec<f64> {
    let path = format!("/apis/{group}/v1beta1/namespaces/{namespace}/{what}");
    let answer = api.send(&Scope::default(), "GET", &path, None).await.unwrap_or_default();
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    items.iter().filter_map(|item| quantity(item.get("value")?.as_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_does_one_thing_wrong() {
        let of = |fault, current, told| wanted(fault, current, told, 10.0);
        let (up, near, down) = (20.0, 19.0, 15.0);
        for (fault, expected) in [
            (Fault::Overshoots, [3, 2, 2, 2]),
            (Fault::NeverScalesDown, [2, 2, 4, 2]),
            (Fault::RoundsDown, [2, 1, 1, 2]),
            (Fault::ScalesDownBlind, [2, 2, 2, 0]),
            (Fault::IgnoresLimits, [2, 2, 2, 2]),
        ] {
            let seen = [
                of(fault, 1, Some(up)),
                of(fault, 2, Some(near)),
                of(fault, 4, Some(down)),
                of(fault, 2, None),
            ];
            assert_eq!(seen, expected, "{fault:?}");
        }
    }
}
