//! One trial as the evidence has it: its phases, its pods and what was said, in the order in which they were seen.

use super::adapters::Reading;
use super::guard::is_turned_away;
use super::template::{GANG, ROLE, TRIAL};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;

/// Under this name the facts of a subject hold the names of its trials.
pub const TRIALS: &str = "trials";

/// Under this name the facts of a subject say what slots are, where they are [`QUOTA`].
pub const CAPACITY: &str = "capacity";
/// Nothing but a quota is short.
pub const QUOTA: &str = "quota";

/// Whether nothing but a quota is short in the trials of a subject.
pub fn by_quota_alone(facts: &Value) -> bool {
    facts.get(CAPACITY).and_then(Value::as_str) == Some(QUOTA)
}

/// Names of the subject's trials that begin with a prefix, as they were planned.
pub fn planned<'a>(subject: &'a Subject, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let names = subject.facts.get(TRIALS).and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    names.filter(move |name| name.starts_with(prefix))
}

/// A phase of a trial: from its mark to the next.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub data: Value,
    /// Position of its mark.
    pub begin: u64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// What became of one pod (by UID).
#[derive(Clone, Debug)]
pub struct Life {
    /// Its UID.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// `gang`, `single`, `canary`.
    pub role: String,
    /// Its gang, or its own name.
    pub gang: String,
    /// Where it was first seen, and when.
    pub seen: (u64, i64),
    /// Where `spec.nodeName` was first seen, and when: bound.
    pub bound: Option<(u64, i64)>,
    /// Where it was first seen to have succeeded.
    pub succeeded: Option<u64>,
    /// Whether the kubelet turned it away when it was bound.
    pub turned_away: bool,
    /// Where it was gone, or being deleted.
    pub gone: Option<(u64, i64)>,
}

impl Life {
    /// Whether it was bound and there at a position.
    pub fn holds(&self, at: u64) -> bool {
        self.bound.is_some_and(|(bound, _)| bound < at) && self.gone.is_none_or(|(gone, _)| gone > at)
    }
}

/// One trial.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its name.
    pub trial: String,
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Its pods in the order in which they were first seen.
    pub pods: Vec<Life>,
    /// Refusals: where, which gang, in which words.
    pub refusals: Vec<(u64, String, String)>,
    /// Where a queue's object of a gang was seen that did not refuse it.
    pub taken: Vec<(u64, String)>,
}

impl History {
    /// Where a phase begins.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// Members of a gang that were first seen after a position.
    pub fn members<'a>(&'a self, gang: &'a str, after: u64) -> impl Iterator<Item = &'a Life> {
        self.pods.iter().filter(move |pod| pod.role == "gang" && pod.gang == gang && pod.seen.0 > after)
    }

    /// How many members of a gang hold a slot at a position.
    pub fn held(&self, gang: &str, at: u64) -> usize {
        self.members(gang, 0).filter(|pod| pod.holds(at)).count()
    }

    /// Members of a gang that were gone, or being deleted, between two positions.
    pub fn lost<'a>(&'a self, gang: &'a str, begin: u64, end: u64) -> impl Iterator<Item = &'a Life> {
        let lost = move |pod: &&Life| pod.gone.is_some_and(|gone| gone.0 > begin && gone.0 < end);
        self.members(gang, 0).filter(lost)
    }

