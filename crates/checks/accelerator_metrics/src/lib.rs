//! `accelerator_metrics` (KAR-0059): each accelerator's utilisation and memory, told by a machine to machines.
//!
//! One load comes and goes on one device, and all endpoints are asked meanwhile. What they say is judged by differences
//! between the phases, never against absolute values: whatever the unit of a series, it has to move when the load does.
//!
//! The load is kept up by the probe in the pod, beside the device, from the request `/load` to the request `/rest`. Were
//! it made of single requests, an API server that passes one on late would leave gaps in it, and the utilisation would be
//! right to show them.
//!
//! How each maker's exporter says it is data (`adapters/*.toml`), and the text is read by `aiconform_exposition`, which
//! takes no text for well-formed. The probe puts simulated devices to work by itself; a real one needs the library of its
//! maker, and so a load (`docs/guide/load.md`).

mod acts;
mod adapters;
mod find;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Preview, Reach};
use aiconform_cluster::Permission;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};
use futures::FutureExt;
use judge::history::History;
use judge::{guard, measures, picture};
use marks::ID;

const ENDPOINT: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"via a standardized, machine-readable metrics endpoint\"; we take it to mean the text formats of Prometheus and OpenMetrics, with a content type that Prometheus takes",
};
const CORE: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"a core set of metrics for per-accelerator utilization and memory usage\"; KAR-0059: both for each accelerator",
};
const WORKLOAD: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0059, workload-driven: metrics are read before and during a compute task, and utilisation reflects it",
};
const MEMORY: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"per-accelerator utilization and memory usage\"; we take it to mean that memory which a workload takes on an accelerator shows as used there, as KAR-0059 asks of utilisation",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
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
        MEMORY,
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

static RULES: Rules<History> = Rules {
    unread,
    unread_later,
    measures: measures::measures,
    simulated: judge::simulated,
    pictures: picture::pictures,
    ..Rules::of(ID, CLAIMS, History::read, guard::doubt, ADVICE)
};

const ADVICE: &str = "install the exporter of the accelerators' maker (such as the NVIDIA DCGM exporter), or name its pods or an endpoint in the profile: [accelerator_metrics.exporter], or [accelerator_metrics] endpoint = \"https://…\"";

/// The check.
pub const CHECK: Check = Check {
    id: ID,
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
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "one namespace with one small pod that has one accelerator, for a minute or, where exporters seldom ask their devices anew, for some",
    adapters: adapters::IDS,
    quick: adapters::IDS,
    parts: &["simulator"],
    files: &[],
    reads: None,
    trials: &[],
    limit: limits::WHOLE,
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| find::detect(api).boxed(),
    preview: |_, _, _| std::future::ready(Preview::default()).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
