//! A subject as the evidence has it, read once: of each trial its steps, its pods and what was said, in the order in which
//! they were seen.

use super::guard::{Ballast, Slots, sent_templates};
use crate::marks::{Facts, Mark, Step};
use crate::reading::Reading;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::labels::{GANG, ROLE, TRIAL};
use aiconform_trial::{Marked, Moment, Position, Story, unknown};
use aiconform_verdict::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// A step of a trial: from its mark to the next.
pub type Phase = Marked<Mark>;

/// Where in the log something was seen, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position.
    pub at: Position,
    /// Its time.
    pub when: Moment,
}

impl Place {
    /// The place of an event.
    pub fn of(event: &Event) -> Place {
        Place { at: Position::of(event), when: Moment::of(event) }
    }
}

/// Life of one pod (by UID).
#[derive(Clone, Debug)]
pub struct Life {
    /// Its UID.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Role: `gang`, `single`, `canary`, `ballast`.
    pub role: String,
    /// Name of its gang, or its own.
    pub gang: String,
    /// The place where it was first seen.
    pub seen: Place,
    /// The place where `spec.nodeName` was first seen: bound.
    pub bound: Option<Place>,
    /// The position where it was first seen to have succeeded.
    pub succeeded: Option<Position>,
    /// Set if the kubelet turned it away when it was bound.
    pub turned_away: bool,
    /// The place where it was gone, or being deleted, while our acts on the subject lasted.
    pub gone: Option<Place>,
}

impl Life {
    /// Tells whether it was bound and there at a position.
    pub fn holds(&self, at: Position) -> bool {
        self.bound.is_some_and(|bound| bound.at < at) && self.gone.is_none_or(|gone| gone.at > at)
    }

    /// Tells whether it was bound before a position.
    pub fn is_bound_before(&self, at: Position) -> bool {
        self.bound.is_some_and(|bound| bound.at < at)
    }
}

/// Words on a gang that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The position of the words.
    pub at: Position,
    /// The gang.
    pub gang: String,
    /// The words.
    pub words: String,
}

/// One trial.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Its name.
    pub name: String,
    /// Its steps in order.
    pub phases: Vec<Phase>,
    /// Its pods in the order in which they were first seen.
    pub pods: Vec<Life>,
    /// Refusals, in order.
    pub refusals: Vec<Refusal>,
    /// Positions where a queue's object of a gang was seen that did not refuse it.
    pub taken: Vec<(Position, String)>,
}

static NEVER_BEGUN: Trial = Trial {
    name: String::new(),
    phases: Vec::new(),
    pods: Vec::new(),
    refusals: Vec::new(),
    taken: Vec::new(),
};

impl Trial {
    /// The first step that is one of those.
    pub fn phase(&self, is_one: fn(&Step) -> bool) -> Option<&Phase> {
        self.phases.iter().find(|phase| is_one(&phase.mark.step))
    }

    /// The first mark of a step that has nothing to say, such as an end.
    pub fn end(&self, step: &Step) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.mark.step == *step)
    }

    /// Members of a gang that were first seen after a position.
    pub fn members<'a>(&'a self, gang: &'a str, after: Position) -> impl Iterator<Item = &'a Life> {
        self.pods.iter().filter(move |pod| pod.role == "gang" && pod.gang == gang && pod.seen.at > after)
    }

    /// All members of a gang.
    pub fn all<'a>(&'a self, gang: &'a str) -> impl Iterator<Item = &'a Life> {
        self.members(gang, Position::default())
    }

    /// Count of the members of a gang that hold a slot at a position.
    pub fn held(&self, gang: &str, at: Position) -> usize {
        self.all(gang).filter(|pod| pod.holds(at)).count()
    }

    /// Members of a gang that were gone, or being deleted, between two positions.
    pub fn lost<'a>(
        &'a self,
        gang: &'a str,
        begin: Position,
        end: Position,
    ) -> impl Iterator<Item = &'a Life> {
        let lost = move |pod: &&Life| pod.gone.is_some_and(|gone| gone.at > begin && gone.at < end);
        self.all(gang).filter(lost)
    }

    /// Counts of pods of a role that were first seen between two positions: those that were bound before the second, and
    /// all.
    pub fn bound_between(&self, role: &str, begin: Position, end: Position) -> (usize, usize) {
        let pods: Vec<&Life> = self
            .pods
            .iter()
            .filter(|pod| pod.role == role && pod.seen.at > begin && pod.seen.at < end)
            .collect();
        let bound = pods.iter().filter(|pod| pod.is_bound_before(end)).count();
        (bound, pods.len())
    }

    /// Words in which a gang was refused between two positions.
    pub fn refusal(&self, gang: &str, begin: Position, end: Position) -> Option<&str> {
        self.refusals
            .iter()
            .find(|refusal| refusal.at > begin && refusal.at < end && refusal.gang == gang)
            .map(|refusal| refusal.words.as_str())
    }

    /// Tells whether the last word on a gang before a position was a refusal.
    pub fn is_refused(&self, gang: &str, end: Position) -> bool {
        let last = |places: &mut dyn Iterator<Item = (Position, &String)>| {
            places.filter(|(at, name)| *at < end && *name == gang).map(|(at, _)| at).max()
        };
        let refused = last(&mut self.refusals.iter().map(|refusal| (refusal.at, &refusal.gang)));
        refused.is_some() && refused > last(&mut self.taken.iter().map(|(at, name)| (*at, name)))
    }
}

