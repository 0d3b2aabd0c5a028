//! `accelerator_metrics` (KAR-0059): each accelerator's utilisation and memory, told by a machine to machines.

mod adapters;
mod history;
mod judge;
mod measures;
mod picture;
mod run;
#[cfg(test)]
mod tests;

use crate::cx::{Check, Preview, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_cluster::Permission;
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;

const ENDPOINT: Standing = Standing::Must {
    cites: "the requirement: \"via a standardized, machine-readable metrics endpoint\"; KAR-0059: find the endpoint",
};
const CORE: Standing = Standing::Must {
    cites: "the requirement: \"a core set of metrics for per-accelerator utilization and memory usage\"; KAR-0059: both for each accelerator",
};
const WORKLOAD: Standing = Standing::Must {
    cites: "KAR-0059, workload-driven: metrics are read before and during a compute task, and reflect it",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "load_was_done",
        "the device did the work that was asked of it",
        Standing::Control,
        judge::load_was_done,
    ),
    Claim::of("device_was_quiet", "nobody else used the device", Standing::Control, judge::device_was_quiet),
    Claim::of(
        "format_is_machine_readable",
        "the endpoint answers in the text format of Prometheus or OpenMetrics",
        ENDPOINT,
        judge::format_is_machine_readable,
    ),
    Claim::of(
        "every_accelerator_has_its_series",
        "every accelerator of every node is told of, in utilisation and in memory",
        CORE,
        judge::every_accelerator_has_its_series,
    ),
    Claim::of(
        "utilisation_follows_the_load",
        "a load that comes and goes on one device moves its utilisation and no other's",
        WORKLOAD,
        judge::utilisation_follows_the_load,
    ),
    Claim::of(
        "memory_follows_the_allocation",
        "memory that is taken on one device shows as used on it and on no other",
        WORKLOAD,
        judge::memory_follows_the_allocation,
    ),
    Claim::of(
        "attribution_follows_the_pod",
        "the series of a device name the pod that has it, and no more when it is gone",
        Standing::Additional,
        judge::attribution_follows_the_pod,
    ),
    Claim::of("samples_are_fresh", "what is told is of now", Standing::Additional, judge::samples_are_fresh),
    Claim::of(
        "units_are_sane",
        "values are in the units that their names promise",
        Standing::Additional,
        judge::units_are_sane,
    ),
];

static RULES: Rules = Rules {
    check: "accelerator_metrics",
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: measures::measures,
    simulated: judge::simulated,
    pictures: picture::pictures,
    advice: "install the exporter of the accelerators' maker (such as the NVIDIA DCGM exporter), or name the endpoint in the profile: [accelerator_metrics] endpoint = \"https://…\"",
};

/// The check.
pub const CHECK: Check = Check {
    id: "accelerator_metrics",
    test_name: "TestAcceleratorPerformanceMetrics",
    rules: &RULES,
    needs: &[
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "delete"],
            "the pod that has a device; the exporters' pods",
        ),
        Permission::to(
            "",
            "pods/proxy",
            &["get", "create"],
            "metrics of the exporters' pods; the probe's answers",
        ),
        Permission::to("", "nodes", &["get", "list"], "how many accelerators there are"),
        Permission::to("resource.k8s.io", "resourceslices", &["list"], "how many accelerators there are"),
        Permission::to("resource.k8s.io", "deviceclasses", &["list"], "how accelerators are asked for"),
        Permission::to("resource.k8s.io", "resourceclaims", &["list"], "whether the device is free again"),
        Permission::to(
            "resource.k8s.io",
            "resourceclaimtemplates",
            &["create", "delete"],
            "the pod's claim on a device",
        ),
    ],
    wants: crate::accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "one namespace with one small pod that has one accelerator, for less than a minute",
    adapters: adapters::IDS,
    quick: adapters::IDS,
    parts: &["simulator"],
    files: &[],
    trials: &[],
    limit: crate::accelerators::LIMIT,
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, files| run::detect(api, files).boxed(),
    preview: |_, _, _| std::future::ready(Preview::default()).boxed(),
    run: |cx, files| run::run(cx, files).boxed(),
};
