//! What the evidence shows: pure functions of one ordered log.

mod beyond;
mod kinds;

pub use beyond::{first_available_is_first, shared_claim_is_one_device, tainted_device_is_kept_back};
pub use kinds::api_is_served;

use super::history::{History, Window};
use super::objects::{Device, claim, given};
use super::run::TRIALS;
use super::stage::STUCK;
use super::trials::{CROWD, FREE, SELECT};
use crate::pod::GANG;
use aiconform_model::{Change, Event, EventKind};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;
use std::collections::BTreeMap;

/// Plain pods that must have been bound while a claim waited.
const MEANWHILE: usize = 2;

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Nothing can be said: because of what hindered the subject, else because of what was not seen.
fn unknown(events: &[&Event], why: impl Into<String>) -> Outcome {
    let mut why = why.into();
    let cause = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Hindrance { who, why, .. } => Some(format!("{who} said: {why}")),
        EventKind::Stopped { why } => Some(why.clone()),
        _ => None,
    });
    if let Some(cause) = cause {
        why = format!("{why} ({cause})");
    }
    Outcome::Unknown { why }
}

/// Whether a trial was planned for a subject: what the API server does not have is not claimed.
pub fn planned(subject: &Subject, trial: &str) -> bool {
    trials(subject).any(|name| name == trial)
}

fn trials(subject: &Subject) -> impl Iterator<Item = &str> {
    let names = subject.facts.get(TRIALS).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// What became of a claim and its pod by the end of a window.
enum Fate {
    /// The pod is bound, and the claim is given these and reserved for the pod.
    Served(Vec<Device>),
    /// Something that must not be.
    Wrong(String),
    /// Nothing, while so many plain pods that came later were bound that it is stuck and not slow; what was said of it.
    Stuck(String),
    /// Nothing, and that says nothing.
    Open(String),
}

/// The fate of a pod by the end of a window, and of the claim that it names.
fn fate(history: &History, window: &Window, pod: &str, claim: &str) -> Fate {
    let Some(pod) = history.pod(pod) else { return Fate::Open(format!("pod {pod} was not seen")) };
    let bound = pod.bound.is_some_and(|bound| bound < window.end);
    let look = history.claim(claim, window.end);
    let devices = look.map(|look| look.given.clone()).unwrap_or_default();
    let reserved = look.is_some_and(|look| look.reserved.contains(&pod.uid));
    match (bound, devices.is_empty()) {
        (true, true) => Fate::Wrong(format!("pod {} was bound though its claim was given nothing", pod.name)),
        (true, false) if !reserved => Fate::Wrong(format!(
            "pod {} was bound though what its claim was given is not reserved for it",
            pod.name
        )),
        (true, false) if devices.len() != 1 => {
            Fate::Wrong(format!("claim {claim} asks for one device and was given {}", devices.len()))
        }
        (true, false) => Fate::Served(devices),
        (false, _) => {
            let said = pod.refused.as_ref().map_or("nothing was said of it", |(_, said)| said.as_str());
            let given = if devices.is_empty() { "was given nothing" } else { "was given a device" };
            let what = format!("claim {claim} {given} and its pod was not bound (the scheduler: {said})");
            let (_, meanwhile) = history.canaries(window.phase.at, window.end);
            if meanwhile >= STUCK {
                Fate::Stuck(format!("{what}, while {meanwhile} pods that claim nothing were"))
            } else {
                Fate::Open(what)
            }
        }
    }
}

/// The one device of a claim and pod of the same name, or the outcome without one.
fn served(events: &[&Event], history: &History, window: &Window, name: &str) -> Result<Device, Outcome> {
    match fate(history, window, name, name) {
        Fate::Served(mut devices) => devices.pop().ok_or_else(|| unknown(events, "it was given nothing")),
        Fate::Wrong(why) | Fate::Stuck(why) => Err(unmet(why, vec![window.phase.at, window.end])),
        Fate::Open(why) => Err(unknown(events, why)),
    }
}

/// Whether a pod that could get nothing got nothing by the end of a window: the scheduler said no to it, and bound others
/// meanwhile.
fn waited(events: &[&Event], history: &History, window: &Window, name: &str) -> Result<String, Outcome> {
    let Some(pod) = history.pod(name) else {
        return Err(unknown(events, format!("pod {name} was not seen")));
    };
    let look = history.claim(name, window.end);
    if let Some(device) = look.and_then(|look| look.given.first()) {
        let witness = format!("claim {name} was given device {device}");
        return Err(unmet(witness, vec![window.phase.at, window.end]));
    }
    if let Some(bound) = pod.bound.filter(|bound| *bound < window.end) {
        return Err(unmet(format!("pod {name} was bound though its claim was given nothing"), vec![bound]));
    }
    let (_, meanwhile) = history.canaries(window.phase.at, window.end);
    match &pod.refused {
        Some((at, said)) if *at < window.end && meanwhile >= MEANWHILE => Ok(said.clone()),
        Some(_) => Err(unknown(
            events,
            format!(
                "{name} waited, but so few pods that claim nothing were bound meanwhile ({meanwhile}) that nothing may have been scheduled"
            ),
        )),
        None => Err(unknown(events, format!("{name} waited, but the scheduler said no word on it"))),
    }
}

/// The pods that claim nothing, which stand beside every claim: all were bound.
pub fn plain_pods_are_bound(events: &[&Event], subject: &Subject) -> Outcome {
    let mut count = 0;
    for trial in trials(subject).filter(|trial| *trial != super::trials::KINDS) {
        let history = History::of(events, trial);
        let end = history.phases.iter().find(|phase| phase.name == "trial_ended").map(|end| end.at);
        let (seen, bound) = history.canaries(0, end.unwrap_or(u64::MAX));
        if bound < seen {
            let why = format!(
                "{trial}: of {seen} pods that claim nothing {bound} were bound: the scheduler does not take pods"
            );
            return unknown(events, why);
        }
        if end.is_none() {
            return unknown(events, format!("the trial {trial} did not come to its end"));
        }
        count += bound;
    }
    match count {
        0 => unknown(events, "no pod that claims nothing was tried"),
        count => met(format!("{count} pods that claim nothing were bound beside the claims")),
    }
}

/// Claims that fit are given a device each, and their pods are bound.
pub fn claim_is_allocated(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, SELECT);
    let Some(window) = history.window("select", "selected") else {
        return unknown(events, "no claim that fits was tried to its end");
    };
    let names = expected(&window);
    for (name, _) in &names {
        if let Err(outcome) = served(events, &history, &window, name) {
            return outcome;
        }
    }
    match names.len() {
        0 => unknown(events, "no claim was tried"),
        count => met(format!("{count} claims that fit were given a device each, and their pods were bound")),
    }
}

