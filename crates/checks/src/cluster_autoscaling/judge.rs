//! From evidence to outcomes: pure functions.

mod beyond;

pub use beyond::{comes_from_zero, impossible_brings_none, no_more_than_needed};

use super::history::{Claim, History, Node, Phase, Pod};
use crate::foreign::{admitted_pod, gap};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

pub(super) fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

pub(super) fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

pub(super) fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let mut acting = false;
    for event in events {
        let ours = event.scope.subject == subject.id;
        match &event.kind {
            EventKind::SubjectStarted { .. } if ours => acting = true,
            EventKind::SubjectEnded {} if ours => acting = false,
            kind @ EventKind::WatchGap { .. } if acting => {
                if let Some(why) = gap(kind) {
                    return Some(why);
                }
            }
            EventKind::Exchange {
                method,
                path,
                status: 200..300,
                request: Some(sent),
                response: Some(got),
                ..
            } if ours => {
                if let Some(why) = admitted_pod(method, path, sent, got) {
                    return Some(why);
                }
            }
            _ => {}
        }
    }
    let history = History::of(events, subject);
    history.pods.iter().find_map(|(name, pod)| lost(&history, name, pod))
}

/// A pod that went before it was deleted, and not with its node.
fn lost(history: &History, name: &str, pod: &Pod) -> Option<String> {
    let (at, _) = pod.gone?;
    let ours = ["deleted", "impossible_deleted"].into_iter().find_map(|phase| history.about(phase, name));
    let ours = [ours, history.phase("over")].into_iter().flatten().map(|phase| phase.at).min();
    if ours.is_some_and(|ours| ours < at) {
        return None;
    }
    // Whoever removes a node marks it, and then removes its pods.
    let with_node = history.node_of(name).is_some_and(|node| {
        let signs = [node.leaving, leaving(history, node).map(|claim| claim.1), node.gone.map(|gone| gone.0)];
        signs.into_iter().flatten().any(|sign| sign < at)
    });
    let by = if pod.disrupted.is_empty() { String::new() } else { format!(": {}", pod.disrupted) };
    (!with_node).then(|| format!("the test pod {name} was deleted by someone else (event {at}){by}"))
}

/// The NodeClaim of a node that is being deleted, and since when.
fn leaving<'a>(history: &'a History, node: &Node) -> Option<(&'a Claim, u64)> {
    let claim = history.claims.get(&node.claim)?;
    Some((claim, claim.leaving?))
}

/// Whether it stands on nodes that nobody runs: pods were bound to them, and did not run.
pub fn simulated(events: &[&Event], subject: &Subject) -> bool {
    History::of(events, subject).new_nodes().any(|node| node.fake)
}

/// Whether more than one node may be brought.
pub fn has_several(subject: &Subject) -> bool {
    subject.facts.get("max_nodes").and_then(Value::as_u64).is_some_and(|most| most > 1)
}

/// In force: it says something of pods, or asks for nodes.
pub fn autoscaler_acts(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let product = history.product();
    if let Some(word) = history.words.first() {
        return met(format!("{product} says of the pod {}: {}", word.pod, word.message));
    }
    let begin = history.phase("begin").map_or(u64::MAX, |begin| begin.at);
    if let Some(claim) = history.claims.values().find(|claim| claim.came > begin && claim.of_pool) {
        return met(format!("{product} asked for the node of the NodeClaim {}", claim.name));
    }
    // Nothing was said until the end, of a pod that waited or for as long as it may take.
    let end = history.phase("late").or_else(|| history.phase("over").filter(|_| history.stopped.is_none()));
    match end.filter(|_| history.waiting().next().is_some()) {
        Some(end) => unmet(
            format!(
                "{product} said nothing of a pod that waited for a node: it does not run, or leaves that pod to another; start it, or remove what is left of it"
            ),
            vec![end.at],
        ),
        None => unknown(history.lack("no pod waited for a node until the end")),
    }
}

