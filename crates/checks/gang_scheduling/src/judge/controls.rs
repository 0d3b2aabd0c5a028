//! Controls: that the slots are real, the scheduler is alive, and a part could have been placed.

use super::history::History;
use super::{WHOLE, gang, is_gang, near_misses};
use crate::marks::Step;
use aiconform_trial::{met, unmet};
use aiconform_verdict::Outcome;

/// Control: as many pods of no gang as there are slots are all bound. It shows that the slots are real, that the scheduler
/// is alive, and that a part of the gang could have been placed.
pub fn slots_are_real(history: &History) -> Outcome {
    near_misses(history, control_arm)
}

/// The control arm of one trial.
pub(super) fn control_arm(history: &History, name: &str) -> Outcome {
    let trial = history.trial(name);
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::ControlArm { .. })), trial.end(&Step::ControlArmEnded {}))
    else {
        return history.unknown(name, "the control arm did not come to its end");
    };
    let wanted = arm(&begin.mark.step).0;
    match trial.bound_between("single", begin.at, end.at) {
        (bound, _) if bound == wanted => met(format!("{bound} pods of no gang were bound on {wanted} slots")),
        (bound, there) => history.unknown(
            name,
            format!(
                "of {there} pods of no gang {bound} were bound on {wanted} free slots: the scheduler or the queue does not take pods, or the slots are not real"
            ),
        ),
    }
}

/// Pods of a control arm that find a slot, and those that are made where they are more.
fn arm(step: &Step) -> (usize, usize) {
    match step {
        Step::ControlArm { count, of } => (super::count(*count), super::count(of.unwrap_or_default())),
        _ => (0, 0),
    }
}

/// The control of a quota: it lets in a part of what does not fit whole, of pods that are no gang. Only then does the trial
/// tell anything.
fn part_is_admitted(history: &History, name: &str) -> Outcome {
    let trial = history.trial(name);
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::ControlArm { .. })), trial.end(&Step::ControlArmEnded {}))
    else {
        return history.unknown(name, "the control arm did not come to its end");
    };
    let (quota, of) = arm(&begin.mark.step);
    // A Job that is not let in has no pod.
    match trial.bound_between("single", begin.at, end.at).0 {
        bound if bound == quota && quota < of => {
            met(format!("of {of} pods of no gang the queue let in {bound}, its quota"))
        }
        bound if bound < quota => history.unknown(
            name,
            format!(
                "of {of} pods of no gang {bound} were let in on a quota of {quota}: the queue does not take pods"
            ),
        ),
        bound => unmet(
            format!("of {of} pods of no gang {bound} were let in on a quota of {quota}: it bounds nothing"),
            [begin.at, end.at],
        ),
    }
}

/// Control: the plain scheduler places a part of what does not fit whole. Only then does the trial tell anything.
pub fn part_is_placed(history: &History) -> Outcome {
    if history.facts.by_quota_alone() {
        return near_misses(history, part_is_admitted);
    }
    let trial = history.trial("near-miss");
    let (Some(begin), Some(end)) = (trial.phase(is_gang), trial.end(&Step::GangWindowClosed {})) else {
        return history.unknown("near-miss", "the window did not come to its end");
    };
    match trial.members(gang(begin), begin.at).filter(|pod| pod.is_bound_before(end.at)).count() {
        0 => unmet(
            "the plain scheduler bound none of 4 ungrouped pods on 3 slots: something holds plain pods back too, so a gang that waits shows nothing",
            [begin.at, end.at],
        ),
        WHOLE => unmet("4 pods were bound on 3 slots: the slots do not bound anything", [begin.at, end.at]),
        bound => met(format!("the plain scheduler bound {bound} of 4 pods on 3 slots")),
    }
}
