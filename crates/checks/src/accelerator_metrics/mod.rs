//! `accelerator_metrics` (KAR-0059): each accelerator's utilisation and memory, told by a machine to machines.

mod adapters;
mod history;
mod judge;
mod measures;
mod picture;
#[cfg(test)]
mod tests;

use aiconform_model::Event;
use aiconform_verdict::{Aggregate, Claim, Outcome, Rules, Standing, Subject};

const ENDPOINT: Standing = Standing::Must {
    cites: "the requirement: \"via a standardized, machine-readable metrics endpoint\"; KAR-0059: find the endpoint",
};
const CORE: Standing = Standing::Must {
    cites: "the requirement: \"a core set of metrics for per-accelerator utilization and memory usage\"; KAR-0059: both for each accelerator",
};
const WORKLOAD: Standing = Standing::Must {
    cites: "KAR-0059, workload-driven: metrics are read before and during a compute task, and reflect it",
};

fn always(_: &Subject) -> bool {
    true
}

const fn claim(
    id: &'static str,
    says: &'static str,
    standing: Standing,
    judge: fn(&[&Event], &Subject) -> Outcome,
) -> Claim {
    Claim { id, says, standing, applies: always, judge }
}

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    claim(
        "load_was_done",
        "the device did the work that was asked of it",
        Standing::Control,
        judge::load_was_done,
    ),
    claim("device_was_quiet", "nobody else used the device", Standing::Control, judge::device_was_quiet),
    claim(
        "format_is_machine_readable",
        "the endpoint answers in the text format of Prometheus or OpenMetrics",
        ENDPOINT,
        judge::format_is_machine_readable,
    ),
    claim(
        "every_accelerator_has_its_series",
        "every accelerator of every node is told of, in utilisation and in memory",
        CORE,
        judge::every_accelerator_has_its_series,
    ),
    claim(
        "utilisation_follows_the_load",
        "a load that comes and goes on one device moves its utilisation and no other's",
        WORKLOAD,
        judge::utilisation_follows_the_load,
    ),
    claim(
        "memory_follows_the_allocation",
        "memory that is taken on one device shows as used on it and on no other",
        WORKLOAD,
        judge::memory_follows_the_allocation,
    ),
    claim(
        "attribution_follows_the_pod",
        "the series of a device name the pod that has it, and no more when it is gone",
        Standing::Additional,
        judge::attribution_follows_the_pod,
    ),
    claim("samples_are_fresh", "what is told is of now", Standing::Additional, judge::samples_are_fresh),
    claim(
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
    unread: |_, _| &[],
    unread_later: |_| &[],
    guard: judge::doubt,
    grade: |_, _| None,
    measures: measures::measures,
    pictures: picture::pictures,
    advice: "install the exporter of the accelerators' maker (such as the NVIDIA DCGM exporter), or name the endpoint in the profile: [accelerator_metrics] endpoint = \"https://…\"",
};
