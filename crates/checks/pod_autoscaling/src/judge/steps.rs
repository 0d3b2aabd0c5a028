//! Steps: what the metric asks for, and the replicas that come of it.

use super::history::{Closed, History, Reading};
use crate::plan::{LEAST, Name};
use crate::scaler::Scaler;
use aiconform_trial::{Came, met, unknown, unmet, worst};
use aiconform_verdict::Outcome;

/// Result of a step: the replicas that it must come to, or what else.
pub(super) fn came(history: &History, name: Name) -> Result<String, Outcome> {
    let Some(step) = history.step(name) else {
        return Err(unknown(history.lack("it was not come to")));
    };
    let Some(Closed { at: closed, why }) = &step.closed else {
        return Err(unknown(history.lack("the run ended before it was seen")));
    };
    let value = step.step.value.unwrap_or_default();
    if step.shown.is_none() {
        return Err(unknown(format!("the metrics API did not tell the value: {why}")));
    }
    let (scaler, replicas) = (history.scaler(step), history.finally(step).unwrap_or_default());
    let asked = format!("the pods say {value} in all for a target of {} each", history.facts.target);
    if replicas != step.step.replicas {
        // The value was told, and is not any more: who scales has nothing to go by.
        if let Some(Reading { values: Err(lost), .. }) = history.reading(step) {
            return Err(unknown(format!(
                "{asked}, and there are {replicas}; the metrics API does not tell the value any more: {lost}"
            )));
        }
        let events = history.changes(step).into_iter().map(|(at, _)| at).chain([*closed]);
        let said = Scaler::words(scaler);
        return Err(unmet(
            format!("{asked}, which makes {} replicas, and there are {replicas}; {said}", step.step.replicas),
            events,
        ));
    }
    if !why.is_empty() {
        return Err(unknown(why.clone()));
    }
    let begun = step.shown.unwrap_or(step.when);
    if let Came::Late(took) = history.decide.came(begun, step.decided) {
        return Err(history.decide.late(&format!("{asked}; the replicas became {replicas}"), took));
    }
    Ok(format!("{value} makes {replicas}"))
}

/// Several steps, all of which must come to what they must.
fn all_came(history: &History, names: &[Name]) -> Outcome {
    let (mut seen, mut lacks) = (Vec::new(), Vec::new());
    for name in names {
        match came(history, *name) {
            Ok(words) => seen.push(words),
            Err(outcome) => lacks.push(outcome),
        }
    }
    if let Some(worst) = worst(&lacks) {
        return worst.clone();
    }
    met(format!("for a target of {} each, {}", history.facts.target, seen.join(", then ")))
}

/// The replicas rise in two steps up, each to as many as the sum asks for.
pub fn rises_with_the_metric(history: &History) -> Outcome {
    // Of pods that do not come, another claim tells.
    for name in [Name::FirstUp, Name::SecondUp] {
        let decided = history.step(name).filter(|step| step.shown.is_some() && step.closed.is_some());
        if let Some(step) = decided
            && history.finally(step) == Some(step.step.replicas)
            && step.closed.as_ref().is_some_and(|closed| !closed.why.is_empty())
        {
            let before = history.steps.iter().position(|other| other.step.name == name).unwrap_or_default();
            if name == Name::FirstUp || before + 1 == history.steps.len() {
                return unknown(history.lack("the new pods did not come"));
            }
        }
    }
    all_came(history, &[Name::FirstUp, Name::SecondUp])
}

/// The replicas fall in one step down.
pub fn falls_with_the_metric(history: &History) -> Outcome {
    all_came(history, &[Name::Down])
}

/// A value that moves near its target is seen, and changes nothing.
pub fn rests_at_the_target(history: &History) -> Outcome {
    let Some(step) = history.step(Name::Rest) else {
        return unknown(history.lack("it was not come to"));
    };
    if step.shown.is_none() {
        return came(history, Name::Rest).err().unwrap_or_else(|| unknown("it was not told"));
    }
    if let Some((at, replicas)) = history.changes(step).first() {
        return unmet(
            format!(
                "the average moves to {} for a target of {}, which makes {} replicas as before, and they become {replicas}",
                step.step.value.unwrap_or_default() / step.step.replicas.max(1) as f64,
                history.facts.target,
                step.step.replicas
            ),
            [*at],
        );
    }
    match came(history, Name::Rest) {
        Err(outcome) => outcome,
        Ok(_) => {
            met(format!("{}; the replicas stay {}", Scaler::words(history.scaler(step)), step.step.replicas))
        }
    }
}

/// Replicas stay within the limits always, also where the metric asks for more and for less.
pub fn keeps_the_limits(history: &History) -> Outcome {
    let most = history.facts.most;
    let allowed = LEAST..=most;
    let outside = history
        .replicas
        .iter()
        .find(|replicas| replicas.at < history.over && !allowed.contains(&replicas.count));
    if let Some(outside) = outside {
        let witness = format!("{LEAST} to {most} replicas are allowed, and they become {}", outside.count);
        return unmet(witness, [outside.at]);
    }
    all_came(history, &[Name::Most, Name::Least])
}
