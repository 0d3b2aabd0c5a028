//! From the story of a subject to outcomes: pure functions.

mod access;
mod beyond;
mod counts;
mod granted;
mod guard;
mod history;
mod known;
mod picture;
mod reach;

pub use access::{
    environment_gives_nothing, made_node_is_denied, no_request_no_access, others_device_is_denied,
    sibling_has_no_access,
};
pub use beyond::{admin_access_is_refused, allocated_device_is_given, foreign_claim_is_unusable};
pub use counts::{no_device_twice, requested_is_visible, restart_keeps_isolation};
pub use guard::{admitted, doubt};
pub use history::History;
pub use picture::pictures;

use crate::marks::{CLAIMED, Facts, HOLDER};
use aiconform_model::probe::SIMULATED;
use aiconform_trial::{met, unknown};
use aiconform_verdict::{Outcome, Subject};
use granted::{Granted, granted};
use history::Sight;
use known::is_one_device;

/// Tells whether a pod may be made there that makes device nodes.
pub fn makes_nodes(subject: &Subject) -> bool {
    Facts::of(subject).is_ok_and(|facts| facts.makes_nodes)
}

/// Tells whether devices are claimed as such.
pub fn is_claimed(subject: &Subject) -> bool {
    subject.id.split('/').next() == Some(CLAIMED)
}

/// Tells whether it stands on simulated devices: they say so, or no driver stands behind what was given.
pub fn simulated(history: &History) -> bool {
    let holds = |sight: &&Sight| history.pod(&sight.pod).is_some_and(|pod| pod.role.starts_with(HOLDER));
    history.sights.iter().filter(holds).any(|sight| {
        let says_so = sight.look.environment.contains_key(SIMULATED);
        says_so
            || sight.look.devices.iter().any(|seen| is_one_device(&seen.path) && seen.opening.has_no_driver())
    })
}

/// Control: a pod that is given a device sees nodes that one without does not, and opens at least one.
pub fn granted_opens(history: &History) -> Outcome {
    match granted(history) {
        Ok(granted) => met(granted.words()),
        Err(outcome) => outcome,
    }
}

/// Device nodes of the holders, or why nothing else can be told.
fn ground(history: &History) -> Result<Granted, Outcome> {
    granted(history).map_err(|outcome| match outcome {
        Outcome::Unknown { why } => unknown(why),
        other => unknown(format!("nothing is known without a device that its owner opens: {}", other.text())),
    })
}
