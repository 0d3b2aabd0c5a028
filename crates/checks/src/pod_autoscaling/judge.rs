//! From evidence to outcomes: pure functions.

mod pods;

use self::pods::hindered;
use super::adapters::{Source, alike, is_missing};
use super::history::{History, Reading, Stepped, words};
use super::objects::{DECOY, SCALED, autoscalers};
use super::plan::{LEAST, Name};
use crate::foreign;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;
use std::collections::BTreeSet;

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    if let Some(why) = gap(events, subject) {
        return Some(why);
    }
    let history = History::of(events, subject);
    let asked = subject.facts.get("asked_by").and_then(Value::as_str).unwrap_or_default();
    let by_claim = subject.facts.get("given_by").and_then(Value::as_str) == Some("dra");
    let before_undoing = |at: u64| history.over.is_none_or(|over| at < over);
    for (at, change, pod) in history.pods.iter().filter(|(at, ..)| before_undoing(*at)) {
        let name = pod.name();
        if *change == Change::Added && !asks(pod, asked, by_claim) {
            return Some(format!(
                "the pod {name} was changed on its way in (event {at}): it does not ask for {asked} any more; a webhook or policy of the platform rewrites pods"
            ));
        }
    }
    if let Some(why) = lost_carrier(&history) {
        return Some(why);
    }
    for (at, _, scaler) in history.scalers.iter().filter(|(at, ..)| before_undoing(*at)) {
        let (least, most, target) = scaler.told;
        let kept = least == Some(LEAST) && most == Some(history.most);
        if !kept || !target.is_some_and(|target| alike(target, history.target)) {
            return Some(format!(
                "someone changed the HorizontalPodAutoscaler (event {at}): it is told {least:?} to {most:?} replicas and an average of {target:?}"
            ));
        }
    }
    // What it has never wanted, nobody but someone else has made.
    let wanted: BTreeSet<u64> = history.scalers.iter().filter_map(|(.., scaler)| scaler.wants).collect();
    let strange = history.replicas.iter().find(|(at, _, replicas)| {
        before_undoing(*at) && *replicas != 1 && !wanted.is_empty() && !wanted.contains(replicas)
    });
    strange.map(|(at, _, replicas)| {
        format!("someone else than the autoscaler scaled the Deployment to {replicas} (event {at}): it has never wanted that")
    })
}

/// A watch on what the claims stand on was interrupted while the subject was tried.
fn gap(events: &[&Event], subject: &Subject) -> Option<String> {
    let mut acting = false;
    for event in events {
        let ours = event.scope.subject == subject.id;
        match &event.kind {
            EventKind::SubjectStarted { .. } if ours => acting = true,
            EventKind::SubjectEnded {} if ours => acting = false,
            EventKind::WatchGap { kind, .. }
                if acting && [Kind::pod(), Kind::deployment(), autoscalers()].contains(kind) =>
            {
                return foreign::gap(&event.kind);
            }
            _ => {}
        }
    }
    None
}

/// Whether a pod asks for an accelerator in the way that it was sent with.
fn asks(pod: &Object, asked: &str, by_claim: bool) -> bool {
    if by_claim {
        let claims = pod.at("/spec/resourceClaims").and_then(Value::as_array);
        return claims.is_some_and(|claims| !claims.is_empty());
    }
    let limits = pod.at("/spec/containers/0/resources/limits");
    limits.and_then(|limits| limits.get(asked)).is_some()
}

/// The pod that says the value is the one that what follows stands on.
fn lost_carrier(history: &History) -> Option<String> {
    let first = history.pods.first().map(|(.., pod)| pod.name().to_owned())?;
    history.pods.iter().find_map(|(at, change, pod)| {
        let lost = *change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some();
        let ours = history.over.is_some_and(|over| *at > over);
        (lost && !ours && pod.name() == first).then(|| {
            format!("the pod {first}, which says the metric, was deleted (event {at}), although it is marked to be kept when others go")
        })
    })
}

/// Whether it stands on simulated devices: no driver stands behind them.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    let history = History::of(events, subject);
    history.given.iter().any(|(_, looked)| {
        !looked.look.sockets.is_empty() || looked.look.devices.iter().any(|seen| seen.opening.has_no_driver())
    })
}

