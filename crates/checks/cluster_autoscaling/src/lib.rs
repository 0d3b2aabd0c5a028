//! `cluster_autoscaling` (KAR-0055): nodes with accelerators come for pods that wait for them, and go again.
//!
//! Nodes cost money, so nothing is done without consent, and the check has a reach of its own ([`Reach::Nodes`]): it begins
//! when the checks that go side by side have ended, because a node that comes changes what they count.

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::consent::Consent;
use aiconform_check::cx::{Check, Reach};
use aiconform_cluster::Permission;
use futures::FutureExt;
use std::time::Duration;

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestAcceleratorClusterAutoscaling",
    rules: &judge::RULES,
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
    creates: "a PriorityClass and one namespace with a pod that fits no node and, one after another, up to two that each make the autoscaler bring a node, which goes again: only with consent ([consent] nodes = true, or --consent nodes), because nodes cost money",
    adapters: adapters::IDS,
    quick: adapters::QUICK,
    parts: &[],
    files: &[],
    reads: None,
    trials: &[],
    // Twice the longest deadline that can be set, for two nodes to come and to go, and one for a refusal and for the end.
    limit: Duration::from_secs(9 * 3600),
    limits: limits::LIMITS,
    consents: &[Consent::Nodes],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| find::detect(api).boxed(),
    preview: |api, profile, _| find::preview(api, profile).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
