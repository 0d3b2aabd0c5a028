//! One subject's run as the evidence has it: pods, what their containers saw, claims, and what was said no to.

use super::run::{ID, NAMES};
use crate::accelerators::claims;
use crate::pod::{GANG, ROLE};
use aiconform_model::probe::Look;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A phase mark.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub data: Value,
    /// Position of its mark.
    pub at: u64,
}

/// What became of one pod.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: String,
    /// Its containers, by the port on which the probe serves in each.
    pub ports: BTreeMap<u16, String>,
    /// Where it was sent.
    pub sent: u64,
    /// Its node, and where that was first seen.
    pub bound: Option<(u64, String)>,
    /// Where it was first seen ready.
    pub ready: Option<u64>,
    /// Where the scheduler was first seen to have said no, and in which words.
    pub refused: Option<(u64, String)>,
    /// Where its node was seen to have turned it away, and in which words.
    pub failed: Option<(u64, String)>,
    /// Where it was gone, or being deleted.
    pub gone: Option<u64>,
}

/// What one container saw.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Position in the log.
    pub at: u64,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The phase in which it was asked.
    pub phase: String,
    /// What it saw, and what came of what it tried.
    pub look: Look,
}

/// What a claim was given.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The pod it belongs to.
    pub pod: String,
    /// Where it was first seen to have something.
    pub given: u64,
    /// Where it was gone, or being deleted.
    pub gone: Option<u64>,
    /// The devices, as `driver/pool/device`.
    pub devices: BTreeSet<String>,
}

/// What was said to a claim that was tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Position in the log.
    pub at: u64,
    /// HTTP status.
    pub status: u16,
    /// The refusal's words, or the claim as it would be.
    pub answer: Value,
}

