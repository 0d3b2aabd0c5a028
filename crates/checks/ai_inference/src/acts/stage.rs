//! Backends, a sender, and for each class a Gateway with its routes.

use super::objects::{by_header, gateway, route, service, split, to_nobody};
use crate::find::{Target, condition};
use crate::limits;
use crate::marks::{
    BACKENDS, CANARY, CHANGED, Condition, MISSING, Mark, RouteStatus, SPLIT, STABLE, WEIGHTS, gateways,
    http_routes,
};
use aiconform_accelerators::{Container, Probe, ProbePod};
use aiconform_check::cx::{Cx, Stop};
use aiconform_cluster::Scratch;
use aiconform_model::probe::BACKEND;
use aiconform_model::{Bin, Kind, Object, Scope};
use aiconform_trial::kinds;
use aiconform_wait::Wait;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at what is not watched.
const BETWEEN: Duration = Duration::from_millis(300);

/// Pods and Services that the classes share.
pub struct Stage<'a> {
    pub(super) cx: &'a Cx,
    pub(super) scratch: Arc<Scratch>,
    /// The pod that sends.
    pub(super) sender: Probe,
    /// The backends, in the order of their names.
    pub(super) backends: Vec<Probe>,
    services: Vec<String>,
}

/// The place at which a class is tried.
pub struct Place {
    /// IP address or host name.
    pub address: String,
    /// Port.
    pub port: u16,
    /// End of the hosts of its routes.
    pub domain: String,
}

impl Place {
    /// Host of a route.
    pub fn host(&self, route: &str) -> String {
        format!("{route}-{}", self.domain)
    }
}

/// A Gateway with its status, and its address when it is programmed.
type Programmed = (Object, Option<String>);

