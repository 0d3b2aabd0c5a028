//! The judge on histories made by hand, and on tapes.

use crate::RULES;
use crate::marks::{ID, Mark};
use aiconform_trial::testing::{Tape, judged};
use aiconform_verdict::State;
use serde_json::json;

#[test]
fn what_does_not_answer_fails() {
    for (answered, state) in [(true, State::Passed), (false, State::Failed)] {
        let mut tape = Tape::new(ID, "thing");
        tape.started(json!({})).mark(&Mark::Ask {}).mark(&Mark::Asked { answered }).ended();
        assert_eq!(judged(&RULES, tape.events).subjects[0].state, state);
    }
}
