//! From evidence to outcomes: pure functions.

mod beyond;
mod histogram;

pub use beyond::{gone_is_told_no_more, labels_name_the_pod, undeclared_is_left_alone};
pub use histogram::histogram_is_whole;

use super::answer::Series;
use super::history::{COUNTER, DECLARED, GAUGE, History, Look, Phase, UNDECLARED, WHO};
use crate::foreign::holds;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Under this name the facts of a subject say that an object of the platform selects what the run declares.
pub const SELECTED: &str = "selected";
/// The batches of requests, in their order.
const BATCHES: [&str; 3] = ["first", "held", "released"];
/// Labels that tell apart the members of one monitoring system that is there several times: their series are the same.
const REPLICAS: [&str; 5] =
    ["prometheus_replica", "replica", "__replica__", "receive_replica", "monitoring_replica"];

pub(super) fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

pub(super) fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

pub(super) fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// What must be counted of a pod after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    /// Requests that were answered.
    pub done: u64,
    /// Requests that run.
    pub running: u64,
}

/// What must be counted of a pod after one of the batches.
fn expected(history: &History, batch: &str, who: &str) -> Expected {
    let of = |batch: &str| history.sent(batch).get(who).copied().unwrap_or_default();
    match batch {
        "found" => Expected { done: 0, running: 0 },
        "first" => Expected { done: of("first"), running: 0 },
        "held" => Expected { done: of("first"), running: of("held") },
        _ => Expected { done: of("first") + of("held"), running: 0 },
    }
}

/// Whether requests were sent to each declared pod until a batch: without them every count is nought, and so is that of a
/// monitoring system that counts nothing.
///
/// # Errors
/// The outcome, where the evidence does not say so.
fn sent_to_each(history: &History, batch: &str) -> Result<(), Outcome> {
    let until: &[&str] = match batch {
        "found" => &[],
        "first" => &["first"],
        _ => &["first", "held"],
    };
    for batch in until {
        let sent = history.sent(batch);
        if let Some(who) = DECLARED.iter().find(|who| sent.get(*who).is_none_or(|count| *count == 0)) {
            return Err(unknown(history.lack(&format!(
                "the evidence does not say that requests were sent to the pod {} ({batch})",
                history.pod(who)
            ))));
        }
    }
    Ok(())
}

/// Series of one metric of one pod.
pub(super) fn of<'a>(series: &'a [Series], name: &'a str, who: &'a str) -> impl Iterator<Item = &'a Series> {
    series.iter().filter(move |series| series.name == name && series.label(WHO) == who)
}

/// What was told last of a batch, once everything of it was sent and had the time to show; and how long that took. When the
/// last answer tells nothing, an earlier one says nothing of the end.
///
/// # Errors
/// The outcome, where nothing is known.
pub(super) fn last_of<'a>(
    history: &'a History,
    batch: &str,
) -> Result<(&'a Look, &'a [Series], i64), Outcome> {
    let marks = (history.phase(&format!("{batch}_sent")), history.phase(&format!("{batch}_settled")));
    let (Some(sent), Some(settled)) = marks else {
        return Err(unknown(history.lack("not all requests were sent and waited for")));
    };
    sent_to_each(history, batch)?;
    let (look, told) = newest(history, sent, "after the requests")?;
    Ok((look, told, settled.at - sent.at))
}

/// The last look of a phase, and what it tells.
///
/// # Errors
/// The outcome, where there is none, or it tells nothing.
pub(super) fn newest<'a>(
    history: &'a History,
    phase: &'a Phase,
    when: &str,
) -> Result<(&'a Look, &'a [Series]), Outcome> {
    let lack = || unknown(history.lack(&format!("the monitoring system gave no whole answer {when}")));
    let look = history.within(&history.looks, phase).next_back().ok_or_else(lack)?;
    match &look.told {
        Ok(told) => Ok((look, told)),
        Err(why) => Err(unknown(format!("the monitoring system gave no whole answer at last {when}; {why}"))),
    }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let history = History::of(events);
    let over = history.phase("over").map_or(u64::MAX, |phase| phase.begin);
    let made = history.phase("made").map_or(u64::MAX, |phase| phase.begin);
    let ours = history.phase("deleted").filter(|phase| phase.begin < over);
    let parts =
        |key: &str| history.phase("made").and_then(|made| made.data.get(key)).cloned().unwrap_or_default();
    let (sent, admitted) = (parts("sent"), parts("admitted"));
    for (who, sent) in sent.as_object().into_iter().flatten() {
        if !holds(Some(sent), admitted.get(who)) {
            return Some(format!(
                "the test pod {} was changed on its way in: {sent} was sent, and it has {}; a webhook or policy of the platform rewrites pods",
                history.pod(who),
                admitted.get(who).cloned().unwrap_or_default()
            ));
        }
    }
    // What is not seen after an early end is our own undoing.
    let ends = |event: &&&Event| match &event.kind {
        EventKind::SubjectEnded {} => event.scope.subject == subject.id,
        EventKind::Stopped { .. } => event.scope.subject.is_empty(),
        _ => false,
    };
    let ended = events.iter().find(ends).map_or(u64::MAX, |event| event.sequence);
    events.iter().filter(|event| event.sequence < over && event.sequence > made).find_map(|event| {
        if let EventKind::WatchGap { kind, why } = &event.kind {
            return (*kind == Kind::pod() && event.sequence < ended).then(|| {
                format!(
                    "the watch on {} was interrupted ({why}): what happened to the test pods meanwhile was not seen",
                    kind.plural
                )
            });
        }
        let EventKind::Watch { object, change, .. } = &event.kind else { return None };
        let who = [DECLARED[0], DECLARED[1], UNDECLARED];
        let who = who.into_iter().find(|who| history.pod(who) == object.name())?;
        if who == DECLARED[0] && ours.is_some_and(|deleted| deleted.begin < event.sequence) {
            return None;
        }
        disturbed(object, *change, event.sequence)
    })
}

