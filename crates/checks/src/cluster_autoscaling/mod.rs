//! `cluster_autoscaling` (KAR-0055): nodes with accelerators come for pods that wait for them, and go again.

mod adapters;
mod history;
mod judge;
mod measures;
mod picture;
mod run;
#[cfg(test)]
mod tests;

use crate::cx::{Check, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_cluster::Permission;
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;
use std::time::Duration;

const UP: Standing = Standing::Must {
    cites: "the requirement: \"scale up/down node groups containing specific accelerator types based on pending pods requesting those accelerators\"; KAR-0055: one more pod than the pool has room for waits, one more node comes, the pod runs",
};
const BY_IT: Standing = Standing::Must {
    cites: "the requirement: \"a cluster autoscaler or an equivalent mechanism … based on pending pods requesting those accelerators\"",
};
const DOWN: Standing = Standing::Must {
    cites: "the requirement: \"scale up/down\"; KAR-0055: the pods are deleted, and the pool goes back to as many nodes as it had",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "autoscaler_acts",
        "the autoscaler says something of the pods that wait",
        Standing::InForce,
        judge::autoscaler_acts,
    ),
    Claim::of(
        "pod_waited",
        "the scheduler had no room for the pod before a node came",
        Standing::Control,
        judge::pod_waited,
    ),
    Claim::of(
        "node_comes",
        "a node of the pool comes with accelerators, and the pod that waited runs on it",
        UP,
        judge::node_comes,
    ),
    Claim::of(
        "autoscaler_brought_it",
        "the autoscaler brought that node, for that pod",
        BY_IT,
        judge::autoscaler_brought_it,
    ),
    Claim::of("node_goes", "the node goes again once its pod is deleted", DOWN, judge::node_goes),
    Claim {
        id: "busy_nodes_stay",
        says: "a node on which a pod still is stays while another goes",
        standing: DOWN,
        applies: judge::has_several,
        judge: judge::busy_nodes_stay,
    },
    // Not of the requirement: who brings a node in vain has scaled by a pending pod, too.
    Claim::of(
        "impossible_brings_none",
        "no node comes for a pod that would fit none",
        Standing::Additional,
        judge::impossible_brings_none,
    ),
    Claim::of(
        "no_more_than_needed",
        "no more nodes come than pods wait",
        Standing::Additional,
        judge::no_more_than_needed,
    ),
    Claim::of(
        "comes_from_zero",
        "a node comes to a pool that has none",
        Standing::Additional,
        judge::comes_from_zero,
    ),
];

static RULES: Rules = Rules {
    check: run::ID,
    aggregate: Aggregate::AnySubjectIfProvided,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: measures::measures,
    simulated: judge::simulated,
    pictures: picture::pictures,
    advice: "install an autoscaler of nodes (such as Karpenter or cluster-autoscaler) with a pool of accelerators and let the run use it: [cluster_autoscaling] consent = true; or, where the platform provides none, state it in the profile: [cluster_autoscaling] provided = false",
};

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestAcceleratorClusterAutoscaling",
    rules: &RULES,
    needs: &[
        Permission::to(
            "scheduling.k8s.io",
            "priorityclasses",
            &["create", "get", "list", "watch", "delete"],
            "a PriorityClass for which autoscalers act",
        ),
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "delete"],
            "the pods that wait for nodes",
        ),
        Permission::to("", "nodes", &["get", "list", "watch"], "which nodes come and go"),
        Permission::to("", "events", &["list", "watch"], "what the autoscaler says of the pods"),
        Permission::to("karpenter.sh", "nodepools", &["list"], "which pools there are"),
        Permission::to("karpenter.sh", "nodeclaims", &["list", "watch"], "which nodes Karpenter asked for"),
    ],
    wants: &[Permission::to(
        "apps",
        "deployments",
        &["list"],
        "whether an autoscaler is there; without it that there is none cannot be proven",
    )],
    reach: Reach::Nodes,
    creates: "a PriorityClass and one namespace with a pod that fits no node and, one after another, up to two that each make the autoscaler bring a node, which goes again: only with [cluster_autoscaling] consent = true, because nodes cost money",
    adapters: adapters::IDS,
    quick: adapters::QUICK,
    parts: &[],
    files: &[],
    trials: &[],
    // Of the longest deadline that can be set, for two nodes to come and to go, and for a refusal.
    limit: Duration::from_secs(5 * run::LONGEST),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |api, profile, _| run::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
