//! `virtualized_accelerator` (KAR-0004): virtual accelerators are offered and managed as shares of physical ones are.
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
const ID: &str = "virtualized_accelerator";
const EXPOSED: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"provide well-defined mechanisms for these to be exposed\"",
};
const RUNS: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "KAR-0004, step 3: all pods run on nodes with the expected device, and find it healthy; we take it to mean that all of them can use it, also while the others do",
};
const CONSISTENT: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"managed, maintaining consistency with physical fractional GPUs\"; we take it to mean what KAR-0004 means by it: allocated, isolated and accounted for by the same semantics",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "share_works_alone",
        "a pod that has a virtual device can use it while no other pod does",
        Standing::Control,
        judge::share_works_alone,
    ),
    Claim::of(
        "share_is_schedulable",
        "virtual devices can be asked for, as many as the node says there are",
        EXPOSED,
        judge::share_is_schedulable,
    ),
    Claim::of(
        "pods_share_one_device",
        "pods that have a virtual device each run at the same time on one physical device",
        CONSISTENT,
        judge::pods_share_one_device,
    ),
    Claim::of(
        "shares_work_at_once",
        "all of them can use their devices at once",
        RUNS,
        judge::shares_work_at_once,
    ),
    Claim::of(
        "parts_are_apart",
        "virtual devices are devices of their own, each smaller than the physical one",
        CONSISTENT,
        judge::parts_are_apart,
    ),
    Claim::of(
        "one_more_waits",
        "a pod that asks for one virtual device more than there are waits",
        CONSISTENT,
        judge::one_more_waits,
    ),
    Claim::of(
        "freed_share_is_given_again",
        "a virtual device that is given back goes to the pod that waits",
        CONSISTENT,
        judge::freed_share_is_given_again,
    ),
];

static RULES: Rules<History> = judge::rules(
    ID,
    CLAIMS,
    "install what offers virtual devices of your accelerators (such as NVIDIA vGPU with its device plugin, or HAMi); where they have none, the requirement does not ask for any",
);

/// The trials; their acts are those of all shares.
const SHARING: Sharing = Sharing {
    check: ID,
    strategies: adapters::IDS,
    makers,
    absent: "no node offers virtual devices that are known as such: whether its accelerators could be virtual ones cannot be told",
};

/// The check.
pub const CHECK: Check = Check {
    id: ID,
    test_name: "TestVirtualizedAccelerator",
    rules: &RULES,
    needs: NEEDS,
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "for each way of giving them one namespace with up to 9 small pods on one node, 8 of which have a virtual accelerator each, for less than a minute",
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