/// Whether a pod did not stay as it was.
fn disturbed(pod: &Object, change: Change, at: u64) -> Option<String> {
    let name = pod.name();
    if change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some() {
        return Some(format!("the test pod {name} was deleted by someone else (event {at})"));
    }
    // Also while its container is started again, and counts from nothing.
    pod.condition_is("Ready", "False").then(|| {
        format!(
            "the test pod {name} was not ready for a while (event {at}), as when its node {} goes away",
            pod.text("/spec/nodeName")
        )
    })
}

/// Control: what the workload itself says is what was sent to it, so that a wrong count is the monitoring system's.
pub fn workload_counts_right(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let mut looked = 0;
    // Where it was not found no requests are sent; that it serves its metrics is known all the same.
    let went_on =
        history.phase("found").is_none() || history.phase("first").is_some() || history.stopped.is_some();
    let batches = BATCHES.map(|batch| (batch, format!("{batch}_settled")));
    let asked = batches.into_iter().filter(|_| went_on);
    for (batch, settled) in std::iter::once(("found", "found".to_owned())).chain(asked) {
        let Some(settled) = history.phase(&settled) else {
            return unknown(history.lack("not all requests were sent and waited for"));
        };
        if let Err(outcome) = sent_to_each(&history, batch) {
            return outcome;
        }
        for who in [DECLARED[0], DECLARED[1], UNDECLARED] {
            let name = history.pod(who);
            let here = format!("/pods/{name}:");
            let Some(look) =
                history.within(&history.direct, settled).rev().find(|look| look.place.contains(&here))
            else {
                return unknown(history.lack(&format!("the pod {name} was not asked itself")));
            };
            let told = match &look.told {
                Ok(told) => told,
                Err(why) => return unknown(format!("the pod {name} itself: {why}")),
            };
            let wanted = expected(&history, batch, who);
            let value = |metric| of(told, metric, who).find_map(Series::number);
            let says = (value(COUNTER), value(GAUGE));
            if says != (Some(number(wanted.done)), Some(number(wanted.running))) {
                let witness = format!(
                    "{} requests were answered by the pod {name} and {} run there; it says itself: {} and {}; someone else sends it requests",
                    wanted.done,
                    wanted.running,
                    words(says.0),
                    words(says.1)
                );
                return unmet(witness, vec![look.sequence]);
            }
            looked += 1;
        }
    }
    met(format!("asked {looked} times, its pods say exactly what was sent to them"))
}

#[allow(clippy::cast_precision_loss, reason = "requests are far below 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

pub(super) fn words(value: Option<f64>) -> String {
    value.map_or("nothing".into(), |value| value.to_string())
}

/// Whether the monitoring system goes by this way of declaring at all.
pub fn way_is_in_force(events: &[&Event], subject: &Subject) -> Outcome {
    if subject.declared {
        return met("it was named by the user");
    }
    if subject.facts.get(SELECTED).and_then(Value::as_bool) == Some(true) {
        return met("an object of the platform selects what is declared so");
    }
    match workload_is_discovered(events, subject) {
        Outcome::Met { .. } => met("what is declared so is found"),
        Outcome::Unmet { witness, events } => unmet(
            format!(
                "{witness}; nothing says that it goes by this way, and if it should, name it: --adapter {}",
                subject.id
            ),
            events,
        ),
        unknown @ Outcome::Unknown { .. } => unknown,
    }
}

