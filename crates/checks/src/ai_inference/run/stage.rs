//! Backends, a sender, and for each class a Gateway with its routes.

use super::Target;
use crate::accelerators::{Container, Probe, ProbePod};
use crate::ai_inference::adapters::{
    BACKENDS, CANARY, CHANGED, STABLE, WEIGHTS, by_header, gateway, gateways, http_routes, route, service,
    services, split, to_nobody,
};
use crate::cx::{Cx, Stop};
use aiconform_cluster::Scratch;
use aiconform_model::probe::BACKEND;
use aiconform_model::{Bin, EventKind, Kind, Object, Scope};
use aiconform_wait::Wait;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longest time until a Gateway is programmed: behind it may be a load balancer that is made.
const PROGRAMMED: Duration = Duration::from_secs(300);
/// Longest time until a word on a route is there.
const TOLD: Duration = Duration::from_secs(60);
/// Longest time until the word on a changed route is of the change.
const FRESH: Duration = Duration::from_secs(10);
/// Between two looks at what is not watched.
const BETWEEN: Duration = Duration::from_millis(300);

/// Everything that the classes share.
pub struct Stage<'a> {
    pub(super) cx: &'a Cx,
    pub(super) scratch: Arc<Scratch>,
    /// Sends what is sent.
    pub(super) sender: Probe,
    /// The backends, in the order of their names.
    pub(super) backends: Vec<Probe>,
    services: Vec<String>,
}

/// Where a class is tried.
pub struct Place {
    /// IP address or host name.
    pub address: String,
    /// Port.
    pub port: u16,
    /// What hosts of routes end with.
    pub domain: String,
}

impl Place {
    /// Host of a route.
    pub fn host(&self, route: &str) -> String {
        format!("{route}-{}", self.domain)
    }
}

/// A Gateway as it is told of, and its address when it is programmed.
type Told = (Object, Option<String>);

impl<'a> Stage<'a> {
    /// Starts the pods, and has the sender ask every backend without any gateway.
    ///
    /// # Errors
    /// When something is refused, or a pod does not run.
    pub async fn new(cx: &'a Cx, scratch: Arc<Scratch>) -> Result<Stage<'a>, Stop> {
        let scope = scratch.scope().clone();
        cx.write(&scope, EventKind::Phase { phase: "pods".into(), data: json!({}) });
        let names: Vec<String> = BACKENDS.iter().map(|name| format!("{name}-{}", cx.session.id())).collect();
        let start = |role: &'static str, name: String| {
            let scratch = scratch.clone();
            async move {
                let environment = [(BACKEND, name.as_str())];
                let container = Container {
                    environment: if name.is_empty() { &[] } else { &environment },
                    ..Container::without()
                };
                let pod = ProbePod {
                    role,
                    trial: "inference",
                    nodes: &[],
                    containers: vec![container],
                    restarts: false,
                };
                Probe::start(cx, scratch, &pod).await
            }
        };
        let backends = BACKENDS.iter().zip(&names).map(|(role, name)| start(role, name.clone()));
        let (sender, backends) =
            futures::future::try_join(start("sender", String::new()), try_join_all(backends)).await?;
        let mut services_of = Vec::new();
        for role in BACKENDS {
            let name = scratch.named(role);
            scratch.create(&services(), service(&name, role, cx.session.id())).await?;
            services_of.push(name);
        }
        let stage = Stage { cx, scratch, sender, backends, services: services_of };
        stage.directly(&names).await?;
        Ok(stage)
    }

    pub(super) fn phase(&self, scope: &Scope, phase: &str, data: Value) {
        self.cx.write(scope, EventKind::Phase { phase: phase.into(), data });
    }

    /// A pod's address.
    pub(super) fn address(&self, pod: &str) -> String {
        self.scratch
            .get(&Kind::pod(), pod)
            .map(|pod| pod.text("/status/podIP").to_owned())
            .unwrap_or_default()
    }

