//! Claims that go further than the requirement.

use super::history::{Claim, History, Node};
use super::steps::{about, waited};
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// No node comes for a pod that no node would have room for; and one comes for a pod beside it, so that nodes can come.
pub fn impossible_brings_none(history: &History) -> Outcome {
    let Some(begin) = &history.steps.impossible else {
        return unknown(history.lack("no impossible pod was made"));
    };
    let pod = &begin.pod;
    if let Some(word) = history.said(pod).find(|word| word.said.brings) {
        let witness =
            format!("{} says of the pod {pod}, which fits no node: {}", history.product(), word.said.message);
        return unmet(witness, [word.at]);
    }
    // Until then there is no other pod of ours that waits.
    let Some(trigger) = history.steps.triggers.first() else {
        return unknown(history.lack("no other pod was made"));
    };
    let meanwhile = |at: Position| at > begin.mark.at && at < trigger.mark.at;
    let node = history.new_nodes().find(|node: &&Node| meanwhile(node.came.at));
    let claim = history.claims.values().find(|claim: &&Claim| meanwhile(claim.came));
    let came = node.map(|node| (node.came.at, format!("the node {}", node.name)));
    let came = came.or_else(|| claim.map(|claim| (claim.came, format!("the NodeClaim {}", claim.name))));
    if let Some((at, what)) = came {
        return unmet(
            format!("{what} came while nothing waited but the pod {pod}, which fits no node"),
            [at],
        );
    }
    let Some(word) = history.said(pod).next() else {
        return unknown(format!(
            "{} did not say that it can bring no node for the pod {pod}, so that it may not have looked at it",
            history.product()
        ));
    };
    let control = history.waiting().find_map(|(other, _)| {
        let node = history.node_of(&other.pod)?;
        // The impossible pod was there all the time.
        let there = history.pods.get(pod)?.gone.is_none_or(|gone| gone.at > node.came.at);
        (!node.before && there).then_some(node)
    });
    match control {
        Some(node) => met(format!(
            "{} says of the pod {pod}: {}; {} came for another pod meanwhile",
            history.product(),
            word.said.message,
            node.name
        )),
        None => {
            unknown("no node came for a pod that fits, so that it says nothing that none came for this one")
        }
    }
}

/// As many nodes come as pods wait: each after a pod, which then is on it.
pub fn no_more_than_needed(history: &History) -> Outcome {
    let asked: Vec<&Node> = history
        .waiting()
        .filter_map(|(trigger, _)| Some((trigger.mark.at, history.node_of(&trigger.pod)?)))
        .filter(|(at, node)| !node.before && decided(history, node) > *at)
        .map(|(_, node)| node)
        .collect();
    if asked.is_empty() {
        return unknown(history.lack("no node came for a pod that waited"));
    }
    let steps = &history.steps;
    let deleted = steps.deleted.first().map(|deleted| deleted.mark.at);
    let Some(end) = deleted.or(steps.over.map(|over| over.at)) else {
        return unknown(history.lack("it was not waited for"));
    };
    let more: Vec<&Node> = history
        .new_nodes()
        .filter(|node| node.came.at < end && !asked.iter().any(|asked| asked.uid == node.uid))
        .collect();
    if more.is_empty() {
        return met(format!("{} nodes came, each for a pod that waited", asked.len()));
    }
    let names: Vec<&str> = more.iter().map(|node| node.name.as_str()).collect();
    unmet(
        format!(
            "{} nodes came, and pods waited for {}; not for {}",
            asked.len() + more.len(),
            asked.len(),
            names.join(", ")
        ),
        more.iter().map(|node| node.came.at),
    )
}

/// When it was decided to bring a node, as far as it is known.
fn decided(history: &History, node: &Node) -> Position {
    history.claims.get(&node.claim).map_or(node.came.at, |claim| claim.came)
}

/// A node comes to a pool that is empty.
pub fn comes_from_zero(history: &History) -> Outcome {
    let Some(begin) = history.steps.begin else {
        return unknown(history.lack("nothing was tried"));
    };
    let there = |node: &&Node| {
        let of_pool = if history.has_pool() { node.of_pool } else { node.accelerators > 0.0 };
        node.before && of_pool && node.gone.is_none_or(|gone| gone.at > begin.at)
    };
    let before = history.nodes.iter().filter(there).count();
    if before > 0 {
        return unknown(format!("the pool had {before} nodes when it began"));
    }
    let Some((trigger, _)) = history.waiting().next() else {
        return unknown(history.lack("no pod waited for a node"));
    };
    if let Some(arrived) = about(&history.steps.arrived, &trigger.pod)
        && let Some(node) = history.node_of(&trigger.pod)
    {
        let seen = format!("the pool had no node, and {} came", node.name);
        return history.in_time(&format!("{} came", node.name), trigger.mark.when, arrived.mark.when, seen);
    }
    match waited(&history.steps.late, &trigger.pod) {
        Some(late) => {
            unmet(format!("the pool has no node, and none came for the pod {}", trigger.pod), [late.at])
        }
        None => unknown(history.lack("it was not waited for")),
    }
}
