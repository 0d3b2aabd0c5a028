//! A run as the evidence has it: its steps, and what was seen in each.

use super::adapters::Source;
use super::objects::{SCALED, autoscalers};
use super::plan::{MOST, TARGET};
use crate::pod::ROLE;
use aiconform_model::probe::{Access, Look};
use aiconform_model::{Change, Event, EventKind, Kind, Object, quantity};
use aiconform_verdict::Subject;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the autoscaler says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaler {
    /// How many replicas it wants.
    pub wants: Option<u64>,
    /// The average value that it has seen.
    pub average: Option<f64>,
    /// Whether it says that it has the metric (`ScalingActive`).
    pub active: bool,
    /// What it says in its conditions.
    pub said: String,
    /// The least and the most replicas, and the target, as it was told.
    pub told: (Option<u64>, Option<u64>, Option<f64>),
}

impl Scaler {
    /// Reads a HorizontalPodAutoscaler.
    pub fn of(object: &Object, source: Source) -> Scaler {
        let member = source.member();
        let number = |pointer: &str| object.at(pointer).and_then(Value::as_u64);
        let amount = |pointer: &str| quantity(object.text(pointer));
        let condition = |kind: &str| {
            let condition = object.condition(kind)?;
            let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
            Some(format!("{kind}={} {}: {}", text("status"), text("reason"), text("message")))
        };
        let said = ["AbleToScale", "ScalingActive", "ScalingLimited"].into_iter().filter_map(condition);
        Scaler {
            wants: number("/status/desiredReplicas"),
            average: amount(&format!("/status/currentMetrics/0/{member}/current/averageValue")),
            active: object.condition_is("ScalingActive", "True"),
            said: said.collect::<Vec<_>>().join("; "),
            told: (
                number("/spec/minReplicas"),
                number("/spec/maxReplicas"),
                amount(&format!("/spec/metrics/0/{member}/target/averageValue")),
            ),
        }
    }
}

/// What the autoscaler says, for people.
pub fn words(scaler: Option<&Scaler>) -> String {
    match scaler {
        None => "there is no autoscaler yet".into(),
        Some(scaler) if scaler.said.is_empty() => "the autoscaler has said nothing".into(),
        Some(scaler) => {
            let seen = scaler.average.map(|average| format!("has seen an average of {average} and "));
            let wants = scaler.wants.map_or("no number".into(), |wants| wants.to_string());
            format!("the autoscaler {}wants {wants} ({})", seen.unwrap_or_default(), scaler.said)
        }
    }
}

/// One answer of the metrics API.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Position in the log.
    pub sequence: u64,
    /// Whether it is of the namespace of the scaled pods.
    pub own: bool,
    /// Values by pod, or why there are none.
    pub values: Result<BTreeMap<String, f64>, String>,
    /// HTTP status, 0 when no answer came.
    pub status: u16,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// Which.
    pub name: String,
    /// What was said in all; `None`: nothing.
    pub value: Option<f64>,
    /// Replicas that must come of it.
    pub replicas: u64,
    /// What the pod of another namespace said.
    pub decoy: f64,
    /// Position of its mark, and when.
    pub begin: (u64, i64),
    /// When the metrics API told it, and when the replicas were what they must be.
    pub shown: Option<i64>,
    /// See above.
    pub decided: Option<i64>,
    /// Position of the mark at its end, and why it did not come to what it must.
    pub closed: Option<(u64, String)>,
}

/// A pod that was asked what it sees.
#[derive(Clone, Debug, Deserialize)]
pub struct Looked {
    /// Its name.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// What it sees.
    pub look: Look,
}

impl Looked {
    /// Paths of devices that it reaches, without those that the other does.
    pub fn reaches(&self, other: Option<&Looked>) -> Vec<String> {
        let of = |looked: &Looked| -> BTreeSet<String> {
            let reached = |seen: &&aiconform_model::probe::Seen| seen.opening.access() == Access::Reached;
            looked.look.devices.iter().filter(reached).map(|seen| seen.path.clone()).collect()
        };
        let others = other.map(of).unwrap_or_default();
        of(self).into_iter().filter(|path| !others.contains(path)).collect()
    }

    /// Whether another pod on the same node reaches every device that this one has beside what everyone reaches. Paths in a
    /// container say nothing of which device it is, numbers do.
    pub fn has_nothing_beside(&self, other: &Looked, plain: &Looked) -> bool {
        let of = |looked: &Looked| -> BTreeSet<_> {
            let reached = |seen: &&aiconform_model::probe::Seen| seen.opening.access() == Access::Reached;
            looked.look.devices.iter().filter(reached).map(|seen| seen.number).collect()
        };
        let own: BTreeSet<_> = of(self).difference(&of(plain)).copied().collect();
        other.pod != self.pod && other.node == self.node && own.is_subset(&of(other))
    }
}

