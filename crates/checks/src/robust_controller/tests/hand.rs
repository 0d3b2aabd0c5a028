//! Events that are written by hand: one run of KubeRay.

use super::super::RULES;
use super::super::adapters::shipped;
use super::super::discover::{Definition, Found, Pod, Webhook};
use aiconform_evidence::Evidence;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judgement, judge};
use serde_json::{Value, json};

/// The subject.
pub const SUBJECT: &str = "kuberay/raycluster";
/// Its webhook.
pub const WEBHOOK: &str = "vraycluster.kb.io";

/// Its custom resource.
pub fn resource_kind() -> Kind {
    Kind::namespaced("ray.io", "v1", "RayCluster", "rayclusters")
}

fn services() -> Kind {
    Kind::namespaced("", "v1", "Service", "services")
}

/// What happens in a run.
#[derive(Clone)]
pub struct Run {
    pub tried: bool,
    pub established: bool,
    pub served: &'static str,
    pub webhooks: Vec<Webhook>,
    pub pods: bool,
    pub by: &'static str,
    /// Before and after.
    pub ready: [bool; 2],
    /// Before and after.
    pub restarts: [u64; 2],
    /// Whether the pod is another one after.
    pub replaced: bool,
    /// Whether a ReplicaSet is made.
    pub plain: bool,
    pub valid: [(u16, String); 2],
    pub invalid: (u16, String),
    /// UID in the children's ownerReferences.
    pub owner: &'static str,
    /// Generation that the status is about.
    pub observed: u64,
    /// Status of the condition.
    pub provisioned: &'static str,
    /// Workers that the status wants before the change.
    pub desired: u64,
    /// What Events say.
    pub said: Option<String>,
    pub child_goes: bool,
    pub again: bool,
    pub follows: bool,
    /// Whether a Service is left.
    pub left: bool,
    /// Whether the resource stays.
    pub stuck: bool,
    /// Whether a list shows what there is.
    pub listed: bool,
    /// Why the pod that is made waits.
    pub waits: Option<&'static str>,
    /// Whether what stays is being deleted.
    pub leaving: bool,
    /// Whether Events cannot be read.
    pub unread: bool,
    /// Whether a webhook changes the spec on its way in.
    pub rewritten: bool,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            tried: true,
            established: true,
            served: "v1",
            webhooks: vec![Webhook { name: WEBHOOK.into(), hinted: true, ..Webhook::default() }],
            pods: true,
            by: "the Services of its webhooks",
            ready: [true; 2],
            restarts: [0; 2],
            replaced: false,
            plain: true,
            valid: [(201, String::new()), (201, String::new())],
            invalid: (422, format!("admission webhook \"{WEBHOOK}\" denied the request: no")),
            owner: "it",
            observed: 1,
            provisioned: "True",
            desired: 0,
            said: None,
            child_goes: true,
            again: true,
            follows: true,
            left: false,
            stuck: false,
            listed: false,
            waits: None,
            leaving: false,
            unread: false,
            rewritten: false,
        }
    }
}

/// A change that was watched.
pub fn watched(kind: &Kind, object: Object) -> EventKind {
    EventKind::Watch { kind: kind.clone(), change: Change::Modified, object }
}

/// Events that are written by hand.
#[derive(Clone, Default)]
pub struct Tape {
    pub events: Vec<Event>,
}

impl Tape {
    fn write(&mut self, kind: EventKind) {
        let sequence = self.events.len() as u64;
        let time = jiff::Timestamp::from_millisecond(1_800_000_000_000 + self.events.len() as i64).unwrap();
        self.events.push(Event { sequence, time, scope: Scope::new("robust_controller", SUBJECT), kind });
    }

    fn phase(&mut self, phase: &str, data: Value) {
        self.write(EventKind::Phase { phase: phase.into(), data });
    }

