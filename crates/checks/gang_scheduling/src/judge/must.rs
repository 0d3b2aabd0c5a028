//! Claims that the requirement asks for: a gang that fits runs, one that does not fit waits whole, a deleted one leaves
//! nothing.

use super::controls::control_arm;
use super::history::{History, Life, Phase};
use super::{PASSED_OVER, WHOLE, bound_at, count, gang, is_gang, is_stuck, lacks_pods, names, near_misses};
use crate::marks::{Release, STUCK, Step};
use aiconform_trial::{met, unmet};
use aiconform_verdict::Outcome;

/// T1 (KAR-0053, positive test): a gang that fits is bound whole, runs and completes.
pub fn fitting_gang_completes(history: &History) -> Outcome {
    let trial = history.trial("fitting");
    let (Some(begin), Some(end)) = (trial.phase(is_gang), trial.end(&Step::GangEnded {})) else {
        return history.unknown("fitting", "the trial did not come to its end");
    };
    let members: Vec<&Life> = trial.members(gang(begin), begin.at).collect();
    let bound = members.iter().filter(|pod| pod.is_bound_before(end.at)).count();
    let completed = members.iter().filter(|pod| pod.succeeded.is_some_and(|at| at < end.at)).count();
    if completed == WHOLE && members.len() == WHOLE {
        return met("all 4 pods of a gang on 4 free slots were bound, ran and completed");
    }
    let seen = format!("of 4 pods of a gang on 4 free slots, {bound} were bound and {completed} completed");
    let (alive, _) = trial.bound_between("canary", begin.at, end.at);
    let lacking = lacks_pods(trial, gang(begin), (begin.at, end.at), WHOLE);
    if alive >= STUCK && bound < WHOLE && !lacking {
        return unmet(
            format!("{seen}, while the scheduler bound {alive} pods that came later"),
            [begin.at, end.at],
        );
    }
    history.unknown("fitting", seen)
}

/// T2: no pod is bound before all pods of the gang exist.
pub fn incomplete_gang_waits(history: &History) -> Outcome {
    let trial = history.trial("quorum");
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::Short { .. })), trial.end(&Step::ShortClosed {}))
    else {
        return history.unknown("quorum", "the window did not come to its end");
    };
    let name = gang(begin);
    let early: Vec<&Life> = trial.members(name, begin.at).filter(|pod| pod.is_bound_before(end.at)).collect();
    if !early.is_empty() {
        let places: Vec<_> = bound_at(&early).collect();
        return unmet(format!("{} bound while the gang lacked a pod", names(early.into_iter())), places);
    }
    let there = trial.members(name, begin.at).filter(|pod| pod.seen.at < end.at).count();
    let (canaries, _) = trial.bound_between("canary", begin.at, end.at);
    if there != WHOLE - 1 || canaries < PASSED_OVER {
        let why = format!("{there} of 3 pods existed, and {canaries} of 2 canaries were bound meanwhile");
        return history.unknown("quorum", why);
    }
    let Some(whole) = trial.end(&Step::WholeEnded {}) else {
        return history.unknown("quorum", "the last pod was not created");
    };
    let held = trial.held(name, whole.at);
    if held == WHOLE {
        return met(
            "3 of 4 pods waited on 8 free slots while 2 canaries were bound; with the fourth all were bound",
        );
    }
    let seen = format!("with its fourth pod {held} of 4 were bound on 8 free slots");
    if is_stuck(trial, end.at, whole.at) {
        return unmet(format!("{seen}, while canaries that came later were"), [end.at, whole.at]);
    }
    history.unknown("quorum", seen)
}

/// T3 (KAR-0053, negative test): no pod of a gang that misses slots is bound, although the scheduler decided.
pub fn oversized_gang_waits(history: &History) -> Outcome {
    near_misses(history, waits_whole)
}

/// Members of a gang that is made, its free slots, and what these are.
fn made(phase: &Phase) -> (usize, usize, &str) {
    match &phase.mark.step {
        Step::Gang { size, slots, room, .. } => {
            (count(*size), count(*slots), room.as_deref().unwrap_or("slots"))
        }
        _ => (0, 0, "slots"),
    }
}

