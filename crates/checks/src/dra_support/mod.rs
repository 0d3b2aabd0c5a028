//! `dra_support` (KAR-0051): the API of dynamic resource allocation is served, and what is asked for by it is given.

mod adapters;
mod guard;
mod history;
mod judge;
mod objects;
mod preview;
mod run;
mod stage;
#[cfg(test)]
mod tests;
mod trials;

use crate::cx::{Check, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_cluster::Permission;
use aiconform_model::Event;
use aiconform_verdict::{Aggregate, Claim, Outcome, Rules, Standing, Subject};
use futures::FutureExt;
use std::time::Duration;

const SERVED: Standing = Standing::Must { cites: "KAR-0051: all resource.k8s.io/v1 APIs are enabled" };
const FINE_GRAINED: Standing = Standing::Must {
    cites: "the requirement's words: DRA APIs enable more flexible and fine-grained resource requests beyond simple counts",
};

/// Verbs for what is created and never changed.
const MAKE: &[&str] = &["create", "get", "list", "watch", "delete"];
/// Verbs for what is also changed.
const ALL: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];

const fn devices(resource: &'static str) -> Permission {
    Permission::to(objects::GROUP, resource, ALL, "devices of the run's own, and claims on them")
}

/// A claim of the requirement, on one trial.
const fn must(
    id: &'static str,
    says: &'static str,
    applies: fn(&Subject) -> bool,
    judge: fn(&[&Event], &Subject) -> Outcome,
) -> Claim {
    Claim { id, says, standing: FINE_GRAINED, applies, judge }
}

/// A claim that goes further, on one trial.
const fn beyond(
    id: &'static str,
    says: &'static str,
    applies: fn(&Subject) -> bool,
    judge: fn(&[&Event], &Subject) -> Outcome,
) -> Claim {
    Claim { id, says, standing: Standing::Additional, applies, judge }
}

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim {
        id: "plain_pods_are_bound",
        says: "pods that claim nothing are bound all the time",
        standing: Standing::Control,
        applies: |_| true,
        judge: judge::plain_pods_are_bound,
    },
    Claim {
        id: "api_is_served",
        says: "the API server serves DeviceClasses, ResourceClaims, ResourceClaimTemplates and ResourceSlices, and objects of each can be created, read, changed and deleted",
        standing: SERVED,
        applies: |_| true,
        judge: judge::api_is_served,
    },
    must(
        "claim_is_allocated",
        "a claim that fits is given a device, and its pod is bound",
        |subject| judge::planned(subject, trials::SELECT),
        judge::claim_is_allocated,
    ),
    must(
        "selectors_are_followed",
        "a claim is given the device that its selectors match, by attribute, by capacity and by both",
        |subject| judge::planned(subject, trials::SELECT),
        judge::selectors_are_followed,
    ),
    must(
        "unmatched_claim_waits",
        "a claim that no device matches gets nothing, though devices are free",
        |subject| judge::planned(subject, trials::SELECT),
        judge::unmatched_claim_waits,
    ),
    must(
        "device_is_given_once",
        "of more claims than devices as many as there are devices get one, and no device is given twice",
        |subject| judge::planned(subject, trials::CROWD),
        judge::device_is_given_once,
    ),
    must(
        "freed_device_is_given_again",
        "a device whose pod or claim is deleted goes to the next claim, and to one that waits for it",
        |subject| judge::planned(subject, trials::FREE),
        judge::freed_device_is_given_again,
    ),
    beyond(
        "shared_claim_is_one_device",
        "pods that share a claim all get its one device, and no other claim does",
        |subject| judge::planned(subject, trials::SHARE),
        judge::shared_claim_is_one_device,
    ),
    beyond(
        "first_available_is_first",
        "of the ways in which a request can be met the first that is free is taken",
        |subject| judge::planned(subject, trials::PREFER),
        judge::first_available_is_first,
    ),
    beyond(
        "tainted_device_is_kept_back",
        "a device with a taint is given to claims that tolerate it, and to no others",
        |subject| judge::planned(subject, trials::TAINTS),
        judge::tainted_device_is_kept_back,
    ),
];

static RULES: Rules = Rules {
    check: run::ID,
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: guard::doubt,
    simulated: |_, subject| run::simulated(&subject.facts),
    grade: |_, _| None,
    measures: |_, _| Vec::new(),
    pictures: |_, _| Vec::new(),
    advice: "the check asks the API server itself; see why it gave no answer",
};

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestDraSupport",
    rules: &RULES,
    needs: &[
        Permission::to("", "pods", ALL, "test pods; free room on a node"),
        Permission::to("", "nodes", &["get", "list", "watch"], "to choose a node and see whether it changes"),
        Permission::to("scheduling.k8s.io", "priorityclasses", MAKE, "a priority below everyone's"),
        devices("deviceclasses"),
        devices("resourceclaims"),
        devices("resourceclaimtemplates"),
        devices("resourceslices"),
    ],
    wants: &[Permission::to(
        objects::GROUP,
        "devicetaintrules",
        &["list"],
        "taints that someone puts on every device; without it they look like a scheduler that gives nothing",
    )],
    reach: Reach::Cluster,
    creates: "one PriorityClass, one namespace, up to 48 small pods on one node with claims on devices that the run publishes itself (7 ResourceSlices and 7 DeviceClasses under a driver's name of its own)",
    adapters: &[],
    quick: &[],
    parts: &[],
    files: &[],
    trials: &[],
    limit: Duration::from_secs(420),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |api, profile, _| preview::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
