//! Words of an autoscaler about itself.

use crate::adapters::Source;
use aiconform_model::{Object, quantity};
use serde_json::Value;

/// Status and rules of a HorizontalPodAutoscaler.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaler {
    /// Number of replicas that it wants.
    pub wants: Option<u64>,
    /// The average value that it has seen.
    pub average: Option<f64>,
    /// Set if it says that it has the metric (`ScalingActive`).
    pub active: bool,
    /// Its conditions, in words.
    pub conditions: String,
    /// The fewest replicas that its rules allow.
    pub least: Option<u64>,
    /// The most.
    pub most: Option<u64>,
    /// Average value of its rules.
    pub target: Option<f64>,
}

impl Scaler {
    /// Reads a HorizontalPodAutoscaler that goes by one metric of this source.
    pub fn of(object: &Object, source: Source) -> Scaler {
        let member = source.member();
        let number = |pointer: &str| object.at(pointer).and_then(Value::as_u64);
        let amount = |pointer: &str| quantity(object.text(pointer));
        let condition = |kind: &str| {
            let condition = object.condition(kind)?;
            let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
            Some(format!("{kind}={} {}: {}", text("status"), text("reason"), text("message")))
        };
        let conditions = ["AbleToScale", "ScalingActive", "ScalingLimited"].into_iter().filter_map(condition);
        Scaler {
            wants: number("/status/desiredReplicas"),
            average: amount(&format!("/status/currentMetrics/0/{member}/current/averageValue")),
            active: object.condition_is("ScalingActive", "True"),
            conditions: conditions.collect::<Vec<_>>().join("; "),
            least: number("/spec/minReplicas"),
            most: number("/spec/maxReplicas"),
            target: amount(&format!("/spec/metrics/0/{member}/target/averageValue")),
        }
    }

    /// Words of an autoscaler, for people.
    pub fn words(scaler: Option<&Scaler>) -> String {
        match scaler {
            None => "there is no autoscaler yet".into(),
            Some(scaler) if scaler.conditions.is_empty() => "the autoscaler has said nothing".into(),
            Some(scaler) => {
                let seen = scaler.average.map(|average| format!("has seen an average of {average} and "));
                let wants = scaler.wants.map_or("no number".into(), |wants| wants.to_string());
                format!("the autoscaler {}wants {wants} ({})", seen.unwrap_or_default(), scaler.conditions)
            }
        }
    }
}
