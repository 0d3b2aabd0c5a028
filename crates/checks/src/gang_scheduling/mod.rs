//! `gang_scheduling` (KAR-0053): all pods of a distributed job start, or none.

mod adapters;
mod guard;
mod history;
mod judge;
mod measures;
mod picture;
mod preview;
mod run;
mod stage;
mod statistics;
mod template;
#[cfg(test)]
mod tests;
mod trials;

use crate::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_verdict::{Aggregate, Claim, Rules, Standing, Subject};
use futures::FutureExt;
use std::time::Duration;

const POSITIVE: Standing = Standing::Must {
    cites: "KAR-0053, positive test: the pods of a gang are scheduled together, run and complete",
};
const NEGATIVE: Standing = Standing::Must {
    cites: "KAR-0053, negative test: with capacity for fewer than N pods none of them runs",
};
const CLEAN_UP: Standing = Standing::Must { cites: "KAR-0053, clean-up: resources are released" };

fn gangs(subject: &Subject) -> bool {
    !subject.control
}

fn plain(subject: &Subject) -> bool {
    subject.control
}

/// A Job makes all its pods at once: none can be held back.
fn pods_one_by_one(subject: &Subject) -> bool {
    gangs(subject) && subject.id != "kueue/job"
}

fn with_quota(subject: &Subject) -> bool {
    subject.id.starts_with("kueue/")
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
        says: "the plain scheduler binds a part of what does not fit whole",
        standing: Standing::Control,
        applies: plain,
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
        applies: pods_one_by_one,
        judge: judge::incomplete_gang_waits,
    },
    Claim {
        id: "nothing_is_left",
        says: "a deleted gang holds no slot, and its name can be used again",
        standing: CLEAN_UP,
        applies: gangs,
        judge: judge::nothing_is_left,
    },
    Claim {
        id: "contention_is_whole",
        says: "of two gangs that want the same slots one starts whole and the other follows",
        standing: Standing::Additional,
        applies: gangs,
        judge: judge::contention_is_whole,
    },
    Claim {
        id: "ample_contention_is_whole",
        says: "the same when the quota is larger than the hardware",
        standing: Standing::Additional,
        applies: with_quota,
        judge: judge::ample_contention_is_whole,
    },
];

static RULES: Rules = Rules {
    check: "gang_scheduling",
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    guard: guard::doubt,
    grade: judge::grade,
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
        Permission {
            group: "",
            resource: "namespaces",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "namespaces of the run",
        },
        Permission {
            group: "",
            resource: "configmaps",
            verbs: &["create", "get", "patch", "delete"],
            why: "the run's journal",
        },
        Permission {
            group: "coordination.k8s.io",
            resource: "leases",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "the run's Lease",
        },
        Permission {
            group: "",
            resource: "pods",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "test pods; free room on a node",
        },
        Permission {
            group: "",
            resource: "nodes",
            verbs: &["get", "list", "watch"],
            why: "to choose a node and see whether it changes",
        },
        Permission {
            group: "",
            resource: "nodes/status",
            verbs: &["patch"],
            why: "private slots, taken away again",
        },
        Permission {
            group: "scheduling.k8s.io",
            resource: "priorityclasses",
            verbs: &["create", "get", "list", "watch", "delete"],
            why: "a priority below everyone's",
        },
        Permission {
            group: "scheduling.k8s.io",
            resource: "podgroups",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "native gangs",
        },
        Permission {
            group: "batch",
            resource: "jobs",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "gangs as Jobs",
        },
        Permission {
            group: "kueue.x-k8s.io",
            resource: "localqueues",
            verbs: &["create", "get", "list", "watch", "delete"],
            why: "Kueue's queues",
        },
        Permission {
            group: "kueue.x-k8s.io",
            resource: "workloads",
            verbs: &["get", "list", "watch", "patch", "delete"],
            why: "Kueue's word on a gang",
        },
        Permission {
            group: "kueue.x-k8s.io",
            resource: "clusterqueues",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "Kueue's quota",
        },
        Permission {
            group: "kueue.x-k8s.io",
            resource: "resourceflavors",
            verbs: &["create", "get", "list", "watch", "patch", "delete"],
            why: "Kueue's quota",
        },
    ],
    reach: Reach::Cluster,
    creates: "one PriorityClass, one namespace for each gang scheduler, up to 105 small pods at a time on one node, private extended resources in that node's status, and with Kueue one ClusterQueue and ResourceFlavor for each trial",
    adapters: &["kube-native", "kueue/pods", "kueue/job"],
    limit: Duration::from_secs(900),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api| run::detect(api).boxed(),
    preview: |api, profile| preview::preview(api, profile).boxed(),
    run: |cx| run::run(cx).boxed(),
};
