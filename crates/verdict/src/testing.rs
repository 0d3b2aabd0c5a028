//! A stand-in for a check, for tests of what becomes of judgements.

use crate::claim::{Aggregate, Judged, Sentence, Subject};
use crate::judge::state;
use crate::judgement::SubjectJudgement;
use aiconform_model::{Event, Kind};
use serde_json::Value;

/// Pointers to what a check does not read of objects of a kind, on facts of a subject.
pub type Unread = fn(&Kind, &Value) -> &'static [&'static str];

/// A check that has no claims.
pub struct StandIn {
    /// Id of the requirement.
    pub check: &'static str,
    /// Rule by which subjects make the verdict.
    pub aggregate: Aggregate,
    /// Parts that it does not read.
    pub unread: Unread,
    /// Parts of a pod that it reads only when that comes in.
    pub unread_later: &'static [&'static str],
}

impl StandIn {
    /// A check that reads everything.
    pub fn of(check: &'static str, aggregate: Aggregate) -> StandIn {
        StandIn { check, aggregate, unread: |_, _| &[], unread_later: &[] }
    }
}

impl Judged for StandIn {
    fn check(&self) -> &'static str {
        self.check
    }

    fn aggregate(&self) -> Aggregate {
        self.aggregate
    }

    fn advice(&self) -> &'static str {
        "install one"
    }

    fn sentences(&self) -> Vec<Sentence> {
        Vec::new()
    }

    fn unread(&self, kind: &Kind, facts: &Value) -> &'static [&'static str] {
        (self.unread)(kind, facts)
    }

    fn unread_later(&self, _: &Value) -> &'static [&'static str] {
        self.unread_later
    }

    fn subject(&self, _: &[&Event], subject: Subject) -> SubjectJudgement {
        let (state, why) = state(&subject, &[], self.shows());
        SubjectJudgement {
            id: subject.id,
            state,
            why,
            control: subject.control,
            declared: subject.declared,
            facts: subject.facts,
            claims: Vec::new(),
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        }
    }
}
