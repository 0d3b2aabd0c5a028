//! For tests of checks: tapes from files, tapes made by hand, and what becomes of them.

use crate::marks::{self, Marks};
use aiconform_evidence::{Evidence, digest};
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judged, Judgement, judge};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// A tape of a check, whose events are numbered anew: `folder` is the check's own (`env!("CARGO_MANIFEST_DIR")`).
///
/// # Panics
/// When there is no such tape, or it holds something else than events.
pub fn recorded(folder: &str, name: &str) -> Vec<Event> {
    let path = Path::new(folder).join("tapes").join(format!("{name}.ndjson"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let events = text.lines().map(|line| serde_json::from_str::<Event>(line).expect("a tape holds events"));
    events.enumerate().map(|(place, event)| Event { sequence: place as u64, ..event }).collect()
}

/// The judgement of a check on these events.
pub fn judged(rules: &dyn Judged, events: Vec<Event>) -> Judgement {
    judge(rules, &Evidence { events })
}

/// The judgements of a check on all of its tapes, by name of the tape.
///
/// # Panics
/// As [`recorded`] does.
pub fn tapes(rules: &dyn Judged, folder: &str) -> Value {
    let files = std::fs::read_dir(Path::new(folder).join("tapes")).expect("a check has tapes");
    let mut names: Vec<String> = files
        .map(|file| {
            file.expect("a file").path().file_stem().unwrap_or_default().to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    let judgements = names.into_iter().map(|name| {
        let judgement = summary(&judged(rules, recorded(folder, &name)));
        (name, judgement)
    });
    judgements.collect::<Map<String, Value>>().into()
}

/// Fails where a tape of a check is judged otherwise than `tests/judged/tapes.json` says. A change on purpose is written
/// there by `cargo run -p xtask -- codegen`, and explained in `tests/judged/CHANGES.md`.
///
/// # Panics
/// With the first tape that is judged otherwise.
pub fn tapes_are_judged_as_written(rules: &dyn Judged, folder: &str) {
    let path = Path::new(folder).join("../../../tests/judged/tapes.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let written: Value = serde_json::from_str(&text).expect("the file is generated");
    let written = &written[rules.check()];
    let now = tapes(rules, folder);
    for (name, judgement) in now.as_object().into_iter().flatten() {
        let was = &written[name];
        for (subject, before) in judgement["subjects"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(was["subjects"].as_array().into_iter().flatten())
        {
            assert_eq!(subject, before, "{name}");
        }
        assert_eq!(judgement, was, "{name}");
    }
    assert_eq!(now.as_object().map(Map::len), written.as_object().map(Map::len));
}

/// A judgement with its words; of pictures, measures and grades, which are long, the digest.
pub fn summary(judgement: &Judgement) -> Value {
    let subjects: Vec<Value> = judgement
        .subjects
        .iter()
        .map(|subject| {
            let claims: Vec<Value> = subject
                .claims
                .iter()
                .map(|claim| json!([claim.id, claim.outcome.word(), claim.outcome.text()]))
                .collect();
            let rest = json!([subject.pictures, subject.measures, subject.grade]).to_string();
            json!({"id": subject.id, "state": subject.state, "why": subject.why, "claims": claims,
                "simulated": subject.simulated, "pictures_measures_and_grade": digest(rest.as_bytes())})
        })
        .collect();
    json!({"verdict": judgement.word(), "why": judgement.why, "deciding": judgement.deciding,
        "subjects": subjects})
}

/// Fails where our own undoing says something of anybody: a tape is cut at many places and stopped, for its check and for
/// the whole run, and then everything that was watched is deleted. No claim may say otherwise than without that.
///
/// # Panics
/// With the first place at which a claim says otherwise.
pub fn undoing_names_nobody(rules: &dyn Judged, tape: &[Event]) {
    let words = |events: Vec<Event>| -> Vec<(String, &'static str, String)> {
        let judged = judged(rules, events);
        let claims = judged.subjects.into_iter().flat_map(|subject| subject.claims);
        claims
            .map(|claim| (claim.id.to_owned(), claim.outcome.word(), claim.outcome.text().to_owned()))
            .collect()
    };
    let step = (tape.len() / 10).max(1);
    for end in (1..tape.len()).step_by(step) {
        for scope in [Scope::new(rules.check(), ""), Scope::default()] {
            let mut stopped = tape[..end].to_vec();
            let time = stopped[end - 1].time;
            let push = |events: &mut Vec<Event>, scope: &Scope, kind: EventKind| {
                let sequence = events.last().map_or(0, |event| event.sequence + 1);
                events.push(Event { sequence, time, scope: scope.clone(), kind });
            };
            push(&mut stopped, &scope, EventKind::Stopped { why: "interrupted by the user".into() });
            let mut undone = stopped.clone();
            let mut deleted = BTreeSet::new();
            // Each object as it was seen last.
            for event in tape[..end].iter().rev() {
                let EventKind::Watch { kind, object, .. } = &event.kind else { continue };
                if !deleted.insert((&kind.plural, object.uid())) {
                    continue;
                }
                let mut leaving = object.clone();
                leaving.0["metadata"]["deletionTimestamp"] = json!("2027-01-01T00:00:00Z");
                for change in [Change::Modified, Change::Deleted] {
                    let (kind, object) = (kind.clone(), leaving.clone());
                    push(&mut undone, &event.scope, EventKind::Watch { kind, change, object });
                }
            }
            assert_eq!(words(undone), words(stopped), "stopped after event {}", end - 1);
        }
    }
}

/// A tape that is made by hand: events of one scope at a time, on a clock of its own.
#[derive(Clone, Debug)]
pub struct Tape {
    /// Its events.
    pub events: Vec<Event>,
    /// To what the next event belongs.
    pub scope: Scope,
    now: Timestamp,
}

impl Tape {
    /// An empty tape of a subject.
    pub fn new(check: &str, subject: &str) -> Tape {
        Tape { events: Vec::new(), scope: Scope::new(check, subject), now: Timestamp::UNIX_EPOCH }
    }

    /// Lets time go by, in milliseconds.
    pub fn pass(&mut self, milliseconds: i64) -> &mut Tape {
        self.now = self.now.checked_add(milliseconds.milliseconds()).expect("a time that a tape may have");
        self
    }

    /// An event of the tape's scope, a millisecond after the one before.
    pub fn push(&mut self, kind: EventKind) -> &mut Tape {
        self.pass(1);
        let sequence = self.events.len() as u64;
        self.events.push(Event { sequence, time: self.now, scope: self.scope.clone(), kind });
        self
    }

    /// The start of the subject.
    pub fn started(&mut self, facts: Value) -> &mut Tape {
        self.push(EventKind::SubjectStarted { facts, control: false, declared: false })
    }

    /// A mark.
    pub fn mark<M: Marks>(&mut self, mark: &M) -> &mut Tape {
        self.push(marks::event(mark))
    }

    /// A change of a watched object.
    pub fn watch(&mut self, kind: Kind, change: Change, object: Value) -> &mut Tape {
        self.push(EventKind::Watch { kind, change, object: Object(object) })
    }

    /// A request with its answer.
    pub fn exchange(
        &mut self,
        method: &str,
        path: &str,
        status: u16,
        request: Value,
        response: Value,
    ) -> &mut Tape {
        let some = |value: Value| (!value.is_null()).then_some(value);
        self.push(EventKind::Exchange {
            method: method.into(),
            path: path.into(),
            status,
            request: some(request),
            response: some(response),
            milliseconds: 1,
        })
    }

    /// An early end: of the whole run where the tape's subject is empty.
    pub fn stopped(&mut self, why: &str) -> &mut Tape {
        self.push(EventKind::Stopped { why: why.into() })
    }

    /// The end of the subject.
    pub fn ended(&mut self) -> &mut Tape {
        self.push(EventKind::SubjectEnded {})
    }
}
