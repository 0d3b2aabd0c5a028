//! A run of one subject as the evidence has it: its phases, and what every scrape says of every device.

use super::adapters::{Dialect, Quantity, Reading, dialect, readings};
use aiconform_exposition::{Limits, parse};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::Subject;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Under this name the facts of a subject hold the dialect's id.
pub const DIALECT: &str = "dialect";

/// A phase: from its mark to the next.
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

/// One scrape.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// Position in the log.
    pub sequence: u64,
    /// When its request began and its answer ended, in milliseconds since the epoch.
    pub between: (i64, i64),
    /// Where.
    pub endpoint: String,
    /// The answer's content type.
    pub content_type: String,
    /// What it says of devices, or what it is instead of metrics.
    pub read: Read,
}

/// What a scrape says, or what it is instead.
pub type Read = Result<Arc<Told>, Lack>;

/// What a scrape says.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Of devices.
    pub readings: Vec<Reading>,
    /// Lines that could not be read, and the first of them.
    pub warnings: (usize, String),
    /// Samples in all.
    pub samples: usize,
    /// Names of some of its metrics, for people.
    pub some: String,
    /// Whether it says of itself that its devices are simulated.
    pub simulated: bool,
}

/// Why a scrape says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No whole answer came: nothing is known.
    Answer(String),
    /// The answer is no metrics.
    Metrics(String),
}

impl Lack {
    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Lack::Answer(why) | Lack::Metrics(why) => why,
        }
    }
}

/// One subject's run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its id.
    pub subject: String,
    /// Its dialect.
    pub dialect: Option<&'static Dialect>,
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Its scrapes in order.
    pub scrapes: Vec<Scraped>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event], subject: &Subject) -> History {
        let id = subject.facts.get(DIALECT).and_then(Value::as_str).unwrap_or_default();
        let mut history = History { subject: subject.id.clone(), dialect: dialect(id), ..History::default() };
        for event in events {
            let at = event.time.as_millisecond();
            match &event.kind {
                EventKind::Phase { phase, data } => history.phases.push(Phase {
                    name: phase.clone(),
                    data: data.clone(),
                    begin: event.sequence,
                    at,
                }),
                EventKind::Scrape { endpoint, status, content_type, text, why, milliseconds, .. } => {
                    let lack = match (why.is_empty(), status) {
                        (false, _) => Some(why.clone()),
                        (_, 200..300) => None,
                        (_, status) => Some(format!("it was answered with status {status}")),
                    };
                    let read = match lack {
                        Some(why) => Err(Lack::Answer(why)),
                        None => told(history.dialect, text),
                    };
                    let took = i64::try_from(*milliseconds).unwrap_or_default();
                    history.scrapes.push(Scraped {
                        sequence: event.sequence,
                        between: (at - took, at),
                        endpoint: endpoint.clone(),
                        content_type: content_type.clone(),
                        read,
                    });
                }
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                _ => {}
            }
        }
        history
    }

    /// One history for each device that was put to work, one after the other; what came before belongs to all of them.
    pub fn stretches(&self) -> Vec<History> {
        let given: Vec<u64> = self.all("given").map(|phase| phase.begin).collect();
        if given.len() < 2 {
            return vec![self.clone()];
        }
        let stretch = |(number, begin): (usize, &u64)| {
            let end = given.get(number + 1).copied().unwrap_or(u64::MAX);
            let within = |sequence: u64| sequence < given[0] || (*begin..end).contains(&sequence);
            let mut one = self.clone();
            one.phases.retain(|phase| within(phase.begin));
            one.scrapes.retain(|scrape| within(scrape.sequence));
            one
        };
        given.iter().enumerate().map(stretch).collect()
    }

    /// Who gave the device: a DRA driver or a device plugin.
    pub fn mode(&self) -> &str {
        let first = || self.phase("planned")?.data.get("modes")?.get(0)?.as_str();
        self.of_given("mode").and_then(Value::as_str).or_else(first).unwrap_or("the device")
    }

    /// The first phase of a name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// All phases of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Phase> {
        self.phases.iter().filter(move |phase| phase.name == name)
    }

    /// The mark behind a phase's own.
    pub fn after(&self, phase: &Phase) -> Option<&Phase> {
        self.phases.iter().find(|other| other.begin > phase.begin)
    }

    /// Scrapes that lie whole within a phase.
    pub fn within<'a>(&'a self, phase: &'a Phase) -> impl Iterator<Item = &'a Scraped> {
        let end = self.after(phase).map_or(u64::MAX, |next| next.begin);
        self.scrapes.iter().filter(move |scrape| {
            scrape.sequence > phase.begin && scrape.sequence < end && scrape.between.0 >= phase.at
        })
    }

    /// Names of the device that the pod was given.
    fn given(&self) -> Vec<String> {
        let names = self.phase("given").and_then(|phase| phase.data.get("names")?.as_array().cloned());
        names.unwrap_or_default().iter().filter_map(|name| name.as_str().map(str::to_lowercase)).collect()
    }

    /// What a fact of the given device says.
    pub fn of_given(&self, key: &str) -> Option<&Value> {
        self.phase("given")?.data.get(key)
    }

    /// The device that the pod was given, as the dialect identifies it: by its identity, else by its other names.
    pub fn own(&self) -> Option<String> {
        let given = self.given();
        let readings: Vec<&Reading> = self
            .scrapes
            .iter()
            .filter_map(|scrape| scrape.read.as_ref().ok())
            .flat_map(|told| &told.readings)
            .collect();
        let is = |name: &str| given.contains(&name.to_lowercase());
        let by_identity = readings.iter().find(|reading| is(whole(&reading.device)) || is(&reading.device));
        let found =
            by_identity.or_else(|| readings.iter().find(|reading| reading.names.iter().any(|name| is(name))));
        found.map(|reading| reading.device.clone())
    }

    /// Values of a quantity, in a phase, by device in the order in which they are told.
    pub fn values(&self, phase: &Phase, quantity: Quantity) -> Vec<(String, Vec<f64>)> {
        let mut found: Vec<(String, Vec<f64>)> = Vec::new();
        for scrape in self.within(phase) {
            let Ok(told) = &scrape.read else { continue };
            for reading in told.readings.iter().filter(|reading| reading.quantity == quantity) {
                match found.iter_mut().find(|(device, _)| *device == reading.device) {
                    Some((_, values)) => values.push(reading.value),
                    None => found.push((reading.device.clone(), vec![reading.value])),
                }
            }
        }
        found
    }

    /// How long it took in a phase until the subject showed what was waited for, in milliseconds, if it did.
    pub fn waited(&self, phase: &Phase) -> Option<u64> {
        phase.data.get("settled")?.get(&self.subject)?.as_u64()
    }

    /// Why something is not known: what stopped the run, what a scrape lacks, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        let scrape = self.scrapes.iter().rev().find_map(|scrape| scrape.read.as_ref().err());
        self.stopped
            .clone()
            .or_else(|| scrape.map(|lack| format!("{otherwise}; {}", lack.words())))
            .unwrap_or_else(|| otherwise.into())
    }
}