    fn exchange(&mut self, method: &str, status: u16, request: Value, response: Value) {
        self.write(EventKind::Exchange {
            method: method.into(),
            path: "/apis".into(),
            status,
            request: Some(request),
            response: Some(response),
            milliseconds: 1,
        });
    }

    /// Puts an event of a subject (of all, when it is empty) before the mark of a phase.
    pub fn insert_before(&mut self, phase: &str, subject: &str, kind: EventKind) {
        let named =
            |event: &Event| matches!(&event.kind, EventKind::Phase { phase: name, .. } if name == phase);
        let place = self.events.iter().position(named).unwrap();
        let mut event = self.events[place].clone();
        event.kind = kind;
        event.scope = if subject.is_empty() { Scope::default() } else { event.scope };
        self.events.insert(place, event);
        for (place, event) in self.events.iter_mut().enumerate() {
            event.sequence = place as u64;
        }
    }

    pub fn judged(&self) -> Judgement {
        judge(&RULES, &Evidence { events: self.events.clone() })
    }
}

impl Run {
    fn found(&self, place: usize) -> Value {
        let uid = if self.replaced && place == 1 { "other" } else { "pod" };
        let pod = Pod {
            name: "ray-system/operator".into(),
            uid: uid.into(),
            ready: self.ready[place],
            restarts: self.restarts[place],
            says: String::new(),
        };
        let found = Found {
            definition: Some(Definition {
                established: self.established,
                served: vec![self.served.into()],
                says: String::new(),
            }),
            webhooks: self.webhooks.clone(),
            pods: if self.pods { vec![pod] } else { vec![] },
            by: self.by.into(),
            labelled: false,
        };
        json!({"found": found})
    }

