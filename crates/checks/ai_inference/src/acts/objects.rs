//! The objects of the Gateway API, in which all implementations are told the same: there is one way to express it, so there
//! are no adapters, and each GatewayClass is a subject.

use crate::marks::{HEADER, VALUE, gateways, http_routes};
use aiconform_cluster::RUN_LABEL;
use aiconform_model::probe::BACKEND_PORT;
use aiconform_trial::labels::ROLE;
use serde_json::{Value, json};

/// Port of the Services.
const PORT: u16 = 80;

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

/// Rules by which what has the header goes to one Service, and everything else to the other.
pub fn by_header(with: &str, without: &str) -> Value {
    json!([
        {"matches": [{"headers": [{"type": "Exact", "name": HEADER, "value": VALUE}]}], "backendRefs": [reference(with, 1)]},
        {"backendRefs": [reference(without, 1)]},
    ])
}

/// A rule by which everything goes to a Service that there is not.
pub fn to_nobody(missing: &str) -> Value {
    json!([{"backendRefs": [reference(missing, 1)]}])
}
