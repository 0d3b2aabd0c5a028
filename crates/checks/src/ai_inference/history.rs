//! A class's run as the evidence has it: what was said of the Gateway and its routes, and what came of every batch.

use super::adapters::{CANARY, HEADER, IDLE, STABLE, VALUE};
use aiconform_model::probe::{Counted, Sent};
use aiconform_model::{Event, EventKind};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The subject that is told to be absent when there is nothing to try.
pub const ABSENT: &str = "gateway-api";
/// Under this name the facts of a subject hold the condition by which its class is accepted.
pub const ACCEPTED: &str = "accepted";
/// The batches that go to backends without a gateway.
pub const DIRECT: &str = "direct";
/// The batch to a host of no route.
pub const NOWHERE: &str = "nowhere";
/// The batches over which weights split, and their route.
pub const SPLIT: &str = "split";

/// Connections that are used again: so few that who chooses a backend for each of them does not come near the weights.
pub const KEPT: u32 = 3;

/// A form of request for the route that goes by a header.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Header that is sent; empty: none.
    pub header: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Method, where it is not a POST of a completion.
    pub method: &'static str,
    /// Path, likewise.
    pub path: &'static str,
    /// The backend that must answer.
    pub expects: &'static str,
}

const fn case(name: &'static str, header: &'static str, value: &'static str, expects: &'static str) -> Case {
    Case { name, header, value, method: "", path: "", expects }
}

/// All of them: what matches, and what nearly does.
pub const CASES: &[Case] = &[
    case("the value", HEADER, VALUE, CANARY),
    Case { method: "GET", path: "/v1/models", ..case("the value with another path", HEADER, VALUE, CANARY) },
    case("another value", HEADER, "org-Beta", STABLE),
    case("the value in small letters", HEADER, "org-alpha", STABLE),
    case("the value and more", HEADER, "org-Alpha-2", STABLE),
    case("the value in another header", "OpenAI-Project", VALUE, STABLE),
    case("no header", "", "", STABLE),
];

/// What came of one batch.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Position in the log.
    pub sequence: u64,
    /// What it was sent for.
    pub case: String,
    /// Its name.
    pub batch: String,
    /// Whether connections were used again.
    pub keeps_alive: bool,
    /// What came back.
    pub sent: Sent,
}

/// A mark and what it says.
pub type Mark = (u64, Value);

/// One class's run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Names by which the backends say who they are, by role.
    names: BTreeMap<String, String>,
    /// The sender's address.
    pub sender: String,
    /// What backends answered without a gateway, by role.
    pub directly: Option<(u64, BTreeMap<String, Sent>)>,
    /// What was said of the Gateway.
    pub programmed: Option<Mark>,
    /// What was said of the routes.
    pub told: Option<Mark>,
    /// What was said of the route that was changed.
    pub told_again: Option<Mark>,
    /// Batches in their order.
    pub done: Vec<Done>,
    /// What backends saw, by role and batch.
    pub counted: BTreeMap<String, BTreeMap<String, Counted>>,
    /// How the change took effect.
    pub changed: Option<Mark>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

/// How the answers of a batch lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers of the backends of ours: by role.
    pub by: BTreeMap<String, u32>,
    /// Answers that send to somewhere else, or want to know who asks: the first of them, in words.
    pub elsewhere: Option<String>,
    /// Other answers of somebody else, by status.
    pub refused: BTreeMap<u16, u32>,
    /// Requests without an answer.
    pub lost: u32,
}

impl Tally {
    /// Answers of a role.
    pub fn of(&self, role: &str) -> u32 {
        self.by.get(role).copied().unwrap_or_default()
    }

    /// Answers of all backends of ours.
    pub fn ours(&self) -> u32 {
        self.by.values().sum()
    }

    /// In words.
    pub fn words(&self) -> String {
        let by = self.by.iter().map(|(role, count)| format!("{count} by {role}"));
        let refused = self.refused.iter().map(|(status, count)| format!("{count} with status {status}"));
        let lost = (self.lost > 0).then(|| format!("{} without an answer", self.lost));
        let all: Vec<String> = by.chain(refused).chain(self.elsewhere.clone()).chain(lost).collect();
        if all.is_empty() { "nothing came back".into() } else { all.join(", ") }
    }
}

fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

impl History {
    /// Reads the events of a subject.
    pub fn of(events: &[&Event]) -> History {
        let mut history = History::default();
        for event in events {
            let sequence = event.sequence;
            match &event.kind {
                EventKind::Phase { phase, data } => history.mark(sequence, phase, data),
                EventKind::Stopped { why } => {
                    history.stopped.get_or_insert_with(|| why.clone());
                }
                _ => {}
            }
        }
        history
    }

    fn mark(&mut self, sequence: u64, phase: &str, data: &Value) {
        let mark = || Some((sequence, data.clone()));
        match phase {
            "direct" => {
                let names = data["backends"].as_object().into_iter().flatten();
                self.names = names
                    .map(|(role, it)| (it["name"].as_str().unwrap_or_default().into(), role.clone()))
                    .collect();
                self.sender = data["sender"]["address"].as_str().unwrap_or_default().into();
            }
            "directly" => self.directly = Some((sequence, read(&data["sent"]))),
            "programmed" => self.programmed = mark(),
            "told" => self.told = mark(),
            "told_again" => self.told_again = mark(),
            "changed" => self.changed = mark(),
            "counted" => {
                let of: BTreeMap<String, BTreeMap<String, Counted>> = read(&data["backends"]);
                for (role, batches) in of {
                    self.counted.entry(role).or_default().extend(batches);
                }
            }
            "answered" => self.done.push(Done {
                sequence,
                case: data["case"].as_str().unwrap_or_default().into(),
                batch: data["batch"].as_str().unwrap_or_default().into(),
                keeps_alive: data["keeps_alive"].as_bool().unwrap_or_default(),
                sent: read(&data["sent"]),
            }),
            _ => {}
        }
    }

    /// Batches of a case.
    pub fn all<'a>(&'a self, case: &'a str) -> impl Iterator<Item = &'a Done> {
        self.done.iter().filter(move |done| done.case == case)
    }

    /// The role of a backend that says this name.
    pub fn role(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// How the answers of a batch lie.
    pub fn tally(&self, sent: &Sent) -> Tally {
        let mut tally = Tally { lost: sent.errors.values().sum(), ..Tally::default() };
        for answered in &sent.answers {
            let answer = &answered.answer;
            match (answer.status, self.role(&answer.backend)) {
                (200, Some(role)) => *tally.by.entry(role.into()).or_default() += answered.count,
                (300..=399, _) => {
                    tally.elsewhere.get_or_insert_with(|| {
                        format!("sent to {:?} with status {}", answer.location, answer.status)
                    });
                }
                (status @ (401 | 403 | 407), _) => {
                    tally.elsewhere.get_or_insert_with(|| format!("kept out with status {status}"));
                }
                (status, _) => *tally.refused.entry(status).or_default() += answered.count,
            }
        }
        tally
    }

    /// What all backends of a role saw, of every batch.
    pub fn seen_by_idle(&self) -> u32 {
        self.counted.get(IDLE).into_iter().flat_map(BTreeMap::values).map(|counted| counted.requests).sum()
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }
}
