//! `ai_service_metrics` (KAR-0061): a monitoring system finds workloads that expose metrics, and what it stores is true.

mod adapters;
pub mod answer;
mod history;
mod judge;
mod measures;
mod run;
#[cfg(test)]
mod tests;

use crate::cx::{Check, Reach};
use crate::gang_scheduling::{unread, unread_later};
use aiconform_cluster::Permission;
use aiconform_verdict::{Aggregate, Claim, Rules, Standing};
use futures::FutureExt;
use std::time::Duration;

const DISCOVERED: Standing = Standing::Must {
    cites: "the requirement: \"a monitoring system capable of discovering and collecting metrics from workloads\"; KAR-0061: configure the scrape, query the monitoring system",
};
const TRAFFIC: Standing = Standing::Must {
    cites: "KAR-0061: controlled requests are sent to the workload, and the values that the monitoring system returns reflect the traffic",
};
const FORMAT: Standing = Standing::Must {
    cites: "the requirement: \"metrics from workloads that expose them in a standard format (e.g. Prometheus exposition format)\", \"key metrics from common AI frameworks and servers\"",
};

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "workload_counts_right",
        "the workload itself says exactly what was sent to it",
        Standing::Control,
        judge::workload_counts_right,
    ),
    Claim::of(
        "way_is_in_force",
        "the monitoring system goes by what is declared in this way",
        Standing::InForce,
        judge::way_is_in_force,
    ),
    Claim::of(
        "workload_is_discovered",
        "a workload that declares its metrics is found and collected",
        DISCOVERED,
        judge::workload_is_discovered,
    ),
    Claim::of(
        "counter_is_exact",
        "after each batch of requests the counter is exactly what was sent",
        TRAFFIC,
        judge::counter_is_exact,
    ),
    Claim::of(
        "counted_once",
        "what one pod counts is one series, so that no request counts twice",
        TRAFFIC,
        judge::counted_once,
    ),
    Claim::of(
        "gauge_follows",
        "the gauge rises with requests that run, and falls with their end",
        TRAFFIC,
        judge::gauge_follows,
    ),
    Claim::of(
        "histogram_is_whole",
        "buckets, count and sum of the latencies are those of the workload",
        FORMAT,
        judge::histogram_is_whole,
    ),
    Claim::of(
        "labels_name_the_pod",
        "series name the pod and the namespace that they are of",
        Standing::Additional,
        judge::labels_name_the_pod,
    ),
    Claim::of(
        "undeclared_is_left_alone",
        "a workload that declares nothing is not collected",
        Standing::Additional,
        judge::undeclared_is_left_alone,
    ),
    Claim::of(
        "gone_is_told_no_more",
        "series of a pod that is gone end, and those of others go on",
        Standing::Additional,
        judge::gone_is_told_no_more,
    ),
];

static RULES: Rules = Rules {
    check: run::ID,
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: measures::measures,
    simulated: |_, _| false,
    pictures: |_, _| Vec::new(),
    advice: "install a monitoring system that speaks the API of Prometheus, or name it in the profile: [ai_service_metrics] url = \"https://…\"; the way in which workloads declare their metrics is named with --adapter",
};

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestAIServiceMetrics",
    rules: &RULES,
    needs: &[
        Permission::to("", "pods", &["create", "get", "list", "watch", "delete"], "the workload"),
        Permission::to(
            "",
            "pods/proxy",
            &["get", "create"],
            "requests to the workload, and what it says itself",
        ),
        Permission::to(
            "monitoring.coreos.com",
            "prometheuses",
            &["list"],
            "by which labels prometheus-operator's Prometheus selects monitors",
        ),
        Permission::to(
            "monitoring.coreos.com",
            "podmonitors",
            &["create", "delete"],
            "to declare the workload",
        ),
        Permission::to(
            "monitoring.coreos.com",
            "servicemonitors",
            &["create", "delete"],
            "to declare the workload",
        ),
    ],
    wants: &[
        Permission::to(
            "",
            "services",
            &["list"],
            "to find the monitoring system; without it, it must be named in the profile",
        ),
        Permission::to(
            "",
            "services",
            &["create", "delete"],
            "the Service of a ServiceMonitor; without it that way cannot be tried",
        ),
        Permission::to(
            "",
            "services/proxy",
            &["get"],
            "to ask the monitoring system; without it, its address must be in the profile",
        ),
        Permission::to(
            "",
            "events",
            &["list"],
            "why a pod does not come, where its status does not say so; without it the reason is missing from the verdict",
        ),
    ],
    reach: Reach::Namespaces,
    creates: "for each way of declaring metrics one namespace with three small pods, for less than a minute where the monitoring system collects every few seconds",
    adapters: adapters::IDS,
    quick: &["annotations"],
    parts: &["prometheus"],
    files: &[],
    trials: &[],
    limit: Duration::from_secs(1200),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |api, profile, _| run::preview(api, profile).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
