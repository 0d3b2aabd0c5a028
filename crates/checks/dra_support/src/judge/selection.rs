//! Claims on what a claim's selectors choose.

use super::history::History;
use super::{Fate, fate, served, waited};
use crate::marks::{SELECT, Step};
use crate::reading::Device;
use aiconform_trial::{met, unmet};
use aiconform_verdict::Outcome;
use std::collections::BTreeMap;

/// Claims that fit are given a device each, and their pods are bound.
pub fn claim_is_allocated(history: &History) -> Outcome {
    let trial = history.trial(SELECT);
    let Some(window) = trial.window(selected, &Step::Selected {}) else {
        return history.unknown("no claim that fits was tried to its end");
    };
    for name in window.of.keys() {
        if let Err(outcome) = served(history, trial, &window, name) {
            return outcome;
        }
    }
    match window.of.len() {
        0 => history.unknown("no claim was tried"),
        count => met(format!(
            "{count} claims that fit were given a device of the run's own each, and their pods were bound"
        )),
    }
}

/// Claims of a step, each with the device that it should be given.
fn selected(step: &Step) -> Option<&BTreeMap<String, String>> {
    match step {
        Step::Select { claims } => Some(claims),
        _ => None,
    }
}

/// Each claim is given the one device that its selectors match.
pub fn selectors_are_followed(history: &History) -> Outcome {
    let trial = history.trial(SELECT);
    let Some(window) = trial.window(selected, &Step::Selected {}) else {
        return history.unknown("no claim with selectors was tried to its end");
    };
    let mut right = Vec::new();
    let mut open = None;
    for (name, device) in window.of {
        match trial.claim(name, window.end).and_then(|look| look.given.first()) {
            Some(given) if given.name == *device => right.push(format!("{name}: {device}")),
            Some(given) => {
                let witness =
                    format!("claim {name} selects device {device} and nothing else, and was given {given}");
                return unmet(witness, window.ends());
            }
            None => open = Some(format!("claim {name} was given nothing")),
        }
    }
    match open {
        Some(why) => history.unknown(why),
        None if right.is_empty() => history.unknown("no claim was tried"),
        None => met(right.join(", ")),
    }
}

/// A claim that nothing matches gets nothing, though devices are free.
pub fn unmatched_claim_waits(history: &History) -> Outcome {
    let trial = history.trial(SELECT);
    let Some(window) = trial.window(unmatched, &Step::UnmatchedClosed {}) else {
        return history.unknown("no claim that nothing matches was watched to its end");
    };
    let words = match waited(history, trial, &window, window.of) {
        Ok(words) => words,
        Err(outcome) => return outcome,
    };
    // Its control: a device was free meanwhile.
    let Some(remaining) = trial.window(remaining, &Step::RemainingEnded {}) else {
        return history.unknown("whether a device was free meanwhile was not tried");
    };
    match fate(trial, &remaining, remaining.of, remaining.of) {
        Fate::Served(devices) => {
            let device = devices.first().map(Device::to_string).unwrap_or_default();
            met(format!("it got nothing ({words}), though device {device} was free"))
        }
        Fate::Wrong(why) | Fate::Stuck(why) | Fate::Open(why) => {
            history.unknown(format!("whether a device was free meanwhile is not known: {why}"))
        }
    }
}

fn unmatched(step: &Step) -> Option<&str> {
    match step {
        Step::Unmatched { claim } => Some(claim),
        _ => None,
    }
}

fn remaining(step: &Step) -> Option<&str> {
    match step {
        Step::Remaining { claim } => Some(claim),
        _ => None,
    }
}
