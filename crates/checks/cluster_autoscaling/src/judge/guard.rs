//! Why nothing that was seen can be believed: what somebody else has changed.

use super::history::{History, Pod};
use super::steps::about;
use crate::marks::node_claim;
use aiconform_model::Kind;
use aiconform_trial::foreign::admitted_pod;
use aiconform_trial::{Guard, Story};

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    let seen = story.doubt(Guard {
        watches: &|kind| [Kind::pod(), Kind::node(), node_claim()].contains(kind),
        admitted: &mut |pod| admitted_pod("POST", pod.path, pod.sent, pod.got),
        own: &mut |_| None,
    });
    seen.or_else(|| history.pods.iter().find_map(|(name, pod)| lost(history, name, pod)))
}

/// A pod that went before it was deleted, and not with its node.
fn lost(history: &History, name: &str, pod: &Pod) -> Option<String> {
    let at = pod.gone?.at;
    let impossible = history.steps.impossible_deleted.iter().find(|step| step.pod == name);
    let deleted = about(&history.steps.deleted, name).or(impossible);
    if at >= history.end || deleted.is_some_and(|deleted| deleted.mark.at < at) {
        return None;
    }
    // Whoever removes a node marks it, and then removes its pods.
    let with_node = history.node_of(name).is_some_and(|node| {
        let signs = [node.leaving, history.claim_leaving(node), node.gone.map(|gone| gone.at)];
        signs.into_iter().flatten().any(|sign| sign < at)
    });
    let by = if pod.disrupted.is_empty() { String::new() } else { format!(": {}", pod.disrupted) };
    (!with_node).then(|| format!("the test pod {name} was deleted by someone else (event {at}){by}"))
}
