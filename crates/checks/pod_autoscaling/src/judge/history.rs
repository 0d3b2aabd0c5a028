//! A run as the evidence has it: its steps, and what was seen in each.

use crate::adapters::Source;
use crate::limits::DECIDE;
use crate::marks::{Facts, Looked, Mark, SCALED, autoscalers};
use crate::plan::{Name, Step};
use crate::scaler::Scaler;
use aiconform_accelerators::limits::START;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::labels::ROLE;
use aiconform_trial::{InForce, Marked, Moment, Position, Story};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One answer of the metrics API.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Position in the log.
    pub at: Position,
    /// Set if it is of the namespace of the scaled pods.
    pub own: bool,
    /// Values by pod, or why there are none.
    pub values: Result<BTreeMap<String, f64>, String>,
    /// HTTP status, 0 when no answer came.
    pub status: u16,
}

/// One step as it went.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// The step: what was to be done, and what had to come of it.
    pub step: Step,
    /// Position of its mark.
    pub at: Position,
    /// When it began.
    pub when: Moment,
    /// When the metrics API told the value.
    pub shown: Option<Moment>,
    /// When the replicas were what they must be.
    pub decided: Option<Moment>,
    /// Its end.
    pub closed: Option<Closed>,
}

/// End of a step.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Position of its mark.
    pub at: Position,
    /// Why it did not come to what it must; else empty.
    pub why: String,
}

/// Replicas that the Deployment was to have.
#[derive(Clone, Copy, Debug)]
pub struct Replicas {
    /// Position in the log.
    pub at: Position,
    /// When it was seen.
    pub when: Moment,
    /// Number of replicas.
    pub count: u64,
}

