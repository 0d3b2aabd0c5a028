//! `ai_inference` (no KAR): an implementation of the Gateway API, shown by traffic that it splits and routes.

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
use std::time::Duration;

const IMPLEMENTATION: Standing = Standing::Must {
    cites: "the requirement: \"Support the Kubernetes Gateway API with an implementation for advanced traffic management for inference services\"",
};
const WEIGHTS: Standing =
    Standing::Must { cites: "the requirement: \"capabilities like weighted traffic splitting\"" };
const HEADERS: Standing =
    Standing::Must { cites: "the requirement: \"header-based routing (for OpenAI protocol headers)\"" };

/// The claims, controls first.
static CLAIMS: &[Claim] = &[
    Claim::of(
        "class_is_accepted",
        "a controller implements the GatewayClass",
        Standing::InForce,
        judge::class_is_accepted,
    ),
    Claim::of(
        "backends_answer_directly",
        "without a gateway every backend answers, and says who it is",
        Standing::Control,
        judge::backends_answer_directly,
    ),
    Claim::of(
        "requests_pass_the_gateway",
        "what backends answered came through a proxy, and backends and sender count the same",
        Standing::Control,
        judge::requests_pass_the_gateway,
    ),
    Claim::of(
        "gateway_is_programmed",
        "a Gateway gets an address, and its routes are accepted",
        IMPLEMENTATION,
        judge::gateway_is_programmed,
    ),
    Claim::of(
        "weights_split_the_traffic",
        "backends get the shares that their weights say",
        WEIGHTS,
        judge::weights_split_the_traffic,
    ),
    Claim::of(
        "weight_zero_gets_nothing",
        "a backend with weight zero gets nothing",
        WEIGHTS,
        judge::weight_zero_gets_nothing,
    ),
    Claim::of(
        "change_of_weights_takes_effect",
        "weights that are changed take effect",
        WEIGHTS,
        judge::change_of_weights_takes_effect,
    ),
    Claim::of(
        "headers_choose_the_backend",
        "a request goes where its header says, and one that has it not, or another value, does not",
        HEADERS,
        judge::headers_choose_the_backend,
    ),
    Claim::of(
        "status_is_of_the_latest",
        "what is said of Gateway and routes is said of their latest generation",
        Standing::Additional,
        judge::status_is_of_the_latest,
    ),
    Claim::of(
        "missing_backend_is_told",
        "a route to a Service that there is not is told to be unresolved, and answered with 500",
        Standing::Additional,
        judge::missing_backend_is_told,
    ),
];

static RULES: Rules = Rules {
    check: run::ID,
    // "an implementation".
    aggregate: Aggregate::AnySubject,
    claims: CLAIMS,
    unread,
    unread_later,
    guard: judge::doubt,
    grade: |_, _| None,
    measures: measures::measures,
    // Backends are the probe's own, and what is judged is the gateway.
    simulated: |_, _| false,
    pictures: picture::pictures,
    advice: "install an implementation of the Gateway API (such as Envoy Gateway, Istio, Cilium or Traefik) with a GatewayClass, or name a Gateway that is there in the profile: [ai_inference] gateway = \"NAMESPACE/NAME\"",
};

/// The check.
pub const CHECK: Check = Check {
    id: run::ID,
    test_name: "TestAiInference",
    rules: &RULES,
    needs: &[
        Permission::to(
            "",
            "pods",
            &["create", "get", "list", "watch", "delete"],
            "backends, and the pod that sends requests",
        ),
        Permission::to("", "pods/proxy", &["create"], "the probe's answers"),
        Permission::to("", "nodes", &["get"], "how the nodes of the test pods stand when one does not run"),
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
    wants: crate::accelerators::WANTS,
    reach: Reach::Namespaces,
    creates: "one namespace with four small pods, three Services, and for each GatewayClass a Gateway (behind which a platform may make a load balancer) with three HTTPRoutes, to which some thousand small requests are sent",
    adapters: &[],
    quick: &[],
    parts: &["traefik"],
    files: &[],
    trials: &[],
    limit: Duration::from_secs(900),
    explain: include_str!("explain.md"),
    faults: include_str!("faults.toml"),
    detect: |api, _| run::detect(api).boxed(),
    preview: |_, _, _| std::future::ready(Preview::default()).boxed(),
    run: |cx, _| run::run(cx).boxed(),
};
