//! Claim that the workload is found.

use super::history::{History, Look};
use crate::marks::{DECLARED, WHO};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// The monitoring system goes by this way of declaring at all.
pub fn way_is_in_force(history: &History) -> Outcome {
    if history.declared {
        return met("it was named by the user");
    }
    if history.facts.selected {
        return met("an object of the platform selects what is declared so");
    }
    match workload_is_discovered(history) {
        Outcome::Met { .. } => met("what is declared so is found"),
        Outcome::Unmet { witness, events } => {
            let witness = format!(
                "{witness}; nothing says that it goes by this way, and if it should, name it: --adapter {}",
                history.way
            );
            Outcome::Unmet { witness, events }
        }
        unknown @ Outcome::Unknown { .. } => unknown,
    }
}

/// Series of both declared pods come to the monitoring system.
pub fn workload_is_discovered(history: &History) -> Outcome {
    let (Some(look), Some(end)) = (&history.look, &history.found) else {
        return unknown(history.lack("it was not waited until the workload was found"));
    };
    let mut places: BTreeMap<&str, Vec<&Look>> = BTreeMap::new();
    for looked in history.within(&history.looks, look) {
        places.entry(&looked.place).or_default().push(looked);
    }
    let seconds = end.when.since(look.when).as_secs();
    let finds = |looked: &&Look| {
        let series = looked.answer.as_deref().unwrap_or_default();
        DECLARED.iter().all(|who| series.iter().any(|series| series.label(WHO) == *who))
    };
    let mut late = None;
    for (place, looks) in &places {
        if let Some(first) = looks.iter().copied().find(finds) {
            let what = format!("series of its pods came to {place}");
            if let Some(outcome) = history.find.too_late(&what, look.when, first.when) {
                late = Some(outcome);
                continue;
            }
            let after = first.when.since(look.when).as_millis();
            let count = first.answer.as_ref().map_or(0, Vec::len);
            return met(format!("{place} tells {count} series of its pods, {after} ms after they ran"));
        }
    }
    if let Some(late) = late {
        return late;
    }
    // A place that told nothing at the end may have had them then.
    for (place, looks) in &places {
        if let Some(Err(why)) = looks.last().map(|look| look.answer.as_ref()) {
            return unknown(format!("{place}: {why}"));
        }
    }
    let Some(last) = places.values().filter_map(|looks| looks.last()).max_by_key(|look| look.at) else {
        return unknown(history.lack("no monitoring system was asked"));
    };
    let there: BTreeSet<&str> =
        last.answer.iter().flatten().map(|series| series.label(WHO)).filter(|who| !who.is_empty()).collect();
    let lacking = DECLARED.iter().filter(|who| !there.contains(**who)).map(|who| history.pod(who));
    let lacking: Vec<&str> = lacking.collect();
    let asked: Vec<&str> = places.keys().copied().collect();
    let witness =
        format!("within {seconds} s no series of {} came to {}", lacking.join(" and "), asked.join(", "));
    unmet(witness, [last.at])
}
