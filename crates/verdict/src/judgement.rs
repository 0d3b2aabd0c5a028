//! Judgements: verdicts, states, and what they stand on.

use crate::claim::{Grade, Measure, Outcome, Standing};
use crate::picture::Picture;
use serde::Serialize;
use serde_json::Value;

/// Of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Shown to hold.
    Passed,
    /// Shown not to hold.
    Failed,
    /// Neither could be shown.
    Inconclusive,
    /// The programme permits it to be absent here, with proof.
    NotApplicable,
    /// Nothing was tried.
    NotRun,
}

impl Verdict {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Inconclusive => "inconclusive",
            Verdict::NotApplicable => "not applicable",
            Verdict::NotRun => "not run",
        }
    }
}

/// State that a subject came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All its MUST claims and controls are met.
    Passed,
    /// A MUST claim is unmet, and every control is met.
    Failed,
    /// Neither.
    Inconclusive,
    /// It is there but does not act here.
    NotInForce,
    /// It is not there.
    Absent,
    /// A control subject that did what it must.
    ControlMet,
    /// A control subject that did not.
    ControlUnmet,
}

impl State {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            State::Passed => "passed",
            State::Failed => "failed",
            State::Inconclusive => "inconclusive",
            State::NotInForce => "not in force",
            State::Absent => "absent",
            State::ControlMet => "control holds",
            State::ControlUnmet => "control does not hold",
        }
    }
}

/// A claim on a subject, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimJudgement {
    /// Id of the claim.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// The part that it plays, and the words that it stands on.
    #[serde(flatten)]
    pub standing: Standing,
    /// Finding.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// A subject, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubjectJudgement {
    /// Id.
    pub id: String,
    /// State that it came to.
    pub state: State,
    /// Why, in a sentence.
    pub why: String,
    /// Set if it is a control.
    pub control: bool,
    /// Set if the user named it.
    pub declared: bool,
    /// Facts that identify it.
    pub facts: Value,
    /// Its claims.
    pub claims: Vec<ClaimJudgement>,
    /// Its grade, when there is one.
    pub grade: Option<Grade>,
    /// Set if what was seen of it stands on simulated devices.
    pub simulated: bool,
    /// Measures of it.
    pub measures: Vec<Measure>,
    /// Pictures.
    pub pictures: Vec<Picture>,
}

impl SubjectJudgement {
    /// The outcome of a claim.
    pub fn outcome(&self, claim: &str) -> Option<&Outcome> {
        self.claims.iter().find(|judged| judged.id == claim).map(|judged| &judged.outcome)
    }
}

/// A requirement, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Id of the requirement.
    pub requirement: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// The subject that decided, when one did.
    pub deciding: Option<String>,
    /// Set if it passed on simulated devices, which is no proof of a platform.
    pub simulated: bool,
    /// The subjects.
    pub subjects: Vec<SubjectJudgement>,
}

impl Judgement {
    /// The verdict in words; one that stands on simulated devices says so.
    pub fn word(&self) -> &'static str {
        if self.simulated { "passed (simulated)" } else { self.verdict.word() }
    }
}