/// One subject's run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Its pods in the order in which they were sent.
    pub pods: Vec<Pod>,
    /// What containers saw, in order.
    pub sights: Vec<Sight>,
    /// Its claims, in the order in which they were given something.
    pub claims: Vec<Claim>,
    /// Claims that were tried by dry-run, by the phase.
    pub tried: BTreeMap<String, Tried>,
    /// UUIDs that the driver tells of its devices, by `driver/pool/device`.
    pub names: BTreeMap<String, String>,
    /// Answers that did not come: the container, and why.
    pub unanswered: Vec<String>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let mut history = History::default();
        if let Some(names) = subject.facts.get(NAMES).and_then(Value::as_object) {
            let name = |(id, name): (&String, &Value)| Some((id.clone(), name.as_str()?.to_owned()));
            history.names = names.iter().filter_map(name).collect();
        }
        for event in events.iter().filter(|event| event.scope.check == ID) {
            history.read(event);
        }
        history
    }

    fn read(&mut self, event: &Event) {
        let at = event.sequence;
        match &event.kind {
            EventKind::Phase { phase, data } => {
                self.phases.push(Phase { name: phase.clone(), data: data.clone(), at });
            }
            EventKind::Exchange { method, path, status, request, response, .. } if method == "POST" => {
                self.answered(at, path, *status, request.as_ref(), response.as_ref());
            }
            EventKind::Watch { kind, object, change } if *kind == Kind::pod() => {
                self.pod_is(at, object, *change)
            }
            EventKind::Watch { kind, object, change } if *kind == claims() => {
                self.claim_is(at, object, *change)
            }
            EventKind::Stopped { why } => {
                self.stopped.get_or_insert_with(|| why.clone());
            }
            _ => {}
        }
    }

    fn answered(
        &mut self,
        at: u64,
        path: &str,
        status: u16,
        request: Option<&Value>,
        response: Option<&Value>,
    ) {
        let fine = (200..300).contains(&status);
        if let Some((pod, port)) = asked(path) {
            let container = self.pod(pod).and_then(|pod| pod.ports.get(&port)).cloned().unwrap_or_default();
            let look = response.filter(|_| fine).and_then(|look| serde_json::from_value(look.clone()).ok());
            match look {
                Some(look) => {
                    let phase = self.phases.last().map(|phase| phase.name.clone()).unwrap_or_default();
                    self.sights.push(Sight { at, pod: pod.into(), container, phase, look });
                }
                None => {
                    self.unanswered.push(format!("{container} of {pod} gave no answer (status {status})"))
                }
            }
            return;
        }
        let is_dry = path.ends_with("?dryRun=All");
        let place = path.split('?').next().unwrap_or_default();
        if place.ends_with("/resourceclaims") && is_dry {
            let phase = self.phases.last().map(|phase| phase.name.clone()).unwrap_or_default();
            let answer = response.cloned().unwrap_or_default();
            self.tried.insert(phase, Tried { at, status, answer });
        } else if place.ends_with("/pods") && !is_dry && fine {
            let Some(sent) = request.cloned().map(Object) else { return };
            let pod = Pod {
                name: sent.name().into(),
                role: sent.label(ROLE).into(),
                ports: ports(&sent),
                sent: at,
                ..Pod::default()
            };
            // A watch may have told of it before the answer came.
            match self.pods.iter_mut().find(|known| known.name == pod.name) {
                Some(known) => {
                    *known = Pod { ports: pod.ports, ..known.clone() };
                }
                None => self.pods.push(pod),
            }
        }
    }

    fn pod_is(&mut self, at: u64, object: &Object, change: Change) {
        if object.label(ROLE).is_empty() {
            return;
        }
        let place = self.pods.iter().position(|pod| pod.name == object.name()).unwrap_or_else(|| {
            let (name, role) = (object.name().into(), object.label(ROLE).into());
            self.pods.push(Pod { name, role, sent: at, ports: ports(object), ..Pod::default() });
            self.pods.len() - 1
        });
        let pod = &mut self.pods[place];
        let node = object.text("/spec/nodeName");
        if !node.is_empty() {
            pod.bound.get_or_insert_with(|| (at, node.to_owned()));
        }
        if object.condition_is("Ready", "True") {
            pod.ready.get_or_insert(at);
        }
        if object.condition_is("PodScheduled", "False") {
            let message =
                object.condition("PodScheduled").and_then(|condition| condition.get("message")?.as_str());
            if let Some(message) = message.filter(|message| !message.is_empty()) {
                pod.refused.get_or_insert_with(|| (at, message.to_owned()));
            }
        }
        if object.text("/status/phase") == "Failed" {
            let why = [object.text("/status/reason"), object.text("/status/message")].join(": ");
            pod.failed.get_or_insert((at, why));
        }
        if change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some() {
            pod.gone.get_or_insert(at);
        }
    }

    fn claim_is(&mut self, at: u64, object: &Object, change: Change) {
        let pod = owner(object);
        let results = object.at("/status/allocation/devices/results").and_then(Value::as_array);
        let text = |result: &Value, key: &str| {
            result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let devices: BTreeSet<String> = results
            .into_iter()
            .flatten()
            .map(|result| {
                format!("{}/{}/{}", text(result, "driver"), text(result, "pool"), text(result, "device"))
            })
            .collect();
        let gone = change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
        match self.claims.iter_mut().find(|claim| claim.pod == pod && claim.gone.is_none()) {
            // What was let go stays what it had been.
            Some(claim) if gone || devices.is_empty() => claim.gone = Some(at),
            Some(claim) if claim.devices != devices => claim.devices.extend(devices),
            None if !gone && !devices.is_empty() => {
                self.claims.push(Claim { pod, given: at, gone: None, devices });
            }
            _ => {}
        }
    }

    /// The first phase of a name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// A pod by name.
    pub fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.name == name)
    }

    /// Pods whose role begins so.
    pub fn of_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| pod.role.starts_with(role))
    }

    /// What a container saw in these phases, in order.
    pub fn saw<'a>(
        &'a self,
        pod: &'a str,
        container: &'a str,
        phases: &'a [&'a str],
    ) -> impl Iterator<Item = &'a Sight> {
        self.sights.iter().filter(move |sight| {
            sight.pod == pod && sight.container == container && phases.contains(&sight.phase.as_str())
        })
    }

    /// Why something is not known: what stopped the run, an answer that did not come, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let unanswered = self.unanswered.last().map(|why| format!("{otherwise}; {why}"));
        self.stopped.clone().or(unanswered).unwrap_or_else(|| otherwise.into())
    }
}

/// Pod and port of a question to a probe about what it sees.
fn asked(path: &str) -> Option<(&str, u16)> {
    let rest = path.split_once("/pods/")?.1.strip_suffix("/proxy/look")?;
    let (pod, port) = rest.split_once(':')?;
    Some((pod, port.parse().ok()?))
}

/// Names of a pod's containers, by the port that their arguments name.
fn ports(pod: &Object) -> BTreeMap<u16, String> {
    let of = |pointer: &str| pod.at(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let all = of("/spec/initContainers").into_iter().chain(of("/spec/containers"));
    let port = |container: &Value| container.pointer("/args/1")?.as_str()?.parse().ok();
    all.filter_map(|container| Some((port(&container)?, container.get("name")?.as_str()?.to_owned())))
        .collect()
}

/// The pod that a claim was made for: the one that owns it, or the one that its template names.
fn owner(claim: &Object) -> String {
    let named = claim.label(GANG);
    if !named.is_empty() {
        return named.into();
    }
    let owners = claim.at("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    let mut pods = owners.filter(|owner| owner["kind"] == "Pod");
    pods.find_map(|owner| owner["name"].as_str()).unwrap_or(claim.name()).to_owned()
}