/// Claims of a window, each with the device that it should be given.
fn expected<'a>(window: &Window<'a>) -> Vec<(&'a str, &'a str)> {
    let claims = window.phase.data.get("claims").and_then(Value::as_object);
    let claims = claims.into_iter().flatten();
    claims.filter_map(|(name, device)| Some((name.as_str(), device.as_str()?))).collect()
}

/// Each claim is given the one device that its selectors match.
pub fn selectors_are_followed(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, SELECT);
    let Some(window) = history.window("select", "selected") else {
        return unknown(events, "no claim with selectors was tried to its end");
    };
    let mut right = Vec::new();
    let mut open = None;
    for (name, device) in expected(&window) {
        match history.claim(name, window.end).and_then(|look| look.given.first()) {
            Some(given) if given.name == device => right.push(format!("{name}: {device}")),
            Some(given) => {
                let witness =
                    format!("claim {name} selects device {device} and nothing else, and was given {given}");
                return unmet(witness, vec![window.phase.at, window.end]);
            }
            None => open = Some(format!("claim {name} was given nothing")),
        }
    }
    match open {
        Some(why) => unknown(events, why),
        None if right.is_empty() => unknown(events, "no claim was tried"),
        None => met(right.join(", ")),
    }
}

/// A claim that nothing matches gets nothing, though devices are free.
pub fn unmatched_claim_waits(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events, SELECT);
    let Some(window) = history.window("unmatched", "unmatched_closed") else {
        return unknown(events, "no claim that nothing matches was watched to its end");
    };
    let said = match waited(events, &history, &window, window.phase.text("claim")) {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    // Its control: a device was free meanwhile.
    let Some(remaining) = history.window("remaining", "remaining_ended") else {
        return unknown(events, "whether a device was free meanwhile was not tried");
    };
    match fate(&history, &remaining, remaining.phase.text("claim"), remaining.phase.text("claim")) {
        Fate::Served(devices) => {
            let device = devices.first().map(Device::to_string).unwrap_or_default();
            met(format!("it got nothing ({said}), though device {device} was free"))
        }
        Fate::Wrong(why) | Fate::Stuck(why) | Fate::Open(why) => {
            unknown(events, format!("whether a device was free meanwhile is not known: {why}"))
        }
    }
}