/// Run of one subject.
#[derive(Clone, Debug)]
pub struct History {
    /// API that tells the metric.
    pub source: Source,
    /// Facts: what is scaled by what.
    pub facts: Facts,
    /// The steps in order.
    pub steps: Vec<Stepped>,
    /// Words of the autoscaler.
    pub scalers: Vec<(Position, Moment, Scaler)>,
    /// Replicas in order.
    pub replicas: Vec<Replicas>,
    /// Answers of the metrics API.
    pub readings: Vec<Reading>,
    /// Sights of scaled pods, in the order in which they were asked.
    pub given: Vec<(Position, Looked)>,
    /// When scaled pods ran, and were asked.
    pub ran: Vec<(Position, Moment)>,
    /// Sight of a pod without an accelerator.
    pub plain: Option<Looked>,
    /// Scaled pods as they were watched.
    pub pods: Vec<(Position, Change, Object)>,
    /// Where our acts end, and everything may be undone.
    pub over: Position,
    /// When the last thing was written down before that.
    pub last: Moment,
    /// Longest time for the autoscaler to decide.
    pub decide: InForce,
    /// Longest time for pods to run.
    pub start: InForce,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts or a mark cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let subject = story.subject();
        let facts = Facts::deserialize(&subject.facts)
            .map_err(|error| format!("the facts of {} cannot be read: {error}", subject.id))?;
        let over = story.end();
        let before_undoing = story.events().filter(|event| Position::of(event) <= over);
        let mut history = History {
            source: Source::of(&subject.id),
            facts,
            steps: Vec::new(),
            scalers: Vec::new(),
            replicas: Vec::new(),
            readings: Vec::new(),
            given: Vec::new(),
            ran: Vec::new(),
            decide: story.limit(&DECIDE),
            start: story.limit(&START),
            plain: None,
            pods: Vec::new(),
            over,
            last: before_undoing.map(Moment::of).max().unwrap_or_default(),
            stopped: story.stopped().map(str::to_owned),
        };
        for marked in story.marks::<Mark>()? {
            history.mark(marked);
        }
        for event in story.events() {
            history.see(event);
        }
        Ok(history)
    }

    fn mark(&mut self, Marked { at, when, mark, .. }: Marked<Mark>) {
        match mark {
            Mark::Plain(looked) => self.plain = Some(*looked),
            Mark::Given { pods } => {
                self.given.extend(pods.into_iter().map(|looked| (at, looked)));
                self.ran.push((at, when));
            }
            Mark::Step(step) => {
                self.steps.push(Stepped { step, at, when, shown: None, decided: None, closed: None });
            }
            Mark::Shown { .. } => self.last_step(|step| step.shown = Some(when)),
            Mark::Decided { .. } => self.last_step(|step| step.decided = Some(when)),
            Mark::Closed { why, .. } => self.last_step(|step| step.closed = Some(Closed { at, why })),
            Mark::Create {} | Mark::Over {} => {}
        }
    }

    fn last_step(&mut self, change: impl FnOnce(&mut Stepped)) {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
    }

    fn see(&mut self, event: &Event) {
        let (at, when) = (Position::of(event), Moment::of(event));
        match &event.kind {
            EventKind::Scrape { endpoint, status, text, why, .. } => {
                let values = match (why.is_empty(), status) {
                    (false, _) => Err(why.clone()),
                    (_, 200..300) => self.source.values(text),
                    (_, status) => Err(format!("it was answered with status {status}")),
                };
                let own = !endpoint.contains("-other/");
                self.readings.push(Reading { at, own, values, status: *status });
            }
            EventKind::Watch { kind, object, .. } if *kind == autoscalers() => {
                self.scalers.push((at, when, Scaler::of(object, self.source)));
            }
            EventKind::Watch { kind, change, object } if *kind == Kind::deployment() => {
                let count = object.at("/spec/replicas").and_then(Value::as_u64);
                if let Some(count) = count.filter(|_| *change != Change::Deleted) {
                    self.replicas.push(Replicas { at, when, count });
                }
            }
            EventKind::Watch { kind, change, object } if is_scaled(kind, object) => {
                self.pods.push((at, *change, object.clone()));
            }
            _ => {}
        }
    }

    /// A step by its name.
    pub fn step(&self, name: Name) -> Option<&Stepped> {
        self.steps.iter().find(|stepped| stepped.step.name == name)
    }

    /// Where a step ends: at its mark, else where everything is undone.
    pub fn end(&self, step: &Stepped) -> Position {
        step.closed.as_ref().map_or(self.over, |closed| closed.at)
    }

    /// The autoscaler's last words within a step, or before it.
    pub fn scaler(&self, step: &Stepped) -> Option<&Scaler> {
        let end = self.end(step);
        self.scalers.iter().rev().find(|(at, ..)| *at < end).map(|(.., scaler)| scaler)
    }

    /// Replicas as they were to be at the end of a step.
    pub fn finally(&self, step: &Stepped) -> Option<u64> {
        self.replicas_before(self.end(step))
    }

    fn replicas_before(&self, place: Position) -> Option<u64> {
        self.replicas.iter().rev().find(|replicas| replicas.at < place).map(|replicas| replicas.count)
    }

    /// Changes of the replicas within a step: where, and to how many.
    pub fn changes(&self, step: &Stepped) -> Vec<(Position, u64)> {
        let end = self.end(step);
        let mut last = self.replicas_before(step.at);
        let mut changes = Vec::new();
        for replicas in self.replicas.iter().filter(|replicas| replicas.at > step.at && replicas.at < end) {
            if last.replace(replicas.count) != Some(replicas.count) {
                changes.push((replicas.at, replicas.count));
            }
        }
        changes
    }

    /// Answers of the metrics API within a step.
    pub fn answers(&self, step: &Stepped) -> impl DoubleEndedIterator<Item = &Reading> {
        let (begin, end) = (step.at, self.end(step));
        self.readings.iter().filter(move |reading| reading.at > begin && reading.at < end)
    }

    /// The last answer of the metrics API within a step that is of the scaled pods.
    pub fn reading(&self, step: &Stepped) -> Option<&Reading> {
        self.answers(step).rfind(|reading| reading.own)
    }

    /// Why something is not known: what stopped the run, what a step lacked, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let step = self.steps.iter().find_map(|stepped| {
            let closed = stepped.closed.as_ref().filter(|closed| !closed.why.is_empty())?;
            Some(format!(
                "it was not come to, because in the step {:?}: {}",
                stepped.step.name.word(),
                closed.why
            ))
        });
        self.stopped.clone().or(step).unwrap_or_else(|| otherwise.into())
    }
}

/// Tells whether an object is a scaled pod.
pub fn is_scaled(kind: &Kind, object: &Object) -> bool {
    *kind == Kind::pod() && object.label(ROLE) == SCALED
}
