//! Recorded runs, and how others are made of them.

use crate::dra_support::RULES;
use crate::dra_support::objects::claim;
use aiconform_evidence::Evidence;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judgement, Verdict, judge};
use serde_json::{Value, json};

/// A healthy lab.
pub const MET: &str = include_str!("../tapes/met.ndjson");
/// Breakage `scheduler-ignores-selectors`.
pub const UNMET: &str = include_str!("../tapes/unmet.ndjson");
/// Breakage `dra-gate-off`.
pub const ABSENT: &str = include_str!("../tapes/absent.ndjson");

/// A recorded run, cut to what a judge reads; an event's place is its sequence number.
#[derive(Clone)]
pub struct Tape(pub Vec<Event>);

impl Tape {
    pub fn of(tape: &str) -> Tape {
        Tape(tape.lines().map(|line| serde_json::from_str(line).unwrap()).collect()).numbered()
    }

    pub fn numbered(mut self) -> Tape {
        for (place, event) in self.0.iter_mut().enumerate() {
            event.sequence = place as u64;
        }
        self
    }

    pub fn judged(&self) -> Judgement {
        judge(&RULES, &Evidence { events: self.0.clone() })
    }

    /// The outcome of a claim, in one word, and what was seen.
    pub fn found(&self, id: &str) -> (&'static str, String) {
        let judged = self.judged();
        let outcome = judged.subjects[0].outcome(id).unwrap();
        (outcome.word(), outcome.text().to_owned())
    }

    /// The outcome of a claim, in one word.
    pub fn word(&self, id: &str) -> &'static str {
        self.found(id).0
    }

    pub fn verdict(&self) -> Verdict {
        self.judged().verdict
    }

    /// The place of the mark of a phase of a trial, for the claim of a name where there are several.
    pub fn mark(&self, trial: &str, phase: &str, of: &str) -> usize {
        let is_it = |event: &Event| match &event.kind {
            EventKind::Phase { phase: name, data } => {
                name == phase && data["trial"] == trial && (of.is_empty() || data["claim"] == of)
            }
            _ => false,
        };
        self.0.iter().position(is_it).unwrap()
    }

    /// The same without some events.
    pub fn without(self, gone: impl Fn(&Event) -> bool) -> Tape {
        Tape(self.0.into_iter().filter(|event| !gone(event)).collect()).numbered()
    }

    /// The same with events put in before a place.
    pub fn with(mut self, place: usize, kinds: Vec<EventKind>) -> Tape {
        let time = self.0[place].time;
        let scope = Scope::new("dra_support", "synthetic");
        let events = kinds.into_iter().map(|kind| Event { sequence: 0, time, scope: scope.clone(), kind });
        self.0.splice(place..place, events);
        self.numbered()
    }

    /// The same with other objects of a kind, called by this name.
    pub fn changed(mut self, of: &Kind, called: &str, mut change: impl FnMut(u64, &mut Value)) -> Tape {
        for event in &mut self.0 {
            if let EventKind::Watch { kind, object, .. } = &mut event.kind
                && kind == of
                && object.label("aiconform.dev/gang") == called
            {
                change(event.sequence, &mut object.0);
            }
        }
        self
    }

    /// The same in which a pod was never bound.
    pub fn unbound(self, pod: &str) -> Tape {
        self.changed(&Kind::pod(), pod, |_, pod| {
            pod["spec"].as_object_mut().unwrap().remove("nodeName");
        })
    }

    /// The same in which a claim was given nothing.
    pub fn ungiven(self, called: &str) -> Tape {
        self.changed(&claim(), called, |_, claim| {
            claim.as_object_mut().unwrap().remove("status");
        })
    }

    /// The same in which a claim was given nothing and its pod of the same name was not bound.
    pub fn unserved(self, called: &str) -> Tape {
        self.ungiven(called).unbound(called)
    }

    /// The same in which a claim was given another device.
    pub fn given(self, called: &str, device: &str) -> Tape {
        self.changed(&claim(), called, |_, claim| {
            if let Some(given) = claim.pointer_mut("/status/allocation/devices/results/0/device") {
                *given = json!(device);
            }
        })
    }

    /// The same in which the scheduler said no word on a pod.
    pub fn unsaid(self, pod: &str) -> Tape {
        self.changed(&Kind::pod(), pod, |_, pod| {
            pod.as_object_mut().unwrap().remove("status");
        })
    }

    /// The same in which so many pods that claim nothing come and are bound before a place.
    pub fn canaries(self, place: usize, trial: &str, count: usize) -> Tape {
        let kinds = (0..count)
            .flat_map(|number| {
                let name = format!("{trial}-made-{number}");
                let mut pod = pod(trial, "canary", &name);
                let added = seen(Kind::pod(), Change::Added, pod.clone());
                pod["spec"]["nodeName"] = json!("node-0");
                [added, seen(Kind::pod(), Change::Modified, pod)]
            })
            .collect();
        self.with(place, kinds)
    }

    /// The same in which no pod that claims nothing was bound in a trial.
    pub fn without_canaries(self, trial: &str) -> Tape {
        self.without(|event| match &event.kind {
            EventKind::Watch { object, .. } => {
                object.label("aiconform.dev/trial") == trial && object.label("aiconform.dev/role") == "canary"
            }
            _ => false,
        })
    }

    /// The same with what a claim's status becomes before a place.
    pub fn with_claim(self, place: usize, called: &str, trial: &str, device: &str) -> Tape {
        let uid = self.uid(&claim(), called);
        let object = json!({"metadata": {"name": called, "uid": uid, "labels": labels(trial, "claim", called)},
            "status": {"allocation": {"devices": {"results": [
                {"request": "device", "driver": "d", "pool": trial, "device": device}]}}}});
        self.with(place, vec![seen(claim(), Change::Modified, object)])
    }

    fn uid(&self, of: &Kind, called: &str) -> String {
        let uid = |event: &Event| match &event.kind {
            EventKind::Watch { kind, object, .. }
                if kind == of && object.label("aiconform.dev/gang") == called =>
            {
                Some(object.uid().to_owned())
            }
            _ => None,
        };
        self.0.iter().find_map(uid).unwrap_or_else(|| "made".into())
    }

    /// The last object of a kind that was seen before the subject came to its end.
    pub fn last(&self, of: &Kind, called: &str) -> Value {
        let object = |event: &Event| match &event.kind {
            EventKind::Watch { kind, object, change }
                if kind == of && *change != Change::Deleted && called_by(object, called) =>
            {
                Some(object.0.clone())
            }
            _ => None,
        };
        let end = self.0.iter().position(|event| matches!(event.kind, EventKind::SubjectEnded {})).unwrap();
        self.0[..end].iter().rev().find_map(object).unwrap()
    }
}

fn called_by(object: &Object, called: &str) -> bool {
    object.label("aiconform.dev/gang") == called || object.name().ends_with(called)
}

pub fn labels(trial: &str, role: &str, called: &str) -> Value {
    json!({"aiconform.dev/run": "r", "aiconform.dev/trial": trial, "aiconform.dev/role": role,
        "aiconform.dev/gang": called})
}

pub fn pod(trial: &str, role: &str, name: &str) -> Value {
    json!({"metadata": {"name": name, "uid": format!("made-{name}"), "labels": labels(trial, role, name)},
        "spec": {"schedulerName": "default-scheduler"}, "status": {"phase": "Pending"}})
}

pub fn seen(kind: Kind, change: Change, object: Value) -> EventKind {
    EventKind::Watch { kind, change, object: Object(object) }
}