/// Control: what came came to a pod that waited.
pub fn pod_waited(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some((trigger, pod)) = history.waiting().next() else {
        return unknown(history.lack("the scheduler had room for every pod, or said nothing of one"));
    };
    let refused = pod.refused.unwrap_or_default();
    let between = |node: &&Node| node.came.0 > trigger.at && node.came.0 < refused;
    match history.new_nodes().find(between) {
        Some(node) => unknown(format!(
            "the node {} came before the scheduler said that it has no room for the pod {}",
            node.name, trigger.pod
        )),
        None => met(format!("the scheduler had no room for the pod {} (event {refused})", trigger.pod)),
    }
}

fn seconds(phase: &Phase) -> u64 {
    phase.data.get("seconds").and_then(Value::as_u64).unwrap_or_default()
}

/// The worst of several outcomes; of none, unknown with these words.
fn worst(outcomes: Vec<Outcome>, none: String) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Unmet { .. } => 2,
        Outcome::Unknown { .. } => 1,
        Outcome::Met { .. } => 0,
    };
    if !outcomes.is_empty() && outcomes.iter().all(Outcome::is_met) {
        return met(outcomes.iter().map(Outcome::text).collect::<Vec<_>>().join("; "));
    }
    // The first of the worst.
    outcomes.into_iter().rev().max_by_key(rank).unwrap_or_else(|| unknown(none))
}

/// A node of the pool with accelerators comes for a pod that waits, and the pod is on it.
pub fn node_comes(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let outcomes = history.waiting().map(|(trigger, _)| comes(&history, trigger)).collect();
    worst(outcomes, history.lack("no pod waited for a node"))
}

fn comes(history: &History, trigger: &Phase) -> Outcome {
    let (pod, resource) = (&trigger.pod, &history.resource);
    if let Some(node) = history.node_of(pod)
        && let Some(arrived) = history.about("arrived", pod)
    {
        let at = vec![node.came.0];
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
        let took = (arrived.time - trigger.time).max(0);
        return met(format!(
            "{} ({resource}: {}, UID {}) came, and the pod {pod} ran on it {:.1} s after it was made",
            node.name,
            node.accelerators,
            node.uid,
            took as f64 / 1000.0
        ));
    }
    let Some(late) = history.about("late", pod) else {
        return unknown(history.lack(&format!("nobody waited for the pod {pod} until it had a node")));
    };
    // It came, and what keeps the pod from running there (an image, a quota of the node's own) is not the autoscaler's.
    if let Some(node) = history.node_of(pod).filter(|node| !node.before && node.ready.is_some())
        && node.accelerators >= 1.0
        && (node.of_pool || !history.has_pool())
    {
        return unknown(format!(
            "the pod {pod} was bound to {}, and did not run there: {}",
            node.name,
            last(late)
        ));
    }
    let came: Vec<&Node> = history.nodes.iter().filter(|node| came_for(history, trigger, node)).collect();
    if !came.is_empty() {
        let each: Vec<String> = came.iter().map(|node| described(history, node)).collect();
        let events = came.iter().map(|node| node.came.0).collect();
        return unmet(
            format!("the pod {pod} waited {} s, and what came is {}", seconds(late), each.join("; ")),
            events,
        );
    }
    if let Some(claim) = history.claims.values().find(|claim| claim.came > trigger.at) {
        let trouble =
            if claim.trouble.is_empty() { "it does not say why".into() } else { claim.trouble.clone() };
        return unknown(format!(
            "{} asked for a node (NodeClaim {}), and none came in {} s: {trouble}",
            history.product(),
            claim.name,
            seconds(late)
        ));
    }
    let refusal = history.said(pod).filter(|word| !word.brings).last();
    match refusal {
        Some(word) => unknown(format!(
            "{} says that it can bring no node for the pod {pod}: {}; if a pool of it has {resource}, name that and the labels of its nodes in the profile: [cluster_autoscaling] resource = \"…\", node_selector = {{ … }}",
            history.product(),
            word.message
        )),
        None => unmet(
            format!("no node came for the pod {pod} in {} s; {}", seconds(late), last(late)),
            vec![late.at],
        ),
    }
}

