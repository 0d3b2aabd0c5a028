//! Laws that hold for every check, shown on every tape.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use aiconform_checks::{CHECKS, Check};
use aiconform_model::{Event, EventKind, Kind, Scope};
use aiconform_trial::story::LIMITS;
use aiconform_trial::testing::{judged, recorded, undoing_names_nobody};
use aiconform_verdict::{Judgement, State, Verdict};
use jiff::ToSpan;
use serde_json::json;
use std::collections::BTreeSet;

/// Places at which a tape is cut, at most; a tape of thousands of events says at some what it says at all.
const CUTS: usize = 16;

fn folder(check: &Check) -> String {
    format!("{}/{}", env!("CARGO_MANIFEST_DIR"), check.id)
}

/// Every tape of every check: its name for people, the check, its events.
fn tapes() -> Vec<(String, &'static Check, Vec<Event>)> {
    let of = |check: &'static Check| {
        let files = std::fs::read_dir(format!("{}/tapes", folder(check))).unwrap();
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
            .into_iter()
            .map(move |name| (format!("{}/{name}", check.id), check, recorded(&folder(check), &name)))
    };
    let all: Vec<_> = CHECKS.iter().copied().flat_map(of).collect();
    assert!(all.len() > 40, "{} tapes", all.len());
    all
}

fn numbered(mut events: Vec<Event>) -> Vec<Event> {
    for (place, event) in events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
    events
}

/// Where a tape is cut: at every phase, and evenly between, as far as [`CUTS`] go.
fn cuts(events: &[Event]) -> Vec<usize> {
    let marks: Vec<usize> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| matches!(event.kind, EventKind::Phase { .. } | EventKind::SubjectEnded {}))
        .flat_map(|(place, _)| [place, place + 1])
        .collect();
    let evenly = (0..CUTS).map(|part| events.len() * part / CUTS);
    let marks = marks.iter().step_by(marks.len() / CUTS + 1).copied();
    marks.chain(evenly).collect::<BTreeSet<usize>>().into_iter().filter(|cut| *cut > 0).collect()
}

/// What was found of each claim on each subject, in words, and what each subject came to.
fn words(judgement: &Judgement) -> BTreeSet<String> {
    let of = |subject: &aiconform_verdict::SubjectJudgement| {
        let claims = subject
            .claims
            .iter()
            .map(|claim| format!("{} {}: {}", subject.id, claim.id, claim.outcome.word()));
        claims.chain([format!("{}: {}", subject.id, subject.state.word())]).collect::<Vec<_>>()
    };
    judgement.subjects.iter().flat_map(of).chain([judgement.word().to_owned()]).collect()
}

#[test]
fn a_run_that_ends_anywhere_fails_nobody_and_passes_nobody_before_its_end() {
    for (name, check, events) in tapes() {
        let whole = judged(check.rules, events.clone()).verdict;
        for cut in cuts(&events) {
            let left = events[..cut].to_vec();
            let ended = |id: &str| {
                left.iter().any(|event| {
                    event.scope.subject == id && matches!(event.kind, EventKind::SubjectEnded {})
                })
            };
            let judgement = judged(check.rules, left.clone());
            if cut < events.len() {
                assert!(
                    judgement.verdict != Verdict::Failed || whole == Verdict::Failed,
                    "{name}, cut at {cut}: {}",
                    judgement.why
                );
            }
            for subject in judgement.subjects.iter().filter(|subject| subject.state == State::Passed) {
                assert!(ended(&subject.id), "{name}, cut at {cut}: {} passed before its end", subject.id);
            }
        }
    }
}

/// Checks that ask over HTTP for everything they stand on: a gap in a watch is a doubt there, and its silence is none.
const ASKING: [&str; 4] =
    ["accelerator_metrics", "ai_inference", "ai_service_metrics", "driver_runtime_management"];

#[test]
fn without_its_watches_nothing_passes() {
    let mut tried = BTreeSet::new();
    for (name, check, events) in tapes() {
        if ASKING.contains(&check.id) || judged(check.rules, events.clone()).verdict != Verdict::Passed {
            continue;
        }
        let left: Vec<Event> =
            events.into_iter().filter(|event| !matches!(event.kind, EventKind::Watch { .. })).collect();
        let judgement = judged(check.rules, numbered(left));
        assert_ne!(judgement.verdict, Verdict::Passed, "{name}: {}", judgement.why);
        tried.insert(check.id);
    }
    assert_eq!(tried.len(), CHECKS.len() - ASKING.len(), "{tried:?}");
}

