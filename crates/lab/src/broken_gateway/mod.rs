//! A gateway of ours in place of Traefik, which implements what the trials need of the Gateway API as it should but for one
//! thing: it accepts GatewayClass, Gateways and HTTPRoutes, and routes HTTP by host, headers and weights.

mod proxy;

use aiconform_cluster::{Api, ClusterError, Mirror};
use aiconform_model::{Kind, Object, Scope};
use proxy::{Backend, Rule, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Whose place it takes.
const CONTROLLER: &str = "traefik.io/gateway-controller";
/// Address and port at which it serves, in the lab's own network namespace.
const ADDRESS: &str = "10.199.0.1";
const PORT: u16 = 80;

fn kind(kind: &str, plural: &str) -> Kind {
    Kind::namespaced("gateway.networking.k8s.io", "v1", kind, plural)
}

fn services() -> Kind {
    Kind::namespaced("", "v1", "Service", "services")
}

fn slices() -> Kind {
    Kind::namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
}

/// Fault of the gateway: the one thing that it does wrong, in the words of the breakage's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    RefusesGateways,
    IgnoresWeights,
    ServesZeroWeight,
    ChoosesByConnection,
    IgnoresHeaders,
    IgnoresHeaderValues,
    IgnoresHeaderCase,
    KeepsFirstWeights,
    TellsStaleStatus,
    AcceptsMissingBackends,
    Caches,
    AsksToLogIn,
    NeverAnswers,
}

/// The gateway.
pub struct Gateway {
    api: Api,
    mirror: Arc<Mirror>,
    fault: Fault,
    table: Arc<Table>,
    /// Rules and generations of routes (by UID) as they were first seen.
    first: BTreeMap<String, (Value, i64)>,
}

impl Gateway {
    /// A gateway with this fault.
    pub fn new(api: Api, mirror: Arc<Mirror>, fault: Fault) -> Gateway {
        Gateway { api, mirror, fault, table: Arc::new(Table::new(fault)), first: BTreeMap::new() }
    }

