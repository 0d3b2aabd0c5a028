//! `driver_runtime_management` (KAR-0001): what is installed for accelerators is advertised, and what is advertised is true.
//!
//! A version is taken from where a client would take it: from the device's ResourceSlice, else from the node. What is really
//! there is what the device itself or its kernel module's file says, never another label.

mod acts;
mod adapters;
mod find;
mod judge;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_accelerators::{NEEDS, limits};
use aiconform_check::cx::{Check, Reach};
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Aggregate, Basis, Standing};
use futures::FutureExt;
use judge::History;

const MECHANISM: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"Provide a verifiable mechanism for ensuring that compatible accelerator drivers and corresponding container runtime configurations are correctly installed\"; we take it to mean that every node with accelerators says both versions, by labels, annotations or DRA attributes, which are the mechanisms that KAR-0001 names",
};
const ACTUAL: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0001: a pod inspects which driver and runtime versions are really installed, by that mechanism",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
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

static RULES: Rules<History> = Rules {
    // "on nodes with accelerators": no kind of them may be left out.
    aggregate: Aggregate::EverySubject,
    unread,
    unread_later,
    simulated: judge::simulated,
    ..Rules::of(
        marks::ID,
        CLAIMS,
        History::read,
        judge::doubt,
        "install the device plugin or the DRA driver of the accelerators' maker, with its feature discovery, or name the resource in the profile: [accelerators] resources = [\"…\"]",
    )
};

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestDriverRuntimeManagement",
    rules: &RULES,
    needs: NEEDS,
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "for each way in which accelerators are given one namespace with one small pod that has one of them, for some seconds",
    adapters: &[],
    quick: &[],
    parts: &["simulator"],
    files: &[],
    reads: None,
    trials: &[],
    limit: aiconform_accelerators::LIMIT,
    limits: &[limits::START],
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| acts::detect(api).boxed(),
    preview: |api, profile, _| acts::preview(api, profile).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
