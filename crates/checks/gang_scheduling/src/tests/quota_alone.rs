//! Runs in which nothing but a quota is short: no scheduler can place a part, so that the queue stands for the control.

use super::hand::*;
use aiconform_model::EventKind;
use aiconform_verdict::{Judgement, Verdict};
use serde_json::json;

/// A healthy run of a subject without the plain scheduler, with a fourth pod of no gang on the quota of three.
fn run(let_in: usize, own: bool) -> Judgement {
    let mut tape = Tape::default();
    subject(&mut tape, &GOOD);
    let last = "near-miss-control-3";
    let end =
        |kind: &EventKind| matches!(kind, EventKind::Phase { phase, .. } if phase == "control_arm_ended");
    let place = tape.events.iter().position(|event| end(&event.kind)).unwrap();
    let rest = tape.events.split_off(place);
    tape.pods("kube-native", "near-miss", "single", last, 1, usize::from(let_in > 3));
    tape.events.extend(rest);
    for (sequence, event) in tape.events.iter_mut().enumerate() {
        event.sequence = sequence as u64;
        match &mut event.kind {
            EventKind::SubjectStarted { facts, .. } if own => {
                facts["capacity"] = json!("quota");
                facts["own_control"] = json!(true);
            }
            EventKind::Phase { phase, data } if phase == "control_arm" => data["of"] = json!(4),
            _ => {}
        }
    }
    tape.judged()
}

#[test]
fn a_quota_that_lets_in_a_part_of_what_is_no_gang_is_control_enough() {
    let judged = run(3, true);
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    assert_eq!(outcome(&judged, "part_is_placed"), "met");
    // What only hardware can show was not tried.
    let grade = judged.subjects[0].grade.clone().unwrap();
    assert_eq!(grade.level, "G1");
    assert!(grade.says.contains("placement_is_whole, ample_contention_is_whole"), "{}", grade.says);
}

#[test]
fn a_quota_that_bounds_nothing_shows_nothing() {
    let judged = run(4, true);
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    assert_eq!(outcome(&judged, "part_is_placed"), "unmet");
}

#[test]
fn without_a_control_nothing_passes() {
    let judged = run(3, false);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("control"), "{}", judged.why);
}
