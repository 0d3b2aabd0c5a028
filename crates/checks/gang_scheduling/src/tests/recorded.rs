//! Recorded runs, how others are made of them, and what is true of all of them.

use super::super::RULES;
use crate::judge::history::History;
use crate::marks::{ID, Mark};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::{Story, marks, testing};
use aiconform_verdict::{Judgement, Subject, SubjectJudgement, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A gang scheduler that holds, with every trial.
pub const MET: &str = "met";
/// Gangs of which the scheduler knows nothing (breakage `gang-gate-off-scheduler`).
pub const UNMET: &str = "unmet";
/// Kueue's quota, with the trial placement.
pub const QUOTA: &str = "quota";
/// Breakage `gang-gate-off-api-server`.
const ABSENT: &str = "absent";

/// A recorded run, cut to what a judge reads; an event's place is its sequence number.
#[derive(Clone)]
pub struct Recorded(pub Vec<Event>);

impl Recorded {
    pub fn of(tape: &str) -> Recorded {
        Recorded(testing::recorded(env!("CARGO_MANIFEST_DIR"), tape))
    }

    fn numbered(mut self) -> Recorded {
        for (place, event) in self.0.iter_mut().enumerate() {
            event.sequence = place as u64;
        }
        self
    }

    pub fn judged(&self) -> Judgement {
        testing::judged(&RULES, self.0.clone())
    }

    /// The history of a subject.
    pub fn history(&self, id: &str) -> History {
        let mut facts = Value::Null;
        let events: Vec<&Event> = self.0.iter().filter(|event| event.scope.subject == id).collect();
        for event in &events {
            if let EventKind::SubjectStarted { facts: found, .. } = &event.kind {
                facts = found.clone();
            }
        }
        let subject = Subject { id: id.into(), facts, control: false, declared: false };
        History::read(&Story::of(&events, &subject, &[])).unwrap()
    }

    /// The place of the mark of a phase.
    pub fn mark(&self, subject: &str, trial: &str, phase: &str) -> usize {
        let is_it = |event: &Event| match &event.kind {
            EventKind::Phase { phase: name, data } => {
                event.scope.subject == subject && name == phase && data["trial"] == trial
            }
            _ => false,
        };
        self.0.iter().position(is_it).unwrap()
    }

    /// The same without some events.
    pub fn without(self, gone: impl Fn(&Event) -> bool) -> Recorded {
        Recorded(self.0.into_iter().filter(|event| !gone(event)).collect()).numbered()
    }

    /// The same with events put in before a place.
    pub fn with(mut self, place: usize, subject: &str, kinds: Vec<EventKind>) -> Recorded {
        let check = if subject.is_empty() { "" } else { ID };
        let time = self.0[place].time;
        let scope = Scope::new(check, subject);
        let events = kinds.into_iter().map(|kind| Event { sequence: 0, time, scope: scope.clone(), kind });
        self.0.splice(place..place, events);
        self.numbered()
    }

    /// The same with other objects of pods.
    pub fn pods(mut self, mut change: impl FnMut(u64, &str, &mut Object)) -> Recorded {
        for event in &mut self.0 {
            if let EventKind::Watch { kind, object, .. } = &mut event.kind
                && *kind == Kind::pod()
            {
                change(event.sequence, &event.scope.subject, object);
            }
        }
        self
    }

    /// The same in which pods of a trial, of one role and first seen bound behind a place, are never bound.
    pub fn unbound(self, subject: &str, trial: &str, role: &str, after: usize) -> Recorded {
        self.pods(|at, whose, pod| {
            if whose == subject && is_of(pod, trial, role) && at > after as u64 {
                unbind(pod);
            }
        })
    }

    /// The names of a trial's gangs.
    pub fn gangs(&self, subject: &str, trial: &str, phase: &str) -> Vec<String> {
        let EventKind::Phase { data, .. } = &self.0[self.mark(subject, trial, phase)].kind else {
            return Vec::new();
        };
        let several = data["gangs"].as_array().cloned().unwrap_or_else(|| vec![data["gang"].clone()]);
        several.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

/// Whether a pod belongs to a trial and has a role in it; an empty text stands for any.
pub fn is_of(pod: &Object, trial: &str, role: &str) -> bool {
    let fits = |wanted: &str, key: &str| wanted.is_empty() || pod.label(key) == wanted;
    fits(trial, "aiconform.dev/trial") && fits(role, "aiconform.dev/role")
}

pub fn unbind(pod: &mut Object) {
    if let Some(spec) = pod.0.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("nodeName");
    }
}

/// A pod of a trial as it comes and is bound.
pub fn comes_and_is_bound(trial: &str, role: &str, gang: &str, name: &str) -> Vec<EventKind> {
    let pod = json!({"metadata": {"name": name, "uid": format!("made-{name}"), "labels": {"aiconform.dev/trial": trial,
        "aiconform.dev/role": role, "aiconform.dev/gang": gang}}, "spec": {"schedulerName": "default-scheduler",
        "schedulingGroup": {"podGroupName": gang}}, "status": {"phase": "Pending"}});
    let mut bound = pod.clone();
    bound["spec"]["nodeName"] = json!("node-0");
    vec![seen(Change::Added, pod), seen(Change::Modified, bound)]
}

pub fn seen(change: Change, pod: Value) -> EventKind {
    EventKind::Watch { kind: Kind::pod(), change, object: Object(pod) }
}

/// What was found of a claim: the word and the sentence.
pub fn found<'a>(judged: &'a Judgement, subject: &str, claim: &str) -> (&'a str, &'a str) {
    let subject = judged.subjects.iter().find(|judged| judged.id == subject).unwrap();
    let outcome = subject.outcome(claim).unwrap();
    (outcome.word(), outcome.text())
}

/// Claims of a subject by outcome.
pub fn claims(judged: &Judgement, id: &str, word: &str) -> Vec<&'static str> {
    let subject = judged.subjects.iter().find(|subject| subject.id == id).unwrap();
    subject.claims.iter().filter(|claim| claim.outcome.word() == word).map(|claim| claim.id).collect()
}

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn marks_of_every_tape_are_read_and_written_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tapes");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        for event in Recorded::of(path.file_stem().unwrap().to_str().unwrap()).0 {
            let EventKind::Phase { phase, data } = &event.kind else { continue };
            let mark: Mark = marks::read(phase, data).unwrap_or_else(|error| panic!("{phase}: {error}"));
            assert_eq!(marks::event(&mark), event.kind);
            read += 1;
        }
    }
    assert!(read > 500, "{read}");
}