/// Outcome for one trial: a gang that misses slots waits whole until its window closes.
pub(super) fn waits_whole(history: &History, name: &str) -> Outcome {
    let trial = history.trial(name);
    if !control_arm(history, name).is_met() {
        return history.unknown(name, "the control arm does not hold");
    }
    let (Some(begin), Some(end)) = (trial.phase(is_gang), trial.end(&Step::GangWindowClosed {})) else {
        return history.unknown(name, "the window did not come to its end");
    };
    let ((size, slots, room), gang) = (made(begin), gang(begin));
    let bound: Vec<&Life> = trial.members(gang, begin.at).filter(|pod| pod.is_bound_before(end.at)).collect();
    if !bound.is_empty() {
        let places: Vec<_> = bound_at(&bound).collect();
        let witness = format!(
            "{} of {size} pods of a gang were bound on {slots} {room}: {}",
            bound.len(),
            names(bound.into_iter())
        );
        return unmet(witness, places);
    }
    let Some(words) = trial.refusal(gang, begin.at, end.at) else {
        let why = "no pod was bound, but nothing shows that the scheduler looked at the gang and said no";
        return history.unknown(name, why);
    };
    let (canaries, _) = trial.bound_between("canary", begin.at, end.at);
    if canaries < PASSED_OVER {
        let why = format!(
            "only {canaries} of 2 canaries were bound while the gang waited: it is not known whether the scheduler was alive"
        );
        return history.unknown(name, why);
    }
    met(format!(
        "none of {size} pods was bound on {slots} {room} while {canaries} canaries were; the scheduler said: {words}"
    ))
}

/// Release: the same gang starts when its slots come, so that it was held because it is a gang and not because it is
/// broken.
pub fn waiting_gang_starts(history: &History) -> Outcome {
    near_misses(history, starts_after_all)
}

/// Outcome for one trial: a gang that waited starts whole when its slots come.
pub(super) fn starts_after_all(history: &History, name: &str) -> Outcome {
    let trial = history.trial(name);
    let (Some(created), Some(begin), Some(end)) = (
        trial.phase(is_gang),
        trial.phase(|step| matches!(step, Step::Release(Release::Slots { .. }))),
        trial.end(&Step::ReleaseEnded {}),
    ) else {
        return history.unknown(name, "the release did not come to its end");
    };
    let (gang, size) = (gang(begin), made(created).0);
    if trial.held(gang, begin.at) > 0 {
        return history.unknown(name, "the gang had not waited");
    }
    let held = trial.held(gang, end.at);
    // Pods that a queue makes only on admission come with the release; others are the same by UID.
    let members = trial.members(gang, created.at).filter(|pod| pod.seen.at < end.at).count();
    if held == size && members == size {
        return met(format!("all {size} pods of the waiting gang were bound when the missing slots came"));
    }
    let seen = format!("when the missing slots came {held} of {members} pods of the waiting gang were bound");
    let lacking = lacks_pods(trial, gang, (created.at, end.at), size);
    if is_stuck(trial, begin.at, end.at) && !lacking {
        return unmet(format!("{seen}, while canaries that came later were"), [begin.at, end.at]);
    }
    history.unknown(name, seen)
}

/// T12 (KAR-0053, clean-up): a deleted gang holds nothing, and its name can be used again.
pub fn nothing_is_left(history: &History) -> Outcome {
    let trial = history.trial("cleanup");
    let all = |is_one: fn(&Step) -> bool| -> Vec<&Phase> {
        trial.phases.iter().filter(|phase| is_one(&phase.mark.step)).collect()
    };
    let attempts = all(|step| matches!(step, Step::Again { .. }));
    let ends = all(|step| matches!(step, Step::AgainEnded { .. }));
    for (begin, end) in attempts.iter().zip(&ends) {
        let held = trial.members(gang(begin), begin.at).filter(|pod| pod.holds(end.at)).count();
        if held == WHOLE {
            continue;
        }
        let seen = format!(
            "a gang created again under a deleted gang's name on 4 free slots: {held} of 4 pods bound"
        );
        let lacking = lacks_pods(trial, gang(begin), (begin.at, end.at), WHOLE);
        if is_stuck(trial, begin.at, end.at) && !lacking {
            return unmet(format!("{seen}, while canaries that came later were"), [begin.at, end.at]);
        }
        return history.unknown("cleanup", seen);
    }
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::LeakCheck { .. })), trial.end(&Step::LeakCheckEnded {}))
    else {
        return history.unknown("cleanup", "the trial did not come to its end");
    };
    let (bound, _) = trial.bound_between("single", begin.at, end.at);
    if bound == WHOLE && ends.len() == 3 {
        return met(
            "a gang deleted while it waited and one deleted while bound left nothing: the same name started 3 times, then 4 pods of no gang took all 4 slots",
        );
    }
    let seen = format!("after its deletion {bound} of 4 pods of no gang were bound on the gang's 4 slots");
    if is_stuck(trial, begin.at, end.at) {
        return unmet(format!("{seen}, while canaries that came later were"), [begin.at, end.at]);
    }
    history.unknown("cleanup", seen)
}
