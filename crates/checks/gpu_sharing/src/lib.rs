//! `gpu_sharing` (KAR-0003): one accelerator serves several pods, by at least one strategy.
//!
//! The trial is that of all shares (`accelerators::shares`), and so are marks, history and guard.

mod adapters;
mod judge;
#[cfg(test)]
mod tests;

pub use self::adapters::makers;
use aiconform_accelerators::NEEDS;
use aiconform_accelerators::shares::{self, Sharing};
use aiconform_check::cx::{Check, Reach};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};
use futures::FutureExt;
use judge::History;

/// Id of the requirement.
const ID: &str = "gpu_sharing";
const EXPOSED: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"these fractional GPU resources should be exposed as schedulable resources\", \"oversubscription of GPUs should be allowed\"; KAR-0003, step 1: a node's Allocatable includes the shares",
};
const ONE_DEVICE: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0003, step 3: the pods run on a node with shares, and on the same physical device",
};
const HEALTHY: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "KAR-0003, step 4: each pod finds its accelerator healthy; we take it to mean that all of them can use it, also while the others do",
};
const APART: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"If hardware-level partitioning is supported, then these fractional GPU resources should be exposed\"; we take a fraction to mean a part of its own, smaller than the device",
};
const COUNTED: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"exposed as schedulable resources\"; we take it to mean that the scheduler gives no more of them than there are",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "share_works_alone",
        "a pod that has a share can use it while no other pod does",
        Standing::Control,
        judge::share_works_alone,
    ),
    Claim::of(
        "share_is_schedulable",
        "shares can be asked for: more than there are devices, and as many as the node says there are",
        EXPOSED,
        judge::share_is_schedulable,
    ),
    Claim::of(
        "pods_share_one_device",
        "pods that have a share each run at the same time on one physical device",
        ONE_DEVICE,
        judge::pods_share_one_device,
    ),
    Claim::of(
        "shares_work_at_once",
        "all of them can use their shares at once",
        HEALTHY,
        judge::shares_work_at_once,
    ),
    Claim {
        id: "parts_are_apart",
        says: "partitions of a device are parts of their own, each smaller than the device",
        standing: APART,
        applies: judge::makes_parts,
        judge: judge::parts_are_apart,
    },
    Claim::of(
        "one_more_waits",
        "a pod that asks for one share more than there are waits",
        COUNTED,
        judge::one_more_waits,
    ),
    Claim::of(
        "freed_share_is_given_again",
        "a share that is given back goes to the pod that waits",
        Standing::Additional,
        judge::freed_share_is_given_again,
    ),
];

static RULES: Rules<History> = judge::rules(
    ID,
    CLAIMS,
    "let the device plugin offer shares (such as time-slicing in the configuration of the NVIDIA device plugin), or partition the devices (MIG, AMD compute partitions)",
);

/// The trials; their acts are those of all shares.
const SHARING: Sharing = Sharing {
    check: ID,
    strategies: adapters::IDS,
    makers,
    absent: "no node offers shares that are known as such",
};

/// The check.
pub const CHECK: Check = Check {
    id: ID,
    test_name: "TestGpuSharing",
    rules: &RULES,
    needs: NEEDS,
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "for each way of sharing one namespace with up to 9 small pods on one node, 8 of which have a share of an accelerator each, for less than a minute",
    adapters: adapters::IDS,
    quick: adapters::IDS,
    parts: &["simulator"],
    files: &[],
    reads: None,
    trials: &[],
    limit: aiconform_accelerators::LIMIT,
    limits: shares::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| shares::detect(&SHARING, api).boxed(),
    preview: |api, _, _| shares::preview(&SHARING, api).boxed(),
    run: |cx, _| shares::run(&SHARING, cx).boxed(),
};
