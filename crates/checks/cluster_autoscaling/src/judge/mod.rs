//! From evidence to outcomes: pure functions.

mod beyond;
mod down;
mod guard;
mod history;
mod measures;
mod picture;
mod steps;
mod up;

use self::beyond::{comes_from_zero, impossible_brings_none, no_more_than_needed};
use self::down::{busy_nodes_stay, node_goes};
use self::history::History;
use self::up::{autoscaler_acts, autoscaler_brought_it, node_comes, pod_waited};
use crate::marks::ID;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules, together, unknown};
use aiconform_verdict::{Aggregate, Basis, Outcome, Standing, Subject};
use serde_json::Value;

const UP: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"scale up/down node groups containing specific accelerator types based on pending pods requesting those accelerators\"; KAR-0055: one more pod than the pool has room for waits, one more node comes, the pod runs",
};
const BY_IT: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"a cluster autoscaler or an equivalent mechanism … based on pending pods requesting those accelerators\"",
};
const DOWN: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"scale up/down\"; KAR-0055: the pods are deleted, and the pool goes back to as many nodes as it had",
};

const BUSY: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"scale up/down node groups … based on pending pods requesting those accelerators\"; we take it to mean that a node goes for want of such pods, and not while one of them is on it",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "autoscaler_acts",
        "the autoscaler says something of the pods that wait",
        Standing::InForce,
        autoscaler_acts,
    ),
    Claim::of(
        "pod_waited",
        "the scheduler had no room for the pod before a node came",
        Standing::Control,
        pod_waited,
    ),
    Claim::of(
        "node_comes",
        "a node of the pool comes with accelerators, and the pod that waited runs on it",
        UP,
        node_comes,
    ),
    Claim::of(
        "autoscaler_brought_it",
        "the autoscaler brought that node, for that pod",
        BY_IT,
        autoscaler_brought_it,
    ),
    Claim::of("node_goes", "the node goes again once its pod is deleted", DOWN, node_goes),
    Claim {
        id: "busy_nodes_stay",
        says: "a node on which a pod still is stays while another goes",
        standing: BUSY,
        applies: has_several,
        judge: busy_nodes_stay,
    },
    // Not of the requirement: who brings a node in vain has scaled by a pending pod, too.
    Claim::of(
        "impossible_brings_none",
        "no node comes for a pod that would fit none",
        Standing::Additional,
        impossible_brings_none,
    ),
    Claim::of(
        "no_more_than_needed",
        "no more nodes come than pods wait",
        Standing::Additional,
        no_more_than_needed,
    ),
    Claim::of(
        "comes_from_zero",
        "a node comes to a pool that has none",
        Standing::Additional,
        comes_from_zero,
    ),
];

/// The pure half of the check. Not applicable is a third way to take subjects together, so that no other requirement can have
/// it; the proof is a mark of the check, and what could not be looked at is no proof.
pub static RULES: Rules<History> = Rules {
    aggregate: Aggregate::AnySubjectIfProvided,
    unread,
    unread_later,
    measures: measures::measures,
    // Pods were bound to nodes that nobody runs, and did not run.
    simulated: |history| history.new_nodes().any(|node| node.fake),
    pictures: picture::pictures,
    ..Rules::of(
        ID,
        CLAIMS,
        History::read,
        guard::doubt,
        "install an autoscaler of nodes (such as Karpenter or cluster-autoscaler) with a pool of accelerators and let the run use it: [consent] nodes = true; or, where the platform provides none, state it in the profile: [cluster_autoscaling] provided = false",
    )
};

/// Tells whether more than one node may be brought.
fn has_several(subject: &Subject) -> bool {
    subject.facts.get("max_nodes").and_then(Value::as_u64).is_some_and(|most| most > 1)
}

/// One outcome for all pods; why nothing is known, where there is none.
fn each(outcomes: &[Outcome], history: &History, none: &str) -> Outcome {
    if outcomes.is_empty() { unknown(history.lack(none)) } else { together(outcomes) }
}