    /// Tries one class.
    ///
    /// # Errors
    /// When something is refused, or does not come in time.
    pub async fn try_class(&self, number: usize, target: &Target) -> Result<(), Stop> {
        let scope = &target.scope;
        let (parent, place) = self.programmed(number, target).await?;
        let named = |name: &str| self.scratch.named(&format!("{name}-{number}"));
        let [stable, canary] = [STABLE, CANARY].map(|role| self.scratch.named(role));
        let routes = [
            ("split", split(&self.services, &WEIGHTS)),
            ("header", by_header(&canary, &stable)),
            ("missing", to_nobody(&self.scratch.named("nobody"))),
        ];
        let hosts: Vec<String> = routes.iter().map(|(name, _)| place.host(name)).collect();
        self.phase(scope, "routes", json!({"hosts": hosts, "weights": WEIGHTS}));
        self.cx.progress.tell(scope, &format!("routes at {}, port {}", place.address, place.port));
        for (name, rules) in &routes {
            self.scratch
                .create(&http_routes(), route(&named(name), &parent, &place.host(name), rules))
                .await?;
        }
        let names = routes.iter().map(|(name, _)| ((*name).to_owned(), named(name))).collect::<Vec<_>>();
        let told = self.told(target, &names, 0, TOLD).await;
        self.phase(scope, "told", told);
        self.traffic(target, number, &place).await?;

        self.phase(scope, "change", json!({"weights": CHANGED}));
        self.cx.progress.tell(scope, "the weights are changed");
        let patch = json!({"spec": {"rules": split(&self.services, &CHANGED)}});
        self.scratch.merge(&http_routes(), &named("split"), &patch).await?;
        self.after_change(target, number, &place).await?;
        let told = self.told(target, &names[..1], 2, FRESH).await;
        self.phase(scope, "told_again", told);
        self.phase(scope, "end", json!({}));
        Ok(())
    }

    /// A Gateway that is programmed: the reference to it, and where it is.
    async fn programmed(&self, number: usize, target: &Target) -> Result<(Value, Place), Stop> {
        let of = &self.cx.profile.ai_inference;
        let scope = &target.scope;
        let (mut port, mut domain) =
            (of.port.unwrap_or(80), format!("{}-{number}.aiconform.test", self.cx.session.id()));
        let (namespace, name, parent);
        match &target.gateway {
            Some((of_namespace, of_name)) => {
                (namespace, name) = (of_namespace.clone(), of_name.clone());
                let found = self.cx.session.api().get(scope, &gateways(), &namespace, &name).await?;
                let (listener, told) = listener(&found, of.port)?;
                port = told;
                let host = listener["hostname"].as_str().unwrap_or_default();
                if let Some(end) = host.strip_prefix("*.") {
                    domain = format!("{}-{number}.{end}", self.cx.session.id());
                } else if !host.is_empty() {
                    return Err(Stop::Hindered(format!(
                        "the listener {} of {} takes the host {host} only; name a Gateway whose listener takes all hosts, or those of a domain (*.example.com)",
                        listener["name"],
                        found.called()
                    )));
                }
                parent = json!({"namespace": namespace, "name": name, "sectionName": listener["name"]});
            }
            None => {
                (namespace, name) =
                    (self.scratch.namespace().to_owned(), self.scratch.named(&format!("gateway-{number}")));
                self.phase(scope, "gateway", json!({"class": target.class}));
                self.scratch.create(&gateways(), gateway(&name, &target.class, port)).await?;
                parent = json!({"name": name});
            }
        }
        self.cx.progress.tell(scope, &format!("waits for the gateway {namespace}/{name}"));
        let api = self.cx.session.api();
        let ask = || async {
            let found =
                api.get(scope, &gateways(), &namespace, &name).await.map_err(|error| error.to_string())?;
            let address = first_address(&found).to_owned();
            let refused = found.condition_is("Accepted", "False");
            if refused || (found.condition_is("Programmed", "True") && !address.is_empty()) {
                return Ok((found, (!refused).then_some(address)));
            }
            if of.address.is_some() && found.condition_is("Programmed", "True") {
                return Ok((found, Some(String::new())));
            }
            Err(in_words(&found))
        };
        let wait = Wait {
            condition: format!("the gateway {namespace}/{name} to be programmed and to have an address"),
            bin: Bin::Platform,
            limit: PROGRAMMED,
            sink: api.sink().as_ref(),
            scope,
        };
        let (found, address): Told = wait.asking(BETWEEN, ask).await?.value;
        let status = json!({"generation": found.at("/metadata/generation"),
            "conditions": found.at("/status/conditions"), "addresses": addresses(&found),
            "address": of.address.clone().or(address.clone())});
        self.phase(scope, "programmed", status);
        let Some(address) = address else {
            return Err(Stop::Hindered(format!("the gateway is refused: {}", in_words(&found))));
        };
        let address = of.address.clone().unwrap_or(address);
        Ok((parent, Place { address, port, domain }))
    }

