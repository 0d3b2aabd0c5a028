//! From evidence to outcomes, from outcomes to a verdict.

use crate::against::fails_by_interpretation_alone;
use crate::claim::{Aggregate, Judged, NOT_PROVIDED, Standing, Subject};
use crate::judgement::{ClaimJudgement, Judgement, State, SubjectJudgement, Verdict};
use aiconform_evidence::Evidence;
use aiconform_model::{Event, EventKind, Scope, catalogue};
use serde_json::Value;

/// Under this name the facts of a subject say (`true`) that its own control claims stand for those of a control
/// subject, which cannot be tried.
pub const OWN_CONTROL: &str = "own_control";

/// Judges one requirement from the evidence of a run.
pub fn judge(rules: &dyn Judged, evidence: &Evidence) -> Judgement {
    let mut subjects: Vec<SubjectJudgement> = Vec::new();
    let mut stopped = None;
    for event in evidence.events.iter().filter(|event| event.scope.check == rules.check()) {
        if subjects.iter().any(|subject| subject.id == event.scope.subject) {
            continue;
        }
        let id = event.scope.subject.clone();
        match &event.kind {
            EventKind::SubjectAbsent { why, declared } => subjects.push(SubjectJudgement {
                id,
                state: State::Absent,
                why: why.clone(),
                control: false,
                declared: *declared,
                facts: Value::Null,
                claims: Vec::new(),
                grade: None,
                simulated: false,
                measures: Vec::new(),
                pictures: Vec::new(),
            }),
            EventKind::SubjectStarted { facts, control, declared } => {
                let subject = Subject { id, facts: facts.clone(), control: *control, declared: *declared };
                let scope = Scope::new(rules.check(), &subject.id);
                let events: Vec<&Event> = evidence.of(&scope).collect();
                let ended = events
                    .iter()
                    .any(|event| event.scope == scope && matches!(event.kind, EventKind::SubjectEnded {}));
                let mut judged = rules.subject(&events, subject);
                // What was not tried to its end shows nothing, however far it came.
                if !ended && matches!(judged.state, State::Passed | State::ControlMet) {
                    judged.why = stop_of(&events).unwrap_or_else(|| "it was not tried to its end".into());
                    let control = judged.state == State::ControlMet;
                    judged.state = if control { State::ControlUnmet } else { State::Inconclusive };
                    judged.grade = None;
                }
                subjects.push(seen_at_work(judged));
            }
            EventKind::Stopped { why } if event.scope.subject.is_empty() => stopped = Some(why.clone()),
            EventKind::Hindrance { who, what, why } if event.scope.subject.is_empty() => {
                stopped.get_or_insert_with(|| format!("{who}: {what}: {why}"));
            }
            _ => {}
        }
    }
    let absent = not_provided(rules, evidence, &subjects).filter(|_| stopped.is_none());
    let (verdict, why, deciding) = match absent {
        Some(why) => (Verdict::NotApplicable, why, None),
        None => decide(rules, &subjects, stopped),
    };
    let simulated = verdict == Verdict::Passed && stands_on_simulated(rules, &subjects, deciding.as_deref());
    Judgement { requirement: rules.check(), verdict, why, deciding, simulated, subjects }
}

/// A subject that failed with an adapter which was seen at work with simulated devices only, on others: it is not held against
/// it.
fn seen_at_work(judged: SubjectJudgement) -> SubjectJudgement {
    let only_simulated = judged.facts.get("tried_simulated").and_then(Value::as_bool) == Some(true);
    if judged.state != State::Failed || !only_simulated || judged.simulated {
        return judged;
    }
    let why = format!(
        "its adapter was run by us with simulated devices only, so that what fails on others may be the adapter and not the product: {}",
        judged.why
    );
    SubjectJudgement { state: State::Inconclusive, why, ..judged }
}

/// Why the trial of a subject stopped.
fn stop_of(events: &[&Event]) -> Option<String> {
    events.iter().find_map(|event| match &event.kind {
        EventKind::Stopped { why } => Some(why.clone()),
        _ => None,
    })
}

