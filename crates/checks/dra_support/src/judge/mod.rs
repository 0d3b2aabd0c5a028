//! Judge: pure functions of what was read of a subject.

mod beyond;
mod giving;
pub mod guard;
pub mod history;
mod kinds;
mod selection;

pub use beyond::{first_available_is_first, shared_claim_is_one_device, tainted_device_is_kept_back};
pub use giving::{device_is_given_once, freed_device_is_given_again};
pub use kinds::api_is_served;
pub use selection::{claim_is_allocated, selectors_are_followed, unmatched_claim_waits};

use crate::marks::{KINDS, STUCK};
use crate::reading::Device;
use aiconform_trial::{Position, met, unmet};
use aiconform_verdict::Outcome;
use history::{History, Trial, Window};

/// Plain pods that must have been bound while a claim waited.
const MEANWHILE: usize = 2;

/// The lot of a claim and its pod by the end of a window.
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
fn fate<T>(trial: &Trial, window: &Window<T>, pod: &str, claim: &str) -> Fate {
    let Some(pod) = trial.pod(pod) else { return Fate::Open(format!("pod {pod} was not seen")) };
    let bound = pod.bound.is_some_and(|bound| bound < window.end);
    let look = trial.claim(claim, window.end);
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
            let words = pod.refused.as_ref().map_or("nothing was said of it", |(_, words)| words.as_str());
            let given = if devices.is_empty() { "was given nothing" } else { "was given a device" };
            let what = format!("claim {claim} {given} and its pod was not bound (the scheduler: {words})");
            let (_, meanwhile) = trial.canaries(window.begin, window.end);
            if meanwhile >= STUCK {
                Fate::Stuck(format!("{what}, while {meanwhile} pods that claim nothing were"))
            } else {
                Fate::Open(what)
            }
        }
    }
}

/// The one device of a claim and pod of the same name, or the outcome without one.
fn served<T>(history: &History, trial: &Trial, window: &Window<T>, name: &str) -> Result<Device, Outcome> {
    match fate(trial, window, name, name) {
        Fate::Served(mut devices) => devices.pop().ok_or_else(|| history.unknown("it was given nothing")),
        Fate::Wrong(why) | Fate::Stuck(why) => Err(unmet(why, window.ends())),
        Fate::Open(why) => Err(history.unknown(why)),
    }
}

/// Tells whether a pod that could get nothing got nothing by the end of a window: the scheduler said no to it, and bound others
/// meanwhile.
fn waited<T>(history: &History, trial: &Trial, window: &Window<T>, name: &str) -> Result<String, Outcome> {
    let Some(pod) = trial.pod(name) else {
        return Err(history.unknown(format!("pod {name} was not seen")));
    };
    let look = trial.claim(name, window.end);
    if let Some(device) = look.and_then(|look| look.given.first()) {
        let witness = format!("claim {name} was given device {device}");
        return Err(unmet(witness, window.ends()));
    }
    if let Some(bound) = pod.bound.filter(|bound| *bound < window.end) {
        return Err(unmet(format!("pod {name} was bound though its claim was given nothing"), [bound]));
    }
    let (_, meanwhile) = trial.canaries(window.begin, window.end);
    match &pod.refused {
        Some((at, words)) if *at < window.end && meanwhile >= MEANWHILE => Ok(words.clone()),
        Some(_) => {
            let why = format!(
                "{name} waited, but so few pods that claim nothing were bound meanwhile ({meanwhile}) that nothing may have been scheduled"
            );
            Err(history.unknown(why))
        }
        None => Err(history.unknown(format!("{name} waited, but the scheduler said no word on it"))),
    }
}

/// The pods that claim nothing, which stand beside every claim: all were bound.
pub fn plain_pods_are_bound(history: &History) -> Outcome {
    let mut count = 0;
    for name in history.facts.trials.iter().filter(|name| *name != KINDS) {
        let trial = history.trial(name);
        let end = trial.end();
        let (seen, bound) = trial.canaries(Position::default(), end.unwrap_or(Position::END));
        if bound < seen {
            let why = format!(
                "{name}: of {seen} pods that claim nothing {bound} were bound: the scheduler does not take pods"
            );
            return history.unknown(why);
        }
        if end.is_none() {
            return history.unknown(format!("the trial {name} did not come to its end"));
        }
        count += bound;
    }
    match count {
        0 => history.unknown("no pod that claims nothing was tried"),
        count => met(format!("{count} pods that claim nothing were bound beside the claims")),
    }
}