/// A device without the part that says which share of it is meant.
pub fn whole(device: &str) -> &str {
    device.split('/').next().unwrap_or(device)
}

thread_local! {
    // Every claim reads the same scrapes, and reading them is nearly all that judging costs.
    static READ: RefCell<HashMap<&'static str, HashMap<String, Read>>> = RefCell::default();
}

/// So many texts are remembered.
const REMEMBERED: usize = 500;

/// The same as [`read`], which is asked once for each text.
fn told(dialect: Option<&'static Dialect>, text: &str) -> Read {
    let id = dialect.map_or("", |dialect| dialect.id.as_str());
    READ.with_borrow_mut(|all| {
        let known = all.entry(id).or_default();
        if let Some(read) = known.get(text) {
            return read.clone();
        }
        if known.len() == REMEMBERED {
            known.clear();
        }
        let read = read(dialect, text);
        known.insert(text.into(), read.clone());
        read
    })
}

/// Reads the text of a scrape.
///
/// # Errors
/// When it is no metrics, or not all of them.
pub fn read(dialect: Option<&Dialect>, text: &str) -> Read {
    let found = parse(text, &Limits::default()).map_err(|error| Lack::Metrics(error.to_string()))?;
    if let Some(cut) = found.cut {
        return Err(Lack::Answer(cut.to_string()));
    }
    let mut names: Vec<&str> = found.samples.iter().map(|sample| sample.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let first = found.warnings.first().map(ToString::to_string).unwrap_or_default();
    Ok(Arc::new(Told {
        readings: dialect.map(|dialect| readings(dialect, &found)).unwrap_or_default(),
        warnings: (found.warnings.len() + found.more_warnings, first),
        samples: found.samples.len(),
        some: names.into_iter().take(6).collect::<Vec<_>>().join(", "),
        simulated: found
            .families
            .values()
            .any(|family| family.help.as_deref().is_some_and(|help| help.contains("simulated device"))),
    }))
}