/// Of more claims than devices exactly as many as there are devices are given one, and no device is given twice.
pub fn device_is_given_once(events: &[&Event], _: &Subject) -> Outcome {
    if let Some((witness, event)) = given_twice(events) {
        return unmet(witness, vec![event]);
    }
    let history = History::of(events, CROWD);
    let Some(window) = history.window("crowd", "crowd_closed") else {
        return unknown(events, "more claims than devices were not tried to their end");
    };
    let devices = number(&window, "devices");
    let names = window.phase.texts("claims");
    let mut waiting = Vec::new();
    let mut count = 0;
    let mut stuck = None;
    for name in names {
        match fate(&history, &window, name, name) {
            Fate::Served(_) => count += 1,
            Fate::Wrong(why) => return unmet(why, vec![window.phase.at, window.end]),
            Fate::Stuck(why) => {
                stuck = Some(why);
                waiting.push(name);
            }
            Fate::Open(_) => waiting.push(name),
        }
    }
    if count > devices {
        let witness = format!("{count} claims were given a device, there are {devices}");
        return unmet(witness, vec![window.phase.at, window.end]);
    }
    if count < devices {
        let what = format!("{count} claims were given a device, there are {devices}");
        return match stuck {
            Some(why) => unmet(format!("{what}: {why}"), vec![window.phase.at, window.end]),
            None => unknown(events, what),
        };
    }
    for name in &waiting {
        if let Err(outcome) = waited(events, &history, &window, name) {
            return outcome;
        }
    }
    match waiting.len() {
        0 => unknown(events, "no claim was left to wait"),
        left => met(format!("{devices} devices were given to {devices} claims, {left} claims waited")),
    }
}

fn number(window: &Window, key: &str) -> usize {
    let number = window.phase.data.get(key).and_then(Value::as_u64).unwrap_or_default();
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The first device that two claims had at the same time.
fn given_twice(events: &[&Event]) -> Option<(String, u64)> {
    let mut held: BTreeMap<String, (String, Vec<Device>)> = BTreeMap::new();
    for event in events {
        let EventKind::Watch { kind, object, change } = &event.kind else { continue };
        if *kind != claim() {
            continue;
        }
        if *change == Change::Deleted {
            held.remove(object.uid());
            continue;
        }
        let now = given(object);
        let other = held.iter().find_map(|(uid, (name, devices))| {
            let same = devices.iter().find(|device| *uid != object.uid() && now.contains(device))?;
            Some((name, same))
        });
        if let Some((name, device)) = other {
            let witness = format!("device {device} was given to {name} and to {}", object.label(GANG));
            return Some((witness, event.sequence));
        }
        held.insert(object.uid().into(), (object.label(GANG).into(), now));
    }
    None
}

/// A device that is let go of is given to the next claim.
pub fn freed_device_is_given_again(events: &[&Event], _: &Subject) -> Outcome {
    let mut ways = Vec::new();
    let history = History::of(events, FREE);
    for window in history.windows("turn", "turn_ended") {
        let name = window.phase.text("claim");
        let after = window.phase.text("after");
        // That of a template has another name; both are called by the pod's.
        match served(events, &history, &window, name) {
            Ok(_) if after.is_empty() => {}
            Ok(_) => ways.push(after),
            // That the first claim gets nothing says nothing of devices that are let go of.
            Err(outcome) if after.is_empty() => return unknown(events, outcome.text()),
            Err(Outcome::Unmet { witness, events }) => {
                return unmet(format!("the claim before let go of the device ({after}): {witness}"), events);
            }
            Err(outcome) => return outcome,
        }
    }
    if !history.has_ended() || ways.is_empty() {
        return unknown(events, "not every way of letting go of a device was tried");
    }
    let history = History::of(events, CROWD);
    let Some(window) = history.window("release", "release_ended") else {
        return unknown(events, "no waiting claim was watched until a device was free");
    };
    let (devices, names) = (number(&window, "devices"), window.phase.texts("claims"));
    let fates: Vec<Fate> = names.iter().map(|name| fate(&history, &window, name, name)).collect();
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
            vec![window.phase.at, window.end],
        ),
        Some(Err(why)) => unknown(events, why),
        None => unknown(events, "no claim waited"),
    }
}