/// Control: the metrics API tells of each pod what the pod says. Of steps that are about what it must not tell, their own
/// claims are.
pub fn metric_is_read_as_set(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let own = |step: &&Stepped| step.value.is_some() && step.name != Name::Decoy.word();
    let mut read = Vec::new();
    for step in history.steps.iter().filter(own) {
        let value = step.value.unwrap_or_default();
        let Some(reading) = history.reading(step, true) else {
            return unknown(history.lack("the metrics API was not asked"));
        };
        match wrong(&history, reading, value) {
            Ok(None) => read.push(format!("{value}")),
            Ok(Some(told)) => {
                return unmet(
                    format!(
                        "the pods say {value} in all, and the metrics API tells {told}: what lies between changes the metric, or gathers it for longer"
                    ),
                    vec![reading.sequence],
                );
            }
            Err(why) => {
                return unknown(format!(
                    "the metrics API tells nothing of the pods that say {value}: {why}; {}",
                    whether(history.source, subject)
                ));
            }
        }
    }
    if read.is_empty() {
        return unknown(history.lack("the metrics API was not asked"));
    }
    met(format!("set and read: {}", read.join(", ")))
}

/// What to look at where a metric is not told.
fn whether(source: Source, subject: &Subject) -> String {
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
        subject.facts.get("metric").and_then(Value::as_str).unwrap_or_default(),
        source.group(),
    )
}

/// Whether each pod is told of by itself.
pub fn is_of_pods(subject: &Subject) -> bool {
    Source::of(&subject.id).is_of_pods()
}

/// What an answer tells of the scaled pods when that is not one of them with this value and the others with 0. What is not
/// told by pod is the sum.
fn wrong(history: &History, reading: &Reading, value: f64) -> Result<Option<String>, String> {
    let own = |pod: &str| !history.source.is_of_pods() || pod.contains(SCALED);
    let told: Vec<(&String, f64)> = match &reading.values {
        Ok(values) => values.iter().filter(|(pod, _)| own(pod)).map(|(pod, it)| (pod, *it)).collect(),
        Err(why) => return Err(why.clone()),
    };
    if told.is_empty() {
        return Err("it lists no value".into());
    }
    let carried = told.iter().filter(|(_, told)| !alike(*told, 0.0)).count();
    let sum: f64 = told.iter().map(|(_, told)| told).sum();
    let right = alike(sum, value) && carried <= 1;
    let of = |(pod, told): &(&String, f64)| {
        if pod.is_empty() { format!("{told}") } else { format!("{told} of {pod}") }
    };
    let words = || told.iter().map(of).collect::<Vec<_>>().join(", ");
    Ok((!right).then(words))
}

/// Control: a pod without an accelerator does not reach all that a pod with one reaches.
pub fn plain_pod_has_no_accelerator(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(plain), Some((at, first))) = (&history.plain, history.given.first()) else {
        return unknown(history.lack("no pod was asked what it sees"));
    };
    let (own, theirs) = (first.reaches(Some(plain)), plain.reaches(None));
    if own.is_empty() && !theirs.is_empty() {
        return unmet(
            format!(
                "the pod {} asks for no accelerator and reaches {}, as {} does, which asks for one: who has one cannot be told",
                plain.pod,
                theirs.join(", "),
                first.pod
            ),
            vec![*at],
        );
    }
    met(format!(
        "{} asks for none and reaches {}",
        plain.pod,
        if theirs.is_empty() { "none".into() } else { theirs.join(", ") }
    ))
}

/// What a step came to: the replicas that it must, or what else.
fn came(history: &History, name: Name) -> Result<String, Outcome> {
    let Some(step) = history.step(name) else {
        return Err(unknown(history.lack("it was not come to")));
    };
    let Some((closed, why)) = &step.closed else {
        return Err(unknown(history.lack("the run ended before it was seen")));
    };
    let value = step.value.unwrap_or_default();
    if step.shown.is_none() {
        return Err(unknown(format!("the metrics API did not tell the value: {why}")));
    }
    let (scaler, replicas) = (history.scaler(step), history.finally(step).unwrap_or_default());
    let asked = format!("the pods say {value} in all for a target of {} each", history.target);
    if replicas != step.replicas {
        // The value was told, and is not any more: who scales has nothing to go by.
        if let Some(Reading { values: Err(lost), .. }) = history.reading(step, true) {
            return Err(unknown(format!(
                "{asked}, and there are {replicas}; the metrics API does not tell the value any more: {lost}"
            )));
        }
        let events = history.changes(step).map(|(at, _)| at).chain([*closed]).collect();
        let said = words(scaler);
        return Err(unmet(
            format!("{asked}, which makes {} replicas, and there are {replicas}; {said}", step.replicas),
            events,
        ));
    }
    if !why.is_empty() {
        return Err(unknown(why.clone()));
    }
    Ok(format!("{value} makes {replicas}"))
}

