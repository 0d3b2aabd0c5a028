//! Events that are written by hand.

use super::super::RULES;
use crate::marks::{ID, Mark, Step};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::{marks, testing};
use aiconform_verdict::Judgement;
use serde_json::{Value, json};

/// The subject.
pub const SUBJECT: &str = "synthetic";

/// What is seen of a claim and of the pod that names it.
#[derive(Clone, Copy)]
pub enum Seen {
    /// A device, and the pod is bound.
    Got(&'static str),
    /// Two devices, and the pod is bound.
    TwoOf(&'static str, &'static str),
    /// Nothing, and the scheduler said no.
    Waits,
    /// Nothing, and the scheduler said no word.
    Silent,
    /// Nothing yet, as `Silent`, where that is meant to be slow.
    Open,
    /// No device, and the pod is bound.
    BoundWithout,
    /// A device that is not reserved for the pod, and the pod is bound.
    Unreserved(&'static str),
    /// A device, and the pod is not bound.
    Unbound(&'static str),
}

/// What is seen of a pod.
#[derive(Clone, Copy, PartialEq)]
pub enum Sight {
    New,
    Bound,
    Refused,
    Gone,
}
pub use Sight::{Bound, Gone, New, Refused};

/// Events that are written by hand.
#[derive(Clone, Default)]
pub struct Tape {
    pub events: Vec<Event>,
}

impl Tape {
    pub fn write(&mut self, kind: EventKind) {
        self.write_of(SUBJECT, kind);
    }

    pub fn write_of(&mut self, subject: &str, kind: EventKind) {
        let sequence = self.events.len() as u64;
        let time = jiff::Timestamp::from_millisecond(1_800_000_000_000 + self.events.len() as i64).unwrap();
        self.events.push(Event { sequence, time, scope: Scope::new(ID, subject), kind });
    }

    pub fn started(&mut self, trials: &[&str]) {
        let facts =
            json!({"trials": trials, "own_control": true, "simulated": true, "served": ["v1"], "minor": 37});
        self.write(EventKind::SubjectStarted { facts, control: false, declared: false });
    }

    /// Facts of the subject other than those written first.
    pub fn facts(&mut self, change: impl Fn(&mut Value)) {
        for event in &mut self.events {
            if let EventKind::SubjectStarted { facts, .. } = &mut event.kind {
                change(facts);
            }
        }
    }

    /// Other trials than those written first.
    pub fn plan(&mut self, trials: &[&str]) {
        self.facts(|facts| facts["trials"] = json!(trials));
    }

    pub fn mark(&mut self, trial: &str, step: Step) {
        self.write(marks::event(&Mark { trial: trial.into(), step }));
    }

    /// The same without the marks of a phase.
    pub fn without_phase(mut self, gone: &str) -> Tape {
        self.events.retain(|event| !matches!(&event.kind, EventKind::Phase { phase, .. } if phase == gone));
        self
    }

    fn watch(&mut self, kind: Kind, change: Change, object: Value) {
        self.write(EventKind::Watch { kind, change, object: Object(object) });
    }

    fn meta(trial: &str, role: &str, name: &str) -> Value {
        json!({"name": name, "namespace": "n", "uid": format!("{trial}/{role}/{name}"), "labels": {
            "aiconform.dev/trial": trial, "aiconform.dev/role": role, "aiconform.dev/gang": name}})
    }

    pub fn pod(&mut self, trial: &str, role: &str, name: &str, sight: Sight) {
        let mut object =
            json!({"metadata": Self::meta(trial, role, name), "spec": {}, "status": {"phase": "Pending"}});
        match sight {
            Bound => object["spec"]["nodeName"] = json!("node-0"),
            Refused => {
                object["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False",
                    "reason": "Unschedulable", "message": "cannot allocate all claims"}]);
            }
            New | Gone => {}
        }
        let change = match sight {
            New => Change::Added,
            Gone => Change::Deleted,
            Bound | Refused => Change::Modified,
        };
        self.watch(Kind::pod(), change, object);
    }

    /// A claim is given devices of the trial's pool, and reserved for pods.
    pub fn claim(&mut self, trial: &str, name: &str, devices: &[&str], pods: &[&str]) {
        let results: Value = devices
            .iter()
            .map(|device| json!({"request": "device", "driver": "d", "pool": trial, "device": device}))
            .collect();
        self.claim_of(trial, name, &results, pods);
    }

    pub fn claim_of(&mut self, trial: &str, name: &str, results: &Value, pods: &[&str]) {
        let mut object = json!({"metadata": Self::meta(trial, "claim", name), "status": {}});
        if results.as_array().is_some_and(|results| !results.is_empty()) {
            object["status"]["allocation"] = json!({"devices": {"results": results}});
        }
        object["status"]["reservedFor"] = pods
            .iter()
            .map(|pod| json!({"resource": "pods", "name": pod, "uid": format!("{trial}/claimant/{pod}")}))
            .collect();
        self.watch(resource_claim(), Change::Modified, object);
    }

    pub fn claim_gone(&mut self, trial: &str, name: &str) {
        let object = json!({"metadata": Self::meta(trial, "claim", name), "status": {}});
        self.watch(resource_claim(), Change::Deleted, object);
    }

    /// A pod with a claim of the same name, and what becomes of them.
    pub fn seen(&mut self, trial: &str, name: &str, seen: Seen) {
        let both = [name];
        let (devices, reserved, sight): (Vec<&str>, &[&str], Sight) = match seen {
            Seen::Got(device) => (vec![device], &both, Bound),
            Seen::TwoOf(one, other) => (vec![one, other], &both, Bound),
            Seen::Waits => (vec![], &[], Refused),
            Seen::Silent | Seen::Open => (vec![], &[], New),
            Seen::BoundWithout => (vec![], &[], Bound),
            Seen::Unreserved(device) => (vec![device], &[], Bound),
            Seen::Unbound(device) => (vec![device], &both, Refused),
        };
        self.claim(trial, name, &[], &[]);
        self.pod(trial, "claimant", name, New);
        self.claim(trial, name, &devices, reserved);
        if sight != New {
            self.pod(trial, "claimant", name, sight);
        }
    }

    /// A claim that should get nothing, and plain pods that are bound meanwhile.
    pub fn waits(
        &mut self,
        trial: &str,
        (begin, end): (Step, Step),
        name: &str,
        seen: Seen,
        meanwhile: usize,
    ) {
        self.mark(trial, begin);
        self.seen(trial, name, seen);
        self.canaries(trial, name, meanwhile);
        self.mark(trial, end);
    }

    /// Plain pods that come and are bound.
    pub fn canaries(&mut self, trial: &str, name: &str, bound: usize) {
        for number in 0..bound {
            let name = format!("{name}-canary-{number}");
            self.pod(trial, "canary", &name, New);
            self.pod(trial, "canary", &name, Bound);
        }
    }

    /// We delete a pod, and its claim.
    pub fn remove(&mut self, trial: &str, name: &str, claim: bool) {
        self.mark(trial, Step::Remove { names: vec![name.into()] });
        self.pod(trial, "claimant", name, Gone);
        if claim {
            self.claim_gone(trial, name);
        }
    }

    /// The kind's requests and their answers; the label that is read after the change.
    pub fn kind(&mut self, kind: &Kind, statuses: [u16; 6], label: &str) {
        let (of, plural) = (kind.kind.clone(), kind.plural.clone());
        self.mark("kinds", Step::Kind { kind: of, plural: plural.clone(), name: "object".into() });
        let path = format!("/apis/resource.k8s.io/v1/{}", kind.plural);
        let methods = ["POST", "GET", "PATCH", "GET", "DELETE", "GET"];
        for (number, (method, status)) in methods.into_iter().zip(statuses).enumerate() {
            if status == 0 {
                break;
            }
            let mut answer = json!({"metadata": {"uid": "u"}, "spec": {"a": 1}});
            if number > 2 {
                answer["metadata"]["labels"] = json!({"aiconform.dev/changed": label});
            }
            if status > 299 {
                answer = json!({"kind": "Status", "message": format!("answer {status}")});
            }
            self.exchange(
                method,
                &if number == 0 { path.clone() } else { format!("{path}/object") },
                status,
                (number == 0).then(|| json!({"metadata": {"name": "object"}, "spec": {"a": 1}})),
                answer,
            );
        }
        self.mark("kinds", Step::KindEnded { plural });
    }

    pub fn exchange(
        &mut self,
        method: &str,
        path: &str,
        status: u16,
        request: Option<Value>,
        response: Value,
    ) {
        let (method, path, response) = (method.into(), path.into(), Some(response));
        self.write(EventKind::Exchange { method, path, status, request, response, milliseconds: 1 });
    }

    pub fn judged(&self) -> Judgement {
        testing::judged(&RULES, self.events.clone())
    }
}

pub fn outcome<'a>(judged: &'a Judgement, claim: &str) -> &'a str {
    let subject = judged.subjects.iter().find(|subject| subject.id == SUBJECT).unwrap();
    subject.outcome(claim).unwrap().word()
}
