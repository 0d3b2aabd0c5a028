//! One class's run as the evidence has it: what was said of the Gateway and its routes, and what came of every batch.

use crate::limits;
use crate::marks::{Condition, Facts, IDLE, Mark, RouteStatus};
use aiconform_model::probe::{Counted, Sent};
use aiconform_trial::{Came, InForce, Limit, Marked, Moment, Position, Story};
use aiconform_verdict::Outcome;
use std::collections::BTreeMap;

/// Result of one batch.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Position of the mark that tells it.
    pub at: Position,
    /// The case for which it was sent.
    pub case: String,
    /// Its name.
    pub batch: String,
    /// Set if connections were used again.
    pub keeps_alive: bool,
    /// Number of requests that it was to have.
    pub asked: u32,
    /// Answers that came back.
    pub sent: Sent,
}

/// The status of an object, and where it was read.
#[derive(Clone, Debug)]
pub struct Said {
    /// Position of the mark that tells it.
    pub at: Position,
    /// Generation of the object.
    pub generation: Option<i64>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

impl Said {
    fn new(at: Position, generation: Option<i64>, conditions: Option<Vec<Condition>>) -> Said {
        Said { at, generation, conditions: conditions.unwrap_or_default() }
    }

    fn route(at: Position, status: Option<RouteStatus>) -> Said {
        let (generation, conditions) =
            status.map(|status| (status.generation, status.conditions)).unwrap_or_default();
        Said::new(at, generation, conditions)
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

/// The Gateway when it was programmed, or refused.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its status.
    pub status: Said,
    /// The address that is used; empty where none is known.
    pub address: String,
}

/// The routes when their status was there.
#[derive(Clone, Debug)]
pub struct Routes {
    /// The route that splits.
    pub split: Said,
    /// The route that goes by a header.
    pub header: Said,
    /// The route of a Service that there is not.
    pub missing: Said,
}

/// A wait for something that is called late after its limit.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    limit: InForce,
    begun: Option<Moment>,
    came: Option<Moment>,
}

impl Wait {
    fn of(story: &Story<'_>, limit: &Limit) -> Wait {
        Wait { limit: story.limit(limit), begun: None, came: None }
    }

