//! `gang_scheduling` (KAR-0053): all pods of a distributed job start, or none.

mod adapters;
mod arena;
mod devices;
pub(crate) mod ground;
mod guard;
mod history;
mod judge;
mod means;
mod measures;
mod picture;
mod preview;
mod run;
mod stage;
mod template;
#[cfg(test)]
mod tests;
mod trials;

pub use adapters::AdapterFile;
pub(crate) use adapters::{unread, unread_later};

use crate::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_model::Event;
use aiconform_verdict::{Aggregate, Claim, Outcome, Rules, Standing, Subject};
use futures::FutureExt;
use std::time::Duration;

const POSITIVE: Standing = Standing::Must {
    cites: "KAR-0053, positive test: the pods of a gang are scheduled together, run and complete",
};
const NEGATIVE: Standing = Standing::Must {
    cites: "KAR-0053, negative test: with capacity for fewer than N pods none of them runs",
};
const CLEAN_UP: Standing = Standing::Must { cites: "KAR-0053, clean-up: resources are released" };

/// Verbs for what is created and never changed.
const MAKE: &[&str] = &["create", "get", "list", "watch", "delete"];
/// Verbs for what is also changed.
const ALL: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];

/// What is created where slots are devices.
const fn devices(resource: &'static str) -> Permission {
    Permission::to(
        "resource.k8s.io",
        resource,
        MAKE,
        "slots that are devices, where neither node status nor CPU can be had; without it nothing but quotas is left then",
    )
}

fn gangs(subject: &Subject) -> bool {
    !subject.control
}

fn plain(subject: &Subject) -> bool {
    subject.control
}

/// Whether trials whose names begin so were planned for a subject: what it cannot do, and what nobody chose, is not
/// claimed.
fn planned(subject: &Subject, prefix: &str) -> bool {
    history::planned(subject, prefix).next().is_some()
}

/// A claim that goes further than the requirement, on one trial.
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
        id: "gang_is_in_force",
        says: "the product takes the gang up as a gang",
        standing: Standing::InForce,
        applies: gangs,
        judge: guard::is_in_force,
    },
    Claim {
        id: "slots_are_real",
        says: "pods of no gang take every free slot through the same scheduler and queue",
        standing: Standing::Control,
        applies: |_| true,
        judge: judge::slots_are_real,
    },
    Claim {
        id: "part_is_placed",
        says: "a part is bound of what is no gang and does not fit whole",
        standing: Standing::Control,
        // Where nothing but a quota is short, the queue itself shows it.
        applies: |subject| subject.control || history::by_quota_alone(&subject.facts),
        judge: judge::part_is_placed,
    },
    Claim {
        id: "contention_is_partial",
        says: "under the plain scheduler two gangs on room for one and a half each get a part",
        standing: Standing::Control,
        applies: plain,
        judge: judge::contention_is_partial,
    },
    Claim {
        id: "fitting_gang_completes",
        says: "a gang that fits is bound whole, runs and completes",
        standing: POSITIVE,
        applies: gangs,
        judge: judge::fitting_gang_completes,
    },
    Claim {
        id: "oversized_gang_waits",
        says: "no pod of a gang that cannot fit whole is bound",
        standing: NEGATIVE,
        applies: gangs,
        judge: judge::oversized_gang_waits,
    },
    Claim {
        id: "waiting_gang_starts",
        says: "a gang that waited for a slot is bound whole when the slot comes",
        standing: POSITIVE,
        applies: gangs,
        judge: judge::waiting_gang_starts,
    },
    Claim {
        id: "incomplete_gang_waits",
        says: "no pod of a gang is bound before all its pods exist",
        standing: NEGATIVE,
        applies: |subject| planned(subject, "quorum"),
        judge: judge::incomplete_gang_waits,
    },
    Claim {
        id: "nothing_is_left",
        says: "a deleted gang holds no slot, and its name can be used again",
        standing: CLEAN_UP,
        applies: gangs,
        judge: judge::nothing_is_left,
    },
    beyond(
        "contention_is_whole",
        "of two gangs that want the same slots one starts whole and the other follows",
        gangs,
        judge::contention_is_whole,
    ),
    beyond(
        "ample_contention_is_whole",
        "of two gangs whose quota is larger than the hardware one starts whole and the other follows",
        |subject| planned(subject, "ample-"),
        judge::ample_contention_is_whole,
    ),
    beyond(
        "three_gangs_are_whole",
        "of three gangs that want the same slots one starts whole and another follows",
        |subject| planned(subject, "three-"),
        judge::three_gangs_are_whole,
    ),
    beyond(
        "placement_is_whole",
        "no pod of a gang is bound that its quota admits and the hardware cannot hold whole",
        |subject| planned(subject, "placement"),
        judge::placement_is_whole,
    ),
    beyond(
        "fragmented_gang_waits",
        "no pod of a gang is bound whose pods need more than single nodes have, however much they have together",
        |subject| planned(subject, "fragmentation"),
        judge::fragmented_gang_waits,
    ),
    beyond(
        "waiting_gang_holds_nothing",
        "slots that a waiting gang cannot use go to others",
        |subject| planned(subject, "hoarding"),
        judge::waiting_gang_holds_nothing,
    ),
    beyond(
        "gang_waits_past_its_timeout",
        "a gang that cannot fit goes on waiting whole when its scheduler's patience is over",
        |subject| planned(subject, "past-timeout"),
        judge::gang_waits_past_its_timeout,
    ),
    beyond(
        "elastic_gang_starts_at_its_least",
        "a gang that may start with fewer members starts with that number and not with less",
        |subject| planned(subject, "elastic"),
        judge::elastic_gang_starts_at_its_least,
    ),
    beyond(
        "resized_gang_follows",
        "a waiting gang whose least number of members is changed follows it",
        |subject| planned(subject, "resize"),
        judge::resized_gang_follows,
    ),
    beyond(
        "namespaces_are_apart",
        "gangs of one name in two namespaces are two gangs",
        |subject| planned(subject, "namespaces"),
        judge::namespaces_are_apart,
    ),
    beyond(
        "futile_preemption_evicts_nobody",
        "a gang of higher priority that evicting cannot help evicts nobody",
        |subject| planned(subject, "preemption"),
        judge::futile_preemption_evicts_nobody,
    ),
    beyond(
        "preemption_is_whole",
        "a gang of higher priority starts whole, and the gang that it evicts goes whole",
        |subject| planned(subject, "preemption"),
        judge::preemption_is_whole,
    ),
    beyond(
        "lost_member_is_replaced",
        "a bound gang that loses a member becomes whole again, or goes whole",
        |subject| planned(subject, "member-loss"),
        judge::lost_member_is_replaced,
    ),
    beyond(
        "wide_gang_is_whole",
        "a gang spread over many nodes waits whole for its last slot, and is bound whole when it comes",
        |subject| planned(subject, "scale"),
        judge::wide_gang_is_whole,
    ),
];

