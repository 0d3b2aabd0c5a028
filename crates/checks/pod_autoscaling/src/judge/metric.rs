//! Control: the metrics API tells what the pods say.

use super::history::{History, Reading, Stepped};
use crate::adapters::{Source, alike};
use crate::marks::SCALED;
use crate::plan::Name;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::{Outcome, Subject};

/// Control: the metrics API tells of each pod what that pod says. Steps that try what the API must not tell (a pod of another
/// namespace, a metric that nobody says) are left to the claims that are about them.
pub fn metric_is_read_as_set(history: &History) -> Outcome {
    let own = |step: &&Stepped| step.step.value.is_some() && step.step.name != Name::Decoy;
    let mut read = Vec::new();
    for step in history.steps.iter().filter(own) {
        let value = step.step.value.unwrap_or_default();
        let Some(reading) = history.reading(step) else {
            return unknown(history.lack("the metrics API was not asked"));
        };
        match wrong(history, reading, value) {
            Ok(None) => read.push(format!("{value}")),
            Ok(Some(told)) => {
                return unmet(
                    format!(
                        "the pods say {value} in all, and the metrics API tells {told}: what lies between changes the metric, or gathers it for longer"
                    ),
                    [reading.at],
                );
            }
            Err(why) => {
                return unknown(format!(
                    "the metrics API tells nothing of the pods that say {value}: {why}; {}",
                    whether(history)
                ));
            }
        }
    }
    if read.is_empty() {
        return unknown(history.lack("the metrics API was not asked"));
    }
    met(format!("set and read: {}", read.join(", ")))
}

/// Questions to look into where a metric is not told.
fn whether(history: &History) -> String {
    let source = history.source;
    let key = match source {
        Source::Custom => "metric",
        Source::External => "external_metric",
        Source::Keda => {
            return "does KEDA's operator run, and does it reach pods by their addresses (its log says)?"
                .into();
        }
    };
    format!(
        "does anything gather what pods annotated with prometheus.io/scrape say, and does the adapter serve the metric {} ({})? The profile can name another: [pod_autoscaling] {key} = \"…\"",
        history.facts.metric,
        source.group(),
    )
}

/// Tells whether each pod is told of by itself.
pub fn is_of_pods(subject: &Subject) -> bool {
    Source::of(&subject.id).is_of_pods()
}

/// Values that an answer tells of the scaled pods, in words, unless these are one with this value and the others with 0.
/// Where values are not told by pod, their sum counts.
pub(super) fn wrong(history: &History, reading: &Reading, value: f64) -> Result<Option<String>, String> {
    let own = |pod: &str| !history.source.is_of_pods() || pod.contains(SCALED);
    let values: Vec<(&String, f64)> = match &reading.values {
        Ok(values) => values.iter().filter(|(pod, _)| own(pod)).map(|(pod, it)| (pod, *it)).collect(),
        Err(why) => return Err(why.clone()),
    };
    if values.is_empty() {
        return Err("it lists no value".into());
    }
    let carried = values.iter().filter(|(_, value)| !alike(*value, 0.0)).count();
    let sum: f64 = values.iter().map(|(_, value)| value).sum();
    let right = alike(sum, value) && carried <= 1;
    let in_words = |(pod, value): &(&String, f64)| {
        if pod.is_empty() { format!("{value}") } else { format!("{value} of {pod}") }
    };
    let words = || values.iter().map(in_words).collect::<Vec<_>>().join(", ");
    Ok((!right).then(words))
}
