//! `pod_autoscaling` (KAR-0057): pods that have an accelerator each are scaled by a metric of their own.
//!
//! One pod, the carrier, says the whole metric, and the others say 0. A step then changes what one pod says: no reading can
//! mix two steps, however late the other pods are gathered, and a pod that is not gathered yet counts as what it says
//! anyhow. The autoscaler's `ceil(current · average / target)` becomes `ceil(sum / target)`, whatever the number of pods
//! was. So that the carrier is not the pod that goes when replicas fall, it is marked to be the last.
//!
//! External metrics are told as sums, or as series that are added up. There the other pods say nothing, because a sum of
//! zeros would be left when the carrier stops saying it. KEDA asks the carrier itself, by its address, and names the metric
//! as it likes; its name is read from the autoscaler that KEDA makes.
//!
//! Where replicas must change, the average is at least 1.5 times the target, or at most two thirds of it; where they may
//! not, the number is the same with any tolerance that a controller can have.
//!
//! That nothing changed counts only where the autoscaler has looked: its status has to tell the average of a value that was
//! set after the thing that must not matter. A value that the metrics API tells otherwise than the pods say fails a control
//! and no claim: adapters may change metrics by design.

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
mod plan;
mod scaler;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Reach};
use aiconform_cluster::Permission;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};
use futures::FutureExt;
use judge::history::History;
use judge::{guard, measures, picture};
use marks::ID;

const UP: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0057: driven above its target, the metric makes the replicas rise",
};
const DOWN: Standing =
    Standing::Must { basis: Basis::Kar, cites: "KAR-0057: lowered, the metric makes the replicas fall" };
const ACCELERATORS: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0057: the new pods run on nodes with accelerators; the requirement: \"for pods utilizing accelerators\"",
};
const RESTS: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"it must function correctly\"; we take it to mean that a value near its target moves nothing",
};
const LIMITED: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"it must function correctly\"; we take it to mean that the least and the most replicas that were given are kept, as autoscaling/v2 promises",
};
const OWN: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"it must function correctly\"; we take it to mean that pods of another namespace do not count, as a metric of pods is of one namespace",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "metric_is_read_as_set",
        "the metrics API tells what the pods say",
        Standing::Control,
        judge::metric_is_read_as_set,
    ),
    Claim::of(
        "plain_pod_has_no_accelerator",
        "a pod that asks for no accelerator is told apart from one that has one",
        Standing::Control,
        judge::plain_pod_has_no_accelerator,
    ),
    Claim::of(
        "rises_with_the_metric",
        "replicas rise to as many as the metric asks for, twice",
        UP,
        judge::rises_with_the_metric,
    ),
    Claim::of(
        "new_pods_have_accelerators",
        "the new pods run, each with its accelerator",
        ACCELERATORS,
        judge::new_pods_have_accelerators,
    ),
    Claim::of(
        "falls_with_the_metric",
        "replicas fall to as many as the metric asks for",
        DOWN,
        judge::falls_with_the_metric,
    ),
    Claim::of(
        "rests_at_the_target",
        "a value that moves near its target changes nothing",
        RESTS,
        judge::rests_at_the_target,
    ),
    Claim::of(
        "keeps_the_limits",
        "replicas stay between the least and the most that were given",
        LIMITED,
        judge::keeps_the_limits,
    ),
    // An external metric is of no namespace by its nature.
    Claim {
        id: "ignores_other_namespaces",
        says: "what a pod of another namespace says under the same name changes nothing",
        standing: OWN,
        applies: judge::is_of_pods,
        judge: judge::ignores_other_namespaces,
    },
    Claim::of(
        "keeps_pods_without_metric",
        "a metric that is gone takes no pod away, and the autoscaler says that it lacks it",
        Standing::Additional,
        judge::keeps_pods_without_metric,
    ),
];

static RULES: Rules<History> = Rules {
    unread,
    unread_later,
    measures: measures::measures,
    simulated: judge::simulated,
    pictures: picture::pictures,
    ..Rules::of(ID, CLAIMS, History::read, guard::doubt, ADVICE)
};

const ADVICE: &str = "install an adapter that serves metrics of pods as custom.metrics.k8s.io or external.metrics.k8s.io (such as prometheus-adapter), beside a monitoring system that gathers what pods annotated with prometheus.io/scrape say, and name the metric that it serves in the profile: [pod_autoscaling] metric = \"…\"; or install KEDA";

/// Verbs for what is created and never changed.
const MAKE: &[&str] = &["create", "get", "list", "watch", "delete"];

/// The check.
pub const CHECK: Check = Check {
    id: ID,
    test_name: "TestPodAutoscaling",
    rules: &RULES,
    needs: &[
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "patch", "delete"],
            "pods that have a device; which of them is to stay",
        ),
        Permission::to("", "pods/proxy", &["create"], "the probe's answers"),
        Permission::to("", "nodes", &["get", "list"], "what nodes offer"),
        Permission::to("apps", "deployments", MAKE, "what is scaled"),
        Permission::to("autoscaling", "horizontalpodautoscalers", MAKE, "what scales it"),
        Permission::to("custom.metrics.k8s.io", "*", &["get"], "the metric as the autoscaler is told it"),
        Permission::to("external.metrics.k8s.io", "*", &["list"], "the same, where it is an external one"),
        Permission::to("resource.k8s.io", "resourceslices", &["list"], "what drivers offer"),
        Permission::to("resource.k8s.io", "deviceclasses", &["list"], "how devices are asked for"),
        Permission::to("resource.k8s.io", "resourceclaims", &["list"], "whether devices are free again"),
        Permission::to(
            "resource.k8s.io",
            "resourceclaimtemplates",
            &["create", "delete"],
            "the pods' claims on devices",
        ),
    ],
    wants: &[
        Permission::to(
            "keda.sh",
            "scaledobjects",
            MAKE,
            "what has KEDA scale the pods; without it KEDA is not tried",
        ),
        Permission::to(
            "",
            "events",
            &["list"],
            "why a pod does not come, where its status does not say so; without it the reason is missing from the verdict",
        ),
        Permission::to(
            "apiregistration.k8s.io",
            "apiservices",
            &["get"],
            "why the metrics API does not answer; without it the reason is missing from the verdict",
        ),
        Permission::to(
            "monitoring.coreos.com",
            "podmonitors",
            &["create", "delete"],
            "what tells a Prometheus operator of the pods; without it they are annotated only",
        ),
    ],
    reach: Reach::Namespaces,
    creates: "two namespaces for each way in which a metric is told: in one a Deployment of up to four small pods that have an accelerator each, and what scales it; in the other one small pod without; for one to some minutes",
    adapters: adapters::IDS,
    quick: &[],
    parts: &["simulator", "prometheus", "prometheus-adapter"],
    files: &[],
    reads: None,
    trials: &[],
    limit: aiconform_accelerators::LIMIT,
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| find::detect(api).boxed(),
    preview: |api, profile, _| find::preview(api, profile).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
