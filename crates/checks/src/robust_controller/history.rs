//! One operator's resource as the evidence has it: phases, requests, the resource and its children, in the order in which
//! they were seen.

use super::adapters::Plan;
use super::discover::Found;
use super::stage::is_of;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;

/// A phase mark.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What the phase stands for.
    pub data: Value,
    /// Position of its mark.
    pub at: u64,
}

impl Phase {
    /// Texts that it stands for.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        self.data.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Children of a kind that were listed when it was marked; of all kinds when none is named.
    pub fn listed(&self, kind: Option<&Kind>) -> Vec<String> {
        let children = self.data.get("children").and_then(Value::as_array).into_iter().flatten();
        let text = |child: &Value, key: &str| child.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        children
            .filter(|child| kind.is_none_or(|kind| text(child, "kind") == kind.kind))
            .map(|child| format!("{} {}", text(child, "kind"), text(child, "name")))
            .collect()
    }
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What the API server said of it.
    pub message: String,
    /// The answer.
    pub object: Object,
    /// Where it stands.
    pub at: u64,
}

/// The resource, or a child, as it was seen at a position.
#[derive(Clone, Debug)]
pub struct Look {
    /// The position.
    pub at: u64,
    /// The object; what it was last, when it is gone.
    pub object: Object,
    /// Whether it was gone.
    pub gone: bool,
}

/// A child of the resource.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Where it was first seen.
    pub seen: u64,
    /// Where it was gone.
    pub gone: Option<u64>,
    /// How it was seen, with positions.
    pub looks: Vec<(u64, Object)>,
}

impl Child {
    /// The last of it before a position.
    fn before(&self, at: u64) -> Option<&Object> {
        self.looks.iter().rev().find(|(seen, _)| *seen < at).map(|(_, object)| object)
    }

    /// Whether it was on its way out then.
    pub fn is_leaving(&self, at: u64) -> bool {
        self.before(at).is_some_and(|object| object.at("/metadata/deletionTimestamp").is_some())
    }

    /// Why a pod was not ready then, if it is one and was there.
    pub fn waits(&self, at: u64) -> Option<String> {
        let there = self.kind == "Pod" && self.seen < at && self.gone.is_none_or(|gone| gone > at);
        let pod = self.before(at).filter(|pod| there && !pod.condition_is("Ready", "True"))?;
        let message = |kind: &str| {
            let condition = pod.condition(kind).filter(|_| pod.condition_is(kind, "False"))?;
            Some(condition.get("message")?.as_str()?.to_owned())
        };
        let waiting = pod.text("/status/containerStatuses/0/state/waiting/reason");
        let why = message("PodScheduled").or_else(|| (!waiting.is_empty()).then(|| waiting.to_owned()));
        let why = why.or_else(|| message("Ready")).unwrap_or_else(|| "its kubelet has not said why".into());
        Some(format!("its pod {} is not ready ({why})", self.name))
    }
}

/// What became of one operator's resource.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What was planned.
    pub plan: Option<Plan>,
    /// Phases in order.
    pub phases: Vec<Phase>,
    /// Requests with bodies, in order.
    pub answers: Vec<Answer>,
    /// UID of the resource, once it was created.
    pub uid: String,
    /// The resource, in order.
    pub looks: Vec<Look>,
    /// Its children, in the order in which they were first seen.
    pub children: Vec<Child>,
    /// Where a ReplicaSet of the plain Deployment was first seen.
    pub plain: Option<u64>,
    /// Why it ended early.
    pub stopped: Option<String>,
}

impl History {
    /// The history of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let mut history = History { plan: Plan::of(&subject.facts), ..History::default() };
        for event in events {
            let at = event.sequence;
            match &event.kind {
                EventKind::Phase { phase, data } => {
                    history.phases.push(Phase { name: phase.clone(), data: data.clone(), at });
                }
                // The journal and the Lease belong to the whole run.
                EventKind::Exchange { method, status, response, .. }
                    if event.scope.subject == subject.id && (method == "POST" || method == "PATCH") =>
                {
                    let object = Object(response.clone().unwrap_or_default());
                    let message = object.text("/message").to_owned();
                    history.answers.push(Answer { status: *status, message, object, at });
                }
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                _ => {}
            }
        }
        let made = |phase: &str| -> String {
            let answers = history.answers_in(phase);
            let made = answers.first().filter(|answer| (200..300).contains(&answer.status));
            made.map(|answer| answer.object.uid().to_owned()).unwrap_or_default()
        };
        // An answer may be written down after the first of what was made of it was seen.
        let (uid, plain) = (made("create"), made("plain"));
        history.uid = uid;
        for event in events {
            if let EventKind::Watch { kind, change, object } = &event.kind {
                if !plain.is_empty() && is_of(object, &plain) {
                    history.plain.get_or_insert(event.sequence);
                }
                history.take(kind, *change, object, event.sequence);
            }
        }
        history
    }

    fn take(&mut self, kind: &Kind, change: Change, object: &Object, at: u64) {
        let Some(plan) = &self.plan else { return };
        let gone = change == Change::Deleted;
        if plan.kind == *kind {
            self.looks.push(Look { at, object: object.clone(), gone });
        } else if let Some(child) = self.children.iter_mut().find(|child| child.uid == object.uid()) {
            if gone {
                child.gone.get_or_insert(at);
            } else {
                child.looks.push((at, object.clone()));
            }
        } else if !gone && plan.children.contains(kind) && !self.uid.is_empty() && is_of(object, &self.uid) {
            self.children.push(Child {
                kind: kind.kind.clone(),
                name: object.name().into(),
                uid: object.uid().into(),
                seen: at,
                gone: None,
                looks: vec![(at, object.clone())],
            });
        }
    }

    /// The first phase of a name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// What was found of the operator when the phase of this name was marked.
    pub fn found(&self, name: &str) -> Option<Found> {
        serde_json::from_value(self.phase(name)?.data.get("found")?.clone()).ok()
    }

    /// The first answer to what was asked between each mark of a phase and the next mark.
    pub fn answers_in(&self, name: &str) -> Vec<&Answer> {
        let of = |(place, phase): (usize, &Phase)| {
            let end = self.phases.get(place + 1).map_or(u64::MAX, |next| next.at);
            self.answers.iter().find(|answer| answer.at > phase.at && answer.at < end)
        };
        self.phases.iter().enumerate().filter(|(_, phase)| phase.name == name).filter_map(of).collect()
    }

    /// The resource as it was seen last before a position.
    pub fn before(&self, at: u64) -> Option<&Look> {
        self.looks.iter().rev().find(|look| look.at < at && look.object.uid() == self.uid)
    }

    /// Why something was not seen: what stopped the run, or this.
    pub fn lack(&self, why: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| why.into())
    }
}