    /// The resource in a generation; whether the operator has looked at it.
    pub fn resource(&self, generation: u64, seen: bool) -> Value {
        let mut object = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
            "metadata": {"name": "it", "namespace": "n", "uid": "it", "generation": generation},
            "spec": {"size": generation}});
        if seen {
            let desired = if generation > 1 { 1 } else { self.desired };
            let observed = if self.observed == 1 { generation } else { self.observed };
            object["status"] = json!({"observedGeneration": observed, "desiredWorkerReplicas": desired,
                "conditions": [{"type": "RayClusterProvisioned", "status": self.provisioned}]});
        }
        object
    }

    fn child(&self, kind: &Kind, uid: &str) -> Object {
        let ready = if self.waits.is_some() { "False" } else { "True" };
        let reason = self.waits.unwrap_or_default();
        Object(json!({"kind": kind.kind, "metadata": {"name": uid, "namespace": "n", "uid": uid,
            "ownerReferences": [{"uid": self.owner}]},
            "status": {"conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}}))
    }

    fn closed(&self, there: bool, children: &[&str]) -> Value {
        let children: Vec<Value> = children
            .iter()
            .filter(|_| self.owner == "it" || self.listed)
            .map(|kind| json!({"kind": kind, "name": "child"}))
            .collect();
        let said = (!self.unread).then(|| self.said.iter().collect::<Vec<_>>());
        json!({"there": there, "children": children, "said": said})
    }

    /// What is seen.
    pub fn tape(&self) -> Tape {
        let mut tape = Tape::default();
        let kuberay = shipped().iter().find(|operator| operator.id() == SUBJECT).unwrap();
        let mut facts = kuberay.facts();
        facts["tried"] = json!(self.tried);
        tape.write(EventKind::SubjectStarted { facts, control: false, declared: false });
        tape.phase("look", json!({}));
        tape.phase("found", self.found(0));
        self.plain(&mut tape);
        let sent = json!({"kind": "RayCluster", "metadata": {"name": "it"}, "spec": {"size": 1}});
        for (phase, (status, message)) in
            [("ask_valid", &self.valid[0]), ("ask_invalid", &self.invalid), ("ask_valid", &self.valid[1])]
        {
            tape.phase(phase, json!({}));
            let mut answer = sent.clone();
            if *status > 299 {
                answer = json!({"kind": "Status", "message": message});
            }
            tape.exchange("POST", *status, sent.clone(), answer);
        }
        tape.phase("asked", json!({}));
        tape.phase("create", json!({"name": "it"}));
        let mut got = self.resource(1, false);
        if self.rewritten {
            got["spec"]["size"] = json!(7);
        }
        tape.exchange("POST", 201, sent, got);
        let kind = resource_kind();
        tape.write(watched(&kind, Object(self.resource(1, false))));
        tape.write(watched(&Kind::pod(), self.child(&Kind::pod(), "head")));
        tape.write(watched(&services(), self.child(&services(), "service")));
        tape.write(watched(&kind, Object(self.resource(1, true))));
        tape.phase("reconciled", self.closed(true, &["Pod", "Service"]));
        self.again(&mut tape);
        tape.phase("change", json!({"generation": 1}));
        tape.exchange("PATCH", 200, json!({}), json!({"kind": "PartialObjectMetadata"}));
        let mut changed = self.resource(2, true);
        if !self.follows {
            changed["status"] = self.resource(1, true)["status"].clone();
        }
        tape.write(watched(&kind, Object(changed)));
        tape.phase("changed", self.closed(true, &["Pod", "Service"]));
        self.delete(&mut tape);
        tape.phase("look", json!({}));
        tape.phase("found_again", self.found(1));
        tape.write(EventKind::SubjectEnded {});
        tape
    }

    fn plain(&self, tape: &mut Tape) {
        tape.phase("plain", json!({"name": "plain"}));
        let deployment = json!({"kind": "Deployment", "metadata": {"name": "plain", "uid": "plain"}});
        tape.exchange("POST", 201, json!({"kind": "Deployment"}), deployment);
        if self.plain {
            let kind = Kind::namespaced("apps", "v1", "ReplicaSet", "replicasets");
            let set =
                json!({"metadata": {"name": "plain-1", "uid": "set", "ownerReferences": [{"uid": "plain"}]}});
            tape.write(watched(&kind, Object(set)));
        }
        tape.phase("plain_ended", json!({}));
    }

    fn again(&self, tape: &mut Tape) {
        tape.phase("delete_child", json!({"kind": services(), "name": "service", "uid": "service"}));
        if self.child_goes {
            let object = self.child(&services(), "service");
            tape.write(EventKind::Watch { kind: services(), change: Change::Deleted, object });
        }
        if self.again {
            tape.write(watched(&services(), self.child(&services(), "service-2")));
        }
        tape.phase("made_again", self.closed(true, &["Pod", "Service"]));
    }

    fn delete(&self, tape: &mut Tape) {
        tape.phase("delete", json!({}));
        let mut object = self.resource(2, true);
        if self.stuck {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            object["metadata"]["finalizers"] = json!(["example.com/never"]);
            tape.write(watched(&resource_kind(), Object(object)));
        } else {
            tape.write(EventKind::Watch {
                kind: resource_kind(),
                change: Change::Deleted,
                object: Object(object),
            });
        }
        for (kind, uid) in [(Kind::pod(), "head"), (services(), "service"), (services(), "service-2")] {
            let mut object = self.child(&kind, uid);
            if self.left && uid == "service-2" {
                if self.leaving {
                    object.0["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                    tape.write(watched(&kind, object));
                }
            } else {
                tape.write(EventKind::Watch { kind, change: Change::Deleted, object });
            }
        }
        let left: &[&str] = if self.listed && self.left { &["Service"] } else { &[] };
        tape.phase("gone", self.closed(self.stuck, left));
    }

    pub fn judged(&self) -> Judgement {
        self.tape().judged()
    }
}

pub fn outcome<'a>(judged: &'a Judgement, claim: &str) -> &'a str {
    judged.subjects[0].outcome(claim).unwrap().word()
}