/// Why something may not have come to its end.
#[derive(Clone, Debug)]
enum Cause {
    /// Somebody hindered the subject.
    Hindered(String),
    /// The subject, or one of its trials, stopped.
    Stopped(String),
}

/// Signs that the product had gangs in its hands.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// The gangs of which something was seen, and whether what holds them was there.
    pub seen: BTreeMap<String, bool>,
    /// Set if the time was over in which it could have shown it.
    pub closed: bool,
}

/// A subject.
#[derive(Clone, Debug)]
pub struct History {
    /// Its id.
    pub subject: String,
    /// Facts that were found of it, and what is tried on it.
    pub facts: Facts,
    /// Way in which its objects are read.
    pub reading: Reading,
    /// Its trials, in the order in which they began.
    pub trials: Vec<Trial>,
    /// Signs that its product had gangs in its hands.
    pub in_force: InForce,
    /// Pods that Jobs and the like of ours are to make, by their gang.
    pub templates: BTreeMap<String, Object>,
    /// Slots of nodes, as we asked for them.
    pub slots: Slots,
    /// Ballast of which we let go.
    pub ballast: Ballast,
    causes: Vec<Cause>,
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
        let mut history = History {
            subject: subject.id.clone(),
            reading: Reading::of(&subject.id, facts.signs.as_ref()),
            facts,
            trials: Vec::new(),
            in_force: InForce::default(),
            templates: sent_templates(story),
            slots: Slots::default(),
            ballast: Ballast::default(),
            causes: Vec::new(),
        };
        let mut marks = story.marks::<Mark>()?.into_iter().peekable();
        let mut gangs = BTreeSet::new();
        for event in story.events() {
            match &event.kind {
                EventKind::Phase { .. } => {
                    if let Some(phase) = marks.next_if(|phase| phase.at == Position::of(event)) {
                        history.step(phase, &mut gangs);
                    }
                }
                EventKind::Watch { kind, change, object } => {
                    let place = Place::of(event);
                    let deleted = *change == Change::Deleted;
                    if *kind == Kind::pod() && !object.label(TRIAL).is_empty() {
                        let pods = &mut history.begun(object.label(TRIAL)).pods;
                        // What goes when our acts have ended goes by our undoing.
                        take(pods, object, deleted, place, place.at < story.end());
                    }
                    if !deleted {
                        history.said(kind, object, place.at);
                        if let Some((gang, held)) = history.reading.in_force(kind, object, *change)
                            && gangs.contains(&gang)
                        {
                            *history.in_force.seen.entry(gang).or_insert(true) &= held;
                        }
                    }
                }
                EventKind::Hindrance { who, why, .. } if !event.scope.subject.is_empty() => {
                    history.causes.push(Cause::Hindered(format!("{who} said: {why}")));
                }
                EventKind::Stopped { why } if !event.scope.subject.is_empty() => {
                    history.causes.push(Cause::Stopped(why.clone()));
                }
                _ => {}
            }
        }
        history.slots = Slots::asked(story, &history);
        history.ballast = Ballast::let_go(story, &history);
        Ok(history)
    }

    /// A trial of this name, which may never have begun.
    pub fn trial(&self, name: &str) -> &Trial {
        self.trials.iter().find(|trial| trial.name == name).unwrap_or(&NEVER_BEGUN)
    }

    /// Nothing can be said: because of what hindered the subject, else because of what was not seen.
    pub fn unknown(&self, trial: &str, why: impl Into<String>) -> Outcome {
        let cause = self.causes.iter().rev().find_map(|cause| match cause {
            Cause::Hindered(why) => Some(why),
            // What another trial waited for in vain says nothing of this one.
            Cause::Stopped(why) => (why.starts_with(trial) || !why.contains(": waited")).then_some(why),
        });
        let why = why.into();
        unknown(match cause {
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

    /// Takes a step in; a step names its gangs before they are made.
    fn step(&mut self, phase: Phase, gangs: &mut BTreeSet<String>) {
        match &phase.mark.step {
            Step::Gang { gang, .. } => {
                gangs.insert(gang.clone());
            }
            Step::GangWindowClosed {} | Step::GangEnded {} => self.in_force.closed = true,
            _ => {}
        }
        self.begun(&phase.mark.trial.clone()).phases.push(phase);
    }

    /// Takes in what an object says of a gang.
    fn said(&mut self, kind: &Kind, object: &Object, at: Position) {
        let (gang, words) = match self.reading.refusal(kind, object) {
            Some((gang, words)) => (gang, Some(words)),
            None => match self.reading.queued(kind, object) {
                Some(gang) => (gang, None),
                None => return,
            },
        };
        let about = |phase: &Phase| phase.mark.step.is_about(&gang);
        let Some(trial) = self.trials.iter_mut().find(|trial| trial.phases.iter().any(about)) else { return };
        match words {
            Some(words) => trial.refusals.push(Refusal { at, gang, words }),
            None => trial.taken.push((at, gang)),
        }
    }
}

/// Tells whether a kubelet has turned a bound pod away for want of private slots.
pub fn is_turned_away(pod: &Object) -> bool {
    pod.text("/status/phase") == "Failed"
        && pod.text("/status/reason").starts_with("OutOfslots.aiconform.dev/")
}

fn take(pods: &mut Vec<Life>, object: &Object, deleted: bool, here: Place, acting: bool) {
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
        pod.succeeded = Some(here.at);
    }
    pod.turned_away |= is_turned_away(object);
    let goes = deleted || object.at("/metadata/deletionTimestamp").is_some();
    if acting && pod.gone.is_none() && goes {
        pod.gone = Some(here);
    }
}