    /// What the class's controller says of routes, once it says of all that they are accepted and resolved or not, each at
    /// least of this generation, or after this time.
    async fn told(
        &self,
        target: &Target,
        routes: &[(String, String)],
        generation: i64,
        limit: Duration,
    ) -> Value {
        let parent = |route: &Object| {
            let parents = route.at("/status/parents").and_then(Value::as_array);
            let own = |parent: &&Value| parent["controllerName"] == target.controller.as_str();
            parents.into_iter().flatten().find(own).cloned()
        };
        let told = |name: &str| {
            let route = self.scratch.get(&http_routes(), name)?;
            let conditions = parent(&route).map(|parent| parent["conditions"].clone()).unwrap_or_default();
            Some(json!({"generation": route.at("/metadata/generation"), "conditions": conditions}))
        };
        let all = || -> serde_json::Map<String, Value> {
            routes.iter().map(|(key, name)| (key.clone(), told(name).unwrap_or_default())).collect()
        };
        let look = || {
            for (key, said) in all() {
                let conditions = said["conditions"].as_array().cloned().unwrap_or_default();
                for kind in ["Accepted", "ResolvedRefs"] {
                    let Some(found) = conditions.iter().find(|condition| condition["type"] == kind) else {
                        return Err(format!("{key}: no word on {kind}"));
                    };
                    let observed = found["observedGeneration"].as_i64().unwrap_or_default();
                    if observed < generation {
                        return Err(format!("{key}: the word on {kind} is of generation {observed}"));
                    }
                }
            }
            Ok(())
        };
        // What was not told is seen by the judge.
        let _ = self.scratch.until("a word on every route", Bin::Platform, limit, look).await;
        Value::Object(all())
    }
}

/// The listener for HTTP of a Gateway, and its port.
fn listener(gateway: &Object, port: Option<u16>) -> Result<(Value, u16), Stop> {
    let listeners = gateway.at("/spec/listeners").and_then(Value::as_array);
    let of = |listener: &Value| listener["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let found = listeners.into_iter().flatten().find(|listener| {
        listener["protocol"] == "HTTP" && port.is_none_or(|port| of(listener) == Some(port))
    });
    match found.and_then(|listener| Some((listener.clone(), of(listener)?))) {
        Some(found) => Ok(found),
        None => Err(Stop::Hindered(format!(
            "the gateway {} has no listener for HTTP{}",
            gateway.called(),
            port.map_or_else(String::new, |port| format!(" at port {port}"))
        ))),
    }
}

/// Conditions in words.
fn in_words(object: &Object) -> String {
    let conditions = object.at("/status/conditions").and_then(Value::as_array);
    let text = |condition: &Value, key: &str| condition[key].as_str().unwrap_or_default().to_owned();
    let words: Vec<String> = conditions
        .into_iter()
        .flatten()
        .map(|it| {
            let said = [text(it, "reason"), text(it, "message")].join(" ");
            format!("{}={} ({})", text(it, "type"), text(it, "status"), said.trim())
        })
        .collect();
    let address = first_address(object);
    let address = if address.is_empty() { "no address" } else { address };
    if words.is_empty() {
        format!("no condition, {address}")
    } else {
        format!("{}, {address}", words.join(", "))
    }
}

/// Addresses of a Gateway.
fn addresses(gateway: &Object) -> Option<&Value> {
    gateway.at("/status")?.get("addresses")
}

fn first_address(gateway: &Object) -> &str {
    addresses(gateway).and_then(|found| found.pointer("/0/value")?.as_str()).unwrap_or_default()
}