/// Whether a node that came after the pod came for it, or could have been meant for it. On a cluster at work others come
/// for other pods.
fn came_for(history: &History, trigger: &Phase, node: &Node) -> bool {
    if node.before || node.came.0 < trigger.at {
        return false;
    }
    if node.accelerators > 0.0 || node.of_pool {
        return true;
    }
    let claim = history.claims.get(&node.claim);
    let by_claims = history.adapter.is_some_and(|adapter| adapter.claims);
    history.said(&trigger.pod).filter(|word| word.brings).any(|word| match claim {
        Some(claim) => names(&word.message, claim),
        // Without such objects nothing says which node it was that came.
        None => !by_claims,
    })
}

/// Whether Karpenter's word of a pod names this NodeClaim.
fn names(message: &str, claim: &Claim) -> bool {
    message.contains(&format!("nodeclaim/{}", claim.name))
}

/// Whether a pod ran on a node that was ready, before it was deleted.
fn runs_on(history: &History, pod: &str, node: &Node) -> bool {
    let ran = history.pods.get(pod).and_then(|pod| pod.ran);
    let until = history.about("deleted", pod).map_or(u64::MAX, |deleted| deleted.at);
    node.ready.is_some_and(|(ready, _)| ready < until) && ran.is_some_and(|ran| ran < until)
}

fn last(late: &Phase) -> &str {
    late.data.get("last").and_then(Value::as_str).unwrap_or_default()
}

/// A node that came, in words.
fn described(history: &History, node: &Node) -> String {
    let of = if node.of_pool || !history.has_pool() { "of the pool" } else { "not of the pool" };
    let ready = if node.ready.is_some() { "became ready" } else { "never became ready" };
    format!("{}, {of}, with {} {}, which {ready}", node.name, node.accelerators, history.resource)
}

/// What came came by the autoscaler, and for that pod.
pub fn autoscaler_brought_it(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let outcomes = history
        .waiting()
        .filter_map(|(trigger, _)| Some((trigger, history.node_of(&trigger.pod)?)))
        .filter(|(_, node)| !node.before)
        .filter_map(|(trigger, node)| brought(&history, trigger, node))
        .collect();
    worst(outcomes, history.lack("no node came for a pod that waited"))
}

/// Whether the autoscaler brought this node for this pod; nothing, when it came for another.
fn brought(history: &History, trigger: &Phase, node: &Node) -> Option<Outcome> {
    let (product, pod) = (history.product(), &trigger.pod);
    // Before the pod there was no reason to bring it.
    if node.came.0 < trigger.at {
        return None;
    }
    let words: Vec<_> = history.said(pod).filter(|word| word.brings).collect();
    if !history.adapter?.claims {
        return Some(match words.first() {
            Some(word) => met(format!("{product} says of the pod {pod}: {}", word.message)),
            None => unmet(
                format!(
                    "{} came, and {product} says nothing of having brought it for the pod {pod}",
                    node.name
                ),
                vec![node.came.0],
            ),
        });
    }
    let Some(claim) = history.claims.get(&node.claim) else {
        return Some(unmet(
            format!("{} came, and no NodeClaim of {product} stands for it: someone else added it", node.name),
            vec![node.came.0],
        ));
    };
    if claim.came < trigger.at {
        return None;
    }
    if !claim.of_pool {
        let why =
            format!("the NodeClaim {} of {} is of no NodePool: someone else made it", claim.name, node.name);
        return Some(unmet(why, vec![claim.came]));
    }
    Some(match words.iter().find(|word| names(&word.message, claim)) {
        Some(word) => met(format!("{product} says of the pod {pod}: {}", word.message)),
        None => unknown(format!(
            "{product} made the NodeClaim {} and does not say that it is for the pod {pod}",
            claim.name
        )),
    })
}

/// A node goes once its pod is deleted, and the autoscaler removes it.
pub fn node_goes(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let mut outcomes: Vec<Outcome> =
        history.all("arrived").filter_map(|arrived| goes(&history, &arrived.pod)).collect();
    // A node for a node that went leaves the pool as large as it was.
    let deleted = history.phase("deleted").map_or(u64::MAX, |phase| phase.at);
    let mut new = history.new_nodes().filter(|node| node.came.0 > deleted && node.gone.is_none());
    if let Some(node) = new.next() {
        outcomes.push(unknown(format!(
            "{} came after a pod was deleted, and stayed: the pool did not become smaller, for a reason that is not known",
            node.name
        )));
    }
    worst(outcomes, history.lack("no node came that could go"))
}

