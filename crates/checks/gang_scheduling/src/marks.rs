//! The contract between what the trials do and what the judge reads: marks, the facts of a subject, and shared numbers.

use crate::reading::Signs;
use aiconform_trial::Marks;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Id of the requirement.
pub const ID: &str = "gang_scheduling";
/// Pods of a gang.
pub const SIZE: u64 = 4;
/// Slots for which two or three gangs contend: room for one gang and a half.
pub const CONTENDED: u64 = 2 * SIZE - 2;
/// Canaries that must be bound one after another before something that does not start is called stuck, not slow.
pub const STUCK: usize = 3;
/// Pods of no gang that come while a gang waits.
pub const SMALL: u64 = 2;
/// Least members of an elastic gang.
pub const LEAST: u64 = 2;
/// Members of the gang of higher priority that fits once another is evicted.
pub const FEASIBLE: u64 = 2;
/// Members of the gang of higher priority that does not fit, whoever is evicted.
pub const FUTILE: u64 = 6;

/// A step of a trial, marked before its first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Mark {
    /// Name of the trial, unique in the subject.
    pub trial: String,
    /// Name of what its slots are made of.
    pub resource: Option<String>,
    /// The step.
    pub step: Step,
}

impl Marks for Mark {}

impl From<Mark> for Value {
    fn from(mark: Mark) -> Value {
        let mut written = json!(mark.step);
        written["data"]["trial"] = json!(mark.trial);
        if let Some(resource) = mark.resource {
            written["data"]["resource"] = json!(resource);
        }
        written
    }
}

impl TryFrom<Value> for Mark {
    type Error = serde_json::Error;

    fn try_from(mut written: Value) -> Result<Mark, serde_json::Error> {
        let data = written.get_mut("data").and_then(Value::as_object_mut);
        let data = data.ok_or_else(|| serde_json::Error::custom("its data are no object"))?;
        let trial = data.remove("trial").ok_or_else(|| serde_json::Error::missing_field("trial"))?;
        let resource = data.remove("resource").unwrap_or_default();
        Ok(Mark {
            trial: serde_json::from_value(trial)?,
            resource: serde_json::from_value(resource)?,
            step: serde_json::from_value(written)?,
        })
    }
}

