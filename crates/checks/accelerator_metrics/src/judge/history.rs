//! A run of one subject as the evidence has it: what every scrape says, and what was done to each device meanwhile.

use crate::adapters::{Dialect, Lack, Metrics, Quantity, Reading, dialect, read, whole};
use crate::limits::SHOW;
use crate::marks::{Facts, Given, Mark, Offered, Rest, Settled};
use aiconform_model::EventKind;
use aiconform_trial::{InForce, Marked, Moment, Position, Story};
use aiconform_verdict::Outcome;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A phase: from its mark to the next.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// Position of its mark.
    pub at: Position,
    /// When it began.
    pub when: Moment,
    /// Position of the next mark.
    pub end: Position,
    /// When the next mark was made; of the last one, when it began.
    pub until: Moment,
}

/// A phase in which nothing changes any more.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    /// When.
    pub phase: Phase,
    /// Set if the device is under load.
    pub loaded: bool,
    /// After how long it was shown that the load had come, or gone, where that was later than the limit.
    pub late: Option<Duration>,
}

/// A phase in which something is shown that was waited for.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// When.
    pub phase: Phase,
    /// After how long it was shown, where that was later than the limit.
    pub late: Option<Duration>,
}

/// One scrape.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// Position in the log.
    pub at: Position,
    /// When its request began.
    pub begun: Moment,
    /// When its answer ended.
    pub ended: Moment,
    /// Path of the endpoint.
    pub endpoint: String,
    /// Content type of the answer.
    pub content_type: String,
    /// Metrics, or what it is instead.
    pub read: Result<Arc<Metrics>, Lack>,
}

/// Count of what every node offers, and which endpoint is of which node.
#[derive(Clone, Debug)]
pub struct Census {
    /// When every endpoint was asked.
    pub phase: Phase,
    /// Accelerators by node.
    pub nodes: BTreeMap<String, Offered>,
    /// Node of each endpoint, by path.
    pub endpoints: BTreeMap<String, String>,
}

/// Acts on one device, and the scrapes meanwhile; those before the first device belong to all.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Giver of the device, in a word.
    pub mode: String,
    /// The pod that has the device.
    pub given: Option<(Position, Given)>,
    /// Before any load.
    pub quiet: Option<Phase>,
    /// Loads, each with its beginning.
    pub loads: Vec<Phase>,
    /// Phases of rest and of load in their order, each when it has settled.
    pub steady: Vec<Steady>,
    /// Loads that have ended, with what became of them.
    pub rests: Vec<(Phase, Rest)>,
    /// Before memory is taken.
    pub memory_before: Option<Phase>,
    /// Bytes that were taken, and why they are not more.
    pub allocated: Option<(u64, String)>,
    /// When memory has settled.
    pub memory_settled: Option<Shown>,
    /// When the end of that memory has settled; runs of earlier versions did not look.
    pub free_settled: Option<Shown>,
    /// Where our deletion of the pod begins.
    pub pod_deleted: Option<Position>,
    /// When the pod is gone.
    pub gone_settled: Option<Shown>,
    /// Scrapes in order.
    pub scrapes: Vec<Scraped>,
    /// Dialect of the subject.
    pub dialect: Option<&'static Dialect>,
    /// Longest time in which what is done has to be shown.
    pub limit: Option<InForce>,
    /// Why the subject stopped early, if it did.
    pub stopped: Option<String>,
}

/// Longest times until the subject showed something, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits {
    /// A load.
    pub load: Option<u64>,
    /// Memory that was taken.
    pub memory: Option<u64>,
    /// The end of a pod.
    pub gone: Option<u64>,
}

