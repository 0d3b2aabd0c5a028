//! Claims that keep a requirement from being passed, and whose words those stand on.

use crate::claim::{Aggregate, Basis, Standing};
use crate::judgement::{ClaimJudgement, Judgement, State, SubjectJudgement, Verdict};

/// Tells whether the claims that fail of these are MUSTs by our interpretation, and no other.
pub(crate) fn fails_by_interpretation_alone(claims: &[ClaimJudgement]) -> bool {
    let mut bases = claims.iter().filter(|claim| claim.outcome.is_unmet()).filter_map(basis).peekable();
    bases.peek().is_some() && bases.all(|basis| basis == Basis::Interpretation)
}

fn basis(claim: &ClaimJudgement) -> Option<Basis> {
    match claim.standing {
        Standing::Must { basis, .. } => Some(basis),
        Standing::Additional | Standing::Control | Standing::InForce => None,
    }
}

impl SubjectJudgement {
    /// The claims that keep it from passing: every MUST by which it fails; where it is inconclusive, the one that says why.
    fn against(&self) -> Vec<&ClaimJudgement> {
        let must = |claim: &&ClaimJudgement| basis(claim).is_some();
        let doubt = self.claims.iter().find(|claim| {
            matches!(claim.standing, Standing::Control | Standing::InForce) && !claim.outcome.is_met()
        });
        let failing = || self.claims.iter().filter(must).filter(|claim| claim.outcome.is_unmet());
        match (self.state, doubt) {
            (State::Passed | State::Absent | State::ControlMet, _) => Vec::new(),
            (State::Failed, _) | (State::Inconclusive, None) if failing().count() > 0 => failing().collect(),
            (State::Failed | State::Inconclusive, None) => {
                self.claims.iter().filter(must).find(|claim| !claim.outcome.is_met()).into_iter().collect()
            }
            (State::NotInForce, _) => {
                let absent =
                    |claim: &&ClaimJudgement| claim.standing == Standing::InForce && claim.outcome.is_unmet();
                self.claims.iter().find(absent).into_iter().collect()
            }
            (_, doubt) => doubt.into_iter().collect(),
        }
    }
}

impl Judgement {
    /// The subjects of a state that count: those that the user named, where there are any.
    fn counted(&self, state: State) -> impl Iterator<Item = &SubjectJudgement> {
        let named = self.subjects.iter().any(|subject| subject.declared && !subject.control);
        let counts = move |subject: &&SubjectJudgement| !subject.control && (subject.declared || !named);
        self.subjects.iter().filter(counts).filter(move |subject| subject.state == state)
    }

    /// The claims that keep it from being passed, each with its subject; none where no claim decided.
    pub fn against(&self) -> Vec<(&SubjectJudgement, &ClaimJudgement)> {
        let subjects: Vec<&SubjectJudgement> = match self.verdict {
            Verdict::Passed | Verdict::NotApplicable | Verdict::NotRun => Vec::new(),
            Verdict::Failed => self.counted(State::Failed).collect(),
            Verdict::Inconclusive => {
                // A control that does not hold leaves nothing to say of the others.
                let control = self.subjects.iter().find(|subject| subject.state == State::ControlUnmet);
                let doubtful = || self.counted(State::Inconclusive).collect::<Vec<_>>();
                match control.map_or_else(doubtful, |control| vec![control]) {
                    none if none.is_empty() => self.counted(State::NotInForce).collect(),
                    some => some,
                }
            }
        };
        let claims =
            |subject| SubjectJudgement::against(subject).into_iter().map(move |claim| (subject, claim));
        subjects.into_iter().flat_map(claims).collect()
    }

