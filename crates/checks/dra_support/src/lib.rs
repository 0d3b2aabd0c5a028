//! `dra_support` (KAR-0051): the API of dynamic resource allocation is served, and what is asked for by it is given.
//!
//! The requirement is about the API and about what is given by it, so that no accelerator is needed: the run publishes devices
//! of its own, as a driver does, and allocation and binding are what is judged. A platform that does not serve
//! `resource.k8s.io/v1` is not one on which nothing can be tried. That is the failure, and so its subject is always there.
//!
//! Each trial has a pool and a class of devices to itself: all go side by side, and a fault shows where it is. Where a claim
//! must get nothing, its control is in the same trial: another claim, which then gets a device that was free all the time.
//! Binding and allocation come on two watches, and a window closes on both.
//!
//! What we delete is marked first (`remove`), and whatever else goes was deleted by someone else. Steps of trials are marks
//! (`marks.rs`), and the judge reads them with what was watched into one history (`judge/history.rs`), which ends where our
//! acts on the subject end.
//!
//! An API server may have features off. It drops fields that it does not know, so that a dry-run tells which there are
//! (`find.rs`), and what it lacks is neither tried nor claimed.
//!
//! No verdict hangs on a longest time (`limits.rs`): a claim that gets nothing is stuck, and not slow, when pods that came
//! after it and claim nothing were bound one after another meanwhile.

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
mod reading;
#[cfg(test)]
mod tests;

use acts::{preview, run};
use aiconform_check::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Outcome, Standing, Subject};
use futures::FutureExt;
use judge::guard;
use judge::history::History;
use marks::{CROWD, FREE, Facts, ID, PREFER, SELECT, SHARE, TAINTS};
use std::time::Duration;

const SERVED: Standing =
    Standing::Must { basis: Basis::Kar, cites: "KAR-0051: all resource.k8s.io/v1 APIs are enabled" };
const GIVEN: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"Support Dynamic Resource Allocation (DRA) APIs to enable more flexible and fine-grained resource requests\": we take it to mean that a platform gives what is asked for by these APIs, and does not only store it",
};
const FINE_GRAINED: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement's words: DRA APIs enable more flexible and fine-grained resource requests beyond simple counts",
};
const UNMATCHED: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"fine-grained resource requests beyond simple counts\": we take it to mean that a request which no device meets is given none",
};
const ONCE: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"Support Dynamic Resource Allocation (DRA) APIs\": we take allocation to mean that a device is one claim's at a time, and that all devices are given out while claims want them",
};
const AGAIN: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"Support Dynamic Resource Allocation (DRA) APIs\": we take dynamic to mean that a device which is let go of is given to the next claim",
};

/// Verbs for what is created and never changed.
const MAKE: &[&str] = &["create", "get", "list", "watch", "delete"];
/// Verbs for what is also changed.
const ALL: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];

const fn devices(resource: &'static str) -> Permission {
    Permission::to(reading::GROUP, resource, ALL, "devices of the run's own, and claims on them")
}

/// Tells whether a trial was planned for a subject: what the API server does not have is not claimed.
fn planned(subject: &Subject, trial: &str) -> bool {
    Facts::read(&subject.facts).is_ok_and(|facts| facts.plans(trial))
}

/// A claim that goes further than the requirement, on one trial.
const fn beyond(
    id: &'static str,
    says: &'static str,
    applies: fn(&Subject) -> bool,
    judge: fn(&History) -> Outcome,
) -> Claim<History> {
    Claim { id, says, standing: Standing::Additional, applies, judge }
}

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
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
    Claim {
        id: "claim_is_allocated",
        says: "a claim that fits is given a device, and its pod is bound",
        standing: GIVEN,
        applies: |subject| planned(subject, SELECT),
        judge: judge::claim_is_allocated,
    },
    Claim {
        id: "selectors_are_followed",
        says: "a claim is given the device that its selectors match, by attribute, by capacity and by both",
        standing: FINE_GRAINED,
        applies: |subject| planned(subject, SELECT),
        judge: judge::selectors_are_followed,
    },
    Claim {
        id: "unmatched_claim_waits",
        says: "a claim that no device matches gets nothing, though devices are free",
        standing: UNMATCHED,
        applies: |subject| planned(subject, SELECT),
        judge: judge::unmatched_claim_waits,
    },
    Claim {
        id: "device_is_given_once",
        says: "of more claims than devices as many as there are devices get one, and no device is given twice",
        standing: ONCE,
        applies: |subject| planned(subject, CROWD),
        judge: judge::device_is_given_once,
    },
    Claim {
        id: "freed_device_is_given_again",
        says: "a device whose pod or claim is deleted goes to the next claim, and to one that waits for it",
        standing: AGAIN,
        applies: |subject| planned(subject, FREE),
        judge: judge::freed_device_is_given_again,
    },
    beyond(
        "shared_claim_is_one_device",
        "pods that share a claim all get its one device, and no other claim does",
        |subject| planned(subject, SHARE),
        judge::shared_claim_is_one_device,
    ),
    beyond(
        "first_available_is_first",
        "of the ways in which a request can be met the first that is free is taken",
        |subject| planned(subject, PREFER),
        judge::first_available_is_first,
    ),
    beyond(
        "tainted_device_is_kept_back",
        "a device with a taint is given to claims that tolerate it, and to no others",
        |subject| planned(subject, TAINTS),
        judge::tainted_device_is_kept_back,
    ),
];

static RULES: Rules<History> =
    Rules { unread, unread_later, ..Rules::of(ID, CLAIMS, History::read, guard::doubt, ADVICE) };

const ADVICE: &str = "the check asks the API server itself; see why it gave no answer";

/// The check.
pub const CHECK: Check = Check {
    id: ID,
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
        reading::GROUP,
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
    reads: None,
    trials: &[],
    limit: Duration::from_secs(420),
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| find::detect(api).boxed(),
    preview: |api, profile, _| preview::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
