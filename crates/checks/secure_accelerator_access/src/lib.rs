//! `secure_accelerator_access` (KAR-0049): who was not given an accelerator does not reach one.
//!
//! What a container reached is compared with what its neighbours were given. EPERM, ENOENT and EACCES are told apart; ENXIO
//! is the kernel's word that a device without a driver was reached. A device node that no holder could open counts for
//! nothing, and nodes that all holders share (control nodes of a driver) belong to nobody.
//!
//! Every isolation claim stands on one control: a pod that was given a device opens a node that a pod without one does
//! not. More pods ask for a device than there are free ones, so that one of them has to wait; what is let go later must go
//! to a pod that waited.

mod acts;
mod adapters;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Aggregate, Basis, Outcome, Standing};
use futures::FutureExt;
use judge::History;

const NO_REQUEST: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0049, step 1: a pod on an accelerator node that requests none finds none",
};
const OTHERS: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0049, step 2: of two pods with an accelerator each, one that tries to reach the other's is denied",
};
const CONTAINERS: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"access to accelerators from within containers is properly isolated\"",
};
const RESTART: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"access to accelerators from within containers is properly isolated\"; we take it to mean for as long as a pod lives, whatever becomes of its containers",
};
const MEDIATED: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"mediated by the Kubernetes resource management framework (device plugin or DRA)\"; we take it to mean that a container has what was asked for, no more and no less",
};
const INTERFERENCE: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"preventing unauthorized access or interference between workloads\"; we take it to mean that a device which one pod has is given to no other until it is let go",
};
const RUNTIME: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"mediated by the Kubernetes resource management framework (device plugin or DRA) and container runtime, preventing unauthorized access\"",
};

/// A claim that goes further, where devices are claimed.
const fn beyond(id: &'static str, says: &'static str, judge: fn(&History) -> Outcome) -> Claim<History> {
    Claim { id, says, standing: Standing::Additional, applies: judge::is_claimed, judge }
}

/// The claims, the control first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "granted_opens",
        "a pod that was given a device opens a device node that a pod without one does not",
        Standing::Control,
        judge::granted_opens,
    ),
    Claim::of(
        "no_request_no_access",
        "a pod without a request, on the node of the devices, reaches none of them",
        NO_REQUEST,
        judge::no_request_no_access,
    ),
    Claim::of(
        "environment_gives_nothing",
        "a pod without a request that names devices in its environment reaches none of them",
        RUNTIME,
        judge::environment_gives_nothing,
    ),
    Claim::of(
        "sibling_has_no_access",
        "other containers of a pod that was given a device, init containers too, reach none",
        CONTAINERS,
        judge::sibling_has_no_access,
    ),
    Claim::of(
        "others_device_is_denied",
        "of pods that were given a device each, none reaches that of another",
        OTHERS,
        judge::others_device_is_denied,
    ),
    Claim {
        id: "made_node_is_denied",
        says: "a device node that a pod without a request makes by itself opens no device",
        standing: RUNTIME,
        applies: judge::makes_nodes,
        judge: judge::made_node_is_denied,
    },
    Claim::of(
        "requested_is_visible",
        "a pod that asked for two devices has two, and one that asked for one has one",
        MEDIATED,
        judge::requested_is_visible,
    ),
    Claim::of(
        "restart_keeps_isolation",
        "a container that is started again has the device that it had and no other, and its neighbours have none",
        RESTART,
        judge::restart_keeps_isolation,
    ),
    Claim::of(
        "no_device_twice",
        "of more claims than devices each is given another device or waits, and what is let go is given to one that waits",
        INTERFERENCE,
        judge::no_device_twice,
    ),
    beyond(
        "allocated_device_is_given",
        "the device in the container is the one that was allocated to its claim",
        judge::allocated_device_is_given,
    ),
    beyond(
        "admin_access_is_refused",
        "a claim that wants devices whoever has them is refused in a namespace that was not made for it",
        judge::admin_access_is_refused,
    ),
    beyond(
        "foreign_claim_is_unusable",
        "a pod that names a claim of another namespace is given no node",
        judge::foreign_claim_is_unusable,
    ),
];

static RULES: Rules<History> = Rules {
    aggregate: Aggregate::EverySubject,
    over: marks::OVER,
    unread,
    unread_later,
    simulated: judge::simulated,
    pictures: judge::pictures,
    ..Rules::of(
        marks::ID,
        CLAIMS,
        History::read,
        judge::doubt,
        "install the DRA driver or the device plugin of the accelerators' maker, or name what gives them out in the profile: [accelerators] resources = [\"…\"]",
    )
};

const DEVICES: &str = "resource.k8s.io";

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestSecureAcceleratorAccess",
    rules: &RULES,
    needs: &[
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "delete"],
            "test pods; which devices are free",
        ),
        Permission::to("", "pods/proxy", &["create"], "the probes' answers"),
        Permission::to(
            "",
            "nodes",
            &["get", "list", "watch"],
            "which nodes have devices, and whether they change",
        ),
        Permission::to(DEVICES, "resourceslices", &["list"], "which devices there are"),
        Permission::to(DEVICES, "deviceclasses", &["list"], "how devices are asked for"),
        Permission::to(
            DEVICES,
            "resourceclaims",
            &["create", "list", "watch"],
            "which devices are free, and what claims were given; claims that are only tried (dry-run)",
        ),
        Permission::to(
            DEVICES,
            "resourceclaimtemplates",
            &["create", "delete"],
            "the pods' claims on devices",
        ),
    ],
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Cluster,
    creates: "for each way in which devices are given out, two namespaces with up to 37 small pods on one node, which take all of its free devices for less than a minute",
    adapters: adapters::IDS,
    quick: adapters::IDS,
    parts: &["simulator"],
    files: &[],
    reads: None,
    trials: &[],
    limit: aiconform_accelerators::LIMIT,
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, files| acts::detect(api, files).boxed(),
    preview: |api, profile, _| acts::preview(api, profile).boxed(),
    run: |cx, files| acts::run(cx, files).boxed(),
};
