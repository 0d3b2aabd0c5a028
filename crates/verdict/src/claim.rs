//! What can turn out false, and what was found.

use crate::judgement::SubjectJudgement;
use crate::picture::Picture;
use aiconform_model::{Event, Kind};
use serde::Serialize;
use serde_json::Value;

/// What a claim is tried on, as the evidence has it.
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

/// What a claim stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// Part of the requirement.
    Must {
        /// The step of the KAR, or the words of the requirement, on which it stands.
        cites: &'static str,
    },
    /// Goes further than the requirement: shown and graded, never part of the MUST.
    Additional,
    /// About the test itself: unmet makes the subject, or for a control subject the requirement, inconclusive.
    Control,
    /// About the subject being in force at all: unmet takes it out of those that count.
    InForce,
}

/// What was found of a claim on a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The claim holds.
    Met {
        /// What was seen that shows it.
        seen: String,
    },
    /// The claim is false.
    Unmet {
        /// What was seen that shows it.
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
    /// Whether the claim holds.
    pub fn is_met(&self) -> bool {
        matches!(self, Outcome::Met { .. })
    }

    /// Whether the claim is false.
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

    /// What was seen, or why nothing can be said.
    pub fn text(&self) -> &str {
        match self {
            Outcome::Met { seen } => seen,
            Outcome::Unmet { witness, .. } => witness,
            Outcome::Unknown { why } => why,
        }
    }
}

/// One sentence that can turn out false.
pub struct Claim {
    /// Id, unique in its check.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// What it stands on.
    pub standing: Standing,
    /// Whether it is tried on this subject.
    pub applies: fn(&Subject) -> bool,
    /// The outcome, from the events of one subject in the order in which they were seen.
    pub judge: fn(&[&Event], &Subject) -> Outcome,
}

impl Claim {
    /// A claim that is tried on every subject.
    pub const fn of(
        id: &'static str,
        says: &'static str,
        standing: Standing,
        judge: fn(&[&Event], &Subject) -> Outcome,
    ) -> Claim {
        Claim { id, says, standing, applies: |_| true, judge }
    }
}

/// How the subjects of a requirement make its verdict.
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
    /// What it says, and what was not tested.
    pub says: String,
    /// Every step of the scale, from the lowest.
    pub steps: Vec<Step>,
}

/// One step of a grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, such as `G3`.
    pub level: String,
    /// What it says.
    pub says: String,
    /// Whether it is reached.
    pub state: StepState,
    /// The claims that decided it, or that are untested.
    pub claim: String,
    /// The witness, where it is missed.
    pub why: String,
}

/// Whether a step is reached, taken by itself.
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
    /// What, with its unit, in the same words for every subject.
    pub name: String,
    /// How much.
    pub value: String,
}

/// The pure part of a check: its claims and how they are judged.
pub struct Rules {
    /// Id of the requirement.
    pub check: &'static str,
    /// How subjects make the verdict.
    pub aggregate: Aggregate,
    /// The claims.
    pub claims: &'static [Claim],
    /// JSON pointers to those parts of pods or nodes that nothing here reads, on what the facts of a subject say: judging
    /// does not hold them in memory. What is not named here is there.
    pub unread: fn(&Kind, &Value) -> &'static [&'static str],
    /// The same of a pod that is there already: what is read only when it comes in.
    pub unread_later: fn(&Value) -> &'static [&'static str],
    /// Why nothing that was seen of this subject can be believed, if so: a foreign change, a gap in a watch, a
    /// policy that changed what the test stands on.
    pub guard: fn(&[&Event], &Subject) -> Option<String>,
    /// The grade of a subject, from its outcomes and events.
    pub grade: fn(&SubjectJudgement, &[&Event]) -> Option<Grade>,
    /// What was measured of a subject.
    pub measures: fn(&[&Event], &Subject) -> Vec<Measure>,
    /// Whether what was seen of a subject stands on devices that are simulated: then it proves nothing of a platform.
    pub simulated: fn(&[&Event], &Subject) -> bool,
    /// Pictures for the report.
    pub pictures: fn(&[&Event], &Subject) -> Vec<Picture>,
    /// What to install when no subject is in force.
    pub advice: &'static str,
}
