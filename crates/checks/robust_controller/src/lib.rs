//! `robust_controller` (KAR-0063): a complex operator with a CRD runs, its webhooks guard its objects, and it does with its
//! custom resources what it is for.
//!
//! Operators are data: templates of a resource as it should be and of what its webhook must refuse, and JSONPaths that say
//! what in its status is work done. What the judge needs of a file stands in the facts of the subject, so that a stored run
//! is judged without the file. Webhooks are found by what they are called for, and pods by the Services of these; the
//! labels in a file are a hint, which also tells an operator's webhooks from those of a policy engine that asks to be called
//! for the same resource.
//!
//! Who denied is read from the beginning of the API server's sentence and nowhere else: what follows are the denier's own
//! words, and may hold any name. A denial counts between two dry-runs of the same object, repaired, that are accepted. The
//! resource stands in the journal like what is cluster-wide, because its finalizers may be what is broken.

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

pub use adapters::Operator;

use adapters::{MADE, MADE_WHY, WRITTEN, WRITTEN_WHY};
use aiconform_check::cx::{Check, FileKind, Reach};
use aiconform_cluster::Permission;
use futures::FutureExt;
use std::time::Duration;

const READ: &[&str] = &["get", "list"];

const fn resource(group: &'static str, resource: &'static str) -> Permission {
    Permission::to(group, resource, WRITTEN, WRITTEN_WHY)
}

const fn child(group: &'static str, resource: &'static str) -> Permission {
    Permission::to(group, resource, MADE, MADE_WHY)
}

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestRobustCRDControllerOperation",
    rules: &judge::RULES,
    needs: &[
        Permission::to("", "nodes", &["get", "list", "watch"], "to choose a node"),
        Permission::to("scheduling.k8s.io", "priorityclasses", WRITTEN, "a priority below everyone's"),
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
        Permission::to("apps", "deployments", WRITTEN, "a Deployment beside the operator's resource"),
        Permission::to("apps", "replicasets", MADE, "what Kubernetes makes of that Deployment"),
        Permission::to("apps", "statefulsets", MADE, "what an operator makes of its resource"),
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
    reads: Some(FileKind { flag: false, read: |text, file| Ok(Box::new(Operator::read(text, file)?)) }),
    trials: &[],
    limit: Duration::from_secs(1200),
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, files| acts::detect(api, files).boxed(),
    preview: |api, _, files| acts::preview(api, files).boxed(),
    run: |cx, files| acts::run(cx, files).boxed(),
};