#[test]
fn a_mark_that_another_version_wrote_is_no_mark() {
    let read = |phase: &str, data: Value| marks::read::<Mark>(phase, &data).is_ok();
    assert!(read("short_closed", json!({"trial": "quorum", "resource": "slots"})));
    assert!(read("release", json!({"trial": "near-miss", "gang": "g", "slots": 4})));
    for (phase, data) in [
        ("short_closed", json!({"resource": "slots"})),
        ("short_closed", json!({"trial": "quorum", "more": 1})),
        ("short", json!({"trial": "quorum", "gang": "g"})),
        ("release", json!({"trial": "near-miss", "gang": "g", "winner": "g", "losers": []})),
        ("release", json!({"trial": "near-miss", "slots": 4})),
        ("another", json!({"trial": "quorum"})),
        ("short_closed", Value::Null),
    ] {
        assert!(!read(phase, data.clone()), "{phase} {data}");
    }
}

#[test]
fn recorded_runs_are_judged_as_they_were() {
    let judged = |tape: &str| Recorded::of(tape).judged();
    let met = judged(MET);
    assert_eq!(met.verdict, Verdict::Passed, "{}", met.why);
    assert_eq!(claims(&met, "kube-native", "met").len(), 17);
    let grade = |judged: &Judgement| {
        judged.subjects.iter().map(|s| s.grade.clone().map(|grade| grade.level)).collect::<Vec<_>>()
    };
    assert_eq!(grade(&met), [Some("G0".to_owned()), Some("G4".to_owned())]);
    assert_eq!(claims(&met, "plain", "met").len(), 3);

    // Parts, and deadlocks.
    let unmet = judged(UNMET);
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(
        claims(&unmet, "kube-native", "unmet"),
        ["oversized_gang_waits", "incomplete_gang_waits", "contention_is_whole"]
    );
    assert_eq!(grade(&unmet), [Some("G0".to_owned()), Some("G0".to_owned())]);
    let (_, witness) = found(&unmet, "kube-native", "contention_is_whole");
    assert!(witness.contains("1 of 2 in deadlock"), "{witness}");

    let absent = judged(ABSENT);
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.why.contains("GenericWorkload"), "{}", absent.why);
}

