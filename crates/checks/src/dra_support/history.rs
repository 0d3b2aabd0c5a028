//! One trial as the evidence has it: its phases, its claims and its pods, in the order in which they were seen.

use super::objects::{Device, claim, given, reserved, ways};
use crate::pod::{GANG, ROLE, TRIAL};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use serde_json::Value;
use std::collections::BTreeSet;

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
    /// A text that it stands for.
    pub fn text(&self, key: &str) -> &str {
        self.data.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Texts that it stands for.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        self.data.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// A phase from its mark to the mark of its end.
pub struct Window<'a> {
    /// The phase.
    pub phase: &'a Phase,
    /// Position of its end.
    pub end: u64,
}

/// A claim as it was seen at a position.
#[derive(Clone, Debug)]
pub struct Look {
    /// The position.
    pub at: u64,
    /// What it was given.
    pub given: Vec<Device>,
    /// The ways of its request in which it was.
    pub ways: Vec<String>,
    /// UIDs of the pods that it was reserved for.
    pub reserved: BTreeSet<String>,
}

/// What became of one claim (by UID).
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its UID.
    pub uid: String,
    /// What the phases call it by.
    pub name: String,
    /// As it was seen, in order.
    pub looks: Vec<Look>,
    /// Where it was gone.
    pub gone: Option<u64>,
}

impl Claim {
    /// As it was seen last before a position.
    pub fn before(&self, at: u64) -> Option<&Look> {
        if self.gone.is_some_and(|gone| gone < at) {
            return None;
        }
        self.looks.iter().rev().find(|look| look.at < at)
    }
}

/// What became of one pod (by UID).
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its UID.
    pub uid: String,
    /// What the phases call it by.
    pub name: String,
    /// `claimant`, `canary` or `fence`.
    pub role: String,
    /// Where it was first seen.
    pub seen: u64,
    /// Where it was first seen bound.
    pub bound: Option<u64>,
    /// Where the scheduler was first seen to have said no, and in which words.
    pub refused: Option<(u64, String)>,
    /// Where it was gone, or being deleted.
    pub gone: Option<u64>,
}

/// One trial.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Its claims in the order in which they were first seen.
    pub claims: Vec<Claim>,
    /// Its pods in the order in which they were first seen.
    pub pods: Vec<Pod>,
}

impl History {
    /// The history of one trial.
    pub fn of(events: &[&Event], trial: &str) -> History {
        let mut history = History::default();
        for event in events {
            match &event.kind {
                EventKind::Phase { phase, data }
                    if data.get("trial").and_then(Value::as_str) == Some(trial) =>
                {
                    history.phases.push(Phase {
                        name: phase.clone(),
                        data: data.clone(),
                        at: event.sequence,
                    });
                }
                EventKind::Watch { kind, change, object } if object.label(TRIAL) == trial => {
                    if *kind == Kind::pod() {
                        history.take_pod(object, *change, event.sequence);
                    } else if *kind == claim() {
                        history.take_claim(object, *change, event.sequence);
                    }
                }
                _ => {}
            }
        }
        history
    }

    /// The phases of this name that came to the end of that name.
    pub fn windows<'a>(&'a self, name: &'a str, end: &'a str) -> impl Iterator<Item = Window<'a>> {
        self.phases.iter().filter(move |phase| phase.name == name).filter_map(move |phase| {
            let end = self.phases.iter().find(|other| other.name == end && other.at > phase.at)?.at;
            Some(Window { phase, end })
        })
    }

    /// The first of them.
    pub fn window<'a>(&'a self, name: &'a str, end: &'a str) -> Option<Window<'a>> {
        self.windows(name, end).next()
    }

    /// Whether the trial came to its end.
    pub fn has_ended(&self) -> bool {
        self.phases.iter().any(|phase| phase.name == "trial_ended")
    }

    /// The claim of a name as it was before a position.
    pub fn claim(&self, name: &str, at: u64) -> Option<&Look> {
        self.claims.iter().filter(|claim| claim.name == name).find_map(|claim| claim.before(at))
    }

    /// The pod of a name.
    pub fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.role == "claimant" && pod.name == name)
    }

    /// Pods that claim nothing: how many were first seen, and how many of them bound, between two positions.
    pub fn canaries(&self, begin: u64, end: u64) -> (usize, usize) {
        let seen = self.pods.iter().filter(|pod| pod.role == "canary" && pod.seen > begin && pod.seen < end);
        let (all, bound): (Vec<_>, Vec<_>) =
            seen.map(|pod| ((), pod.bound.filter(|bound| *bound < end))).unzip();
        (all.len(), bound.into_iter().flatten().count())
    }

    fn take_pod(&mut self, object: &Object, change: Change, at: u64) {
        let place = self.pods.iter().position(|pod| pod.uid == object.uid()).unwrap_or_else(|| {
            self.pods.push(Pod {
                uid: object.uid().into(),
                name: object.label(GANG).into(),
                role: object.label(ROLE).into(),
                seen: at,
                bound: None,
                refused: None,
                gone: None,
            });
            self.pods.len() - 1
        });
        let pod = &mut self.pods[place];
        if pod.bound.is_none() && !object.text("/spec/nodeName").is_empty() {
            pod.bound = Some(at);
        }
        if pod.refused.is_none()
            && object.condition_is("PodScheduled", "False")
            && let Some(condition) = object.condition("PodScheduled")
            && condition.get("reason").and_then(Value::as_str) == Some("Unschedulable")
        {
            let said = condition.get("message").and_then(Value::as_str).unwrap_or_default();
            pod.refused = Some((at, said.to_owned()));
        }
        if pod.gone.is_none() && is_gone(object, change) {
            pod.gone = Some(at);
        }
    }

    fn take_claim(&mut self, object: &Object, change: Change, at: u64) {
        let place = self.claims.iter().position(|claim| claim.uid == object.uid()).unwrap_or_else(|| {
            let (uid, name) = (object.uid().into(), object.label(GANG).into());
            self.claims.push(Claim { uid, name, looks: Vec::new(), gone: None });
            self.claims.len() - 1
        });
        let claim = &mut self.claims[place];
        if change == Change::Deleted {
            claim.gone = Some(at);
            return;
        }
        claim.looks.push(Look { at, given: given(object), ways: ways(object), reserved: reserved(object) });
    }
}

/// Whether an object is gone, or being deleted.
pub fn is_gone(object: &Object, change: Change) -> bool {
    change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some()
}