    /// Tells whether it failed, and would not have without our interpretation of the requirement: of subjects one of which is
    /// enough, one fails by that alone; of subjects all of which must pass, each that fails does.
    pub fn failed_by_interpretation_alone(&self, aggregate: Aggregate) -> bool {
        let mut failed =
            self.counted(State::Failed).map(|subject| fails_by_interpretation_alone(&subject.claims));
        self.verdict == Verdict::Failed
            && match aggregate {
                Aggregate::AnySubject | Aggregate::AnySubjectIfProvided => failed.any(|alone| alone),
                Aggregate::EverySubject => failed.all(|alone| alone),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Outcome;

    const TEXT: Standing = Standing::Must { basis: Basis::Requirement, cites: "its words" };
    const OURS: Standing = Standing::Must { basis: Basis::Interpretation, cites: "its words" };

    fn claim(id: &'static str, standing: Standing, word: &str) -> ClaimJudgement {
        let outcome = match word {
            "met" => Outcome::Met { seen: "seen".into() },
            "unmet" => Outcome::Unmet { witness: "seen".into(), events: Vec::new() },
            _ => Outcome::Unknown { why: "a gap".into() },
        };
        ClaimJudgement { id, says: "a sentence", standing, outcome }
    }

    fn subject(id: &str, state: State, claims: Vec<ClaimJudgement>) -> SubjectJudgement {
        SubjectJudgement {
            id: id.into(),
            state,
            why: "because".into(),
            control: state == State::ControlUnmet,
            declared: false,
            facts: serde_json::Value::Null,
            claims,
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn judged(verdict: Verdict, subjects: Vec<SubjectJudgement>) -> Judgement {
        Judgement {
            requirement: "c",
            verdict,
            why: "because".into(),
            deciding: None,
            simulated: false,
            subjects,
        }
    }

    fn ids(judgement: &Judgement) -> Vec<&str> {
        judgement.against().iter().map(|(_, claim)| claim.id).collect()
    }

    #[test]
    fn a_failure_is_by_interpretation_alone_where_the_verdict_hangs_on_it() {
        let failed = |claims: &[&[Standing]]| {
            let subjects = claims.iter().map(|claims| {
                let claims = claims.iter().map(|standing| claim("one", *standing, "unmet")).collect();
                subject("a", State::Failed, claims)
            });
            judged(Verdict::Failed, subjects.collect())
        };
        for (claims, any, every) in [
            (vec![&[OURS][..]], true, true),
            (vec![&[TEXT, OURS][..]], false, false),
            // One that would pass by the requirement's words would do, where one is enough.
            (vec![&[TEXT][..], &[OURS][..]], true, false),
            (vec![&[OURS, Standing::Additional][..]], true, true),
        ] {
            let judgement = failed(&claims);
            assert_eq!(judgement.failed_by_interpretation_alone(Aggregate::AnySubject), any, "{claims:?}");
            assert_eq!(
                judgement.failed_by_interpretation_alone(Aggregate::EverySubject),
                every,
                "{claims:?}"
            );
        }
        let inconclusive = Judgement { verdict: Verdict::Inconclusive, ..failed(&[&[OURS]]) };
        assert!(!inconclusive.failed_by_interpretation_alone(Aggregate::AnySubject));
    }

    #[test]
    fn what_decided_is_named_and_nothing_else() {
        let all = || {
            vec![
                claim("control", Standing::Control, "met"),
                claim("further", Standing::Additional, "unmet"),
                claim("one", TEXT, "unmet"),
                claim("two", OURS, "unmet"),
                claim("three", TEXT, "unknown"),
            ]
        };
        let passed = || subject("p", State::Passed, vec![claim("passes", TEXT, "met")]);
        let failed = judged(Verdict::Failed, vec![passed(), subject("a", State::Failed, all())]);
        assert_eq!(ids(&failed), ["one", "two"]);
        let adapter = judged(Verdict::Inconclusive, vec![subject("a", State::Inconclusive, all())]);
        assert_eq!(ids(&adapter), ["one", "two"]);
        let unknown = vec![claim("one", TEXT, "unknown"), claim("two", OURS, "unknown")];
        let unknown = judged(Verdict::Inconclusive, vec![subject("a", State::Inconclusive, unknown)]);
        assert_eq!(ids(&unknown), ["one"]);
        let control = vec![claim("one", TEXT, "unmet"), claim("tells", Standing::Control, "unknown")];
        let control = judged(
            Verdict::Inconclusive,
            vec![subject("a", State::Failed, all()), subject("plain", State::ControlUnmet, control)],
        );
        assert_eq!(ids(&control), ["tells"]);
        let out = vec![
            claim("tells", Standing::Control, "unknown"),
            claim("acts", Standing::InForce, "unmet"),
            claim("one", TEXT, "unknown"),
        ];
        let out = judged(Verdict::Inconclusive, vec![subject("a", State::NotInForce, out)]);
        assert_eq!(ids(&out), ["acts"]);
        // The one that the user named decides alone.
        let mut declared = subject("b", State::Failed, vec![claim("named", OURS, "unmet")]);
        declared.declared = true;
        let declared = judged(Verdict::Failed, vec![subject("a", State::Failed, all()), declared]);
        assert_eq!(ids(&declared), ["named"]);
        assert_eq!(
            ids(&judged(Verdict::Passed, vec![passed(), subject("a", State::Failed, all())])).len(),
            0
        );
    }
}
