//! `gang_scheduling` (KAR-0053): all pods of a distributed job start, or none.
//!
//! A slot is a private extended resource of each trial, patched into the status of one node: the scheduling is real, no
//! accelerator is needed, and pods of others are not concerned. Where that is refused, slots are made of the node's CPU, of
//! devices that the run publishes, or of quota alone (`acts/means.rs`); what each can prove stands in the guide to profiles.
//! With quota alone no scheduler can place a part, so that no control subject can be tried: then a control claim of the
//! subject itself says that its queue lets in a part of pods of no gang.
//!
//! Slots that are to be free later are there from the start, held by pods of the run. Put there while a gang waits, they would
//! become known to the scheduler and to the kubelet at different times, and a kubelet that is behind turns away a pod that was
//! bound to it; that a pod goes is told to both in the order in which it happens. The node's other private resource is changed
//! at the same time, because some products look again only when a node has changed.
//!
//! A pod that is judged by its binding never starts a container: it waits for a volume of a Secret that does not exist, so that
//! hundreds of trials are no work for the node. Only the trial of a gang that fits runs containers. Trials go side by side as far
//! as the node has room for the pods of all of them.
//!
//! The trials of a subject depend on what its product can do and on how far the user wants to go. Their names are facts of the
//! subject, so that a trial that never began is unknown, and not forgotten. Steps of trials are marks (`marks.rs`), and the judge
//! reads them with what was watched into one history (`judge/history.rs`). The grade is a ladder whose steps name the claims that
//! decide them, and are reached, missed or untested.
//!
//! In every second round of two gangs the slots come when both wait for them already, because deadlocks arise in that way: on
//! slots that are free from the start, a fast scheduler binds one gang before the other is there. What a round costs is measured
//! from the same history and shown beside the verdict; no claim stands on it.
//!
//! An adapter can be a file: templates of a product's objects, and signs, which are JSONPaths that say what in these objects is a
//! decision. The judge reads no file, because signs are facts of the subject. What a built-in adapter needs read stands in
//! `reading/`, by the subject's id.
//!
//! A gang over hundreds of nodes (trial `scale`) shows whether anything of ours grows faster than the cluster: nodes are watched
//! by a label and not one by one, they have one entry in the journal, pods and patches are sent 32 at a time, and pods select
//! fake nodes by a label, because a list of them would be in each pod.

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
mod reading;
#[cfg(test)]
mod tests;

pub use adapters::AdapterFile;

use acts::{preview, run, trials};
use aiconform_check::cx::{Check, FileKind, Reach};
use aiconform_cluster::Permission;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Outcome, Standing, Subject};
use futures::FutureExt;
use judge::history::History;
use judge::{guard, measures, picture};
use marks::{Facts, ID};

const POSITIVE: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0053, positive test: the pods of a gang are scheduled together, run and complete",
};
const NEGATIVE: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0053, negative test: with capacity for fewer than N pods none of them runs",
};
const WAITING: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"successful operation of at least one gang scheduling solution that ensures all-or-nothing scheduling\": we take it to mean that a gang which had to wait starts, all of it, once there is room",
};
const INCOMPLETE: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "\"ensures all-or-nothing scheduling\": we take it to mean that no pod of a gang starts as long as others of its pods are not there",
};
const CLEAN_UP: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "KAR-0053, clean-up: resources are released; we take it to mean that the slots of a deleted gang are free, and its name too",
};

/// Verbs for what is created and never changed.
const MAKE: &[&str] = &["create", "get", "list", "watch", "delete"];
/// Verbs for what is also changed.
const ALL: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];

/// Permission for what is created where slots are devices.
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

/// Tells whether trials whose names begin so were planned for a subject: what it cannot do, and what nobody chose, is not
/// claimed.
fn planned(subject: &Subject, prefix: &str) -> bool {
    Facts::read(&subject.facts).is_ok_and(|facts| facts.planned(prefix).next().is_some())
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
        applies: |subject| {
            subject.control || Facts::read(&subject.facts).is_ok_and(|facts| facts.by_quota_alone())
        },
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
        standing: WAITING,
        applies: gangs,
        judge: judge::waiting_gang_starts,
    },
    Claim {
        id: "incomplete_gang_waits",
        says: "no pod of a gang is bound before all its pods exist",
        standing: INCOMPLETE,
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

static RULES: Rules<History> = Rules {
    unread,
    unread_later,
    grade: judge::grade,
    measures: measures::measures,
    pictures: picture::pictures,
    shows: "it is told apart from a gang scheduler",
    ..Rules::of(ID, CLAIMS, History::read, guard::doubt, ADVICE)
};

const ADVICE: &str = "install a gang scheduler (Kueue 0.16 or newer), or switch native gang scheduling on: feature gate GenericWorkload and runtime-config scheduling.k8s.io/v1beta1";

/// The check.
pub const CHECK: Check = Check {
    id: ID,
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
    reads: Some(FileKind { flag: true, read: |text, file| Ok(Box::new(AdapterFile::read(text, file)?)) }),
    trials: trials::BEYOND,
    limit: limits::WHOLE,
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, files| find::detect(api, files).boxed(),
    preview: |api, profile, files| preview::preview(api, profile, files).boxed(),
    run: |cx, files| run::run(cx, files).boxed(),
};