    /// Serves until it is killed.
    pub async fn run(mut self) -> Result<(), ClusterError> {
        let (gateways, routes) = (kind("Gateway", "gateways"), kind("HTTPRoute", "httproutes"));
        for kind in [&gateways, &routes, &services(), &slices()] {
            self.mirror.watch(&self.api, kind, "", ("labelSelector", "")).await?;
        }
        let listener = tokio::net::TcpListener::bind((ADDRESS, PORT)).await;
        let listener = listener
            .map_err(|error| ClusterError::Answer { what: ADDRESS.into(), why: error.to_string() })?;
        tokio::spawn(proxy::serve(listener, self.table.clone()));
        let mut changes = self.mirror.changes();
        loop {
            changes.borrow_and_update();
            for gateway in self.mirror.everywhere(&gateways, |gateway| Some(gateway.clone())) {
                self.tell(&gateways, &gateway, &self.of_gateway(&gateway)).await?;
            }
            let all = self.mirror.everywhere(&routes, |route| Some(route.clone()));
            let mut rules = Vec::new();
            for route in &all {
                rules.extend(self.rules(route));
                let status = self.of_route(route);
                self.tell(&routes, route, &status).await?;
            }
            *self.table.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Writes a status, where it is another one.
    async fn tell(&self, kind: &Kind, object: &Object, status: &Value) -> Result<(), ClusterError> {
        if object.at("/status").is_some_and(|there| holds(status, there)) {
            return Ok(());
        }
        let patch = json!({"status": status});
        let place = (object.namespace(), object.name());
        match self.api.merge(&Scope::default(), kind, place, "status", &patch).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn of_gateway(&self, gateway: &Object) -> Value {
        let generation = generation(gateway);
        if self.fault == Fault::RefusesGateways {
            let refused = [("Accepted", false, "Invalid"), ("Programmed", false, "Invalid")];
            return json!({"conditions": conditions(generation, &refused)});
        }
        let listeners: Vec<Value> = gateway
            .at("/spec/listeners")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|listener| {
                let all = [
                    ("Accepted", true, "Accepted"),
                    ("Programmed", true, "Programmed"),
                    ("ResolvedRefs", true, "ResolvedRefs"),
                ];
                json!({"name": listener["name"], "attachedRoutes": 0, "conditions": conditions(generation, &all),
                    "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}]})
            })
            .collect();
        json!({"addresses": [{"type": "IPAddress", "value": ADDRESS}], "listeners": listeners,
            "conditions": conditions(generation, &[("Accepted", true, "Accepted"), ("Programmed", true, "Programmed")])})
    }

    fn of_route(&mut self, route: &Object) -> Value {
        let mut observed = generation(route);
        if self.fault == Fault::TellsStaleStatus {
            observed = self.first(route).1;
        }
        let missing = self.rules(route).iter().any(|rule| rule.backends.iter().any(|it| it.is_missing));
        let lies = self.fault == Fault::AcceptsMissingBackends;
        let resolved = if missing && !lies { (false, "BackendNotFound") } else { (true, "ResolvedRefs") };
        let both = [("Accepted", true, "Accepted"), ("ResolvedRefs", resolved.0, resolved.1)];
        let parents: Vec<Value> = route
            .at("/spec/parentRefs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|parent| {
                json!({"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions(observed, &both)})
            })
            .collect();
        json!({"parents": parents})
    }

    /// A route's rules and generation as they were first seen.
    fn first(&mut self, route: &Object) -> &(Value, i64) {
        let there = || (route.at("/spec/rules").cloned().unwrap_or_default(), generation(route));
        self.first.entry(route.uid().to_owned()).or_insert_with(there)
    }

    fn rules(&mut self, route: &Object) -> Vec<Rule> {
        let mut rules = route.at("/spec/rules").cloned().unwrap_or_default();
        if self.fault == Fault::KeepsFirstWeights {
            rules = self.first(route).0.clone();
        }
        let hosts: Vec<String> =
            serde_json::from_value(route.at("/spec/hostnames").cloned().unwrap_or_default())
                .unwrap_or_default();
        let mut found = Vec::new();
        for rule in rules.as_array().into_iter().flatten() {
            let backends: Vec<Backend> = rule["backendRefs"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|backend| self.backend(route.namespace(), backend))
                .collect();
            // A rule without matches takes everything.
            let every = vec![json!({})];
            for one in rule["matches"].as_array().unwrap_or(&every) {
                let text = |header: &Value, key: &str| header[key].as_str().unwrap_or_default().to_owned();
                let headers = one["headers"].as_array().into_iter().flatten();
                let headers = headers
                    .map(|header| (text(header, "name").to_lowercase(), text(header, "value")))
                    .collect();
                found.push(Rule { hosts: hosts.clone(), headers, backends: backends.clone() });
            }
        }
        found
    }

    fn backend(&self, namespace: &str, reference: &Value) -> Backend {
        let name = reference["name"].as_str().unwrap_or_default();
        // Of a Service, the lab has one pod; its virtual address is not reached from a node without a route to others.
        let slices = self.mirror.all(&slices(), namespace, |slice| {
            let address: std::net::IpAddr = slice.text("/endpoints/0/addresses/0").parse().ok()?;
            let port = slice.at("/ports/0/port").and_then(Value::as_u64)?;
            let is_of = slice.label("kubernetes.io/service-name") == name;
            is_of.then_some((address, u16::try_from(port).ok()?).into())
        });
        let is_missing = self.mirror.get(&services(), namespace, name).is_none();
        let address = slices.first().copied();
        Backend { address, is_missing, weight: reference["weight"].as_u64().unwrap_or(1) }
    }
}

/// Tells whether one status holds all that another says, but for the times of its conditions.
fn holds(wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => wanted.iter().all(|(key, value)| {
            key == "lastTransitionTime" || there.get(key).is_some_and(|there| holds(value, there))
        }),
        (Value::Array(wanted), Value::Array(there)) => {
            wanted.len() == there.len()
                && wanted.iter().zip(there).all(|(wanted, there)| holds(wanted, there))
        }
        (wanted, there) => wanted == there,
    }
}

fn generation(object: &Object) -> i64 {
    object.at("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

fn conditions(generation: i64, all: &[(&str, bool, &str)]) -> Vec<Value> {
    let now = jiff::Timestamp::now();
    let now = format!("{now:.0}");
    all.iter()
        .map(|(kind, holds, reason)| {
            json!({"type": kind, "status": if *holds { "True" } else { "False" }, "reason": reason, "message": "",
                "observedGeneration": generation, "lastTransitionTime": now})
        })
        .collect()
}