/// Run of one subject.
#[derive(Clone, Debug)]
pub struct History {
    /// Its dialect.
    pub dialect: Option<&'static Dialect>,
    /// Accelerators that the nodes offer.
    pub census: Option<Census>,
    /// Ways in which a device was to be given.
    pub planned: Vec<String>,
    /// One for each device that was put to work, one after the other; at least one, be it empty.
    pub stretches: Vec<Stretch>,
    /// All scrapes in order.
    pub scrapes: Vec<Scraped>,
    /// Longest times until something was shown.
    pub waits: Waits,
    /// Longest time in which it had to be.
    pub limit: InForce,
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
        let dialect = dialect(&facts.dialect);
        let stopped = story.stopped().map(str::to_owned);
        let limit = story.limit(&SHOW);
        let mut history = History {
            dialect,
            census: None,
            planned: Vec::new(),
            stretches: vec![Stretch {
                dialect,
                limit: Some(limit),
                stopped: stopped.clone(),
                ..Stretch::default()
            }],
            scrapes: scrapes(story, dialect),
            waits: Waits::default(),
            limit,
            stopped,
        };
        let marks = story.marks::<Mark>()?;
        for (place, marked) in marks.iter().enumerate() {
            let next = marks.get(place + 1);
            history.add(&subject.id, marked, next);
        }
        history.spread();
        Ok(history)
    }

    fn add(&mut self, subject: &str, marked: &Marked<Mark>, next: Option<&Marked<Mark>>) {
        let phase = Phase {
            at: marked.at,
            when: marked.when,
            end: next.map_or(Position::END, |next| next.at),
            until: next.map_or(marked.when, |next| next.when),
        };
        let took = |settled: &Settled| settled.get(subject).copied().flatten();
        let longest = self.limit.time;
        let late =
            |settled: &Settled| took(settled).map(Duration::from_millis).filter(|took| *took > longest);
        if let Mark::Given(given) = &marked.mark {
            self.begin(marked.at, given);
        }
        let Some(stretch) = self.stretches.last_mut() else { return };
        match &marked.mark {
            Mark::Census { nodes, endpoints } => {
                let census = || Census { phase, nodes: nodes.clone(), endpoints: endpoints.clone() };
                self.census.get_or_insert_with(census);
            }
            Mark::Planned { modes } => self.planned.clone_from(modes),
            Mark::Quiet {} => {
                stretch.quiet.get_or_insert(phase);
                stretch.steady.push(Steady { phase, loaded: false, late: None });
            }
            Mark::Load { .. } => stretch.loads.push(phase),
            Mark::LoadSettled { settled, .. } => {
                self.waits.load = self.waits.load.max(took(settled));
                stretch.steady.push(Steady { phase, loaded: true, late: late(settled) });
            }
            Mark::Rest(rest) => stretch.rests.push((phase, rest.clone())),
            Mark::RestSettled { settled, .. } => {
                stretch.steady.push(Steady { phase, loaded: false, late: late(settled) });
            }
            Mark::MemoryBefore {} => stretch.memory_before = Some(phase),
            Mark::Allocated { bytes, why } => stretch.allocated = Some((*bytes, why.clone())),
            Mark::MemorySettled { settled } => {
                self.waits.memory = self.waits.memory.max(took(settled));
                stretch.memory_settled = Some(Shown { phase, late: late(settled) });
            }
            Mark::FreeSettled { settled } => {
                stretch.free_settled = Some(Shown { phase, late: late(settled) });
            }
            Mark::PodDeleted { .. } => stretch.pod_deleted = Some(marked.at),
            Mark::GoneSettled { settled } => {
                self.waits.gone = self.waits.gone.max(took(settled));
                stretch.gone_settled = Some(Shown { phase, late: late(settled) });
            }
            Mark::Given(_) | Mark::Allocate { .. } | Mark::Free {} | Mark::End {} | Mark::Over {} => {}
        }
    }

    /// Begins the stretch of a device; that of the first is there already.
    fn begin(&mut self, at: Position, given: &Given) {
        let is_first = self.stretches.iter().all(|stretch| stretch.given.is_none());
        if !is_first {
            let (dialect, limit, stopped) = (self.dialect, Some(self.limit), self.stopped.clone());
            self.stretches.push(Stretch { dialect, limit, stopped, ..Stretch::default() });
        }
        if let Some(stretch) = self.stretches.last_mut() {
            stretch.given = Some((at, given.clone()));
        }
    }

    /// Gives every stretch its scrapes and the word for its way.
    fn spread(&mut self) {
        let begins: Vec<Position> =
            self.stretches.iter().filter_map(|stretch| Some(stretch.given.as_ref()?.0)).collect();
        for (number, stretch) in self.stretches.iter_mut().enumerate() {
            let first = begins.first().copied().unwrap_or(Position::END);
            let begin = begins.get(number).copied().unwrap_or_default();
            let end = begins.get(number + 1).copied().unwrap_or(Position::END);
            let is_within = |scrape: &&Scraped| scrape.at < first || (begin..end).contains(&scrape.at);
            stretch.scrapes = self.scrapes.iter().filter(is_within).cloned().collect();
            let mode = stretch.given.as_ref().and_then(|(_, given)| given.mode.as_ref());
            stretch.mode = mode.or(self.planned.first()).map_or_else(|| "the device".into(), Clone::clone);
        }
    }

    /// Scrapes that lie whole within a phase.
    pub fn within(&self, phase: Phase) -> impl Iterator<Item = &Scraped> {
        within(&self.scrapes, phase)
    }

    /// Why something is not known: what stopped the run, what a scrape lacks, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        lack(self.stopped.as_ref(), &self.scrapes, otherwise)
    }
}