/// The proof that the platform provides nothing of what the requirement is about, where the programme permits that: it is
/// stated, and everything that would speak against it was looked for and not found.
fn not_provided(rules: &dyn Judged, evidence: &Evidence, subjects: &[SubjectJudgement]) -> Option<String> {
    let absent = subjects.iter().all(|subject| subject.state == State::Absent);
    if rules.aggregate() != Aggregate::AnySubjectIfProvided || !absent {
        return None;
    }
    let data = evidence.events.iter().find_map(|event| match &event.kind {
        EventKind::Phase { phase, data }
            if phase == NOT_PROVIDED && event.scope == Scope::new(rules.check(), "") =>
        {
            Some(data)
        }
        _ => None,
    })?;
    // What is not there as a list of texts proves nothing.
    let texts = |key: &str| -> Option<Vec<&str>> {
        data.get(key)?.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
    };
    let (looked_for, found, unread) = (texts("looked_for")?, texts("found")?, texts("unread")?);
    let stated = data.get("stated")?.as_str().filter(|stated| !stated.is_empty())?;
    let proven = !looked_for.is_empty() && found.is_empty() && unread.is_empty();
    proven.then(|| format!("{stated}, and nothing of this was found: {}", looked_for.join("; ")))
}

/// Tells whether a pass stands on simulated devices: the one subject that decided does, or any of those that all had to pass.
fn stands_on_simulated(rules: &dyn Judged, subjects: &[SubjectJudgement], deciding: Option<&str>) -> bool {
    subjects.iter().filter(|subject| subject.simulated).any(|subject| match rules.aggregate() {
        Aggregate::AnySubject | Aggregate::AnySubjectIfProvided => deciding == Some(&subject.id),
        Aggregate::EverySubject => subject.state == State::Passed,
    })
}

/// State of a subject, and why: not in force, then controls, then MUST claims. A control subject whose controls hold shows
/// what `shows` says.
pub fn state(subject: &Subject, claims: &[ClaimJudgement], shows: &str) -> (State, String) {
    let first = |wanted: &dyn Fn(&ClaimJudgement) -> bool| {
        claims
            .iter()
            .find(|claim| wanted(claim))
            .map(|claim| format!("{}: {}", claim.says, claim.outcome.text()))
    };
    let must = |claim: &ClaimJudgement| matches!(claim.standing, Standing::Must { .. });
    let control = |claim: &ClaimJudgement| matches!(claim.standing, Standing::Control | Standing::InForce);
    if let Some(why) = first(&|claim| claim.standing == Standing::InForce && claim.outcome.is_unmet()) {
        return (State::NotInForce, why);
    }
    let doubt = first(&|claim| control(claim) && !claim.outcome.is_met());
    if subject.control {
        return match doubt {
            Some(why) => (State::ControlUnmet, why),
            None => (State::ControlMet, shows.into()),
        };
    }
    if let Some(why) = doubt {
        return (State::Inconclusive, why);
    }
    if let Some(mut why) = first(&|claim| must(claim) && claim.outcome.is_unmet()) {
        if fails_by_interpretation_alone(claims) {
            why.push_str(" (this rests on our interpretation of the requirement alone)");
        }
        // Whoever wrote the adapter has never seen it at work: what fails may be the adapter.
        if subject.facts.get("tried").and_then(Value::as_bool) == Some(false) {
            let why = format!(
                "its adapter was not run by us, so that what fails may be the adapter and not the product: {why}"
            );
            return (State::Inconclusive, why);
        }
        return (State::Failed, why);
    }
    if let Some(why) = first(&|claim| must(claim) && !claim.outcome.is_met()) {
        return (State::Inconclusive, why);
    }
    // No claim at all is no proof.
    match claims.iter().filter(|claim| must(claim)).count() {
        0 => (State::Inconclusive, "nothing was tried on it".into()),
        count => (State::Passed, format!("all {count} MUST claims are met")),
    }
}

