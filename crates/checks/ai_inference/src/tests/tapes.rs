//! Recorded runs.

use crate::judge::RULES;
use crate::marks::{Facts, Mark};
use aiconform_model::EventKind;
use aiconform_trial::{marks, testing};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn tapes_are_judged_as_written() {
    testing::tapes_are_judged_as_written(&RULES, FOLDER);
}

#[test]
fn marks_and_facts_of_every_tape_are_read_and_written_again_as_they_stand() {
    for tape in ["met", "unmet", "absent"] {
        for event in testing::recorded(FOLDER, tape) {
            match event.kind {
                EventKind::Phase { phase, data } => {
                    let mark: Mark = marks::read(&phase, &data).unwrap();
                    assert_eq!(marks::event(&mark), EventKind::Phase { phase, data });
                }
                EventKind::SubjectStarted { facts, .. } => {
                    let read: Facts = serde_json::from_value(facts.clone()).unwrap();
                    assert_eq!(serde_json::to_value(read).unwrap(), facts);
                }
                _ => {}
            }
        }
    }
}
