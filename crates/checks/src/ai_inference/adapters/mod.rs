//! The objects of the Gateway API, in which all implementations are told the same: there is one way to express it, and each
//! GatewayClass is a subject.

use crate::pod::ROLE;
use aiconform_cluster::RUN_LABEL;
use aiconform_model::Kind;
use aiconform_model::probe::BACKEND_PORT;
use serde_json::{Value, json};

/// Gets most of the traffic of the split.
pub const STABLE: &str = "stable";
/// Gets the rest, and what has the right header.
pub const CANARY: &str = "canary";
/// Has weight zero.
pub const IDLE: &str = "idle";
/// All backends.
pub const BACKENDS: &[&str] = &[STABLE, CANARY, IDLE];

/// Weights of the split before the change, in the order of [`BACKENDS`]; they sum up to 100.
pub const WEIGHTS: [u64; 3] = [80, 20, 0];
/// The same after it.
pub const CHANGED: [u64; 3] = [20, 80, 0];

/// Header by which requests are routed, one of OpenAI's; the route and the sender write it in letters of other sizes, which
/// make no difference in names (RFC 9110, section 5.1).
pub const HEADER: &str = "OpenAI-Organization";
/// Its value that leads to [`CANARY`].
pub const VALUE: &str = "org-Alpha";

/// Port of the Services.
const PORT: u16 = 80;

const GROUP: &str = "gateway.networking.k8s.io";

/// Classes of gateways.
pub fn gateway_classes() -> Kind {
    Kind::cluster_wide(GROUP, "v1", "GatewayClass", "gatewayclasses")
}

/// Gateways.
pub fn gateways() -> Kind {
    Kind::namespaced(GROUP, "v1", "Gateway", "gateways")
}

/// Routes.
pub fn http_routes() -> Kind {
    Kind::namespaced(GROUP, "v1", "HTTPRoute", "httproutes")
}

/// Services.
pub fn services() -> Kind {
    Kind::namespaced("", "v1", "Service", "services")
}

/// The Service before the backend of a role.
pub fn service(name: &str, role: &str, run: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {
        "selector": {RUN_LABEL: run, ROLE: role},
        "ports": [{"name": "http", "port": PORT, "targetPort": BACKEND_PORT, "protocol": "TCP"}]}})
}

/// A Gateway of a class with one listener for HTTP.
pub fn gateway(name: &str, class: &str, port: u16) -> Value {
    json!({"apiVersion": gateways().api_version(), "kind": "Gateway", "metadata": {"name": name}, "spec": {
        "gatewayClassName": class,
        "listeners": [{"name": "http", "port": port, "protocol": "HTTP",
            "allowedRoutes": {"namespaces": {"from": "Same"}}}]}})
}

/// A route of a host to a parent.
pub fn route(name: &str, parent: &Value, host: &str, rules: &Value) -> Value {
    json!({"apiVersion": http_routes().api_version(), "kind": "HTTPRoute", "metadata": {"name": name},
        "spec": {"parentRefs": [parent], "hostnames": [host], "rules": rules}})
}

fn reference(service: &str, weight: u64) -> Value {
    json!({"name": service, "port": PORT, "weight": weight})
}

/// One rule that splits over the backends' Services by weights.
pub fn split(services: &[String], weights: &[u64]) -> Value {
    let references: Vec<Value> =
        services.iter().zip(weights).map(|(service, weight)| reference(service, *weight)).collect();
    json!([{"backendRefs": references}])
}

/// What has the header goes to one Service, everything else to the other.
pub fn by_header(with: &str, without: &str) -> Value {
    json!([
        {"matches": [{"headers": [{"type": "Exact", "name": HEADER, "value": VALUE}]}], "backendRefs": [reference(with, 1)]},
        {"backendRefs": [reference(without, 1)]},
    ])
}

/// Everything goes to a Service that there is not.
pub fn to_nobody(missing: &str) -> Value {
    json!([{"backendRefs": [reference(missing, 1)]}])
}
