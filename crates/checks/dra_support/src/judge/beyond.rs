//! Claims that go further than a MUST needs.

use super::history::{History, Look};
use super::{Fate, fate, served, waited};
use crate::marks::{PREFER, SHARE, SHARERS, Step, TAINTS};
use aiconform_trial::{met, unmet};
use aiconform_verdict::Outcome;

/// Pods that share a claim are all bound to the one device that it is given, and nobody else gets it.
pub fn shared_claim_is_one_device(history: &History) -> Outcome {
    let trial = history.trial(SHARE);
    let Some(window) = trial.window(share, &Step::Shared {}) else {
        return history.unknown("no shared claim was tried to its end");
    };
    let (claim, pods) = window.of;
    let mut device = String::new();
    for pod in pods {
        match fate(trial, &window, pod, claim) {
            Fate::Served(devices) => device = devices.first().map(ToString::to_string).unwrap_or_default(),
            Fate::Wrong(why) | Fate::Stuck(why) => return unmet(format!("{pod}: {why}"), [window.end]),
            Fate::Open(why) => return history.unknown(format!("{pod}: {why}")),
        }
    }
    if pods.len() < SHARERS {
        return history.unknown("too few pods shared a claim");
    }
    let looks: Vec<&Look> =
        trial.claims.iter().filter(|seen| seen.name == claim).flat_map(|seen| &seen.looks).collect();
    let mut given = looks.iter().filter(|look| look.at < window.end).map(|look| &look.given);
    let first = given.find(|given| !given.is_empty());
    if let Some(other) = given.find(|given| Some(*given) != first && !given.is_empty()) {
        let witness = format!("the shared claim was given {device} and {} in turn", other[0]);
        return unmet(witness, [window.end]);
    }
    let Some(window) = trial.window(other, &Step::OtherClosed {}) else {
        return history.unknown("whether another claim gets the device was not watched to its end");
    };
    match waited(history, trial, &window, window.of) {
        Ok(_) => met(format!("{} pods share device {device}; another claim waited", pods.len())),
        Err(outcome) => outcome,
    }
}

/// Each claim is given what it prefers of what is free.
pub fn first_available_is_first(history: &History) -> Outcome {
    let trial = history.trial(PREFER);
    let mut right = Vec::new();
    for window in trial.windows(prefer, &Step::Preferred {}) {
        let (name, device, way) = window.of;
        let given = match served(history, trial, &window, name) {
            Ok(given) => given,
            // Of the first claim that is a matter of claims, not of what they prefer.
            Err(outcome) if right.is_empty() => return history.unknown(outcome.text()),
            Err(outcome) => return outcome,
        };
        let ways = trial.claim(name, window.end).map(|look| look.ways.clone()).unwrap_or_default();
        if given.name != device || ways != [way] {
            let witness = format!(
                "claim {name} should be given {device} ({way}), the first of its ways that is free, and was given {given} ({})",
                ways.join(", ")
            );
            return unmet(witness, window.ends());
        }
        right.push(format!("{name}: {way}"));
    }
    if trial.end().is_none() || right.len() < 2 {
        return history.unknown("not every way of a request was tried");
    }
    met(right.join(", "))
}

/// A device with a taint is given to who tolerates it, and to nobody else.
pub fn tainted_device_is_kept_back(history: &History) -> Outcome {
    let trial = history.trial(TAINTS);
    let Some(untainted) = trial.window(untainted, &Step::UntaintedEnded {}) else {
        return history.unknown("no device without a taint was tried to its end");
    };
    let (name, device) = untainted.of;
    match served(history, trial, &untainted, name) {
        Ok(given) if given.name == device => {}
        Ok(given) => {
            let witness = format!("claim {name} tolerates nothing and was given {given}, which has a taint");
            return unmet(witness, untainted.ends());
        }
        Err(outcome) => return history.unknown(outcome.text()),
    }
    let Some(tainted) = trial.window(tainted, &Step::TaintedClosed {}) else {
        return history.unknown("no claim on a device with a taint was watched to its end");
    };
    let words = match waited(history, trial, &tainted, tainted.of) {
        Ok(words) => words,
        Err(outcome) => return outcome,
    };
    let Some(tolerated) = trial.window(tolerated, &Step::ToleratedEnded {}) else {
        return history.unknown("no claim that tolerates the taint was tried to its end");
    };
    let (name, device) = tolerated.of;
    match served(history, trial, &tolerated, name) {
        Ok(given) if given.name == device => met(format!("without a toleration: {words}; with one: {given}")),
        Ok(given) => {
            unmet(format!("the claim selects another device and was given {given}"), [tolerated.end])
        }
        Err(outcome) => outcome,
    }
}

/// A claim, and the pods that share it.
fn share(step: &Step) -> Option<(&str, &[String])> {
    match step {
        Step::Share { claim, pods } => Some((claim, pods)),
        _ => None,
    }
}

fn other(step: &Step) -> Option<&str> {
    match step {
        Step::Other { claim } => Some(claim),
        _ => None,
    }
}

/// A claim, the device of the first of its ways that is free, and that way.
fn prefer(step: &Step) -> Option<(&str, &str, &str)> {
    match step {
        Step::Prefer { claim, device, way } => Some((claim, device, way)),
        _ => None,
    }
}

/// A claim that tolerates nothing, and the device that is free for it.
fn untainted(step: &Step) -> Option<(&str, &str)> {
    match step {
        Step::Untainted { claim, device } => Some((claim, device)),
        _ => None,
    }
}

fn tainted(step: &Step) -> Option<&str> {
    match step {
        Step::Tainted { claim, .. } => Some(claim),
        _ => None,
    }
}

/// A claim that tolerates the taint, and the device that it selects.
fn tolerated(step: &Step) -> Option<(&str, &str)> {
    match step {
        Step::Tolerated { claim, device } => Some((claim, device)),
        _ => None,
    }
}
