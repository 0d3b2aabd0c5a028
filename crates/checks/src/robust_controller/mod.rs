//! `robust_controller` (KAR-0063): a complex operator with a CRD runs, its webhooks guard its objects, and it does with its
//! custom resources what it is for.

mod adapters;
mod discover;
mod history;
mod judge;
mod run;
mod stage;
#[cfg(test)]
mod tests;

pub use adapters::Operator;

use crate::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;
use std::time::Duration;

const INSTALLED: Standing =
    Standing::Must { cites: "KAR-0063: the operator's pods are running and its CRDs are registered" };
const GUARDED: Standing =
    Standing::Must { cites: "KAR-0063: an invalid custom resource is rejected by the admission webhook" };
const RECONCILED: Standing =
    Standing::Must { cites: "KAR-0063: a valid custom resource is reconciled: its children and its status" };
const REMOVED: Standing = Standing::Must {
    cites: "the requirement: \"functions reliably\"; KAR-0063: what was created is removed again",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "plain_controller_works",
        "Kubernetes' own controllers make a ReplicaSet of a Deployment beside it",
        Standing::Control,
        judge::plain_controller_works,
    ),
    Claim::of(
        "kind_is_established",
        "the definition of the custom resource is established",
        INSTALLED,
        judge::kind_is_established,
    ),
    Claim::of(
        "controller_is_ready",
        "the operator's pods are ready, and stay so while it is tried",
        INSTALLED,
        judge::controller_is_ready,
    ),
    Claim::of(
        "webhook_denies",
        "an object that the schema takes and that makes no sense is denied by the operator's own webhook, and the same object, repaired, is not",
        GUARDED,
        judge::webhook_denies,
    ),
    Claim {
        id: "children_are_made",
        says: "what the operator makes of a custom resource is made, and belongs to it",
        standing: RECONCILED,
        applies: judge::has_children,
        judge: judge::children_are_made,
    },
    Claim::of(
        "status_follows",
        "the status of a custom resource shows what became of it, for its last generation",
        RECONCILED,
        judge::status_follows,
    ),
    Claim::of(
        "deletion_completes",
        "a custom resource that is deleted goes, and all that was made of it goes with it",
        REMOVED,
        judge::deletion_completes,
    ),
    Claim {
        id: "child_is_made_again",
        says: "what was made of a custom resource and is deleted is made again",
        standing: Standing::Additional,
        applies: judge::has_again,
        judge: judge::child_is_made_again,
    },
    Claim {
        id: "change_is_followed",
        says: "a change of a custom resource is followed",
        standing: Standing::Additional,
        applies: judge::has_change,
        judge: judge::change_is_followed,
    },
];

static RULES: Rules = Rules {
    check: run::ID,
    // "at least one complex AI operator".
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread: |_, _| &[],
    unread_later: |_| &[],
    guard: judge::doubt,
    simulated: |_, _| false,
    grade: |_, _| None,
    measures: |_, _| Vec::new(),
    pictures: |_, _| Vec::new(),
    advice: "install an operator that is known, such as KubeRay with its webhooks on, or describe yours in a file: [robust_controller] operator_files = [\"…\"]",
};

/// Verbs for an operator's resource.
const ALL: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];
/// Verbs for what an operator makes.
const CHILD: &[&str] = &["get", "list", "watch", "delete"];
const READ: &[&str] = &["get", "list"];

const fn resource(group: &'static str, resource: &'static str) -> Permission {
    Permission::to(group, resource, ALL, "an operator's custom resource")
}

const fn child(group: &'static str, resource: &'static str) -> Permission {
    Permission::to(group, resource, CHILD, "what an operator makes of its resource")
}

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestRobustCRDControllerOperation",
    rules: &RULES,
    needs: &[
        Permission::to("", "nodes", &["get", "list", "watch"], "to choose a node"),
        Permission::to("scheduling.k8s.io", "priorityclasses", ALL, "a priority below everyone's"),
        Permission::to(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            READ,
            "which operators there are",
        ),
        Permission::to(
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            READ,
            "which webhooks are an operator's",
        ),
        Permission::to(
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            READ,
            "which webhooks are an operator's",
        ),
        Permission::to("discovery.k8s.io", "endpointslices", READ, "who answers for webhooks"),
        Permission::to("apps", "deployments", ALL, "a Deployment beside the operator's resource"),
        Permission::to("apps", "replicasets", CHILD, "what Kubernetes makes of that Deployment"),
        Permission::to("apps", "statefulsets", CHILD, "what an operator makes of its resource"),
        child("", "pods"),
        child("", "services"),
        child("batch", "jobs"),
        resource("ray.io", "rayclusters"),
        resource("kueue.x-k8s.io", "clusterqueues"),
        resource("kueue.x-k8s.io", "resourceflavors"),
        resource("jobset.x-k8s.io", "jobsets"),
        resource("leaderworkerset.x-k8s.io", "leaderworkersets"),
        resource("trainer.kubeflow.org", "trainjobs"),
        resource("trainer.kubeflow.org", "clustertrainingruntimes"),
        resource("serving.kserve.io", "inferenceservices"),
    ],
    wants: &[Permission::to(
        "",
        "events",
        &["list"],
        "who refused what an operator wanted to make; without it that looks like an operator that does nothing",
    )],
    reach: Reach::Cluster,
    creates: "one PriorityClass; for each operator that is found one namespace with one small custom resource (and what the operator makes of it: at most one small pod that runs), and a Deployment of no pods, for some seconds",
    adapters: adapters::IDS,
    quick: &["kuberay/raycluster", "kueue/clusterqueue"],
    parts: &[],
    files: &[],
    trials: &[],
    limit: Duration::from_secs(600),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |api, profile, _| run::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