/// The verdict from what the subjects came to; `stopped` says why the check ended early, if it did.
pub fn decide(
    rules: &dyn Judged,
    subjects: &[SubjectJudgement],
    stopped: Option<String>,
) -> (Verdict, String, Option<String>) {
    let named = |subject: &SubjectJudgement| format!("{}: {}", subject.id, subject.why);
    if let Some(control) = subjects.iter().find(|subject| subject.state == State::ControlUnmet) {
        let why = format!("the control subject {} does not show what it must: {}", control.id, control.why);
        return (Verdict::Inconclusive, why, None);
    }
    let declared: Vec<&SubjectJudgement> =
        subjects.iter().filter(|subject| subject.declared && !subject.control).collect();
    let counted: Vec<&SubjectJudgement> = if declared.is_empty() {
        subjects.iter().filter(|subject| !subject.control).collect()
    } else {
        declared
    };
    let of =
        |state: State| counted.iter().copied().filter(|subject| subject.state == state).collect::<Vec<_>>();
    let (passed, failed, doubtful) = (of(State::Passed), of(State::Failed), of(State::Inconclusive));
    if subjects.is_empty() && stopped.is_none() {
        return (Verdict::NotRun, "nothing was tried".into(), None);
    }
    let own = |subject: &&SubjectJudgement| {
        subject.facts.get(OWN_CONTROL).and_then(Value::as_bool) == Some(true)
            && subject.claims.iter().any(|claim| claim.standing == Standing::Control)
    };
    let controlled = subjects.iter().any(|subject| subject.state == State::ControlMet)
        || passed.iter().chain(&failed).all(own);
    if let Some(why) = stopped {
        // A subject that has ended and passed stands, whatever became of the others.
        let one_is_enough = rules.aggregate() != Aggregate::EverySubject;
        return match best(&passed).filter(|_| one_is_enough && controlled) {
            Some(best) => (Verdict::Passed, named(best), Some(best.id.clone())),
            None => (Verdict::Inconclusive, why, None),
        };
    }
    let decided = !passed.is_empty() || !failed.is_empty();
    if decided && !controlled {
        let why = "the control subject was not run, so nothing is known of the test itself".into();
        return (Verdict::Inconclusive, why, None);
    }
    let all = |subjects: &[&SubjectJudgement]| {
        subjects.iter().map(|subject| named(subject)).collect::<Vec<_>>().join("; ")
    };
    match rules.aggregate() {
        Aggregate::AnySubject | Aggregate::AnySubjectIfProvided => {
            if let Some(best) = best(&passed) {
                return (Verdict::Passed, named(best), Some(best.id.clone()));
            }
            if let Some(first) = failed.first()
                && doubtful.is_empty()
            {
                return (Verdict::Failed, all(&failed), Some(first.id.clone()));
            }
        }
        Aggregate::EverySubject => {
            if let Some(first) = failed.first() {
                return (Verdict::Failed, all(&failed), Some(first.id.clone()));
            }
            if doubtful.is_empty()
                && let Some(first) = passed.first()
            {
                return (Verdict::Passed, all(&passed), Some(first.id.clone()));
            }
        }
    }
    if !doubtful.is_empty() {
        return (Verdict::Inconclusive, all(&doubtful), None);
    }
    let there = [of(State::NotInForce), of(State::Absent)].concat();
    (Verdict::Inconclusive, format!("nothing in force to try ({}); {}", all(&there), rules.advice()), None)
}

/// Of subjects that passed the one that is shown: what was shown on real devices is worth more.
fn best<'a>(passed: &[&'a SubjectJudgement]) -> Option<&'a SubjectJudgement> {
    passed.iter().find(|subject| !subject.simulated).or(passed.first()).copied()
}

