//! `driver_runtime_management` (KAR-0001): what is installed for accelerators is advertised, and what is advertised is true.

mod adapters;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use crate::accelerators::NEEDS;
use crate::cx::{Check, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;

const MECHANISM: Standing = Standing::Must {
    cites: "the requirement: \"a verifiable mechanism\"; KAR-0001: \"labels and annotations on the nodes, or … DRA attributes\"",
};
const ACTUAL: Standing = Standing::Must {
    cites: "KAR-0001: a pod inspects which driver and runtime versions are really installed, by that mechanism",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "device_was_given",
        "a container that asked for a device reaches one",
        Standing::Control,
        judge::device_was_given,
    ),
    Claim::of(
        "driver_version_is_advertised",
        "every node with such devices says the version of their driver",
        MECHANISM,
        judge::driver_version_is_advertised,
    ),
    Claim::of(
        "runtime_version_is_advertised",
        "every node with such devices says the version of their runtime",
        MECHANISM,
        judge::runtime_version_is_advertised,
    ),
    Claim::of(
        "driver_version_is_true",
        "the driver's version that is advertised is the one that a pod finds",
        ACTUAL,
        judge::driver_version_is_true,
    ),
    Claim::of(
        "runtime_version_is_true",
        "the runtime's version that is advertised is the one that a pod finds",
        ACTUAL,
        judge::runtime_version_is_true,
    ),
    // Forward-looking in the requirement: "Once the accelerator supports exposing driver and runtime version information
    // as part of DRA". What supports it says so in its slices; then these are what is compared above.
    Claim {
        id: "versions_are_in_slices",
        says: "devices that are given by dynamic resource allocation say both versions in their ResourceSlices",
        standing: Standing::Additional,
        applies: judge::is_dra,
        judge: judge::versions_are_in_slices,
    },
];

static RULES: Rules = Rules {
    check: run::ID,
    // "on nodes with accelerators": no kind of them may be left out.
    aggregate: Aggregate::EverySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: |_, _| Vec::new(),
    simulated: judge::simulated,
    pictures: |_, _| Vec::new(),
    advice: "install the device plugin or the DRA driver of the accelerators' maker, with its feature discovery, or name the resource in the profile: [accelerators] resources = [\"…\"]",
};

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestDriverRuntimeManagement",
    rules: &RULES,
    needs: NEEDS,
    wants: crate::accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "for each way in which accelerators are given one namespace with one small pod that has one of them, for some seconds",
    adapters: &[],
    quick: &[],
    parts: &["simulator"],
    files: &[],
    trials: &[],
    limit: crate::accelerators::LIMIT,
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |api, profile, _| run::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