/// What a judge found: the verdict, and each subject's state, grade and claims.
fn outcomes(judged: &Judgement) -> (Verdict, BTreeSet<String>) {
    let one = |subject: &SubjectJudgement| {
        let claims = subject.claims.iter().map(|claim| format!("{} {}", claim.id, claim.outcome.word()));
        let level = subject.grade.as_ref().map(|grade| grade.level.clone());
        format!("{} {:?} {level:?} {}", subject.id, subject.state, claims.collect::<Vec<_>>().join(", "))
    };
    (judged.verdict, judged.subjects.iter().map(one).collect())
}

/// The trial that an event is about: named by its phase, its pod, or the gang that its object is called after.
fn trial(event: &Event) -> &str {
    match &event.kind {
        EventKind::Phase { data, .. } => data["trial"].as_str().unwrap_or_default(),
        EventKind::Watch { object, .. } => object.label("aiconform.dev/trial"),
        _ => "",
    }
}

/// Whether two events may as well be seen in the other order: those of two subjects, or of two trials.
fn independent(one: &Event, other: &Event) -> bool {
    let (a, b) = (&one.scope.subject, &other.scope.subject);
    if a.is_empty() || b.is_empty() {
        return false;
    }
    a != b || !trial(one).is_empty() && !trial(other).is_empty() && trial(one) != trial(other)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// A verdict depends on the order of what was seen, and on no clock.
    #[test]
    fn a_recorded_run_is_judged_alike_however_fast_it_went(factor in 0_i64..2000, tape in 0_usize..3) {
        let recorded = Recorded::of([MET, UNMET, QUOTA][tape]);
        let mut other = recorded.clone();
        let start = recorded.0[0].time;
        for event in &mut other.0 {
            let passed = event.time.as_millisecond() - start.as_millisecond();
            event.time = jiff::Timestamp::from_millisecond(start.as_millisecond() + passed * factor / 100).unwrap();
        }
        prop_assert_eq!(outcomes(&recorded.judged()), outcomes(&other.judged()));
    }

    /// Nor on the order of what has nothing to do with each other: neighbours change places, here and there, many times.
    #[test]
    fn a_recorded_run_is_judged_alike_however_its_trials_lie(picks in proptest::collection::vec(any::<u32>(), 20), tape in 0_usize..3) {
        let recorded = Recorded::of([MET, UNMET, QUOTA][tape]);
        let mut other = recorded.clone();
        for (pass, pick) in picks.iter().enumerate() {
            for place in 1..other.0.len() {
                let coin = (pick.rotate_right(u32::try_from(place % 32).unwrap()) as usize ^ place ^ pass) & 1 == 0;
                if coin && independent(&other.0[place - 1], &other.0[place]) {
                    other.0.swap(place - 1, place);
                }
            }
        }
        let other = other.numbered();
        prop_assert!(other.0 != recorded.0);
        prop_assert_eq!(outcomes(&recorded.judged()), outcomes(&other.judged()));
    }

    /// What was not seen may have been anything: a gap in a watch (410, relist) while the subject is tried decides nothing.
    #[test]
    fn a_gap_anywhere_leaves_nothing_to_believe(place: prop::sample::Index, unmet: bool) {
        let recorded = Recorded::of(if unmet { UNMET } else { MET });
        let native = |event: &Event, kind: fn(&EventKind) -> bool| event.scope.subject == "kube-native" && kind(&event.kind);
        let begin = recorded.0.iter().position(|event| native(event, |kind| matches!(kind, EventKind::SubjectStarted { .. })));
        let end = recorded.0.iter().position(|event| native(event, |kind| matches!(kind, EventKind::SubjectEnded {})));
        let (begin, end) = (begin.unwrap() + 1, end.unwrap());
        let gap = EventKind::WatchGap { kind: Kind::pod(), why: "410 Gone".into() };
        let judged = recorded.with(begin + place.index(end - begin), "", vec![gap]).judged();
        prop_assert_eq!(judged.verdict, Verdict::Inconclusive);
        prop_assert!(judged.why.contains("interrupted (410 Gone)"), "{}", judged.why);
    }
}
