//! Claims on pods that reach a device which they were not given.

use super::granted::{Granted, Nodes};
use super::ground;
use super::history::{History, looks_or_tries, tries};
use super::reach::{Reach, reach};
use crate::marks::{ASKING, ASKS, MAIN, MAKER, MAKES, Mark, NULL, PLAIN, SIBLINGS};
use aiconform_model::probe::{Access, Number};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::BTreeSet;

/// Judges containers that may have nothing: in every phase of the tries, and at least in the last of them.
fn have_nothing<'a>(
    history: &History,
    granted: &Granted,
    containers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Outcome {
    let mut words = Vec::new();
    for (pod, container) in containers {
        let place = history.pod(pod).and_then(|pod| pod.bound.as_ref()).map(|(_, node)| node.as_str());
        if place != Some(granted.node.as_str()) {
            return unknown(
                history.lack(&format!("{pod} was not on {}, where the devices are", granted.node)),
            );
        }
        let mut last = None;
        for sight in history.saw(pod, container, looks_or_tries) {
            // Only what was tried when it was known what to try is a try.
            let forbidden = if tries(&sight.during) { &granted.nodes } else { &Nodes::new() };
            match reach(sight, forbidden, &BTreeSet::new()) {
                Reach::Something(what) => {
                    return unmet(
                        format!(
                            "container {container} of {pod}, which asked for nothing, on {}: {what}",
                            granted.node
                        ),
                        [sight.at],
                    );
                }
                Reach::Open(why) => return unknown(format!("container {container} of {pod}: {why}")),
                Reach::Nothing(tried) => last = Some(tried).filter(|_| tries(&sight.during)),
            }
        }
        match last {
            Some(tried) => words.push(format!("{container} of {pod}: {tried}")),
            None => return unknown(history.lack(&format!("{container} of {pod} tried nothing"))),
        }
    }
    match words.is_empty() {
        true => unknown(history.lack("no such container was there")),
        false => met(words.join("; ")),
    }
}

/// A pod without a request finds nothing on the node of the devices.
pub fn no_request_no_access(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role(PLAIN).map(|pod| pod.name.as_str()).collect();
    have_nothing(history, &granted, pods.into_iter().map(|pod| (pod, MAIN)))
}

/// A pod without a request that asks for devices by its environment finds nothing.
pub fn environment_gives_nothing(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role(ASKS).map(|pod| pod.name.as_str()).collect();
    let containers = pods.into_iter().flat_map(|pod| ASKING.map(|container| (pod, container)));
    have_nothing(history, &granted, containers)
}

/// Containers beside the one that was given a device find nothing.
pub fn sibling_has_no_access(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let holders = granted.holders.iter();
    let containers = holders.flat_map(|holder| SIBLINGS.map(|container| (holder.pod.as_str(), container)));
    match have_nothing(history, &granted, containers) {
        Outcome::Met { seen } => later_siblings(history, &granted).unwrap_or_else(|| met(seen)),
        other => other,
    }
}

/// The fault of siblings in pods that were given a device later, which only look. The one whose containers were
/// started again is judged by itself.
fn later_siblings(history: &History, granted: &Granted) -> Option<Outcome> {
    let again = history.restarted();
    let later = history.sights.iter().filter(|sight| {
        matches!(sight.during, Mark::LookReleased { .. } | Mark::LookPair { .. })
            && SIBLINGS.contains(&sight.container.as_str())
            && Some(sight.pod.as_str()) != again
    });
    later
        .filter_map(|sight| {
            let found = sight.look.devices.iter().filter(|seen| granted.nodes.contains_key(&seen.number));
            let found = found.map(|seen| (seen.number, seen.path.clone())).collect();
            match reach(sight, &found, &BTreeSet::new()) {
                Reach::Something(what) => {
                    let words = format!(
                        "container {} of {}, which asked for nothing: {what}",
                        sight.container, sight.pod
                    );
                    Some(unmet(words, [sight.at]))
                }
                Reach::Open(why) => {
                    Some(unknown(format!("container {} of {}: {why}", sight.container, sight.pod)))
                }
                Reach::Nothing(_) => None,
            }
        })
        .next()
}

/// Of two pods with a device each, neither comes to the other's.
pub fn others_device_is_denied(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    if let Err(why) = granted.two() {
        return unknown(history.lack(&why));
    }
    if let Some((witness, events)) = granted.overlap() {
        return unmet(witness, events);
    }
    let mut words = Vec::new();
    for holder in &granted.holders {
        let others = granted.holders.iter().filter(|other| other.pod != holder.pod);
        let forbidden: Nodes = others.flat_map(|other| other.own.clone()).collect();
        let allowed: BTreeSet<Number> = holder.given.keys().copied().collect();
        let mut tried = None;
        for sight in history.saw(&holder.pod, MAIN, tries) {
            match reach(sight, &forbidden, &allowed) {
                Reach::Something(what) => {
                    return unmet(format!("{} opens a device of another: {what}", holder.pod), [sight.at]);
                }
                Reach::Open(why) => return unknown(format!("{}: {why}", holder.pod)),
                Reach::Nothing(words) => tried = Some(words),
            }
        }
        match tried {
            Some(tried) => words.push(format!("{} has {} and tried {tried}", holder.pod, holder.own_words())),
            None => return unknown(history.lack(&format!("{} tried nothing", holder.pod))),
        }
    }
    let common = granted.common_words();
    met(format!("{}{common}", words.join("; ")))
}

/// A node that is made by hand, by a device's number, does not open.
pub fn made_node_is_denied(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let pods: Vec<&str> = history.of_role(MAKES).map(|pod| pod.name.as_str()).collect();
    let sight = pods.iter().flat_map(|pod| history.saw(pod, MAKER, tries)).last();
    let Some(sight) = sight else {
        return unknown(history.lack("no pod tried to make a device node"));
    };
    let tried = |number: &Number| sight.look.numbers.iter().find(|tried| tried.number == *number);
    let mut words = Vec::new();
    for (number, path) in &granted.nodes {
        let Some(tried) = tried(number) else { return unknown(format!("no node was made for {path}")) };
        match (tried.made.access(), tried.opening.as_ref().map(|opening| (opening.access(), opening.word())))
        {
            (_, Some((Access::Reached, word))) => {
                return unmet(
                    format!(
                        "a node made for {path} ({number}) in {}, which asked for nothing: {word}",
                        sight.pod
                    ),
                    [sight.at],
                );
            }
            (_, Some((Access::Denied, word))) => words.push(format!("{number} {word}")),
            (Access::Denied, None) => words.push(format!("{number} cannot be made ({})", tried.made.word())),
            (_, Some((_, word))) => return unknown(format!("a node made for {path}: {word}")),
            (_, None) => return unknown(format!("no node could be made for {path}: {}", tried.made.word())),
        }
    }
    // Where a node can be made, one that everyone may open must open: else it is the place that denies.
    match tried(&NULL).map(|null| (null.made.access(), null.opening.as_ref().map(|opening| opening.errno))) {
        Some((_, Some(0))) => {
            met(format!("made in {}: {}; one made for /dev/null opens", sight.pod, words.join(", ")))
        }
        Some((Access::Denied, None)) => met(format!("in {}: {}", sight.pod, words.join(", "))),
        _ => unknown("a node made for /dev/null does not open either, so that it is the place that denies"),
    }
}
