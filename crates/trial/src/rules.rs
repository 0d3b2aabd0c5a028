//! The pure half of a check: a story is read once, and every claim judges what was read.

use crate::story::Story;
use aiconform_model::{Event, Kind};
use aiconform_verdict::{
    Aggregate, ClaimJudgement, Grade, Judged, Measure, Outcome, Picture, SHOWS, Sentence, Standing, Subject,
    SubjectJudgement, state,
};
use serde_json::Value;

/// One sentence that can turn out false, judged by what was read of a subject's story.
pub struct Claim<S> {
    /// Id, unique in its check.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// The part that it plays, and the words that it stands on.
    pub standing: Standing,
    /// Tells whether it is tried on this subject.
    pub applies: fn(&Subject) -> bool,
    /// The outcome.
    pub judge: fn(&S) -> Outcome,
}

impl<S> Claim<S> {
    /// A claim that is tried on every subject.
    pub const fn of(
        id: &'static str,
        says: &'static str,
        standing: Standing,
        judge: fn(&S) -> Outcome,
    ) -> Claim<S> {
        Claim { id, says, standing, applies: |_| true, judge }
    }
}

/// The claims of a check and how they are judged; `S` is what is read of a subject's story.
pub struct Rules<S: 'static> {
    /// Id of the requirement.
    pub check: &'static str,
    /// Rule by which subjects make the verdict.
    pub aggregate: Aggregate,
    /// The claims, controls first.
    pub claims: &'static [Claim<S>],
    /// Names of the marks with which our undoing of a subject may begin.
    pub over: &'static [&'static str],
    /// JSON pointers to those parts of pods or nodes that nothing of it reads, on what the facts of a subject say.
    pub unread: fn(&Kind, &Value) -> &'static [&'static str],
    /// JSON pointers to those parts of a pod that are read only when it comes in.
    pub unread_later: fn(&Value) -> &'static [&'static str],
    /// Reads a story; an error is why nothing can be told of it at all.
    pub read: fn(&Story<'_>) -> Result<S, String>,
    /// Why nothing that was seen of this subject can be believed, if so: a foreign change, a gap in a watch, a policy that
    /// changed what the test stands on.
    pub doubt: fn(&Story<'_>, &S) -> Option<String>,
    /// The grade of a subject, from its outcomes.
    pub grade: fn(&S, &SubjectJudgement) -> Option<Grade>,
    /// Measures of a subject.
    pub measures: fn(&S) -> Vec<Measure>,
    /// Tells whether what was seen stands on devices that are simulated: then it proves nothing of a platform.
    pub simulated: fn(&S) -> bool,
    /// Pictures for the report, beside the outcomes of the claims.
    pub pictures: fn(&S, &[ClaimJudgement]) -> Vec<Picture>,
    /// Product to install when no subject is in force.
    pub advice: &'static str,
    /// Sentence on what a control subject shows whose controls hold.
    pub shows: &'static str,
}

impl<S> Rules<S> {
    /// Rules with what most checks have: one subject is enough, everything is read, and there is neither grade nor picture.
    pub const fn of(
        check: &'static str,
        claims: &'static [Claim<S>],
        read: fn(&Story<'_>) -> Result<S, String>,
        doubt: fn(&Story<'_>, &S) -> Option<String>,
        advice: &'static str,
    ) -> Rules<S> {
        Rules {
            check,
            aggregate: Aggregate::AnySubject,
            claims,
            over: &["over"],
            unread: |_, _| &[],
            unread_later: |_| &[],
            read,
            doubt,
            grade: |_, _| None,
            measures: |_| Vec::new(),
            simulated: |_| false,
            pictures: |_, _| Vec::new(),
            advice,
            shows: SHOWS,
        }
    }
}

impl<S> Judged for Rules<S> {
    fn check(&self) -> &'static str {
        self.check
    }

    fn aggregate(&self) -> Aggregate {
        self.aggregate
    }

    fn advice(&self) -> &'static str {
        self.advice
    }

    fn shows(&self) -> &'static str {
        self.shows
    }

    fn sentences(&self) -> Vec<Sentence> {
        let sentence =
            |claim: &Claim<S>| Sentence { id: claim.id, says: claim.says, standing: claim.standing };
        self.claims.iter().map(sentence).collect()
    }

    fn unread(&self, kind: &Kind, facts: &Value) -> &'static [&'static str] {
        (self.unread)(kind, facts)
    }

    fn unread_later(&self, facts: &Value) -> &'static [&'static str] {
        (self.unread_later)(facts)
    }

    fn subject(&self, events: &[&Event], subject: Subject) -> SubjectJudgement {
        let story = Story::of(events, &subject, self.over);
        let read = (self.read)(&story);
        let doubt = match &read {
            Ok(history) => (self.doubt)(&story, history),
            Err(why) => Some(why.clone()),
        };
        let outcome = |claim: &Claim<S>| match (&doubt, &read) {
            (Some(why), _) | (None, Err(why)) => Outcome::Unknown { why: why.clone() },
            (None, Ok(history)) => (claim.judge)(history),
        };
        let claims: Vec<ClaimJudgement> = self
            .claims
            .iter()
            .filter(|claim| (claim.applies)(&subject))
            .map(|claim| ClaimJudgement {
                id: claim.id,
                says: claim.says,
                standing: claim.standing,
                outcome: outcome(claim),
            })
            .collect();
        let (state, why) = state(&subject, &claims, self.shows);
        let mut judged = SubjectJudgement {
            id: subject.id,
            state,
            why,
            control: subject.control,
            declared: subject.declared,
            facts: subject.facts,
            claims,
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        };
        if let Ok(history) = &read {
            judged.simulated = (self.simulated)(history);
            judged.measures = (self.measures)(history);
            judged.pictures = (self.pictures)(history, &judged.claims);
            judged.grade = (self.grade)(history, &judged);
        }
        judged
    }
}