impl Stretch {
    /// Scrapes that lie whole within a phase.
    pub fn within(&self, phase: Phase) -> impl Iterator<Item = &Scraped> {
        within(&self.scrapes, phase)
    }

    /// Readings of all scrapes.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.scrapes.iter().filter_map(|scrape| scrape.read.as_ref().ok()).flat_map(|read| &read.readings)
    }

    /// The device that the pod was given, as the dialect identifies it: by its identity, else by its other names.
    pub fn device(&self) -> Option<String> {
        let (_, given) = self.given.as_ref()?;
        let is = |name: &str| given.names.iter().any(|other| other.eq_ignore_ascii_case(name));
        let by_identity = self.readings().find(|reading| is(whole(&reading.device)) || is(&reading.device));
        let found =
            by_identity.or_else(|| self.readings().find(|reading| reading.names.iter().any(|name| is(name))));
        found.map(|reading| reading.device.clone())
    }

    /// Values of a quantity in a phase, by device in the order in which they are told.
    pub fn values(&self, phase: Phase, quantity: Quantity) -> Vec<(String, Vec<f64>)> {
        let mut found: Vec<(String, Vec<f64>)> = Vec::new();
        for scrape in self.within(phase) {
            let Ok(metrics) = &scrape.read else { continue };
            for reading in metrics.readings.iter().filter(|reading| reading.quantity == quantity) {
                match found.iter_mut().find(|(device, _)| *device == reading.device) {
                    Some((_, values)) => values.push(reading.value),
                    None => found.push((reading.device.clone(), vec![reading.value])),
                }
            }
        }
        found
    }

    /// Outcome of something that was shown late, where it was.
    pub fn late(&self, what: &str, late: Option<Duration>) -> Option<Outcome> {
        Some(self.limit?.late(what, late?))
    }

    /// Why something is not known: what stopped the run, what a scrape lacks, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        lack(self.stopped.as_ref(), &self.scrapes, otherwise)
    }
}

fn scrapes(story: &Story<'_>, dialect: Option<&Dialect>) -> Vec<Scraped> {
    let scraped = story.events().filter_map(|event| {
        let EventKind::Scrape { endpoint, status, content_type, text, why, milliseconds, .. } = &event.kind
        else {
            return None;
        };
        let read = match (why.is_empty(), status) {
            (false, _) => Err(Lack::Answer(why.clone())),
            (_, 200..300) => read(dialect, text),
            (_, status) => Err(Lack::Answer(format!("it was answered with status {status}"))),
        };
        let (ended, took) = (Moment::of(event), i64::try_from(*milliseconds).unwrap_or_default());
        Some(Scraped {
            at: Position::of(event),
            begun: Moment(ended.0 - took),
            ended,
            endpoint: endpoint.clone(),
            content_type: content_type.clone(),
            read,
        })
    });
    scraped.collect()
}

fn within(scrapes: &[Scraped], phase: Phase) -> impl Iterator<Item = &Scraped> {
    // No request is under way when a mark is made: the order in the log says it, whatever the clock does.
    scrapes.iter().filter(move |scrape| scrape.at > phase.at && scrape.at < phase.end)
}

fn lack(stopped: Option<&String>, scrapes: &[Scraped], otherwise: &str) -> String {
    let scrape = scrapes.iter().rev().find_map(|scrape| scrape.read.as_ref().err());
    stopped
        .cloned()
        .or_else(|| scrape.map(|lack| format!("{otherwise}; {}", lack.words())))
        .unwrap_or_else(|| otherwise.into())
}