/// Series of both declared pods come to the monitoring system.
pub fn workload_is_discovered(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let (Some(look), Some(end)) = (history.phase("look"), history.phase("found")) else {
        return unknown(history.lack("it was not waited until the workload was found"));
    };
    let mut places: BTreeMap<&str, Vec<&Look>> = BTreeMap::new();
    for looked in history.within(&history.looks, look) {
        places.entry(&looked.place).or_default().push(looked);
    }
    let seconds = (end.at - look.at) / 1000;
    let finds = |looked: &&Look| {
        let told = looked.told.as_deref().unwrap_or_default();
        DECLARED.iter().all(|who| told.iter().any(|series| series.label(WHO) == *who))
    };
    for (place, looks) in &places {
        if let Some(first) = looks.iter().copied().find(finds) {
            let after = first.between.1 - look.at;
            let count = first.told.as_ref().map_or(0, Vec::len);
            return met(format!("{place} tells {count} series of its pods, {after} ms after they ran"));
        }
    }
    // A place that told nothing at the end may have had them then.
    for (place, looks) in &places {
        if let Some(Err(why)) = looks.last().map(|look| look.told.as_ref()) {
            return unknown(format!("{place}: {why}"));
        }
    }
    let Some(last) = places.values().filter_map(|looks| looks.last()).max_by_key(|look| look.sequence) else {
        return unknown(history.lack("no monitoring system was asked"));
    };
    let there: BTreeSet<&str> =
        last.told.iter().flatten().map(|series| series.label(WHO)).filter(|who| !who.is_empty()).collect();
    let lacking = DECLARED.iter().filter(|who| !there.contains(**who)).map(|who| history.pod(who));
    let lacking: Vec<&str> = lacking.collect();
    let asked: Vec<&str> = places.keys().copied().collect();
    let witness =
        format!("within {seconds} s no series of {} came to {}", lacking.join(" and "), asked.join(", "));
    unmet(witness, vec![last.sequence])
}

/// After every batch the counter is what was sent until then.
pub fn counter_is_exact(events: &[&Event], _: &Subject) -> Outcome {
    followed(&History::of(events), COUNTER, "answered", |expected| expected.done)
}

/// The gauge rises with requests that run, and falls when they are answered.
pub fn gauge_follows(events: &[&Event], _: &Subject) -> Outcome {
    followed(&History::of(events), GAUGE, "running", |expected| expected.running)
}

fn followed(history: &History, metric: &str, what: &str, pick: fn(Expected) -> u64) -> Outcome {
    let mut longest = 0;
    let mut seen = Vec::new();
    for batch in BATCHES {
        let (look, told, waited) = match last_of(history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        for who in DECLARED {
            let wanted = pick(expected(history, batch, who));
            let values: Vec<Option<f64>> = of(told, metric, who).map(Series::number).collect();
            let right = !values.is_empty() && values.iter().all(|value| *value == Some(number(wanted)));
            if !right {
                let values: Vec<String> = values.into_iter().map(words).collect();
                let says = if values.is_empty() {
                    "has no such series".into()
                } else {
                    format!("says {}", values.join(" and "))
                };
                let witness = format!(
                    "{wanted} requests to the pod {} are {what}, and {} s later the monitoring system {says} ({metric})",
                    history.pod(who),
                    waited / 1000
                );
                return unmet(witness, vec![look.sequence]);
            }
            seen.push(wanted.to_string());
        }
        longest = longest.max(waited);
    }
    met(format!(
        "of two pods, after each of {} batches: {}; at the latest after {longest} ms",
        BATCHES.len(),
        seen.join(", ")
    ))
}

/// One pod's counter is one series.
pub fn counted_once(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    for batch in BATCHES {
        let (look, told, _) = match last_of(&history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        for who in DECLARED {
            let bare = |series: &Series| {
                let labels = series.labels.iter().filter(|(name, _)| !REPLICAS.contains(&name.as_str()));
                labels.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>()
            };
            let series: BTreeSet<BTreeMap<String, String>> = of(told, COUNTER, who).map(bare).collect();
            let mut all = series.iter();
            let (Some(one), second) = (all.next(), all.next()) else {
                return unknown(history.lack(&format!("no counter of {} is told", history.pod(who))));
            };
            if let Some(two) = second {
                let differ = one.iter().chain(two).map(|(name, _)| name);
                let differ: BTreeSet<String> = differ
                    .filter(|name| one.get(*name) != two.get(*name))
                    .map(|name| {
                        let value =
                            |labels: &BTreeMap<String, String>| labels.get(name).cloned().unwrap_or_default();
                        format!("{name} is {:?} and {:?}", value(one), value(two))
                    })
                    .collect();
                let witness = format!(
                    "{COUNTER} of the pod {} is there {} times, so that its requests count as often: {}",
                    history.pod(who),
                    series.len(),
                    differ.into_iter().collect::<Vec<_>>().join(", ")
                );
                return unmet(witness, vec![look.sequence]);
            }
        }
    }
    met(format!("one series of {COUNTER} for each of {} pods", DECLARED.len()))
}

/// Milliseconds from a phase's mark to the end of a look.
pub(super) fn since(phase: &Phase, look: &Look) -> i64 {
    look.between.1 - phase.at
}
