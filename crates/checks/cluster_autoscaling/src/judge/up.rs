//! Nodes that come.
//!
//! Who brought a node is told by objects that stand in the evidence: owners lead from the node to its NodeClaim and from there
//! to a NodePool, and an event names that NodeClaim for the pod. A node that came before the pod for which it would be does
//! not count for it. Of a stopped autoscaler, of a pool without room and of a cloud without machines, only what came wrongly is
//! a failure.

use super::each;
use super::history::{Claim, History, Node, Word};
use super::steps::{Step, about, waited};
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// In force: it says something of pods, or asks for nodes.
pub fn autoscaler_acts(history: &History) -> Outcome {
    let product = history.product();
    if let Some(Word { said, .. }) = history.words.first() {
        return met(format!("{product} says of the pod {}: {}", said.pod, said.message));
    }
    let begin = history.steps.begin.map_or(Position::END, |begin| begin.at);
    if let Some(claim) = history.claims.values().find(|claim| claim.came > begin && claim.of_pool) {
        return met(format!("{product} asked for the node of the NodeClaim {}", claim.name));
    }
    // Nothing was said until the end, of a pod that waited or for as long as it may take.
    let late = history.steps.late.first().map(|late| late.at);
    let over = history.steps.over.filter(|_| history.stopped.is_none());
    let end = late.or(over.map(|over| over.at));
    match end.filter(|_| history.waiting().next().is_some()) {
        Some(end) => unmet(
            format!(
                "{product} said nothing of a pod that waited for a node: it does not run, or leaves that pod to another; start it, or remove what is left of it"
            ),
            [end],
        ),
        None => unknown(history.lack("no pod waited for a node until the end")),
    }
}

/// Control: what came came to a pod that waited.
pub fn pod_waited(history: &History) -> Outcome {
    let Some((trigger, pod)) = history.waiting().next() else {
        return unknown(history.lack("the scheduler had room for every pod, or said nothing of one"));
    };
    let refused = pod.refused.unwrap_or(Position::END);
    let between = |node: &&Node| node.came.at > trigger.mark.at && node.came.at < refused;
    match history.new_nodes().find(between) {
        Some(node) => unknown(format!(
            "the node {} came before the scheduler said that it has no room for the pod {}",
            node.name, trigger.pod
        )),
        None => met(format!("the scheduler had no room for the pod {} (event {refused})", trigger.pod)),
    }
}

/// A node of the pool with accelerators comes for a pod that waits, and the pod is on it.
pub fn node_comes(history: &History) -> Outcome {
    let outcomes: Vec<Outcome> = history.waiting().map(|(trigger, _)| comes(history, trigger)).collect();
    each(&outcomes, history, "no pod waited for a node")
}

fn comes(history: &History, trigger: &Step) -> Outcome {
    let (pod, resource) = (&trigger.pod, &history.facts.resource);
    if let Some(node) = history.node_of(pod)
        && let Some(arrived) = about(&history.steps.arrived, pod)
    {
        let at = [node.came.at];
        if node.before {
            return unknown(format!("the pod {pod} was bound to {}, which was there before", node.name));
        }
        if node.accelerators < 1.0 {
            return unmet(format!("the pod {pod} is on {}, which has no {resource}", node.name), at);
        }
        if !node.of_pool && history.has_pool() {
            return unmet(format!("the pod {pod} is on {}, which is not of the pool", node.name), at);
        }
        if !runs_on(history, pod, node) {
            return unknown(format!(
                "the pod {pod} was bound to {}, and was not seen to run there",
                node.name
            ));
        }
        let took = arrived.mark.when.since(trigger.mark.when);
        let seen = format!(
            "{} ({resource}: {}, UID {}) came, and the pod {pod} ran on it {:.1} s after it was made",
            node.name,
            node.accelerators,
            node.uid,
            took.as_secs_f64()
        );
        let what = format!("{} came and the pod {pod} ran on it", node.name);
        return history.in_time(&what, trigger.mark.when, arrived.mark.when, seen);
    }
    let Some(late) = waited(&history.steps.late, pod) else {
        return unknown(history.lack(&format!("nobody waited for the pod {pod} until it had a node")));
    };
    // It came, and what keeps the pod from running there (an image, a quota of the node's own) is not the autoscaler's.
    if let Some(node) = history.node_of(pod).filter(|node| !node.before && node.ready.is_some())
        && node.accelerators >= 1.0
        && (node.of_pool || !history.has_pool())
    {
        return unknown(format!(
            "the pod {pod} was bound to {}, and did not run there: {}",
            node.name, late.last
        ));
    }
    let came: Vec<&Node> = history.nodes.iter().filter(|node| came_for(history, trigger, node)).collect();
    if !came.is_empty() {
        let each: Vec<String> = came.iter().map(|node| described(history, node)).collect();
        let events: Vec<Position> = came.iter().map(|node| node.came.at).collect();
        return unmet(
            format!("the pod {pod} waited {} s, and what came is {}", late.seconds, each.join("; ")),
            events,
        );
    }
    if let Some(claim) = history.claims.values().find(|claim| claim.came > trigger.mark.at) {
        let trouble =
            if claim.trouble.is_empty() { "it does not say why".into() } else { claim.trouble.clone() };
        return unknown(format!(
            "{} asked for a node (NodeClaim {}), and none came in {} s: {trouble}",
            history.product(),
            claim.name,
            late.seconds
        ));
    }
    let refusal = history.said(pod).filter(|word| !word.said.brings).last();
    match refusal {
        Some(word) => unknown(format!(
            "{} says that it can bring no node for the pod {pod}: {}; if a pool of it has {resource}, name that and the labels of its nodes in the profile: [cluster_autoscaling] resource = \"…\", node_selector = {{ … }}",
            history.product(),
            word.said.message
        )),
        None => {
            unmet(format!("no node came for the pod {pod} in {} s; {}", late.seconds, late.last), [late.at])
        }
    }
}