static RULES: Rules = Rules {
    check: "gang_scheduling",
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: guard::doubt,
    grade: judge::grade,
    // Slots are private, and their scheduling is real.
    simulated: |_, _| false,
    measures: measures::measures,
    pictures: picture::pictures,
    advice: "install a gang scheduler (Kueue 0.16 or newer), or switch native gang scheduling on: feature gate GenericWorkload and runtime-config scheduling.k8s.io/v1beta1",
};

/// The check.
pub const CHECK: Check = Check {
    id: "gang_scheduling",
    test_name: "TestGangScheduling",
    rules: &RULES,
    needs: &[
        Permission::to("", "pods", ALL, "test pods; free room on a node"),
        Permission::to("", "nodes", &["get", "list", "watch"], "to choose a node and see whether it changes"),
        Permission::to("scheduling.k8s.io", "priorityclasses", MAKE, "a priority below everyone's"),
        Permission::to("scheduling.k8s.io", "podgroups", ALL, "native gangs"),
        Permission::to("batch", "jobs", ALL, "gangs as Jobs"),
        Permission::to("kueue.x-k8s.io", "localqueues", MAKE, "Kueue's queues"),
        Permission::to(
            "kueue.x-k8s.io",
            "workloads",
            &["get", "list", "watch", "patch", "delete"],
            "Kueue's word on a gang",
        ),
        Permission::to("kueue.x-k8s.io", "clusterqueues", ALL, "Kueue's quota"),
        Permission::to("kueue.x-k8s.io", "topologies", ALL, "Kueue's topology-aware scheduling"),
        Permission::to("kueue.x-k8s.io", "resourceflavors", ALL, "Kueue's quota"),
        Permission::to("scheduling.volcano.sh", "podgroups", ALL, "objects of Volcano"),
        Permission::to("scheduling.volcano.sh", "queues", ALL, "objects of Volcano"),
        Permission::to("scheduling.run.ai", "podgroups", ALL, "objects of KAI"),
        Permission::to("scheduling.run.ai", "queues", ALL, "objects of KAI"),
    ],
    wants: &[
        Permission::to(
            "",
            "nodes/status",
            &["patch"],
            "private slots, taken away again; without it slots are made of a node's CPU, one trial after another",
        ),
        devices("resourceslices"),
        devices("deviceclasses"),
        devices("resourceclaimtemplates"),
    ],
    reach: Reach::Cluster,
    creates: "one PriorityClass (two with `--level all`), one namespace for each gang scheduler, as many small pods at a time as one node has room for, private extended resources in that node's status, and with Kueue, Volcano or KAI queues of the whole cluster for each trial",
    adapters: &["kube-native", "kueue/pods", "kueue/job", "kueue/topology", "kai", "volcano"],
    quick: &["kube-native", "kueue/pods", "kueue/job", "kueue/topology"],
    parts: &[],
    files: &[],
    trials: trials::BEYOND,
    limit: Duration::from_secs(900),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, files| run::detect(api, files).boxed(),
    preview: |api, profile, files| preview::preview(api, profile, files).boxed(),
    run: |cx, files| run::run(cx, files).boxed(),
};