/// Several steps, all of which must come to what they must.
fn all_came(history: &History, names: &[Name]) -> Outcome {
    let mut seen = Vec::new();
    for name in names {
        match came(history, *name) {
            Ok(words) => seen.push(words),
            Err(outcome) => return outcome,
        }
    }
    met(format!("for a target of {} each, {}", history.target, seen.join(", then ")))
}

/// Two steps up, each to as many replicas as the sum asks for.
pub fn rises_with_the_metric(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    // Of pods that do not come, another claim tells.
    for name in [Name::FirstUp, Name::SecondUp] {
        let decided = history.step(name).filter(|step| step.shown.is_some() && step.closed.is_some());
        if let Some(step) = decided
            && history.finally(step) == Some(step.replicas)
            && step.closed.as_ref().is_some_and(|(_, why)| !why.is_empty())
        {
            let before = history.steps.iter().position(|other| other.name == step.name).unwrap_or_default();
            if name == Name::FirstUp || before + 1 == history.steps.len() {
                return unknown(history.lack("the new pods did not come"));
            }
        }
    }
    all_came(&history, &[Name::FirstUp, Name::SecondUp])
}

/// One step down.
pub fn falls_with_the_metric(events: &[&Event], subject: &Subject) -> Outcome {
    all_came(&History::of(events, subject), &[Name::Down])
}

/// As many pods run as replicas, each on a node with accelerators and with one that a plain pod does not reach.
pub fn new_pods_have_accelerators(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let ups: Vec<&Stepped> =
        [Name::FirstUp, Name::SecondUp].iter().filter_map(|name| history.step(*name)).collect();
    for step in &ups {
        let Some((closed, why)) = &step.closed else { break };
        let asked_there = history.given.iter().filter(|(at, _)| *at > step.begin.0 && at < closed).count();
        // Replicas are there and no pod was asked: it did not run.
        if step.decided.is_some() && asked_there == 0 && !why.is_empty() {
            if let Some(hindered) = hindered(&history, step.replicas, *closed) {
                return unknown(format!("{} replicas are wanted, and {hindered}", step.replicas));
            }
            return unmet(format!("{} replicas are wanted, and {why}", step.replicas), vec![*closed]);
        }
    }
    let Some(plain) = &history.plain else {
        return unknown(history.lack("no pod was asked what it sees"));
    };
    let mut seen = Vec::new();
    for (at, looked) in &history.given {
        let own = looked.reaches(Some(plain));
        if own.is_empty() {
            return unmet(
                format!("the pod {} asks for an accelerator and reaches none", looked.pod),
                vec![*at],
            );
        }
        if !history.nodes.contains(&looked.node) {
            return unmet(
                format!("the pod {} runs on {}, which has no such accelerator", looked.pod, looked.node),
                vec![*at],
            );
        }
        if let Some(other) = history.given.iter().find(|(_, other)| looked.has_nothing_beside(other, plain)) {
            return unknown(format!(
                "the pods {} and {} on {} reach the same ({}): whether each has one of its own cannot be told",
                looked.pod,
                other.1.pod,
                looked.node,
                own.join(", ")
            ));
        }
        seen.push(format!("{} on {}", own.join(" and "), looked.node));
    }
    let most = usize::try_from(history.most).unwrap_or(usize::MAX);
    if seen.len() < most {
        return unknown(history.lack("not as many pods were asked as must have come"));
    }
    met(seen.join(", "))
}

