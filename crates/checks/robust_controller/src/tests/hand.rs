//! Events that are written by hand: one run of KubeRay.

use crate::adapters::shipped;
use crate::judge::RULES;
use crate::marks::{Closed, Definition, Deleted, Found, ID, Listed, Mark, Pod, Webhook};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::kinds::service;
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::{self, Tape};
use aiconform_verdict::Judgement;
use jiff::ToSpan;
use serde_json::{Value, json};

/// The subject.
pub const SUBJECT: &str = "kuberay/raycluster";
/// Its webhook.
pub const WEBHOOK: &str = "vraycluster.kb.io";

/// Its custom resource.
pub fn resource_kind() -> Kind {
    Kind::namespaced("ray.io", "v1", "RayCluster", "rayclusters")
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
    /// Whether a Service is made once more after all was gone, and whether that goes too.
    pub afterwards: Option<bool>,
    /// Whether Events cannot be read.
    pub unread: bool,
    /// Whether a webhook changes the spec on its way in.
    pub rewritten: bool,
    /// Milliseconds until pods were ready, before and after.
    pub waited: [Option<u64>; 2],
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
            afterwards: None,
            unread: false,
            rewritten: false,
            waited: [None; 2],
        }
    }
}

/// A change that was watched.
pub fn watched(kind: &Kind, object: Object) -> EventKind {
    EventKind::Watch { kind: kind.clone(), change: Change::Modified, object }
}

/// Puts an event of the subject (of all, when it is not `own`) before the mark of a phase.
pub fn insert_before(tape: &mut Tape, phase: &str, own: bool, kind: EventKind) {
    let named = |event: &Event| matches!(&event.kind, EventKind::Phase { phase: name, .. } if name == phase);
    let place = tape.events.iter().position(named).unwrap();
    let mut event = Event { kind, ..tape.events[place].clone() };
    if !own {
        event.scope = Scope::default();
    }
    tape.events.insert(place, event);
    for (place, event) in tape.events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
}

/// Lets time go by after the first mark of a phase, in seconds.
pub fn delay(tape: &mut Tape, phase: &str, seconds: i64) {
    let named = |event: &Event| matches!(&event.kind, EventKind::Phase { phase: name, .. } if name == phase);
    let place = tape.events.iter().position(named).unwrap();
    for event in &mut tape.events[place + 1..] {
        event.time = event.time.checked_add(seconds.seconds()).unwrap();
    }
}

/// Has the evidence say that a limit was another one, in seconds.
pub fn stretch(tape: &mut Tape, key: &str, seconds: f64) {
    let kind = EventKind::Fact { name: LIMITS.into(), value: json!({key: seconds}) };
    tape.events.insert(0, Event { scope: Scope::default(), kind, ..tape.events[0].clone() });
    for (place, event) in tape.events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
}

pub fn judged(tape: &Tape) -> Judgement {
    testing::judged(&RULES, tape.events.clone())
}

fn asked(tape: &mut Tape, method: &str, status: u16, request: Value, response: Value) {
    tape.exchange(method, "/apis", status, request, response);
}

