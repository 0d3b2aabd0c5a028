//! Claims on what must take no pod away and bring none: a pod of another namespace, and a metric that nobody says.

use super::history::History;
use super::metric::wrong;
use super::steps::came;
use crate::adapters::{alike, is_missing};
use crate::marks::DECOY;
use crate::plan::Name;
use crate::scaler::Scaler;
use aiconform_trial::{Came, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// The value of a pod of another namespace is told of that pod and changes nothing.
pub fn ignores_other_namespaces(history: &History) -> Outcome {
    if !history.facts.apart {
        return unknown(
            "all pods of the run are in the one namespace that the profile names, so that there is no other to ignore",
        );
    }
    let Some(step) = history.step(Name::Decoy) else {
        return unknown(history.lack("it was not come to"));
    };
    let values = history.answers(step).filter_map(|reading| reading.values.as_ref().ok()).flatten();
    let decoy =
        values.filter(|(pod, _)| pod.contains(DECOY)).any(|(_, value)| alike(*value, step.step.decoy));
    if let Some((at, replicas)) = history.changes(step).first() {
        return unmet(
            format!(
                "a pod of another namespace says {} under the same name, and the replicas become {replicas}",
                step.step.decoy
            ),
            [*at],
        );
    }
    let own = history.reading(step);
    let value = step.step.value.unwrap_or_default();
    if let (true, Some(reading)) = (decoy, own)
        && let Ok(Some(told)) = wrong(history, reading, value)
    {
        return unmet(
            format!(
                "the pods say {value} in all, a pod of another namespace says {}, and the metrics API tells {told}",
                step.step.decoy
            ),
            [reading.at],
        );
    }
    if !decoy {
        return unknown(
            history.lack("the metrics API does not tell what the pod of the other namespace says"),
        );
    }
    match came(history, Name::Decoy) {
        Err(outcome) => outcome,
        Ok(_) => met(format!(
            "a pod of another namespace says {}, and is told; the replicas stay {}, and {}",
            step.step.decoy,
            step.step.replicas,
            Scaler::words(history.scaler(step))
        )),
    }
}

/// No pod is taken away while nobody says the metric, and the autoscaler says that it lacks it.
pub fn keeps_pods_without_metric(history: &History) -> Outcome {
    let Some(step) = history.step(Name::Missing) else {
        return unknown(history.lack("it was not come to"));
    };
    let missing = history.reading(step).is_some_and(|reading| match &reading.values {
        Ok(values) => values.is_empty(),
        Err(_) => is_missing(history.source, reading.status, ""),
    });
    if !missing || step.shown.is_none() {
        return unknown(history.lack("the metrics API goes on telling the metric"));
    }
    let fewer = history.changes(step).into_iter().find(|(_, replicas)| *replicas < step.step.replicas);
    if let Some((at, replicas)) = fewer {
        return unmet(format!("nobody says the metric, and the replicas become {replicas}"), [at]);
    }
    let Some(closed) = &step.closed else {
        return unknown(history.lack("the run ended before it was seen"));
    };
    match history.scaler(step) {
        Some(scaler) if !scaler.active => {
            let mut words = history.scalers.iter().filter(|(at, ..)| *at > step.at);
            let said = words.find(|(.., scaler)| !scaler.active).map(|(_, when, _)| *when);
            if let Came::Late(took) = history.decide.came(step.shown.unwrap_or(step.when), said) {
                return history.decide.late("the autoscaler said that it lacks the metric", took);
            }
            met(format!("the replicas stay {}; {}", step.step.replicas, scaler.conditions))
        }
        scaler => unmet(
            format!(
                "the metrics API tells nothing, and the autoscaler does not say that it lacks the metric: {}",
                Scaler::words(scaler)
            ),
            [closed.at],
        ),
    }
}
