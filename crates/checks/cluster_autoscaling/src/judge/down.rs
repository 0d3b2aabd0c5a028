//! Nodes that go. Two come, so that one is busy while the other goes.

use super::each;
use super::history::{History, Node};
use super::steps::{Late, about, waited};
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// A node goes once its pod is deleted, and the autoscaler removes it.
pub fn node_goes(history: &History) -> Outcome {
    let mut outcomes: Vec<Outcome> =
        history.steps.arrived.iter().filter_map(|arrived| goes(history, &arrived.pod)).collect();
    // A node for a node that went leaves the pool as large as it was.
    let deleted = history.steps.deleted.first().map_or(Position::END, |deleted| deleted.mark.at);
    let stayed =
        |node: &&Node| node.came.at > deleted && node.came.at < history.end && history.went(node).is_none();
    let mut new = history.new_nodes().filter(stayed);
    if let Some(node) = new.next() {
        outcomes.push(unknown(format!(
            "{} came after a pod was deleted, and stayed: the pool did not become smaller, for a reason that is not known",
            node.name
        )));
    }
    each(&outcomes, history, "no node came that could go")
}

/// Outcome for one node: the node of a pod goes after the pod; nothing, when it went before.
fn goes(history: &History, pod: &str) -> Option<Outcome> {
    let node = history.node_of(pod).filter(|node| !node.before)?;
    let Some(deleted) = about(&history.steps.deleted, pod) else {
        let why = format!("the pod {pod} on {} was not deleted", node.name);
        return history.went(node).is_none().then(|| unknown(history.lack(&why)));
    };
    let Some(gone) = history.went(node) else {
        return Some(match waited(&history.steps.stays, pod) {
            Some(stays) => still_there(node, pod, stays),
            None => unknown(history.lack(&format!("nobody waited for {} until it was gone", node.name))),
        });
    };
    // One that went while its pod was on it is the matter of another claim.
    if gone.at < deleted.mark.at {
        return None;
    }
    let sign = history.leaving(node);
    Some(match sign {
        Some(at) if at < deleted.mark.at => unknown(format!(
            "{} was on its way out before its pod {pod} was deleted (event {at}), so it did not go for that",
            node.name
        )),
        Some(_) => {
            let seen = format!(
                "{} went {:.1} s after its pod {pod} was deleted, by {}",
                node.name,
                gone.when.since(deleted.mark.when).as_secs_f64(),
                history.product()
            );
            history.in_time(&format!("{} went", node.name), deleted.mark.when, gone.when, seen)
        }
        None => unknown(format!(
            "{} went, and nothing shows that {} removed it: someone else may have",
            node.name,
            history.product()
        )),
    })
}

/// A node that stayed when its pod was gone: the autoscaler's doing, unless somebody else's pod needs it.
fn still_there(node: &Node, pod: &str, stays: &Late) -> Outcome {
    let seen = format!(
        "{} is still there {} s after its pod {pod} was deleted; {}",
        node.name, stays.seconds, stays.last
    );
    let Some(others) = &stays.others else {
        return unknown(format!(
            "{seen}; which pods are on it could not be read, and one of them may keep it"
        ));
    };
    if others.is_empty() {
        return unmet(format!("{seen}, and no other pod needs it; remove it by hand"), [stays.at]);
    }
    let names: Vec<&str> = others.iter().map(String::as_str).take(3).collect();
    unknown(format!(
        "{seen}; {} pods of others are on it, such as {}: give the pool a taint and its toleration in the profile: [[tolerations]]",
        others.len(),
        names.join(", ")
    ))
}

/// A node with a pod of ours stays while another goes.
pub fn busy_nodes_stay(history: &History) -> Outcome {
    let mut stayed = Vec::new();
    for trigger in &history.steps.triggers {
        // What was there before is not the autoscaler's to remove.
        let Some(node) = history.node_of(&trigger.pod).filter(|node| !node.before) else { continue };
        let deleted = about(&history.steps.deleted, &trigger.pod).map(|deleted| deleted.mark.at);
        let until = deleted.unwrap_or(Position::END).min(history.end);
        if until == Position::END {
            continue;
        }
        // A NodeClaim that is being deleted comes not back; a taint may be taken away again.
        let removed = history.claim_leaving(node).filter(|at| *at < until);
        let gone = node.gone.map(|gone| gone.at).filter(|at| *at < until);
        if let Some(at) = removed.or(gone.filter(|_| node.leaving.is_some())) {
            let witness = format!(
                "{} removed {} while the pod {} was on it",
                history.product(),
                node.name,
                trigger.pod
            );
            return unmet(witness, [at]);
        }
        if gone.is_some() {
            return unknown(format!(
                "{} went while the pod {} was on it, and nothing shows who removed it",
                node.name, trigger.pod
            ));
        }
        // It counts when another node went meanwhile.
        let gone = history.steps.gone.iter();
        let other = gone.filter(|gone| gone.mark.at < until && gone.pod != trigger.pod);
        stayed.extend(other.filter_map(|gone| Some((node, history.node_of(&gone.pod)?))));
    }
    match stayed.first() {
        Some((node, other)) => met(format!("{} stayed with its pod while {} went", node.name, other.name)),
        None => unknown(history.lack("no node went while another was busy")),
    }
}
