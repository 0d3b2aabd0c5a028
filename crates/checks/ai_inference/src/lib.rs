//! `ai_inference` (no KAR): an implementation of the Gateway API, shown by traffic that it splits and routes.

mod acts;
mod find;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Preview, Reach};
use aiconform_cluster::Permission;
use futures::FutureExt;
use std::time::Duration;

/// The check.
pub const CHECK: Check = Check {
    id: marks::ID,
    test_name: "TestAiInference",
    rules: &judge::RULES,
    needs: &[
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "delete"],
            "backends, and the pod that sends requests",
        ),
        Permission::to("", "pods/proxy", &["create"], "the probe's answers"),
        Permission::to(
            "",
            "nodes",
            &["get", "list"],
            "which nodes can carry the test pods, and how they stand when one does not run",
        ),
        Permission::to("", "services", &["create", "get", "list", "watch", "delete"], "backends of routes"),
        Permission::to("gateway.networking.k8s.io", "gatewayclasses", &["list"], "which classes there are"),
        Permission::to(
            "gateway.networking.k8s.io",
            "gateways",
            &["create", "get", "list", "watch", "delete"],
            "a Gateway of each class",
        ),
        Permission::to(
            "gateway.networking.k8s.io",
            "httproutes",
            &["create", "get", "list", "watch", "patch", "delete"],
            "its routes",
        ),
    ],
    wants: aiconform_accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "one namespace with four small pods, three Services, and for each GatewayClass a Gateway (behind which a platform may make a load balancer) with three HTTPRoutes, to which some thousand small requests are sent",
    adapters: &[],
    quick: &[],
    parts: &["traefik"],
    files: &[],
    reads: None,
    trials: &[],
    limit: Duration::from_secs(1800),
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |api, _| find::detect(api).boxed(),
    preview: |_, _, _| std::future::ready(Preview::default()).boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