#[test]
fn a_platform_that_is_slower_or_faster_by_the_measure_of_its_limits_is_judged_alike() {
    for (name, check, events) in tapes() {
        let before = words(&judged(check.rules, events.clone()));
        for (numerator, denominator) in [(1_i64, 2_i64), (3, 1)] {
            let first = events[0].time;
            let mut scaled = events.clone();
            for event in &mut scaled {
                let since = event.time.as_millisecond() - first.as_millisecond();
                event.time = first.checked_add((since * numerator / denominator).milliseconds()).unwrap();
                if let EventKind::Scrape { milliseconds, .. } | EventKind::Exchange { milliseconds, .. } =
                    &mut event.kind
                {
                    *milliseconds = *milliseconds * numerator.unsigned_abs() / denominator.unsigned_abs();
                }
            }
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let factor = numerator as f64 / denominator as f64;
            let limits: serde_json::Map<String, serde_json::Value> =
                check.limits.iter().map(|limit| (limit.key.into(), json!(limit.seconds * factor))).collect();
            let fact = EventKind::Fact { name: LIMITS.into(), value: limits.into() };
            scaled.retain(|event| !matches!(&event.kind, EventKind::Fact { name, .. } if name == LIMITS));
            scaled.insert(0, Event { sequence: 0, time: first, scope: Scope::default(), kind: fact });
            assert_eq!(
                words(&judged(check.rules, numbered(scaled))),
                before,
                "{name}, {factor} times as long"
            );
        }
    }
}

#[test]
fn the_order_in_which_subjects_come_decides_nothing() {
    for (name, check, events) in tapes() {
        let before = words(&judged(check.rules, events.clone()));
        let mut moved = events;
        // What two subjects did beside each other has no order of its own.
        for round in 0..40 {
            for place in (round % 2..moved.len().saturating_sub(1)).step_by(2) {
                let (one, other) = (&moved[place].scope, &moved[place + 1].scope);
                if !one.subject.is_empty() && !other.subject.is_empty() && one.subject > other.subject {
                    let (earlier, later) = (moved[place].time, moved[place + 1].time);
                    moved.swap(place, place + 1);
                    (moved[place].time, moved[place + 1].time) = (earlier, later);
                }
            }
        }
        assert_eq!(words(&judged(check.rules, numbered(moved))), before, "{name}");
    }
}

#[test]
fn undoing_after_a_stop_names_nobody() {
    for (name, check, events) in tapes() {
        let law = std::panic::AssertUnwindSafe(|| undoing_names_nobody(check.rules, &events));
        assert!(std::panic::catch_unwind(law).is_ok(), "{name}");
    }
}

#[test]
fn a_gap_in_a_watch_on_pods_leaves_no_verdict_of_the_subject() {
    for (name, check, events) in tapes() {
        let whole = judged(check.rules, events.clone());
        for subject in
            whole.subjects.iter().filter(|subject| [State::Passed, State::Failed].contains(&subject.state))
        {
            let own = |kind: &Kind| {
                events.iter().any(|event| {
                    event.scope.subject == subject.id
                        && matches!(&event.kind, EventKind::Watch { kind: seen, .. } if seen == kind)
                })
            };
            if !own(&Kind::pod()) {
                continue;
            }
            let at = |wanted: fn(&EventKind) -> bool| {
                events
                    .iter()
                    .position(|event| event.scope.subject == subject.id && wanted(&event.kind))
                    .unwrap()
            };
            let begin = at(|kind| matches!(kind, EventKind::SubjectStarted { .. }));
            let acts = |event: &Event| {
                event.scope.subject == subject.id && matches!(event.kind, EventKind::Phase { .. })
            };
            let marks: Vec<usize> =
                events.iter().enumerate().filter(|(_, event)| acts(event)).map(|(place, _)| place).collect();
            for place in [begin + 1, marks[marks.len() / 3], marks[marks.len() / 2]] {
                let mut gapped = events.clone();
                let gap = EventKind::WatchGap { kind: Kind::pod(), why: "410 Gone".into() };
                let (time, scope) = (events[place].time, Scope::new(check.id, &subject.id));
                gapped.insert(place + 1, Event { sequence: 0, time, scope, kind: gap });
                let judgement = judged(check.rules, numbered(gapped));
                let state = judgement.subjects.iter().find(|other| other.id == subject.id).unwrap().state;
                assert!(
                    ![State::Passed, State::Failed].contains(&state),
                    "{name}: {} with a gap at {place}",
                    subject.id
                );
            }
        }
    }
}

#[test]
fn marks_of_a_version_that_is_not_known_leave_no_verdict_of_the_subject() {
    for (name, check, events) in tapes() {
        let whole = judged(check.rules, events.clone());
        for subject in
            whole.subjects.iter().filter(|subject| [State::Passed, State::Failed].contains(&subject.state))
        {
            let marks = events.iter().enumerate().filter(|(_, event)| {
                event.scope.subject == subject.id && matches!(event.kind, EventKind::Phase { .. })
            });
            let places: Vec<usize> = marks.map(|(place, _)| place).collect();
            for place in places.iter().step_by(places.len() / 8 + 1) {
                let mut foreign = events.clone();
                let EventKind::Phase { data, .. } = &mut foreign[*place].kind else { unreachable!() };
                data["of_a_later_version"] = json!(true);
                let judgement = judged(check.rules, foreign);
                let found = judgement.subjects.iter().find(|other| other.id == subject.id).unwrap();
                assert!(
                    ![State::Passed, State::Failed].contains(&found.state),
                    "{name}: {} is {} by a mark that nobody knows (event {place})",
                    subject.id,
                    found.state.word()
                );
            }
        }
    }
}
