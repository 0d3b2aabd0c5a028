//! A subject as the evidence has it, read once: of each trial its steps, its claims and its pods, in the order in which they
//! were seen. What happens when our acts have ended is our undoing, and is not of it.

use super::kinds::{Asked, asked};
use crate::marks::{CANARY, CLAIMANT, Facts, Mark, Step};
use crate::reading::{Device, given, reserved, ways};
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE, TRIAL};
use aiconform_trial::{Marked, Position, Story, unknown};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// Time of a step, from its mark to the mark of its end.
#[derive(Clone, Copy, Debug)]
pub struct Window<T> {
    /// The thing for which the step stands.
    pub of: T,
    /// Position of its mark.
    pub begin: Position,
    /// Position of the mark of its end.
    pub end: Position,
}

impl<T> Window<T> {
    /// Both positions, which witness what was seen between them.
    pub fn ends(&self) -> [Position; 2] {
        [self.begin, self.end]
    }
}

/// A claim as it was seen at a position.
#[derive(Clone, Debug)]
pub struct Look {
    /// The position.
    pub at: Position,
    /// Devices that it was given.
    pub given: Vec<Device>,
    /// The ways of its request in which it was.
    pub ways: Vec<String>,
    /// UIDs of the pods that it was reserved for.
    pub reserved: BTreeSet<String>,
}

/// The life of one claim (by UID).
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its UID.
    pub uid: String,
    /// The name by which steps call it.
    pub name: String,
    /// As it was seen, in order.
    pub looks: Vec<Look>,
    /// The position where it was gone.
    pub gone: Option<Position>,
}

impl Claim {
    /// As it was seen last before a position.
    fn before(&self, at: Position) -> Option<&Look> {
        if self.gone.is_some_and(|gone| gone < at) {
            return None;
        }
        self.looks.iter().rev().find(|look| look.at < at)
    }
}

/// The life of one pod (by UID).
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its UID.
    pub uid: String,
    /// The name by which steps call it.
    pub name: String,
    /// `claimant`, `canary` or `fence`.
    pub role: String,
    /// The position where it was first seen.
    pub seen: Position,
    /// The position where it was first seen bound.
    pub bound: Option<Position>,
    /// The position where the scheduler was first seen to have said no, and its words.
    pub refused: Option<(Position, String)>,
}

/// One trial.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Its name.
    pub name: String,
    /// Its steps in order.
    pub steps: Vec<Marked<Mark>>,
    /// Its claims in the order in which they were first seen.
    pub claims: Vec<Claim>,
    /// Its pods in the order in which they were first seen.
    pub pods: Vec<Pod>,
}

static NEVER_BEGUN: Trial =
    Trial { name: String::new(), steps: Vec::new(), claims: Vec::new(), pods: Vec::new() };

impl Trial {
    /// Steps in which something is found, and that came to this end.
    pub fn windows<'a, T>(
        &'a self,
        find: impl Fn(&'a Step) -> Option<T>,
        end: &Step,
    ) -> impl Iterator<Item = Window<T>> {
        self.steps.iter().filter_map(move |begun| {
            let of = find(&begun.mark.step)?;
            let is_end = |other: &&Marked<Mark>| other.at > begun.at && other.mark.step == *end;
            let end = self.steps.iter().find(is_end)?.at;
            Some(Window { of, begin: begun.at, end })
        })
    }

    /// The first of them.
    pub fn window<'a, T>(&'a self, find: impl Fn(&'a Step) -> Option<T>, end: &Step) -> Option<Window<T>> {
        self.windows(find, end).next()
    }

    /// The position of its end.
    pub fn end(&self) -> Option<Position> {
        self.steps.iter().find(|step| step.mark.step == Step::TrialEnded {}).map(|end| end.at)
    }

    /// The claim of a name as it was before a position.
    pub fn claim(&self, name: &str, at: Position) -> Option<&Look> {
        self.claims.iter().filter(|claim| claim.name == name).find_map(|claim| claim.before(at))
    }

