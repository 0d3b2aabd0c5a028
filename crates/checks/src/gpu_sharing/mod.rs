//! `gpu_sharing` (KAR-0003): one accelerator serves several pods, by at least one strategy.

mod adapters;
mod judge;
mod run;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use self::adapters::makers;
use self::run::SHARING;
use crate::accelerators::{NEEDS, shares};
use crate::cx::{Check, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;

const EXPOSED: Standing = Standing::Must {
    cites: "the requirement: \"exposed as schedulable resources\", \"oversubscription of GPUs should be allowed\"; KAR-0003, step 1: a node's Allocatable includes the shares",
};
const ONE_DEVICE: Standing = Standing::Must {
    cites: "KAR-0003, step 3: the pods run on a node with shares, and on the same physical device",
};
const HEALTHY: Standing =
    Standing::Must { cites: "KAR-0003, step 4: each pod finds its accelerator healthy" };
const APART: Standing = Standing::Must {
    cites: "the requirement: \"If hardware-level partitioning is supported, then these fractional GPU resources\" are exposed",
};
const COUNTED: Standing = Standing::Must {
    cites: "the requirement: \"exposed as schedulable resources\": what the scheduler counts, no more of them than there are",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
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

static RULES: Rules = Rules {
    check: "gpu_sharing",
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: |_, _| Vec::new(),
    simulated: judge::simulated,
    pictures: |_, _| Vec::new(),
    advice: "let the device plugin offer shares (such as time-slicing in the configuration of the NVIDIA device plugin), or partition the devices (MIG, AMD compute partitions)",
};

/// The check.
pub const CHECK: Check = Check {
    id: "gpu_sharing",
    test_name: "TestGpuSharing",
    rules: &RULES,
    needs: NEEDS,
    wants: crate::accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "for each way of sharing one namespace with up to 9 small pods on one node, 8 of which have a share of an accelerator each, for less than a minute",
    adapters: adapters::IDS,
    quick: adapters::IDS,
    parts: &["simulator"],
    files: &[],
    trials: &[],
    limit: crate::accelerators::LIMIT,
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| shares::detect(&SHARING, api).boxed(),
    preview: |api, _, _| shares::preview(&SHARING, api).boxed(),
    run: |cx, _| shares::run(&SHARING, cx).boxed(),
};