    /// A number that a phase stands for.
    pub fn number(&self, phase: &str, key: &str) -> usize {
        let number = self.phase(phase).and_then(|phase| phase.data.get(key)?.as_u64()).unwrap_or_default();
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    /// Pods of a role that were first seen and bound between two positions: how many, of how many.
    pub fn bound_between(&self, role: &str, begin: u64, end: u64) -> (usize, usize) {
        let pods: Vec<&Life> = self
            .pods
            .iter()
            .filter(|pod| pod.role == role && pod.seen.0 > begin && pod.seen.0 < end)
            .collect();
        let bound = pods.iter().filter(|pod| pod.bound.is_some_and(|(bound, _)| bound < end)).count();
        (bound, pods.len())
    }

    /// What was said of a gang between two positions.
    pub fn refusal(&self, gang: &str, begin: u64, end: u64) -> Option<&str> {
        self.refusals
            .iter()
            .find(|(at, name, _)| *at > begin && *at < end && name == gang)
            .map(|(.., words)| words.as_str())
    }

    /// Whether the last word on a gang before a position was a refusal.
    pub fn is_refused(&self, gang: &str, end: u64) -> bool {
        let last = |places: &mut dyn Iterator<Item = (u64, &String)>| {
            places.filter(|(at, name)| *at < end && *name == gang).map(|(at, _)| at).max()
        };
        let refused = last(&mut self.refusals.iter().map(|(at, name, _)| (*at, name)));
        refused.is_some() && refused > last(&mut self.taken.iter().map(|(at, name)| (*at, name)))
    }
}

/// All trials of a subject, from its events.
pub fn histories(events: &[&Event]) -> Vec<History> {
    read(events, |_| true)
}

/// One trial of a subject, from its events.
pub fn history(events: &[&Event], trial: &str) -> History {
    read(events, |name| name == trial).pop().unwrap_or_default()
}

fn read(events: &[&Event], wanted: impl Fn(&str) -> bool) -> Vec<History> {
    let reading = Reading::in_events(events);
    let mut found: Vec<History> = Vec::new();
    for event in events {
        let at = event.time.as_millisecond();
        match &event.kind {
            EventKind::Phase { phase, data } => {
                let trial = data.get("trial").and_then(Value::as_str).unwrap_or_default();
                if !wanted(trial) {
                    continue;
                }
                let phase = Phase { name: phase.clone(), data: data.clone(), begin: event.sequence, at };
                of(&mut found, trial).phases.push(phase);
            }
            EventKind::Watch { kind, change, object } => {
                let trial = object.label(TRIAL);
                if *kind == Kind::pod() && !trial.is_empty() && wanted(trial) {
                    take(&mut of(&mut found, trial).pods, object, *change, (event.sequence, at));
                }
                if *change != Change::Deleted {
                    if let Some((gang, words)) = reading.refusal(kind, object) {
                        if let Some(history) = owner(&mut found, &gang) {
                            history.refusals.push((event.sequence, gang, words));
                        }
                    } else if let Some(gang) = reading.queued(kind, object)
                        && let Some(history) = owner(&mut found, &gang)
                    {
                        history.taken.push((event.sequence, gang));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn of<'a>(found: &'a mut Vec<History>, trial: &str) -> &'a mut History {
    let place = found.iter().position(|history| history.trial == trial).unwrap_or_else(|| {
        found.push(History { trial: trial.into(), ..History::default() });
        found.len() - 1
    });
    &mut found[place]
}

/// The trial of a gang: a phase names its gangs before they are created.
fn owner<'a>(found: &'a mut [History], gang: &str) -> Option<&'a mut History> {
    let named = |phase: &Phase| {
        let one = phase.data.get("gang").into_iter();
        let several = phase.data.get("gangs").and_then(Value::as_array).into_iter().flatten();
        one.chain(several).any(|name| name.as_str() == Some(gang))
    };
    found.iter_mut().find(|history| history.phases.iter().any(named))
}

fn take(pods: &mut Vec<Life>, object: &Object, change: Change, here: (u64, i64)) {
    // Asked for once: hundreds of pods are searched at each of their changes.
    let uid = object.uid();
    let place = pods.iter().position(|pod| pod.uid == uid).unwrap_or_else(|| {
        pods.push(Life {
            uid: uid.into(),
            name: object.name().into(),
            role: object.label(ROLE).into(),
            gang: object.label(GANG).into(),
            seen: here,
            bound: None,
            succeeded: None,
            turned_away: false,
            gone: None,
        });
        pods.len() - 1
    });
    let pod = &mut pods[place];
    if pod.bound.is_none() && !object.text("/spec/nodeName").is_empty() {
        pod.bound = Some(here);
    }
    if pod.succeeded.is_none() && object.text("/status/phase") == "Succeeded" {
        pod.succeeded = Some(here.0);
    }
    pod.turned_away |= is_turned_away(object);
    if pod.gone.is_none() && (change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some())
    {
        pod.gone = Some(here);
    }
}
