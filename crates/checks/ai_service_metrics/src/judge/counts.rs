//! Claims on counts: by the workload itself, and by the monitoring system.

use super::batches::{Expected, expected, in_words, last_of, number, of, sent_to_each, shown_since};
use super::history::History;
use crate::answer::Series;
use crate::marks::{Batch, COUNTER, DECLARED, GAUGE, PODS};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Labels that tell apart the members of one monitoring system that is there several times: their series are the same.
const REPLICAS: [&str; 5] =
    ["prometheus_replica", "replica", "__replica__", "receive_replica", "monitoring_replica"];

/// Control: the workload itself says what was sent to it, so that a wrong count is the monitoring system's.
pub fn workload_counts_right(history: &History) -> Outcome {
    let mut looked = 0;
    // Where it was not found no requests are sent; that it serves its metrics is known all the same.
    let begun = history.batch(Batch::First).is_some_and(|first| first.begin.is_some());
    let went_on = history.found.is_none() || begun || history.stopped.is_some();
    let batches = Batch::ALL.into_iter().filter(|_| went_on).map(Some);
    for batch in std::iter::once(None).chain(batches) {
        let settled = match batch {
            None => history.found.as_ref(),
            Some(batch) => history.batch(batch).and_then(|batch| batch.settled.as_ref()),
        };
        let Some(settled) = settled else {
            return unknown(history.lack("not all requests were sent and waited for"));
        };
        if let Err(outcome) = sent_to_each(history, batch) {
            return outcome;
        }
        for who in PODS {
            let name = history.pod(who);
            let Some(look) = history.of_pod(name, settled) else {
                return unknown(history.lack(&format!("the pod {name} was not asked itself")));
            };
            let series = match &look.answer {
                Ok(series) => series,
                Err(why) => return unknown(format!("the pod {name} itself: {why}")),
            };
            let wanted = expected(history, batch, who);
            let value = |metric| of(series, metric, who).find_map(Series::number);
            let says = (value(COUNTER), value(GAUGE));
            if says != (Some(number(wanted.done)), Some(number(wanted.running))) {
                let witness = format!(
                    "{} requests were answered by the pod {name} and {} run there; it says itself: {} and {}; someone else sends it requests",
                    wanted.done,
                    wanted.running,
                    in_words(says.0),
                    in_words(says.1)
                );
                return unmet(witness, [look.at]);
            }
            looked += 1;
        }
    }
    met(format!("asked {looked} times, its pods say exactly what was sent to them"))
}

/// After every batch the counter is what was sent until then.
pub fn counter_is_exact(history: &History) -> Outcome {
    followed(history, COUNTER, "answered", |expected| expected.done)
}

/// The gauge rises with requests that run, and falls when they are answered.
pub fn gauge_follows(history: &History) -> Outcome {
    followed(history, GAUGE, "running", |expected| expected.running)
}

fn followed(history: &History, metric: &str, what: &str, pick: fn(Expected) -> u64) -> Outcome {
    let mut longest = Duration::ZERO;
    let (mut seen, mut late) = (Vec::new(), None);
    for batch in Batch::ALL {
        let (look, series, waited) = match last_of(history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        let wanted = |who: &str| pick(expected(history, Some(batch), who));
        let values = |series: &[Series], who: &str| -> Vec<Option<f64>> {
            of(series, metric, who).map(Series::number).collect()
        };
        let right = |series: &[Series], who: &str| {
            let values = values(series, who);
            !values.is_empty() && values.iter().all(|value| *value == Some(number(wanted(who))))
        };
        for who in DECLARED {
            if !right(series, who) {
                let values: Vec<String> = values(series, who).into_iter().map(in_words).collect();
                let says = if values.is_empty() {
                    "has no such series".into()
                } else {
                    format!("says {}", values.join(" and "))
                };
                let witness = format!(
                    "{} requests to the pod {} are {what}, and {} s later the monitoring system {says} ({metric})",
                    wanted(who),
                    history.pod(who),
                    waited.as_secs()
                );
                return unmet(witness, [look.at]);
            }
            seen.push(wanted(who).to_string());
        }
        let whole = history.batch(batch).and_then(|batch| batch.whole.as_ref());
        late = late.or_else(|| {
            let both = |series: &[Series]| DECLARED.iter().all(|who| right(series, who));
            let since = shown_since(history, whole?, both)?;
            let requests = format!("requests that are {what} were shown ({metric})");
            history.show.too_late(&requests, whole?.when, since)
        });
        longest = longest.max(waited);
    }
    late.unwrap_or_else(|| {
        met(format!(
            "of two pods, after each of {} batches: {}; at the latest after {} ms",
            Batch::ALL.len(),
            seen.join(", "),
            longest.as_millis()
        ))
    })
}

/// One pod's counter is one series.
pub fn counted_once(history: &History) -> Outcome {
    for batch in Batch::ALL {
        let (look, answer, _) = match last_of(history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        for who in DECLARED {
            let bare = |series: &Series| {
                let labels = series.labels.iter().filter(|(name, _)| !REPLICAS.contains(&name.as_str()));
                labels.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>()
            };
            let series: BTreeSet<BTreeMap<String, String>> = of(answer, COUNTER, who).map(bare).collect();
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
                return unmet(witness, [look.at]);
            }
        }
    }
    met(format!("one series of {COUNTER} for each of {} pods", DECLARED.len()))
}