/// A value that moves near its target is seen, and changes nothing.
pub fn rests_at_the_target(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(step) = history.step(Name::Rest) else {
        return unknown(history.lack("it was not come to"));
    };
    if step.shown.is_none() {
        return came(&history, Name::Rest).err().unwrap_or_else(|| unknown("it was not told"));
    }
    let changes: Vec<(u64, u64)> = history.changes(step).collect();
    if let Some((at, replicas)) = changes.first() {
        return unmet(
            format!(
                "the average moves to {} for a target of {}, which makes {} replicas as before, and they become {replicas}",
                step.value.unwrap_or_default() / step.replicas.max(1) as f64,
                history.target,
                step.replicas
            ),
            vec![*at],
        );
    }
    match came(&history, Name::Rest) {
        Err(outcome) => outcome,
        Ok(_) => met(format!("{}; the replicas stay {}", words(history.scaler(step)), step.replicas)),
    }
}

/// Replicas stay within the limits always, also where the metric asks for more and for less.
pub fn keeps_the_limits(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let over = history.over.unwrap_or(u64::MAX);
    let outside = history
        .replicas
        .iter()
        .find(|(at, _, replicas)| *at < over && (*replicas < LEAST || *replicas > history.most));
    if let Some((at, _, replicas)) = outside {
        return unmet(
            format!("{LEAST} to {} replicas are allowed, and they become {replicas}", history.most),
            vec![*at],
        );
    }
    all_came(&history, &[Name::Most, Name::Least])
}

/// What a pod of another namespace says is told of that pod and changes nothing.
pub fn ignores_other_namespaces(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    if subject.facts.get("apart").and_then(Value::as_bool) != Some(true) {
        return unknown(
            "all pods of the run are in the one namespace that the profile names, so that there is no other to ignore",
        );
    }
    let Some(step) = history.step(Name::Decoy) else {
        return unknown(history.lack("it was not come to"));
    };
    let end = history.end(step);
    let told =
        history.readings.iter().filter(|reading| reading.sequence > step.begin.0 && reading.sequence < end);
    let told = told.filter_map(|reading| reading.values.as_ref().ok()).flatten();
    let decoy = told.filter(|(pod, _)| pod.contains(DECOY)).any(|(_, value)| alike(*value, step.decoy));
    let changes: Vec<(u64, u64)> = history.changes(step).collect();
    if let Some((at, replicas)) = changes.first() {
        return unmet(
            format!(
                "a pod of another namespace says {} under the same name, and the replicas become {replicas}",
                step.decoy
            ),
            vec![*at],
        );
    }
    let own = history.reading(step, true);
    let value = step.value.unwrap_or_default();
    if let (true, Some(reading)) = (decoy, own)
        && let Ok(Some(told)) = wrong(&history, reading, value)
    {
        return unmet(
            format!(
                "the pods say {value} in all, a pod of another namespace says {}, and the metrics API tells {told}",
                step.decoy
            ),
            vec![reading.sequence],
        );
    }
    if !decoy {
        return unknown(
            history.lack("the metrics API does not tell what the pod of the other namespace says"),
        );
    }
    match came(&history, Name::Decoy) {
        Err(outcome) => outcome,
        Ok(_) => met(format!(
            "a pod of another namespace says {}, and is told; the replicas stay {}, and {}",
            step.decoy,
            step.replicas,
            words(history.scaler(step))
        )),
    }
}

/// No pod is taken away while nobody says the metric, and the autoscaler says that it lacks it.
pub fn keeps_pods_without_metric(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(step) = history.step(Name::Missing) else {
        return unknown(history.lack("it was not come to"));
    };
    let missing = history.reading(step, true).is_some_and(|reading| match &reading.values {
        Ok(values) => values.is_empty(),
        Err(_) => is_missing(history.source, reading.status, ""),
    });
    if !missing || step.shown.is_none() {
        return unknown(history.lack("the metrics API goes on telling the metric"));
    }
    let fewer = history.changes(step).find(|(_, replicas)| *replicas < step.replicas);
    if let Some((at, replicas)) = fewer {
        return unmet(format!("nobody says the metric, and the replicas become {replicas}"), vec![at]);
    }
    let Some((closed, _)) = &step.closed else {
        return unknown(history.lack("the run ended before it was seen"));
    };
    match history.scaler(step) {
        Some(scaler) if !scaler.active => {
            met(format!("the replicas stay {}; {}", step.replicas, scaler.said))
        }
        scaler => unmet(
            format!(
                "the metrics API tells nothing, and the autoscaler does not say that it lacks the metric: {}",
                words(scaler)
            ),
            vec![*closed],
        ),
    }
}