    /// The outcome of a claim that stands on what was waited for, which late shows nothing; what was seen to be wrong is
    /// wrong whenever it came.
    pub fn judged(&self, what: &str, outcome: Outcome) -> Outcome {
        match self.begun.map(|begun| self.limit.came(begun, self.came)) {
            Some(Came::Late(took)) if outcome.is_met() => self.limit.late(what, took),
            _ => outcome,
        }
    }
}

/// Effect of the change of weights.
#[derive(Clone, Debug)]
pub struct Change {
    /// Position of the mark that tells it.
    pub at: Position,
    /// Set if it was seen to take effect.
    pub seen: bool,
    /// Number of requests that were sent to see it.
    pub requests: u32,
    /// The last of them.
    pub last: Sent,
    /// Milliseconds since the change.
    pub milliseconds: u64,
}

/// One class's run.
#[derive(Clone, Debug)]
pub struct History {
    /// Facts of the class.
    pub facts: Facts,
    /// Names by which the backends say who they are, by role.
    names: BTreeMap<String, String>,
    /// The sender's address.
    pub sender: String,
    /// Where the pods had run; [`Position::END`] before that.
    pub running: Position,
    /// Answers of the backends without a gateway, by role.
    pub directly: Option<(Position, BTreeMap<String, Sent>)>,
    /// The Gateway.
    pub programmed: Option<Gateway>,
    /// Hosts of the class's own routes.
    pub hosts: Vec<String>,
    /// The routes.
    pub told: Option<Routes>,
    /// The route that was changed, afterwards.
    pub told_again: Option<Said>,
    /// Batches in their order.
    pub done: Vec<Done>,
    /// Number of requests of the batch that was begun last.
    asked: u32,
    /// Longest time of a batch.
    pub batch: InForce,
    /// Requests that backends saw, by role and batch.
    pub counted: BTreeMap<String, BTreeMap<String, Counted>>,
    /// Where the weights were changed; [`Position::END`] before that.
    pub changes: Position,
    /// Effect of the change.
    pub changed: Option<Change>,
    /// The wait for the gateway to serve the routes.
    pub serve: Wait,
    /// The wait for the answer 500 of the route of a Service that there is not.
    pub refusal: Wait,
    /// The wait for the change to take effect.
    pub change: Wait,
    /// The wait for the status of the route that was changed.
    pub fresh: Wait,
    /// Why it stopped early, if it did.
    stopped: Option<String>,
}

/// Tally of the answers of a batch.
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

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When its facts, or one of its marks, cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let facts = serde_json::from_value(story.subject().facts.clone())
            .map_err(|error| format!("the facts of the class cannot be read: {error}"))?;
        let mut history = History {
            facts,
            names: BTreeMap::new(),
            sender: String::new(),
            running: Position::END,
            directly: None,
            programmed: None,
            hosts: Vec::new(),
            told: None,
            told_again: None,
            done: Vec::new(),
            asked: 0,
            batch: story.limit(&limits::BATCH),
            counted: BTreeMap::new(),
            changes: Position::END,
            changed: None,
            serve: Wait::of(story, &limits::SERVE),
            refusal: Wait::of(story, &limits::REFUSAL),
            change: Wait::of(story, &limits::CHANGE),
            fresh: Wait::of(story, &limits::FRESH),
            stopped: story.stopped().map(str::to_owned),
        };
        for mark in story.marks::<Mark>()? {
            history.mark(mark);
        }
        Ok(history)
    }

    fn mark(&mut self, Marked { at, when, mark, .. }: Marked<Mark>) {
        match mark {
            Mark::Direct { backends, sender } => {
                self.names = backends.into_iter().map(|(role, backend)| (backend.name, role)).collect();
                self.sender = sender.address;
                self.running = self.running.min(at);
            }
            Mark::Directly { sent } => self.directly = Some((at, sent)),
            Mark::Programmed { generation, conditions, address, .. } => {
                let status = Said::new(at, generation, conditions);
                self.programmed = Some(Gateway { status, address: address.unwrap_or_default() });
            }
            Mark::Routes { hosts, .. } => self.hosts = hosts,
            Mark::Told { split, header, missing } => {
                let [split, header, missing] = [split, header, missing].map(|route| Said::route(at, route));
                self.told = Some(Routes { split, header, missing });
            }
            Mark::Answered { case, batch, keeps_alive, sent } => {
                let asked = self.asked;
                self.done.push(Done { at, case, batch, keeps_alive, asked, sent });
            }
            Mark::Counted { backends } => {
                for (role, batches) in backends {
                    self.counted.entry(role).or_default().extend(batches);
                }
            }
            Mark::Change { .. } => self.changes = self.changes.min(at),
            Mark::Changed { changed: seen, requests, last, milliseconds } => {
                let took = i64::try_from(milliseconds).unwrap_or(i64::MAX);
                self.change.begun = Some(Moment(when.0.saturating_sub(took)));
                self.change.came = seen.then_some(when);
                self.changed = Some(Change { at, seen, requests, last, milliseconds });
            }
            Mark::Serve {} => self.serve.begun = Some(when),
            Mark::Served { served, .. } => self.serve.came = served.then_some(when),
            Mark::Refuse {} => self.refusal.begun = Some(when),
            Mark::Refused { refused } => self.refusal.came = refused.then_some(when),
            Mark::Reread {} => self.fresh.begun = Some(when),
            Mark::ToldAgain { split } => {
                self.fresh.came = Some(when);
                self.told_again = Some(Said::route(at, split));
            }
            Mark::Batch { count, .. } => self.asked = count,
            Mark::Pods {} | Mark::Gateway { .. } | Mark::End {} | Mark::Over {} => {}
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

    /// Tally of the answers of a batch.
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

    /// Number of requests that the backend with weight zero saw, of all batches.
    pub fn seen_by_idle(&self) -> u32 {
        self.counted.get(IDLE).into_iter().flat_map(BTreeMap::values).map(|counted| counted.requests).sum()
    }

    /// Why something is not known: what stopped the run, or these words.
    pub fn lack(&self, otherwise: &str) -> String {
        self.stopped.clone().unwrap_or_else(|| otherwise.into())
    }
}
