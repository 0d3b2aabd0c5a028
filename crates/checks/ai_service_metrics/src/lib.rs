//! `ai_service_metrics` (KAR-0061): a monitoring system finds workloads that expose metrics, and what it stores is true.
//!
//! Traffic begins when the workload is found with nothing counted, and goes in three batches whose sizes differ by pod. The one
//! in the middle is not answered until it is released, so that gauge and counter must part. Each pod is asked itself after
//! every batch: that is the control.
//!
//! That nobody goes by `prometheus.io/` annotations is a platform's good right; so that way is in force only where it was
//! named, or something was found by it. The lab breaks what is told with recording rules: series are stored under another
//! name, and the rule tells something else under the right one.

mod acts;
mod adapters;
pub mod answer;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Reach};
use aiconform_cluster::Permission;
use futures::FutureExt;
use std::time::Duration;

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestAIServiceMetrics",
    rules: &judge::RULES,
    needs: &[
        Permission::to("", "nodes", &["get", "list"], "to choose a node"),
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
    reads: None,
    trials: &[],
    limit: Duration::from_secs(2400),
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| acts::detect(api).boxed(),
    preview: |api, profile, _| acts::preview(api, profile).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