/// The run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Which API tells the metric.
    pub source: Source,
    /// Average value that each pod may have.
    pub target: f64,
    /// The most replicas.
    pub most: u64,
    /// Nodes with accelerators.
    pub nodes: Vec<String>,
    /// The steps in order.
    pub steps: Vec<Stepped>,
    /// What the autoscaler said, with positions.
    pub scalers: Vec<(u64, i64, Scaler)>,
    /// Replicas that the Deployment was to have, with positions.
    pub replicas: Vec<(u64, i64, u64)>,
    /// Answers of the metrics API.
    pub readings: Vec<Reading>,
    /// What scaled pods see, in the order in which they were asked, with the position.
    pub given: Vec<(u64, Looked)>,
    /// What a pod without an accelerator sees.
    pub plain: Option<Looked>,
    /// Pods as they were watched: position, how, and the object.
    pub pods: Vec<(u64, Change, Object)>,
    /// Position from which on everything is undone.
    pub over: Option<u64>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let fact = |name: &str| subject.facts.get(name);
        let mut history = History {
            source: Source::of(&subject.id),
            target: fact(TARGET).and_then(Value::as_f64).unwrap_or(1.0),
            most: fact(MOST).and_then(Value::as_u64).unwrap_or_default(),
            nodes: fact("nodes").and_then(|nodes| Vec::deserialize(nodes).ok()).unwrap_or_default(),
            ..History::default()
        };
        for event in events {
            history.add(event);
        }
        history
    }

    fn add(&mut self, event: &Event) {
        let (sequence, at) = (event.sequence, event.time.as_millisecond());
        match &event.kind {
            EventKind::Phase { phase, data } => self.phase(sequence, at, phase, data),
            EventKind::Scrape { endpoint, status, text, why, .. } => {
                let lack = if why.is_empty() {
                    format!("it was answered with status {status}")
                } else {
                    why.clone()
                };
                let good = why.is_empty() && (200..300).contains(status);
                let values = if good { self.source.values(text) } else { Err(lack) };
                let own = !endpoint.contains("-other/");
                self.readings.push(Reading { sequence, own, values, status: *status });
            }
            EventKind::Watch { kind, object, .. } if *kind == autoscalers() => {
                self.scalers.push((sequence, at, Scaler::of(object, self.source)));
            }
            EventKind::Watch { kind, change, object } if *kind == Kind::deployment() => {
                let replicas = object.at("/spec/replicas").and_then(Value::as_u64);
                if let Some(replicas) = replicas.filter(|_| *change != Change::Deleted) {
                    self.replicas.push((sequence, at, replicas));
                }
            }
            EventKind::Watch { kind, change, object }
                if *kind == Kind::pod() && object.label(ROLE) == SCALED =>
            {
                self.pods.push((sequence, *change, object.clone()));
            }
            EventKind::Stopped { why } => {
                self.stopped.get_or_insert_with(|| why.clone());
            }
            _ => {}
        }
    }

    fn phase(&mut self, sequence: u64, at: i64, phase: &str, data: &Value) {
        let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
        let last = self.steps.last_mut();
        match (phase, last) {
            ("step", _) => self.steps.push(Stepped {
                name: text("step").into(),
                value: data.get("value").and_then(Value::as_f64),
                replicas: data.get("replicas").and_then(Value::as_u64).unwrap_or_default(),
                decoy: data.get("decoy").and_then(Value::as_f64).unwrap_or_default(),
                begin: (sequence, at),
                shown: None,
                decided: None,
                closed: None,
            }),
            ("shown", Some(step)) => step.shown = Some(at),
            ("decided", Some(step)) => step.decided = Some(at),
            ("closed", Some(step)) => step.closed = Some((sequence, text("why").into())),
            ("given", _) => {
                let pods = data.get("pods").and_then(|pods| Vec::<Looked>::deserialize(pods).ok());
                self.given.extend(pods.unwrap_or_default().into_iter().map(|looked| (sequence, looked)));
            }
            ("plain", _) => self.plain = Looked::deserialize(data).ok(),
            ("over", _) => self.over = Some(sequence),
            _ => {}
        }
    }

    /// A step by its name.
    pub fn step(&self, name: super::plan::Name) -> Option<&Stepped> {
        self.steps.iter().find(|step| step.name == name.word())
    }

    /// Where a step ends: at its mark, else where everything is undone.
    pub fn end(&self, step: &Stepped) -> u64 {
        step.closed.as_ref().map(|(end, _)| *end).or(self.over).unwrap_or(u64::MAX)
    }

    /// What the autoscaler said last within a step, or before it.
    pub fn scaler(&self, step: &Stepped) -> Option<&Scaler> {
        let end = self.end(step);
        self.scalers.iter().rev().find(|(at, ..)| *at < end).map(|(.., scaler)| scaler)
    }

    /// Replicas as they were to be at the end of a step.
    pub fn finally(&self, step: &Stepped) -> Option<u64> {
        let end = self.end(step);
        self.replicas.iter().rev().find(|(at, ..)| *at < end).map(|(.., replicas)| *replicas)
    }

    /// Changes of the replicas within a step.
    pub fn changes<'a>(&'a self, step: &'a Stepped) -> impl Iterator<Item = (u64, u64)> + 'a {
        let end = self.end(step);
        let before =
            self.replicas.iter().rev().find(|(at, ..)| *at < step.begin.0).map(|(.., replicas)| *replicas);
        let within = self.replicas.iter().filter(move |(at, ..)| *at > step.begin.0 && *at < end);
        within
            .scan(before, |last, (at, _, replicas)| {
                let changed = *last != Some(*replicas);
                *last = Some(*replicas);
                Some(changed.then_some((*at, *replicas)))
            })
            .flatten()
    }

    /// The last answer of the metrics API within a step, of the scaled pods or of the other namespace.
    pub fn reading(&self, step: &Stepped, own: bool) -> Option<&Reading> {
        let end = self.end(step);
        let within = |reading: &&Reading| reading.sequence > step.begin.0 && reading.sequence < end;
        self.readings.iter().rev().filter(within).find(|reading| reading.own == own)
    }

    /// Why something is not known: what stopped the run, what a step lacked, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let step = self.steps.iter().find_map(|step| {
            let (_, why) = step.closed.as_ref()?;
            (!why.is_empty())
                .then(|| format!("it was not come to, because in the step {:?}: {why}", step.name))
        });
        self.stopped.clone().or(step).unwrap_or_else(|| otherwise.into())
    }
}