/// The sentence that every output carries: how many of the release's MUSTs were tested.
pub fn summary(judgements: &[Judgement], musts: usize, release: &str) -> String {
    // A requirement of which nothing but its control was tried, for lack of permission or of a subject, was not tested.
    let tried = |judgement: &&Judgement| {
        let level = catalogue::requirement(judgement.requirement).and_then(|found| found.level(release));
        level == Some(catalogue::Level::Must)
            && judgement.subjects.iter().any(|subject| !subject.control && !subject.claims.is_empty())
    };
    let tested = judgements.iter().filter(tried).count();
    format!("{tested} of {musts} MUSTs of {release} tested")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Basis, Outcome, SHOWS};
    use crate::testing::StandIn;
    use proptest::prelude::*;

    fn rules(aggregate: Aggregate) -> StandIn {
        StandIn::of("c", aggregate)
    }

    fn subject(number: usize, state: State) -> SubjectJudgement {
        SubjectJudgement {
            id: format!("s{number}"),
            state,
            why: "because".into(),
            control: matches!(state, ControlMet | ControlUnmet),
            declared: false,
            facts: Value::Null,
            claims: Vec::new(),
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn verdict(aggregate: Aggregate, states: &[State]) -> Verdict {
        let subjects: Vec<SubjectJudgement> =
            states.iter().enumerate().map(|(number, state)| subject(number, *state)).collect();
        decide(&rules(aggregate), &subjects, None).0
    }

    use Aggregate::{AnySubject, EverySubject};
    use State::{Absent, ControlMet, ControlUnmet, Failed, Inconclusive, NotInForce, Passed};

    #[test]
    fn any_subject_passes_with_one_and_fails_only_when_all_in_force_fail() {
        for (states, expected) in [
            (vec![ControlMet, Passed, Failed], Verdict::Passed),
            (vec![ControlMet, Passed, Inconclusive], Verdict::Passed),
            (vec![ControlMet, Failed, Absent, NotInForce], Verdict::Failed),
            (vec![ControlMet, Failed, Inconclusive], Verdict::Inconclusive),
            (vec![ControlMet, Absent, NotInForce], Verdict::Inconclusive),
            (vec![ControlMet], Verdict::Inconclusive),
            (vec![ControlUnmet, Passed], Verdict::Inconclusive),
            (vec![Passed], Verdict::Inconclusive),
            (vec![], Verdict::NotRun),
        ] {
            assert_eq!(verdict(AnySubject, &states), expected, "{states:?}");
        }
    }

    #[test]
    fn every_subject_fails_with_one_and_passes_only_when_all_present_pass() {
        for (states, expected) in [
            (vec![ControlMet, Passed, Failed], Verdict::Failed),
            (vec![ControlMet, Passed, Inconclusive], Verdict::Inconclusive),
            (vec![ControlMet, Passed, Absent], Verdict::Passed),
            (vec![ControlMet, Absent], Verdict::Inconclusive),
        ] {
            assert_eq!(verdict(EverySubject, &states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_declared_subject_decides_alone() {
        let mut subjects = vec![subject(0, ControlMet), subject(1, Passed), subject(2, Failed)];
        subjects[2].declared = true;
        assert_eq!(decide(&rules(AnySubject), &subjects, None).0, Verdict::Failed);
    }

    #[test]
    fn after_a_stop_nothing_fails_and_a_subject_that_ended_and_passed_stands() {
        let after = |aggregate: Aggregate, states: &[State]| {
            let subjects: Vec<_> =
                states.iter().enumerate().map(|(number, state)| subject(number, *state)).collect();
            decide(&rules(aggregate), &subjects, Some("it took too long".to_owned())).0
        };
        assert_eq!(after(AnySubject, &[ControlMet, Failed]), Verdict::Inconclusive);
        assert_eq!(after(AnySubject, &[ControlMet, Inconclusive]), Verdict::Inconclusive);
        assert_eq!(after(AnySubject, &[]), Verdict::Inconclusive);
        assert_eq!(after(AnySubject, &[ControlMet, Passed, Inconclusive]), Verdict::Passed);
        assert_eq!(after(AnySubject, &[ControlUnmet, Passed]), Verdict::Inconclusive);
        assert_eq!(after(AnySubject, &[Passed]), Verdict::Inconclusive, "no control was run");
        // Those that were not tried might have failed.
        assert_eq!(after(EverySubject, &[ControlMet, Passed]), Verdict::Inconclusive);
    }

    #[test]
    fn what_fails_on_real_devices_by_an_adapter_that_saw_simulated_ones_is_not_held_against_them() {
        let of = |tried_simulated: bool, simulated: bool, state: State| {
            let facts = serde_json::json!({"tried": true, "tried_simulated": tried_simulated});
            seen_at_work(SubjectJudgement { facts, simulated, ..subject(0, state) }).state
        };
        assert_eq!(of(true, false, Failed), Inconclusive);
        assert_eq!((of(true, true, Failed), of(false, false, Failed)), (Failed, Failed));
        assert_eq!(of(true, false, Passed), Passed);
    }

    #[test]
    fn what_an_adapter_that_nobody_tried_fails_is_not_held_against_the_product() {
        let subject = |facts: Value| Subject { id: "s".into(), facts, control: false, declared: false };
        let claim = |outcome: Outcome| ClaimJudgement {
            id: "c",
            says: "it holds",
            standing: Standing::Must { basis: Basis::Kar, cites: "a step" },
            outcome,
        };
        let unmet = [claim(Outcome::Unmet { witness: "one was bound".into(), events: Vec::new() })];
        let met = [claim(Outcome::Met { seen: "none was bound".into() })];
        assert_eq!(state(&subject(serde_json::json!({})), &unmet, SHOWS).0, Failed);
        assert_eq!(state(&subject(serde_json::json!({"tried": true})), &unmet, SHOWS).0, Failed);
        let untried = subject(serde_json::json!({"tried": false}));
        let (found, why) = state(&untried, &unmet, SHOWS);
        assert_eq!(found, Inconclusive);
        assert!(why.contains("not run by us") && why.contains("one was bound"), "{why}");
        assert_eq!(state(&untried, &met, SHOWS).0, Passed);
    }

    #[test]
    fn a_subject_stands_for_its_control_only_when_it_says_so_and_has_control_claims() {
        let control = ClaimJudgement {
            id: "c",
            says: "it is told apart",
            standing: Standing::Control,
            outcome: Outcome::Met { seen: "a part was let in".into() },
        };
        let decided = |own: bool, claims: Vec<ClaimJudgement>, more: &[SubjectJudgement]| {
            let facts = serde_json::json!({OWN_CONTROL: own});
            let own = SubjectJudgement { facts, claims, ..subject(0, Passed) };
            decide(&rules(AnySubject), &[&[own], more].concat(), None).0
        };
        assert_eq!(decided(true, vec![control.clone()], &[]), Verdict::Passed);
        assert_eq!(decided(true, vec![control.clone()], &[subject(1, Passed)]), Verdict::Inconclusive);
        assert_eq!(decided(false, vec![control], &[]), Verdict::Inconclusive);
        assert_eq!(decided(true, Vec::new(), &[]), Verdict::Inconclusive);
    }

    #[test]
    fn a_pass_on_simulated_devices_says_so_and_one_on_real_devices_is_preferred() {
        let simulated = |number| SubjectJudgement { simulated: true, ..subject(number, Passed) };
        let stands = |aggregate, subjects: &[SubjectJudgement]| {
            let (_, _, deciding) = decide(&rules(aggregate), subjects, None);
            stands_on_simulated(&rules(aggregate), subjects, deciding.as_deref())
        };
        let control = subject(9, ControlMet);
        assert!(stands(AnySubject, &[control.clone(), simulated(0)]));
        assert!(!stands(AnySubject, &[control.clone(), simulated(0), subject(1, Passed)]));
        assert!(stands(EverySubject, &[control.clone(), simulated(0), subject(1, Passed)]));
        assert!(!stands(EverySubject, &[control, subject(1, Passed)]));
    }

    #[test]
    fn not_applicable_needs_a_statement_and_that_all_was_looked_for_and_nothing_found() {
        let whole = serde_json::json!({"stated": "the vendor says so", "looked_for": ["a"], "found": [], "unread": []});
        let judged = |aggregate: Aggregate, data: &Value, subject: &str, more: Vec<EventKind>| {
            let mut kinds = vec![
                (subject, EventKind::Phase { phase: NOT_PROVIDED.into(), data: data.clone() }),
                ("s", EventKind::SubjectAbsent { why: "no".into(), declared: false }),
            ];
            kinds.extend(more.into_iter().map(|kind| ("", kind)));
            let event = |(place, (subject, kind)): (usize, (&str, EventKind))| {
                let (sequence, time) = (place as u64, "2026-01-01T00:00:00Z".parse().unwrap());
                Event { sequence, time, scope: Scope::new("c", subject), kind }
            };
            let events = kinds.into_iter().enumerate().map(event).collect();
            judge(&rules(aggregate), &Evidence { events }).verdict
        };
        let permitted = Aggregate::AnySubjectIfProvided;
        assert_eq!(judged(permitted, &whole, "", Vec::new()), Verdict::NotApplicable);
        assert_eq!(judged(AnySubject, &whole, "", Vec::new()), Verdict::Inconclusive);
        assert_eq!(
            judged(permitted, &whole, "s", Vec::new()),
            Verdict::Inconclusive,
            "not of the check itself"
        );
        let stop = EventKind::Stopped { why: "it broke".into() };
        assert_eq!(judged(permitted, &whole, "", vec![stop]), Verdict::Inconclusive);
        for (key, value) in [
            ("stated", serde_json::json!("")),
            ("stated", Value::Null),
            ("looked_for", serde_json::json!([])),
            ("found", serde_json::json!(["a"])),
            ("unread", serde_json::json!(["a"])),
            ("unread", Value::Null),
        ] {
            let mut data = whole.clone();
            data[key] = value;
            assert_eq!(judged(permitted, &data, "", Vec::new()), Verdict::Inconclusive, "{key}");
        }
    }

    proptest! {
        /// Nothing but a subject that passed, under a control that holds, makes a requirement pass.
        #[test]
        fn passed_needs_a_pass_and_a_control(picks in proptest::collection::vec(0_usize..7, 0..8), every: bool) {
            let all = [Passed, Failed, Inconclusive, NotInForce, Absent, ControlMet, ControlUnmet];
            let states: Vec<State> = picks.into_iter().map(|pick| all[pick]).collect();
            let aggregate = if every { EverySubject } else { AnySubject };
            if verdict(aggregate, &states) == Verdict::Passed {
                prop_assert!(states.contains(&Passed) && states.contains(&ControlMet));
                prop_assert!(!states.contains(&ControlUnmet));
                prop_assert!(!every || !states.contains(&Failed) && !states.contains(&Inconclusive));
            }
        }
    }
}