impl<'a> Stage<'a> {
    /// Starts the pods on these nodes, and has the sender ask every backend without any gateway.
    ///
    /// # Errors
    /// When something is refused, or a pod does not run.
    pub async fn new(cx: &'a Cx, scratch: Arc<Scratch>, nodes: &[String]) -> Result<Stage<'a>, Stop> {
        let scope = scratch.scope().clone();
        cx.mark(&scope, &Mark::Pods {});
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
                    nodes,
                    containers: vec![container],
                    restarts: false,
                };
                Probe::start(cx, scratch, &pod).await
            }
        };
        let backends = BACKENDS.iter().zip(&names).map(|(role, name)| start(role, name.clone()));
        let (sender, backends) =
            futures::future::try_join(start("sender", String::new()), try_join_all(backends)).await?;
        let mut all_services = Vec::new();
        for role in BACKENDS {
            let name = scratch.named(role);
            scratch.create(&kinds::service(), service(&name, role, cx.session.id())).await?;
            all_services.push(name);
        }
        let stage = Stage { cx, scratch, sender, backends, services: all_services };
        stage.directly(&names).await?;
        Ok(stage)
    }

    pub(super) fn mark(&self, scope: &Scope, mark: &Mark) {
        self.cx.mark(scope, mark);
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
    pub async fn try_class(&self, scope: &Scope, target: &Target) -> Result<(), Stop> {
        let (parent, place) = self.programmed(scope, target).await?;
        let named = |name: &str| self.scratch.named(&format!("{name}-{}", target.number));
        let [stable, canary] = [STABLE, CANARY].map(|role| self.scratch.named(role));
        let routes = [
            (SPLIT, split(&self.services, &WEIGHTS)),
            ("header", by_header(&canary, &stable)),
            (MISSING, to_nobody(&self.scratch.named("nobody"))),
        ];
        let hosts: Vec<String> = routes.iter().map(|(name, _)| place.host(name)).collect();
        self.mark(scope, &Mark::Routes { hosts, weights: WEIGHTS });
        self.cx.progress.tell(scope, &format!("routes at {}, port {}", place.address, place.port));
        for (name, rules) in &routes {
            self.scratch
                .create(&http_routes(), route(&named(name), &parent, &place.host(name), rules))
                .await?;
        }
        let names = routes.map(|(name, _)| named(name));
        let [split_said, header, missing] =
            self.said(&target.controller, &names, 0, self.cx.limit(&limits::STATUS).time).await;
        self.mark(scope, &Mark::Told { split: split_said, header, missing });
        self.traffic(scope, target.number, &place).await?;

        self.mark(scope, &Mark::Change { weights: CHANGED });
        self.cx.progress.tell(scope, "the weights are changed");
        let patch = json!({"spec": {"rules": split(&self.services, &CHANGED)}});
        self.scratch.merge(&http_routes(), &named(SPLIT), &patch).await?;
        self.after_change(scope, target.number, &place).await?;
        self.mark(scope, &Mark::Reread {});
        let fresh = self.cx.limit(&limits::FRESH).watched();
        let [split] = self.said(&target.controller, &[named(SPLIT)], 2, fresh).await;
        self.mark(scope, &Mark::ToldAgain { split });
        self.mark(scope, &Mark::End {});
        Ok(())
    }

    /// Waits for a Gateway that is programmed: the reference to it, and where it is.
    async fn programmed(&self, scope: &Scope, target: &Target) -> Result<(Value, Place), Stop> {
        let (wanted, number) = (&self.cx.profile.ai_inference, target.number);
        let (mut port, mut domain) =
            (wanted.port.unwrap_or(80), format!("{}-{number}.aiconform.test", self.cx.session.id()));
        let (namespace, name, parent);
        match &target.gateway {
            Some(there) => {
                (namespace, name) = there.clone();
                let found = self.cx.session.api().get(scope, &gateways(), &namespace, &name).await?;
                let (listener, its_port) = listener(&found, wanted.port)?;
                port = its_port;
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
                self.mark(scope, &Mark::Gateway { class: target.class.clone() });
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
            if wanted.address.is_some() && found.condition_is("Programmed", "True") {
                return Ok((found, Some(String::new())));
            }
            Err(in_words(&found))
        };
        let wait = Wait {
            condition: format!("the gateway {namespace}/{name} to be programmed and to have an address"),
            bin: Bin::Platform,
            limit: self.cx.limit(&limits::PROGRAMMED).time,
            sink: api.sink().as_ref(),
            scope,
        };
        let (found, address): Programmed = wait.asking(BETWEEN, ask).await?.value;
        let mark = Mark::Programmed {
            generation: found.at("/metadata/generation").and_then(Value::as_i64),
            conditions: found.at("/status").and_then(conditions),
            addresses: addresses(&found).cloned().unwrap_or_default(),
            address: wanted.address.clone().or(address.clone()),
        };
        self.mark(scope, &mark);
        let Some(address) = address else {
            return Err(Stop::Hindered(format!("the gateway is refused: {}", in_words(&found))));
        };
        let address = wanted.address.clone().unwrap_or(address);
        Ok((parent, Place { address, port, domain }))
    }

    /// Status of routes as a class's controller writes it, once it says of all that they are accepted and resolved or not,
    /// each at least of this generation, or after this time.
    async fn said<const N: usize>(
        &self,
        controller: &str,
        routes: &[String; N],
        generation: i64,
        limit: Duration,
    ) -> [Option<RouteStatus>; N] {
        let status = |name: &String| {
            let route = self.scratch.get(&http_routes(), name)?;
            let parents = route.at("/status/parents").and_then(Value::as_array);
            let own = parents.into_iter().flatten().find(|parent| parent["controllerName"] == controller);
            Some(RouteStatus {
                generation: route.at("/metadata/generation").and_then(Value::as_i64),
                conditions: own.and_then(conditions),
            })
        };
        let look = || {
            for name in routes {
                let found = status(name).and_then(|status| status.conditions).unwrap_or_default();
                for kind in ["Accepted", "ResolvedRefs"] {
                    let Some(found) = found.iter().find(|condition| condition.kind == kind) else {
                        return Err(format!("{name}: no word on {kind}"));
                    };
                    let observed = found.observed_generation.unwrap_or_default();
                    if observed < generation {
                        return Err(format!("{name}: the word on {kind} is of generation {observed}"));
                    }
                }
            }
            Ok(())
        };
        // What was not said is seen by the judge.
        let _ = self.scratch.until("a word on every route", Bin::Platform, limit, look).await;
        routes.each_ref().map(status)
    }
}

/// Conditions that stand in a status, those of another form left out; none where there is no list of them.
fn conditions(status: &Value) -> Option<Vec<Condition>> {
    Some(status["conditions"].as_array()?.iter().filter_map(condition).collect())
}

/// The listener for HTTP of a Gateway, and its port.
fn listener(gateway: &Object, port: Option<u16>) -> Result<(Value, u16), Stop> {
    let listeners = gateway.at("/spec/listeners").and_then(Value::as_array);
    let port_of = |listener: &Value| listener["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let found = listeners.into_iter().flatten().find(|listener| {
        listener["protocol"] == "HTTP" && port.is_none_or(|port| port_of(listener) == Some(port))
    });
    match found.and_then(|listener| Some((listener.clone(), port_of(listener)?))) {
        Some(found) => Ok(found),
        None => Err(Stop::Hindered(format!(
            "the gateway {} has no listener for HTTP{}",
            gateway.called(),
            port.map_or_else(String::new, |port| format!(" at port {port}"))
        ))),
    }
}

/// Conditions and address of a Gateway in words.
fn in_words(object: &Object) -> String {
    let words: Vec<String> = object
        .at("/status")
        .and_then(conditions)
        .into_iter()
        .flatten()
        .map(|it| format!("{}={} ({})", it.kind, it.status, it.words()))
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