/// A step of a trial that is done next, or that has come to its end: then every write of ours has come back on the watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Pods of no gang are made, of which `count` find a slot; where nothing but a quota is short, more are made.
    ControlArm {
        /// Pods that find a slot.
        count: u64,
        /// Pods that are made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
    },
    /// The end of the control arm.
    ControlArmEnded {},
    /// A gang is made.
    Gang {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Slots that are free.
        slots: u64,
        /// Slots that its quota allows, where that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<u64>,
        /// Words on what these slots are and where they lie, where that matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    /// The end of the time for which a gang that misses slots is watched.
    GangWindowClosed {},
    /// The end of the time in which a gang that fits may run.
    GangEnded {},
    /// Slots come, or go back.
    Release(Release),
    /// The end of the time in which whoever waited for them may start.
    ReleaseEnded {},
    /// A gang is made but for its last member.
    Short {
        /// Its name.
        gang: String,
        /// Members that it is to have.
        size: u64,
        /// Members that are made.
        created: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// The end of the time for which it is watched.
    ShortClosed {},
    /// The members that a gang lacks are made.
    Whole {
        /// The gang.
        gang: String,
    },
    /// The end of the time in which it may start then.
    WholeEnded {},
    /// A gang is made that has to wait.
    Waiting {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// It is deleted while it waits.
    DeletedWhileWaiting {
        /// The gang.
        gang: String,
    },
    /// A gang is made once more under the name of one that was deleted.
    Again {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Slots that are free.
        slots: u64,
        /// Number of times that it was made so before.
        attempt: u64,
    },
    /// The end of the time in which it may start.
    AgainEnded {
        /// The number of its attempt.
        attempt: u64,
    },
    /// So many pods of no gang are made, for slots that a gang had.
    LeakCheck {
        /// Pods, and slots.
        count: u64,
    },
    /// The end of the time in which they may be bound.
    LeakCheckEnded {},
    /// Several gangs are made that want the same slots.
    Contend {
        /// Their names.
        gangs: Vec<String>,
        /// Members of each.
        size: u64,
        /// Slots that there are.
        slots: u64,
        /// Slots that their quota allows.
        quota: u64,
        /// Number of the round, from 0.
        round: u64,
        /// The order in which members are made, a letter of their gang for each.
        order: String,
        /// True if the slots come when all wait for them.
        late: bool,
    },
    /// The queue, held until it has taken all of them in, is opened.
    QueueOpens {},
    /// The slots come.
    SlotsCome {
        /// Slots that there are then.
        slots: u64,
    },
    /// The end of the time in which the round may settle.
    Settled {},
    /// A gang that will be evicted is made.
    Victims {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// A gang of higher priority is made that does not fit, whoever is evicted.
    Futile {
        /// Its name.
        gang: String,
        /// The gang that holds the slots.
        victim: String,
        /// Its members.
        size: u64,
        /// Slots that there are.
        slots: u64,
    },
    /// The end of the time for which it is watched.
    FutileClosed {},
    /// A gang of higher priority is made that fits once others are evicted.
    Feasible {
        /// Its name.
        gang: String,
        /// The gang that holds the slots.
        victim: String,
        /// Its members.
        size: u64,
        /// Slots that there are.
        slots: u64,
    },
    /// The end of the time for which both gangs are watched.
    FeasibleEnded {},
    /// Pods of no gang are made while a gang waits for more slots than there are.
    Others {
        /// The gang that waits.
        gang: String,
        /// Pods of no gang.
        count: u64,
    },
    /// The end of the time in which they may be bound.
    OthersEnded {},
    /// A gang is made on fewer slots than the least number of its members.
    Below {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Members with which it may start.
        least: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// The end of the time for which it is watched.
    BelowClosed {},
    /// Slots come that are enough for its least number.
    Enough {
        /// The gang.
        gang: String,
        /// Slots that there are then.
        slots: u64,
        /// Members that must be bound then.
        wanted: u64,
    },
    /// The end of the time in which it may start.
    EnoughEnded {},
    /// Slots come for all of its members.
    More {
        /// The gang.
        gang: String,
        /// Slots that there are then.
        slots: u64,
        /// Members that must be bound then.
        wanted: u64,
    },
    /// The end of the time in which the rest may start.
    MoreEnded {},
    /// A gang is made that misses a slot, and is going to be made smaller.
    Shrinks {
        /// Its name.
        gang: String,
        /// Its members.
        size: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// Its least number of members is lowered.
    Smaller {
        /// The gang.
        gang: String,
        /// The new least number.
        least: u64,
    },
    /// The end of the time in which it may start.
    SmallerEnded {},
    /// A gang is made whose least number of members is raised before all of them exist.
    Larger {
        /// Its name.
        gang: String,
        /// The new least number.
        least: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// The end of the time for which it is watched lacking a member.
    LargerClosed {},
    /// The end of the time in which it may start whole.
    LargerEnded {},
    /// Two halves of a gang of one name are made in two namespaces.
    Halves {
        /// The name of both.
        gang: String,
        /// Members of a whole one.
        size: u64,
        /// Slots that are free.
        slots: u64,
    },
    /// The end of the time for which they are watched.
    HalvesClosed {},
    /// A gang is bound; another pod comes for which there is no slot.
    Bound {
        /// The gang.
        gang: String,
    },
    /// One of its members is deleted.
    MemberLost {
        /// The gang.
        gang: String,
    },
    /// A slot is free again.
    SlotFree {
        /// The gang.
        gang: String,
    },
    /// The end of the time in which it may be whole again, or go.
    SlotFreeEnded {},
    /// The end of the trial: nothing of it holds a slot any more.
    TrialEnded {},
}

/// Whose turn it is when slots come or go back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Release {
    /// The slots come that a waiting gang missed.
    Slots {
        /// The gang.
        gang: String,
        /// Slots that there are then, where they are counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slots: Option<u64>,
    },
    /// The gang that was bound whole is deleted.
    Winner {
        /// Name of that gang.
        winner: String,
        /// The gangs that contended with it.
        losers: Vec<String>,
    },
}

impl Step {
    /// The one gang that it is about.
    pub fn gang(&self) -> Option<&str> {
        match self {
            Step::Gang { gang, .. }
            | Step::Release(Release::Slots { gang, .. })
            | Step::Short { gang, .. }
            | Step::Whole { gang }
            | Step::Waiting { gang, .. }
            | Step::DeletedWhileWaiting { gang }
            | Step::Again { gang, .. }
            | Step::Victims { gang, .. }
            | Step::Futile { gang, .. }
            | Step::Feasible { gang, .. }
            | Step::Others { gang, .. }
            | Step::Below { gang, .. }
            | Step::Enough { gang, .. }
            | Step::More { gang, .. }
            | Step::Shrinks { gang, .. }
            | Step::Smaller { gang, .. }
            | Step::Larger { gang, .. }
            | Step::Halves { gang, .. }
            | Step::Bound { gang }
            | Step::MemberLost { gang }
            | Step::SlotFree { gang } => Some(gang),
            _ => None,
        }
    }

    /// Tells whether it is about a gang, alone or among others.
    pub fn is_about(&self, name: &str) -> bool {
        match self {
            Step::Contend { gangs, .. } => gangs.iter().any(|gang| gang == name),
            step => step.gang() == Some(name),
        }
    }
}

/// The thing that is short in the trials of a subject, where that is not a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// Nothing but a quota.
    Quota,
}

/// Facts of a subject that the judge reads; there are others, which only adapters read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Names of its trials, as they were planned.
    #[serde(default)]
    pub trials: Vec<String>,
    /// The thing that is short, where it is not a slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Short>,
    /// Signs by which its product's objects are read, where they stand in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs: Option<Signs>,
}

impl Facts {
    /// The facts of a subject as the evidence has them.
    ///
    /// # Errors
    /// When they were written by another version.
    pub fn read(facts: &Value) -> Result<Facts, serde_json::Error> {
        Facts::deserialize(facts)
    }

    /// Puts them beside the other facts of a subject.
    pub fn write(&self, facts: &mut Value) {
        if let Value::Object(fields) = json!(self) {
            for (name, value) in fields {
                facts[name] = value;
            }
        }
    }

    /// Names of its trials that begin so.
    pub fn planned<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.trials.iter().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// Tells whether nothing but a quota is short in its trials.
    pub fn by_quota_alone(&self) -> bool {
        self.capacity == Some(Short::Quota)
    }
}