impl Run {
    fn found(&self, place: usize) -> Option<Found> {
        let uid = if self.replaced && place == 1 { "other" } else { "pod" };
        let pod = Pod {
            name: "ray-system/operator".into(),
            uid: uid.into(),
            ready: self.ready[place],
            restarts: self.restarts[place],
            says: String::new(),
        };
        Some(Found {
            definition: Some(Definition {
                established: self.established,
                served: vec![self.served.into()],
                says: String::new(),
            }),
            webhooks: self.webhooks.clone(),
            pods: if self.pods { vec![pod] } else { vec![] },
            by: self.by.into(),
            labelled: false,
        })
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

    fn closed(&self, there: bool, children: &[&str]) -> Closed {
        let children = children
            .iter()
            .filter(|_| self.owner == "it" || self.listed)
            .map(|kind| Listed { kind: (*kind).into(), name: "child".into() })
            .collect();
        let said = (!self.unread).then(|| self.said.iter().cloned().collect());
        Closed { there, children, said }
    }

    /// What is seen.
    pub fn tape(&self) -> Tape {
        let mut tape = Tape::new(ID, SUBJECT);
        let kuberay = shipped().iter().find(|operator| operator.id() == SUBJECT).unwrap();
        let mut facts = kuberay.facts();
        facts["tried"] = json!(self.tried);
        tape.started(facts);
        tape.mark(&Mark::Look {});
        tape.mark(&Mark::Found { found: self.found(0), waited: self.waited[0] });
        self.plain(&mut tape);
        let sent = json!({"kind": "RayCluster", "metadata": {"name": "it"}, "spec": {"size": 1}});
        for (mark, (status, message)) in [
            (Mark::AskValid {}, &self.valid[0]),
            (Mark::AskInvalid {}, &self.invalid),
            (Mark::AskValid {}, &self.valid[1]),
        ] {
            tape.mark(&mark);
            let mut answer = sent.clone();
            if *status > 299 {
                answer = json!({"kind": "Status", "message": message});
            }
            asked(&mut tape, "POST", *status, sent.clone(), answer);
        }
        tape.mark(&Mark::Asked {});
        tape.mark(&Mark::Create { name: "it".into() });
        let mut got = self.resource(1, false);
        if self.rewritten {
            got["spec"]["size"] = json!(7);
        }
        asked(&mut tape, "POST", 201, sent, got);
        let kind = resource_kind();
        tape.push(watched(&kind, Object(self.resource(1, false))));
        tape.push(watched(&Kind::pod(), self.child(&Kind::pod(), "head")));
        tape.push(watched(&service(), self.child(&service(), "service")));
        tape.push(watched(&kind, Object(self.resource(1, true))));
        tape.mark(&Mark::Reconciled(self.closed(true, &["Pod", "Service"])));
        self.again(&mut tape);
        tape.mark(&Mark::Change { generation: Some(1) });
        asked(&mut tape, "PATCH", 200, json!({}), json!({"kind": "PartialObjectMetadata"}));
        let mut changed = self.resource(2, true);
        if !self.follows {
            changed["status"] = self.resource(1, true)["status"].clone();
        }
        tape.push(watched(&kind, Object(changed)));
        tape.mark(&Mark::Changed(self.closed(true, &["Pod", "Service"])));
        self.delete(&mut tape);
        tape.mark(&Mark::Look {});
        tape.mark(&Mark::FoundAgain { found: self.found(1), waited: self.waited[1] });
        tape.ended();
        tape
    }

    fn plain(&self, tape: &mut Tape) {
        tape.mark(&Mark::Plain { name: "plain".into() });
        let deployment = json!({"kind": "Deployment", "metadata": {"name": "plain", "uid": "plain"}});
        asked(tape, "POST", 201, json!({"kind": "Deployment"}), deployment);
        if self.plain {
            let kind = Kind::namespaced("apps", "v1", "ReplicaSet", "replicasets");
            let set =
                json!({"metadata": {"name": "plain-1", "uid": "set", "ownerReferences": [{"uid": "plain"}]}});
            tape.push(watched(&kind, Object(set)));
        }
        tape.mark(&Mark::PlainEnded {});
    }

    fn again(&self, tape: &mut Tape) {
        let (name, uid) = ("service".into(), "service".into());
        tape.mark(&Mark::DeleteChild(Deleted { kind: service(), name, uid }));
        if self.child_goes {
            let object = self.child(&service(), "service");
            tape.push(EventKind::Watch { kind: service(), change: Change::Deleted, object });
        }
        if self.again {
            tape.push(watched(&service(), self.child(&service(), "service-2")));
        }
        tape.mark(&Mark::MadeAgain(self.closed(true, &["Pod", "Service"])));
    }

    fn delete(&self, tape: &mut Tape) {
        tape.mark(&Mark::Delete {});
        let mut object = self.resource(2, true);
        if self.stuck {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            object["metadata"]["finalizers"] = json!(["example.com/never"]);
            tape.push(watched(&resource_kind(), Object(object)));
        } else {
            tape.push(EventKind::Watch {
                kind: resource_kind(),
                change: Change::Deleted,
                object: Object(object),
            });
        }
        for (kind, uid) in [(Kind::pod(), "head"), (service(), "service"), (service(), "service-2")] {
            let mut object = self.child(&kind, uid);
            if self.left && uid == "service-2" {
                if self.leaving {
                    object.0["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                    tape.push(watched(&kind, object));
                }
            } else {
                tape.push(EventKind::Watch { kind, change: Change::Deleted, object });
            }
        }
        let left: &[&str] = if self.listed && self.left { &["Service"] } else { &[] };
        tape.mark(&Mark::Gone(self.closed(self.stuck, left)));
        if let Some(goes) = self.afterwards {
            let object = self.child(&service(), "service-3");
            tape.push(watched(&service(), object.clone()));
            if goes {
                tape.push(EventKind::Watch { kind: service(), change: Change::Deleted, object });
            }
        }
    }

    pub fn judged(&self) -> Judgement {
        judged(&self.tape())
    }
}

pub fn outcome<'a>(judged: &'a Judgement, claim: &str) -> &'a str {
    judged.subjects[0].outcome(claim).unwrap().word()
}
