//! One subject's run as the evidence has it: pods, what their containers saw, claims, and what was said no to.

use crate::marks::{Facts, Mark};
use aiconform_model::probe::Look;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE};
use aiconform_trial::{Marked, Position, Story};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Life of one pod.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Purpose.
    pub role: String,
    /// Its containers, by the port on which the probe serves in each.
    pub ports: BTreeMap<u16, String>,
    /// Where it was sent.
    pub sent: Position,
    /// Its node, and where that was first seen.
    pub bound: Option<(Position, String)>,
    /// Where it was first seen ready.
    pub ready: Option<Position>,
    /// Where the scheduler was first seen to have said no, and in which words.
    pub refused: Option<(Position, String)>,
    /// Where its node was seen to have turned it away, and in which words.
    pub failed: Option<(Position, String)>,
    /// Where it was gone, or being deleted.
    pub gone: Option<Position>,
}

/// Sight of one container.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Position in the log.
    pub at: Position,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The mark under which it was asked.
    pub during: Mark,
    /// Things that it saw, and the results of what it tried.
    pub look: Look,
}

/// Devices that a claim was given.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The pod it belongs to.
    pub pod: String,
    /// Where it was first seen to have something.
    pub given: Position,
    /// Where it was gone, or being deleted.
    pub gone: Option<Position>,
    /// The devices, as `driver/pool/device`.
    pub devices: BTreeSet<String>,
}

/// Answer to a claim that was tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Position in the log.
    pub at: Position,
    /// HTTP status.
    pub status: u16,
    /// The refusal's words, or the claim as it would be.
    pub answer: Value,
}

/// One subject's run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its facts.
    pub facts: Facts,
    /// Its marks in order.
    pub marks: Vec<Marked<Mark>>,
    /// Its pods in the order in which they were sent.
    pub pods: Vec<Pod>,
    /// Sights of containers, in order.
    pub sights: Vec<Sight>,
    /// Its claims, in the order in which they were given something.
    pub claims: Vec<Claim>,
    /// Answer to a claim that was tried by dry-run.
    pub plain: Option<Tried>,
    /// Answer to that claim with access for administrators.
    pub admin: Option<Tried>,
    /// Answers that did not come: the container, and why.
    pub unanswered: Vec<String>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts or one of its marks cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let mut history = History {
            facts: Facts::of(story.subject())?,
            marks: story.marks()?,
            stopped: story.stopped().map(str::to_owned),
            ..History::default()
        };
        for event in story.own() {
            history.add(event);
        }
        Ok(history)
    }

    fn add(&mut self, event: &Event) {
        let at = Position::of(event);
        match &event.kind {
            EventKind::Exchange { method, path, status, request, response, .. } if method == "POST" => {
                self.answered(at, path, *status, request.as_ref(), response.as_ref());
            }
            EventKind::Watch { kind, object, change } if *kind == Kind::pod() => {
                self.pod_is(at, object, *change);
            }
            EventKind::Watch { kind, object, change } if *kind == resource_claim() => {
                self.claim_is(at, object, *change);
            }
            _ => {}
        }
    }

    /// The mark under which something stands.
    fn during(&self, at: Position) -> Option<&Mark> {
        let before = self.marks.partition_point(|marked| marked.at < at);
        before.checked_sub(1).map(|place| &self.marks[place].mark)
    }

    fn answered(
        &mut self,
        at: Position,
        path: &str,
        status: u16,
        request: Option<&Value>,
        response: Option<&Value>,
    ) {
        let fine = (200..300).contains(&status);
        if let Some((pod, port)) = asked(path) {
            let container = self.pod(pod).and_then(|pod| pod.ports.get(&port)).cloned().unwrap_or_default();
            let look = response.filter(|_| fine).and_then(|look| Look::deserialize(look).ok());
            match (look, self.during(at).cloned()) {
                (Some(look), Some(during)) => {
                    self.sights.push(Sight { at, pod: pod.into(), container, during, look });
                }
                _ => self.unanswered.push(format!("{container} of {pod} gave no answer (status {status})")),
            }
            return;
        }
        let is_dry = path.ends_with("?dryRun=All");
        let place = path.split('?').next().unwrap_or_default();
        if place.ends_with("/resourceclaims") && is_dry {
            let tried = Some(Tried { at, status, answer: response.cloned().unwrap_or_default() });
            match self.during(at) {
                Some(Mark::ClaimPlain { .. }) => self.plain = tried,
                Some(Mark::ClaimAdmin { .. }) => self.admin = tried,
                _ => {}
            }
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

    fn pod_is(&mut self, at: Position, object: &Object, change: Change) {
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

    fn claim_is(&mut self, at: Position, object: &Object, change: Change) {
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

    /// Word of the first mark that `wanted` knows.
    pub fn marked<'a, T>(&'a self, wanted: impl Fn(&'a Mark) -> Option<T>) -> Option<(Position, T)> {
        self.marks.iter().find_map(|marked| Some((marked.at, wanted(&marked.mark)?)))
    }

    /// The pod whose containers were started again.
    pub fn restarted(&self) -> Option<&str> {
        let pod = self.marked(|mark| match mark {
            Mark::Restart { pod } => Some(pod.as_str()),
            _ => None,
        });
        pod.map(|(_, pod)| pod)
    }

    /// A pod by name.
    pub fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.name == name)
    }

    /// Pods whose role begins so.
    pub fn of_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| pod.role.starts_with(role))
    }

    /// Sights of a container under marks that `during` knows, in order.
    pub fn saw<'a>(
        &'a self,
        pod: &'a str,
        container: &'a str,
        during: fn(&Mark) -> bool,
    ) -> impl Iterator<Item = &'a Sight> {
        self.sights
            .iter()
            .filter(move |sight| sight.pod == pod && sight.container == container && during(&sight.during))
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

/// Tells whether everyone looks or tries, before anything is let go.
pub fn looks_or_tries(mark: &Mark) -> bool {
    matches!(mark, Mark::Look {} | Mark::Try { .. })
}

/// Tells whether everyone tries what holders were seen to have.
pub fn tries(mark: &Mark) -> bool {
    matches!(mark, Mark::Try { .. })
}
