//! Devices are given once, and given again when they are let go of.

use super::history::History;
use super::{Fate, fate, served, waited};
use crate::marks::{CROWD, FREE, Step};
use aiconform_trial::{met, unmet};
use aiconform_verdict::Outcome;

/// Of more claims than devices exactly as many as there are devices are given one, and no device is given twice.
pub fn device_is_given_once(history: &History) -> Outcome {
    if let Some(twice) = &history.given_twice {
        return unmet(&twice.witness, [twice.at]);
    }
    let trial = history.trial(CROWD);
    let Some(window) = trial.window(crowd, &Step::CrowdClosed {}) else {
        return history.unknown("more claims than devices were not tried to their end");
    };
    let (names, devices) = window.of;
    let mut waiting = Vec::new();
    let mut count = 0;
    let mut stuck = None;
    for name in names {
        match fate(trial, &window, name, name) {
            Fate::Served(_) => count += 1,
            Fate::Wrong(why) => return unmet(why, window.ends()),
            Fate::Stuck(why) => {
                stuck = Some(why);
                waiting.push(name);
            }
            Fate::Open(_) => waiting.push(name),
        }
    }
    if count > devices {
        let witness = format!("{count} claims were given a device, there are {devices}");
        return unmet(witness, window.ends());
    }
    if count < devices {
        let what = format!("{count} claims were given a device, there are {devices}");
        return match stuck {
            Some(why) => unmet(format!("{what}: {why}"), window.ends()),
            None => history.unknown(what),
        };
    }
    for name in &waiting {
        if let Err(outcome) = waited(history, trial, &window, name) {
            return outcome;
        }
    }
    match waiting.len() {
        0 => history.unknown("no claim was left to wait"),
        left => met(format!("{devices} devices were given to {devices} claims, {left} claims waited")),
    }
}

/// A device that is let go of is given to the next claim.
pub fn freed_device_is_given_again(history: &History) -> Outcome {
    let mut ways = Vec::new();
    let trial = history.trial(FREE);
    for window in trial.windows(turn, &Step::TurnEnded {}) {
        let (name, after) = window.of;
        // That of a template has another name; both are called by the pod's.
        match served(history, trial, &window, name) {
            Ok(_) if after.is_empty() => {}
            Ok(_) => ways.push(after),
            // That the first claim gets nothing says nothing of devices that are let go of.
            Err(outcome) if after.is_empty() => return history.unknown(outcome.text()),
            Err(Outcome::Unmet { witness, events }) => {
                let witness = format!("the claim before let go of the device ({after}): {witness}");
                return Outcome::Unmet { witness, events };
            }
            Err(outcome) => return outcome,
        }
    }
    if trial.end().is_none() || ways.is_empty() {
        return history.unknown("not every way of letting go of a device was tried");
    }
    let trial = history.trial(CROWD);
    let Some(window) = trial.window(release, &Step::ReleaseEnded {}) else {
        return history.unknown("no waiting claim was watched until a device was free");
    };
    let (names, devices) = window.of;
    let fates: Vec<Fate> = names.iter().map(|name| fate(trial, &window, name, name)).collect();
    let count = fates.iter().filter(|fate| matches!(fate, Fate::Served(_))).count();
    if count >= devices {
        ways.push("a claim that waited got it");
        return met(format!("the device was given again each time: {}", ways.join("; ")));
    }
    let last = fates.into_iter().find_map(|fate| match fate {
        Fate::Stuck(why) => Some(Ok(why)),
        Fate::Wrong(why) | Fate::Open(why) => Some(Err(why)),
        Fate::Served(_) => None,
    });
    match last {
        Some(Ok(why)) => unmet(
            format!("a device was let go of and none of the waiting claims got it: {why}"),
            window.ends(),
        ),
        Some(Err(why)) => history.unknown(why),
        None => history.unknown("no claim waited"),
    }
}

/// Claims that are more than the devices, and the number of these.
fn crowd(step: &Step) -> Option<(&[String], usize)> {
    match step {
        Step::Crowd { claims, devices } => Some((claims, *devices)),
        _ => None,
    }
}

/// Claims that are left when one has let go of its device, and the number of devices.
fn release(step: &Step) -> Option<(&[String], usize)> {
    match step {
        Step::Release { claims, devices, .. } => Some((claims, *devices)),
        _ => None,
    }
}

/// A claim, and how the one before let go of the device.
fn turn(step: &Step) -> Option<(&str, &str)> {
    match step {
        Step::Turn { claim, after } => Some((claim, after)),
        _ => None,
    }
}