/// Tells whether a node that came after the pod came for it, or could have been meant for it. On a cluster at work others come
/// for other pods.
fn came_for(history: &History, trigger: &Step, node: &Node) -> bool {
    if node.before || node.came.at < trigger.mark.at {
        return false;
    }
    if node.accelerators > 0.0 || node.of_pool {
        return true;
    }
    let claim = history.claims.get(&node.claim);
    let by_claims = history.adapter.is_some_and(|adapter| adapter.claims);
    history.said(&trigger.pod).filter(|word| word.said.brings).any(|word| match claim {
        Some(claim) => names(&word.said.message, claim),
        // Without such objects nothing says which node it was that came.
        None => !by_claims,
    })
}

/// Tells whether Karpenter's word of a pod names this NodeClaim.
fn names(message: &str, claim: &Claim) -> bool {
    message.contains(&format!("nodeclaim/{}", claim.name))
}

/// Tells whether a pod ran on a node that was ready, before it was deleted.
fn runs_on(history: &History, pod: &str, node: &Node) -> bool {
    let ran = history.pods.get(pod).and_then(|pod| pod.ran);
    let until = about(&history.steps.deleted, pod).map_or(Position::END, |deleted| deleted.mark.at);
    node.ready.is_some_and(|ready| ready.at < until) && ran.is_some_and(|ran| ran < until)
}

/// A node that came, in words.
fn described(history: &History, node: &Node) -> String {
    let of = if node.of_pool || !history.has_pool() { "of the pool" } else { "not of the pool" };
    let ready = if node.ready.is_some() { "became ready" } else { "never became ready" };
    format!("{}, {of}, with {} {}, which {ready}", node.name, node.accelerators, history.facts.resource)
}

/// Each node that came came by the autoscaler, and for the pod that waited.
pub fn autoscaler_brought_it(history: &History) -> Outcome {
    let outcomes: Vec<Outcome> = history
        .waiting()
        .filter_map(|(trigger, _)| Some((trigger, history.node_of(&trigger.pod)?)))
        .filter(|(_, node)| !node.before)
        .filter_map(|(trigger, node)| brought(history, trigger, node))
        .collect();
    each(&outcomes, history, "no node came for a pod that waited")
}

/// Outcome for one node: the autoscaler brought it for this pod; nothing, when it came for another.
fn brought(history: &History, trigger: &Step, node: &Node) -> Option<Outcome> {
    let (product, pod) = (history.product(), &trigger.pod);
    // Before the pod there was no reason to bring it.
    if node.came.at < trigger.mark.at {
        return None;
    }
    let words: Vec<_> = history.said(pod).filter(|word| word.said.brings).collect();
    if !history.adapter?.claims {
        return Some(match words.first() {
            Some(word) => met(format!("{product} says of the pod {pod}: {}", word.said.message)),
            None => unmet(
                format!(
                    "{} came, and {product} says nothing of having brought it for the pod {pod}",
                    node.name
                ),
                [node.came.at],
            ),
        });
    }
    let Some(claim) = history.claims.get(&node.claim) else {
        return Some(unmet(
            format!("{} came, and no NodeClaim of {product} stands for it: someone else added it", node.name),
            [node.came.at],
        ));
    };
    if claim.came < trigger.mark.at {
        return None;
    }
    if !claim.of_pool {
        let why =
            format!("the NodeClaim {} of {} is of no NodePool: someone else made it", claim.name, node.name);
        return Some(unmet(why, [claim.came]));
    }
    Some(match words.iter().find(|word| names(&word.said.message, claim)) {
        Some(word) => met(format!("{product} says of the pod {pod}: {}", word.said.message)),
        None => unknown(format!(
            "{product} made the NodeClaim {} and does not say that it is for the pod {pod}",
            claim.name
        )),
    })
}
