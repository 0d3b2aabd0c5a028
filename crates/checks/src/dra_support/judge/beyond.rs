//! What goes further than a MUST needs.

use super::{Fate, fate, met, served, unknown, unmet, waited};
use crate::dra_support::history::History;
use crate::dra_support::trials::{PREFER, SHARE, SHARERS, TAINTS};
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};

/// Pods that share a claim are all bound to the one device that it is given, and nobody else gets it.
pub fn shared_claim_is_one_device(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, SHARE);
    let Some(window) = history.window("share", "shared") else {
        return unknown(events, "no shared claim was tried to its end");
    };
    let (claim, pods) = (window.phase.text("claim"), window.phase.texts("pods"));
    let mut device = String::new();
    for pod in &pods {
        match fate(&history, &window, pod, claim) {
            Fate::Served(devices) => device = devices.first().map(ToString::to_string).unwrap_or_default(),
            Fate::Wrong(why) | Fate::Stuck(why) => return unmet(format!("{pod}: {why}"), vec![window.end]),
            Fate::Open(why) => return unknown(events, format!("{pod}: {why}")),
        }
    }
    if pods.len() < SHARERS {
        return unknown(events, "too few pods shared a claim");
    }
    let looks: Vec<_> =
        history.claims.iter().filter(|seen| seen.name == claim).flat_map(|seen| &seen.looks).collect();
    let mut given = looks.iter().filter(|look| look.at < window.end).map(|look| &look.given);
    let first = given.find(|given| !given.is_empty());
    if let Some(other) = given.find(|given| Some(*given) != first && !given.is_empty()) {
        let witness = format!("the shared claim was given {device} and {} in turn", other[0]);
        return unmet(witness, vec![window.end]);
    }
    let Some(window) = history.window("other", "other_closed") else {
        return unknown(events, "whether another claim gets the device was not watched to its end");
    };
    match waited(events, &history, &window, window.phase.text("claim")) {
        Ok(_) => met(format!("{} pods share device {device}; another claim waited", pods.len())),
        Err(outcome) => outcome,
    }
}

/// Each claim is given what it prefers of what is free.
pub fn first_available_is_first(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, PREFER);
    let mut right = Vec::new();
    for window in history.windows("prefer", "preferred") {
        let (name, device, way) =
            (window.phase.text("claim"), window.phase.text("device"), window.phase.text("way"));
        let given = match served(events, &history, &window, name) {
            Ok(given) => given,
            // Of the first claim that is a matter of claims, not of what they prefer.
            Err(outcome) if right.is_empty() => return unknown(events, outcome.text()),
            Err(outcome) => return outcome,
        };
        let ways = history.claim(name, window.end).map(|look| look.ways.clone()).unwrap_or_default();
        if given.name != device || ways != [way] {
            let witness = format!(
                "claim {name} should be given {device} ({way}), the first of its ways that is free, and was given {given} ({})",
                ways.join(", ")
            );
            return unmet(witness, vec![window.phase.at, window.end]);
        }
        right.push(format!("{name}: {way}"));
    }
    if !history.has_ended() || right.len() < 2 {
        return unknown(events, "not every way of a request was tried");
    }
    met(right.join(", "))
}

/// A device with a taint is given to who tolerates it, and to nobody else.
pub fn tainted_device_is_kept_back(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, TAINTS);
    let Some(untainted) = history.window("untainted", "untainted_ended") else {
        return unknown(events, "no device without a taint was tried to its end");
    };
    let name = untainted.phase.text("claim");
    match served(events, &history, &untainted, name) {
        Ok(given) if given.name == untainted.phase.text("device") => {}
        Ok(given) => {
            let witness = format!("claim {name} tolerates nothing and was given {given}, which has a taint");
            return unmet(witness, vec![untainted.phase.at, untainted.end]);
        }
        Err(outcome) => return unknown(events, outcome.text()),
    }
    let Some(tainted) = history.window("tainted", "tainted_closed") else {
        return unknown(events, "no claim on a device with a taint was watched to its end");
    };
    let said = match waited(events, &history, &tainted, tainted.phase.text("claim")) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let Some(tolerated) = history.window("tolerated", "tolerated_ended") else {
        return unknown(events, "no claim that tolerates the taint was tried to its end");
    };
    match served(events, &history, &tolerated, tolerated.phase.text("claim")) {
        Ok(given) if given.name == tolerated.phase.text("device") => {
            met(format!("without a toleration: {said}; with one: {given}"))
        }
        Ok(given) => {
            unmet(format!("the claim selects another device and was given {given}"), vec![tolerated.end])
        }
        Err(outcome) => outcome,
    }
}
