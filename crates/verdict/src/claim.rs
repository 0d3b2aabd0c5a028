//! Claims: sentences that can turn out false, and what was found of them.

use crate::judgement::SubjectJudgement;
use aiconform_model::{Event, Kind};
use serde::Serialize;
use serde_json::Value;

/// The subject that a claim is tried on, as the evidence has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Id, such as `kueue/job`.
    pub id: String,
    /// Version, served group-version: whatever identifies it.
    pub facts: Value,
    /// A control subject never counts itself.
    pub control: bool,
    /// The user named it; it decides alone.
    pub declared: bool,
}

/// Whose words a MUST claim stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The requirement's own.
    Requirement,
    /// The words of the KAR, the programme's conformance test plan of the requirement.
    Kar,
    /// Our interpretation of the requirement's words, which others may take otherwise.
    Interpretation,
}

impl Basis {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Basis::Requirement => "the requirement",
            Basis::Kar => "the KAR",
            Basis::Interpretation => "our interpretation",
        }
    }
}

/// The part that a claim plays, and the words that it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// Part of the requirement.
    Must {
        /// Whose words these are.
        basis: Basis,
        /// The words on which it stands, quoted, and where they are from.
        cites: &'static str,
    },
    /// Goes further than the requirement: shown and graded, never part of the MUST.
    Additional,
    /// About the test itself: unmet makes the subject, or for a control subject the requirement, inconclusive.
    Control,
    /// About the subject being in force at all: unmet takes it out of those that count.
    InForce,
}

impl Standing {
    /// In words, with whose words a MUST stands on.
    pub fn word(self) -> String {
        match self {
            Standing::Must { basis, .. } => format!("MUST, by {}", basis.word()),
            Standing::Additional => "additional".into(),
            Standing::Control => "control".into(),
            Standing::InForce => "in force".into(),
        }
    }
}

/// Finding on a claim on a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The claim holds.
    Met {
        /// The thing seen that shows it.
        seen: String,
    },
    /// The claim is false.
    Unmet {
        /// The thing seen that shows it.
        witness: String,
        /// Events of the log that show it.
        events: Vec<u64>,
    },
    /// Nothing can be said.
    Unknown {
        /// Why; the environment is a cause.
        why: String,
    },
}

impl Outcome {
    /// Tells whether the claim holds.
    pub fn is_met(&self) -> bool {
        matches!(self, Outcome::Met { .. })
    }

    /// Tells whether the claim is false.
    pub fn is_unmet(&self) -> bool {
        matches!(self, Outcome::Unmet { .. })
    }

    /// One word: `met`, `unmet`, `unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Met { .. } => "met",
            Outcome::Unmet { .. } => "unmet",
            Outcome::Unknown { .. } => "unknown",
        }
    }

    /// The thing seen, or why nothing can be said.
    pub fn text(&self) -> &str {
        match self {
            Outcome::Met { seen } => seen,
            Outcome::Unmet { witness, .. } => witness,
            Outcome::Unknown { why } => why,
        }
    }
}

/// Rule by which the subjects of a requirement make its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// One subject that passes is enough: the programme asks for at least one.
    AnySubject,
    /// Every subject present must pass: no way may leak.
    EverySubject,
    /// As [`Aggregate::AnySubject`]; and where the platform provides nothing of the kind, which the programme permits for
    /// this requirement, it is not applicable, on the proof that a mark [`NOT_PROVIDED`] holds.
    AnySubjectIfProvided,
}

/// Name of a phase mark of a check: what speaks for the platform providing nothing of the kind. Its data hold who states
/// so (`stated`, a sentence), and texts of what was looked for (`looked_for`), what of it was found (`found`), and what
/// could not be looked at (`unread`).
pub const NOT_PROVIDED: &str = "not_provided";

/// A finer scale beside a verdict, never instead of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// The step that is shown, such as `G1`.
    pub level: String,
    /// Meaning of the step, and what was not tested.
    pub says: String,
    /// Every step of the scale, from the lowest.
    pub steps: Vec<Step>,
}

/// One step of a grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, such as `G3`.
    pub level: String,
    /// Meaning of the step.
    pub says: String,
    /// State: reached or not.
    pub state: StepState,
    /// The claims that decided it, or that are untested.
    pub claim: String,
    /// The witness, where it is missed.
    pub why: String,
}

/// State of a step, taken by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// All that it needs is met.
    Reached,
    /// Something that it needs is unmet.
    Missed,
    /// Something that it needs was not tested, or could not be told.
    Untested,
}

/// Something that was measured of a subject, for people who compare; never a part of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Name with its unit, in the same words for every subject.
    pub name: String,
    /// Amount.
    pub value: String,
}

/// One claim as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// Id, unique in its check.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// The part that it plays, and the words that it stands on.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Sentence on what a control subject shows, where its check has no words of its own.
pub const SHOWS: &str = "it shows what it must";

/// The pure half of a check, as the judge of all checks sees it.
pub trait Judged: Sync {
    /// Id of the requirement.
    fn check(&self) -> &'static str;
    /// Rule by which subjects make the verdict.
    fn aggregate(&self) -> Aggregate;
    /// Product to install when no subject is in force.
    fn advice(&self) -> &'static str;
    /// Sentence on what a control subject shows whose controls hold.
    fn shows(&self) -> &'static str {
        SHOWS
    }
    /// The claims, controls first.
    fn sentences(&self) -> Vec<Sentence>;
    /// JSON pointers to those parts of pods or nodes that nothing of it reads, on what the facts of a subject say: judging
    /// does not hold them in memory. What is not named here is there.
    fn unread(&self, kind: &Kind, facts: &Value) -> &'static [&'static str];
    /// JSON pointers to those parts of a pod that are read only when it comes in.
    fn unread_later(&self, facts: &Value) -> &'static [&'static str];
    /// A subject, judged from its events in the order in which they were seen.
    fn subject(&self, events: &[&Event], subject: Subject) -> SubjectJudgement;
}