/// Whether the node of a pod goes after the pod; nothing, when it went before.
fn goes(history: &History, pod: &str) -> Option<Outcome> {
    let node = history.node_of(pod).filter(|node| !node.before)?;
    let Some(deleted) = history.about("deleted", pod) else {
        let why = format!("the pod {pod} on {} was not deleted", node.name);
        return node.gone.is_none().then(|| unknown(history.lack(&why)));
    };
    let Some((gone, time)) = node.gone else {
        return Some(match history.about("stays", pod) {
            Some(stays) => still_there(node, pod, stays),
            None => unknown(history.lack(&format!("nobody waited for {} until it was gone", node.name))),
        });
    };
    // One that went while its pod was on it is the matter of another claim.
    if gone < deleted.at {
        return None;
    }
    let sign = node.leaving.or_else(|| leaving(history, node).map(|claim| claim.1));
    Some(match sign {
        Some(at) if at < deleted.at => unknown(format!(
            "{} was on its way out before its pod {pod} was deleted (event {at}), so it did not go for that",
            node.name
        )),
        Some(_) => met(format!(
            "{} went {:.1} s after its pod {pod} was deleted, by {}",
            node.name,
            (time - deleted.time).max(0) as f64 / 1000.0,
            history.product()
        )),
        None => unknown(format!(
            "{} went, and nothing shows that {} removed it: someone else may have",
            node.name,
            history.product()
        )),
    })
}

/// A node that stayed when its pod was gone: the autoscaler's doing, unless somebody else's pod needs it.
fn still_there(node: &Node, pod: &str, stays: &Phase) -> Outcome {
    let seen = format!(
        "{} is still there {} s after its pod {pod} was deleted; {}",
        node.name,
        seconds(stays),
        last(stays)
    );
    let others = stays.data.get("others").and_then(Value::as_array);
    let Some(others) = others else {
        return unknown(format!(
            "{seen}; which pods are on it could not be read, and one of them may keep it"
        ));
    };
    if others.is_empty() {
        return unmet(format!("{seen}, and no other pod needs it; remove it by hand"), vec![stays.at]);
    }
    let names: Vec<&str> = others.iter().filter_map(Value::as_str).take(3).collect();
    unknown(format!(
        "{seen}; {} pods of others are on it, such as {}: give the pool a taint and its toleration in the profile: [[tolerations]]",
        others.len(),
        names.join(", ")
    ))
}

/// A node with a pod of ours stays while another goes.
pub fn busy_nodes_stay(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let mut stayed = Vec::new();
    for trigger in history.all("trigger") {
        // What was there before is not the autoscaler's to remove.
        let Some(node) = history.node_of(&trigger.pod).filter(|node| !node.before) else { continue };
        let until = [history.about("deleted", &trigger.pod), history.phase("over")];
        let Some(until) = until.into_iter().flatten().map(|phase| phase.at).min() else { continue };
        // A NodeClaim that is being deleted comes not back; a taint may be taken away again.
        let removed = leaving(&history, node).map(|claim| claim.1).filter(|at| *at < until);
        let gone = node.gone.map(|gone| gone.0).filter(|at| *at < until);
        if let Some(at) = removed.or(gone.filter(|_| node.leaving.is_some())) {
            let witness = format!(
                "{} removed {} while the pod {} was on it",
                history.product(),
                node.name,
                trigger.pod
            );
            return unmet(witness, vec![at]);
        }
        if gone.is_some() {
            return unknown(format!(
                "{} went while the pod {} was on it, and nothing shows who removed it",
                node.name, trigger.pod
            ));
        }
        // It counts when another node went meanwhile.
        let other = history.all("gone").filter(|gone| gone.at < until && gone.pod != trigger.pod);
        stayed.extend(other.filter_map(|gone| Some((node, history.node_of(&gone.pod)?))));
    }
    match stayed.first() {
        Some((node, other)) => met(format!("{} stayed with its pod while {} went", node.name, other.name)),
        None => unknown(history.lack("no node went while another was busy")),
    }
}