    /// The pod of a name.
    pub fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.role == CLAIMANT && pod.name == name)
    }

    /// Counts of pods that claim nothing: of those that were first seen between two positions, and of those among them
    /// that were bound there.
    pub fn canaries(&self, begin: Position, end: Position) -> (usize, usize) {
        let seen = self.pods.iter().filter(|pod| pod.role == CANARY && pod.seen > begin && pod.seen < end);
        let bound: Vec<bool> = seen.map(|pod| pod.bound.is_some_and(|bound| bound < end)).collect();
        (bound.len(), bound.into_iter().filter(|bound| *bound).count())
    }

    fn take_pod(&mut self, object: &Object, at: Position) {
        let place = self.pods.iter().position(|pod| pod.uid == object.uid()).unwrap_or_else(|| {
            self.pods.push(Pod {
                uid: object.uid().into(),
                name: object.label(GANG).into(),
                role: object.label(ROLE).into(),
                seen: at,
                bound: None,
                refused: None,
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
            && condition["reason"] == "Unschedulable"
        {
            let words = condition["message"].as_str().unwrap_or_default();
            pod.refused = Some((at, words.to_owned()));
        }
    }

    fn take_claim(&mut self, object: &Object, change: Change, at: Position) {
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

/// A device that two claims had at the same time.
#[derive(Clone, Debug)]
pub struct GivenTwice {
    /// The device, and both claims, in words.
    pub witness: String,
    /// The position where the second had it.
    pub at: Position,
}

/// A subject.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The facts of it.
    pub facts: Facts,
    /// Its trials, in the order in which they began.
    pub trials: Vec<Trial>,
    /// Kinds of the API, as they were tried.
    pub kinds: Vec<Asked>,
    /// The first device that two claims had at the same time.
    pub given_twice: Option<GivenTwice>,
    /// Names of what we deleted, and the positions where that was marked.
    let_go: BTreeMap<String, Position>,
    /// The last thing that hindered or stopped it.
    cause: Option<String>,
}

impl History {
    /// Reads the story of a subject.
    ///
    /// # Errors
    /// When facts or a mark cannot be read.
    pub fn read(story: &Story<'_>) -> Result<History, String> {
        let subject = story.subject();
        let facts = Facts::read(&subject.facts)
            .map_err(|error| format!("the facts of {} cannot be read: {error}", subject.id))?;
        let mut history = History { facts, ..History::default() };
        for step in story.marks::<Mark>()? {
            if let Step::Remove { names } = &step.mark.step {
                for name in names {
                    history.let_go.entry(name.clone()).or_insert(step.at);
                }
            }
            let name = step.mark.trial.clone();
            history.begun(&name).steps.push(step);
        }
        let mut holders = Holders::default();
        for event in story.acting() {
            let EventKind::Watch { kind, change, object } = &event.kind else { continue };
            let (at, trial) = (Position::of(event), object.label(TRIAL));
            if *kind == Kind::pod() && !trial.is_empty() {
                history.begun(trial).take_pod(object, at);
            }
            if *kind == resource_claim() {
                if !trial.is_empty() {
                    history.begun(trial).take_claim(object, *change, at);
                }
                let twice = holders.take(object, *change).map(|witness| GivenTwice { witness, at });
                history.given_twice = history.given_twice.or(twice);
            }
        }
        history.cause = story.events().rev().find_map(|event| match &event.kind {
            EventKind::Hindrance { who, why, .. } => Some(format!("{who} said: {why}")),
            EventKind::Stopped { why } => Some(why.clone()),
            _ => None,
        });
        history.kinds = asked(story, history.trial(crate::marks::KINDS));
        Ok(history)
    }

    /// A trial of this name, which may never have begun.
    pub fn trial(&self, name: &str) -> &Trial {
        self.trials.iter().find(|trial| trial.name == name).unwrap_or(&NEVER_BEGUN)
    }

    /// Tells whether we had said before a position that we delete what is called so.
    pub fn is_let_go(&self, name: &str, at: Position) -> bool {
        self.let_go.get(name).is_some_and(|marked| *marked < at)
    }

    /// Nothing can be said: because of what hindered the subject, else because of what was not seen.
    pub fn unknown(&self, why: impl Into<String>) -> Outcome {
        let why = why.into();
        unknown(match &self.cause {
            Some(cause) => format!("{why} ({cause})"),
            None => why,
        })
    }

    fn begun(&mut self, name: &str) -> &mut Trial {
        let place = self.trials.iter().position(|trial| trial.name == name).unwrap_or_else(|| {
            self.trials.push(Trial { name: name.into(), ..Trial::default() });
            self.trials.len() - 1
        });
        &mut self.trials[place]
    }
}

/// The devices that claims have, by the claims' UIDs.
#[derive(Default)]
struct Holders(BTreeMap<String, (String, Vec<Device>)>);

impl Holders {
    /// Takes in a claim as it was seen; words of a device that another has as well.
    fn take(&mut self, object: &Object, change: Change) -> Option<String> {
        if change == Change::Deleted {
            self.0.remove(object.uid());
            return None;
        }
        let now = given(object);
        let other = self.0.iter().find_map(|(uid, (name, devices))| {
            let same = devices.iter().find(|device| *uid != object.uid() && now.contains(device))?;
            Some(format!("device {same} was given to {name} and to {}", object.label(GANG)))
        });
        self.0.insert(object.uid().into(), (object.label(GANG).into(), now));
        other
    }
}
