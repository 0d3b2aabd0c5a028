//! What the evidence shows: pure functions of one ordered watch.

mod beyond;
mod contention;
mod grade;

pub use beyond::*;
pub use contention::*;
pub use grade::grade;

use super::history::{History, Life, Phase, by_quota_alone, history as trial, planned};
use super::trials::{SIZE, STUCK};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

const WHOLE: usize = SIZE as usize;
/// Canaries that must have been bound while a gang waited.
const PASSED_OVER: usize = 2;

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Nothing can be said: because of what hindered the subject, else because of what was not seen.
fn unknown(events: &[&Event], trial: &str, why: impl Into<String>) -> Outcome {
    let mut why = why.into();
    let cause = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Hindrance { who, why, .. } if !event.scope.subject.is_empty() => {
            Some(format!("{who} said: {why}"))
        }
        EventKind::Stopped { why }
            if !event.scope.subject.is_empty() && (why.starts_with(trial) || !why.contains(": waited")) =>
        {
            Some(why.clone())
        }
        _ => None,
    });
    if let Some(cause) = cause {
        why = format!("{why} ({cause})");
    }
    Outcome::Unknown { why }
}

fn gang(phase: &Phase) -> &str {
    phase.data.get("gang").and_then(Value::as_str).unwrap_or_default()
}

/// One outcome from those of several trials: the first that is unmet, else the first that is unknown, else met.
fn together(outcomes: Vec<Outcome>) -> Outcome {
    let unmet = outcomes.iter().find(|outcome| outcome.is_unmet());
    if let Some(worst) = unmet.or_else(|| outcomes.iter().find(|outcome| !outcome.is_met())) {
        return worst.clone();
    }
    match outcomes.len() {
        0 => Outcome::Unknown { why: "nothing of it was to be tried".into() },
        _ => met(outcomes.iter().map(Outcome::text).collect::<Vec<_>>().join("; ")),
    }
}

/// The near misses of a subject, each judged.
fn near_misses(events: &[&Event], subject: &Subject, judge: impl Fn(&[&Event], &str) -> Outcome) -> Outcome {
    together(planned(subject, "near-miss").map(|trial| judge(events, trial)).collect())
}

/// Whether so many pods that came later were bound meanwhile that what did not start is stuck, not slow.
fn is_stuck(history: &History, begin: u64, end: u64) -> bool {
    history.bound_between("canary", begin, end).0 >= STUCK
}

/// Whether pods of a gang were never made, though nothing holds the gang back any more: a policy or a quota for pods keeps
/// out what another object should make, which says nothing of gangs. A gang of which no pod exists may be held whole.
fn lacks_pods(history: &History, gang: &str, (begin, end): (u64, u64), size: usize) -> bool {
    match history.members(gang, begin).filter(|pod| pod.seen.0 < end).count() {
        0 => !history.is_refused(gang, end),
        there => there < size,
    }
}

fn names<'a>(pods: impl Iterator<Item = &'a Life>) -> String {
    pods.map(|pod| pod.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The control arm: as many pods of no gang as there are slots are all bound. It shows that the slots are real, that
/// the scheduler is alive, and that a part of the gang could have been placed.
pub fn slots_are_real(events: &[&Event], subject: &Subject) -> Outcome {
    near_misses(events, subject, control_arm)
}

fn control_arm(events: &[&Event], name: &str) -> Outcome {
    let history = trial(events, name);
    let (Some(begin), Some(end)) = (history.phase("control_arm"), history.phase("control_arm_ended")) else {
        return unknown(events, name, "the control arm did not come to its end");
    };
    let wanted = history.number("control_arm", "count");
    match history.bound_between("single", begin.begin, end.begin) {
        (bound, _) if bound == wanted => met(format!("{bound} pods of no gang were bound on {wanted} slots")),
        (bound, there) => unknown(
            events,
            name,
            format!(
                "of {there} pods of no gang {bound} were bound on {wanted} free slots: the scheduler or the queue does not take pods, or the slots are not real"
            ),
        ),
    }
}

/// A queue lets in a part of what does not fit whole, of pods that are no gang: only then does the trial tell anything.
fn part_is_admitted(events: &[&Event], name: &str) -> Outcome {
    let history = trial(events, name);
    let (Some(begin), Some(end)) = (history.phase("control_arm"), history.phase("control_arm_ended")) else {
        return unknown(events, name, "the control arm did not come to its end");
    };
    let (quota, of) = (history.number("control_arm", "count"), history.number("control_arm", "of"));
    // A Job that is not let in has no pod.
    match history.bound_between("single", begin.begin, end.begin).0 {
        bound if bound == quota && quota < of => {
            met(format!("of {of} pods of no gang the queue let in {bound}, its quota"))
        }
        bound if bound < quota => unknown(
            events,
            name,
            format!(
                "of {of} pods of no gang {bound} were let in on a quota of {quota}: the queue does not take pods"
            ),
        ),
        bound => unmet(
            format!("of {of} pods of no gang {bound} were let in on a quota of {quota}: it bounds nothing"),
            vec![begin.begin, end.begin],
        ),
    }
}

/// The plain scheduler places a part of what does not fit whole: only then does the trial tell anything.
pub fn part_is_placed(events: &[&Event], subject: &Subject) -> Outcome {
    if by_quota_alone(&subject.facts) {
        return near_misses(events, subject, part_is_admitted);
    }
    let history = trial(events, "near-miss");
    let (Some(begin), Some(end)) = (history.phase("gang"), history.phase("gang_window_closed")) else {
        return unknown(events, "near-miss", "the window did not come to its end");
    };
    let name = gang(begin);
    let bound = history.members(name, begin.begin).filter(|pod| pod.bound.is_some_and(|b| b.0 < end.begin));
    match bound.count() {
        0 => unmet(
            "the plain scheduler bound none of 4 ungrouped pods on 3 slots: something holds plain pods back too, so a gang that waits shows nothing",
            vec![begin.begin, end.begin],
        ),
        count if count == WHOLE => unmet(
            "4 pods were bound on 3 slots: the slots do not bound anything",
            vec![begin.begin, end.begin],
        ),
        count => met(format!("the plain scheduler bound {count} of 4 pods on 3 slots")),
    }
}

/// T1 (KAR-0053, positive test): a gang that fits is bound whole, runs and completes.
pub fn fitting_gang_completes(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "fitting");
    let (Some(begin), Some(end)) = (history.phase("gang"), history.phase("gang_ended")) else {
        return unknown(events, "fitting", "the trial did not come to its end");
    };
    let members: Vec<&Life> = history.members(gang(begin), begin.begin).collect();
    let bound = members.iter().filter(|pod| pod.bound.is_some_and(|b| b.0 < end.begin)).count();
    let completed = members.iter().filter(|pod| pod.succeeded.is_some_and(|at| at < end.begin)).count();
    if completed == WHOLE && members.len() == WHOLE {
        return met("all 4 pods of a gang on 4 free slots were bound, ran and completed");
    }
    let seen = format!("of 4 pods of a gang on 4 free slots, {bound} were bound and {completed} completed");
    let (alive, _) = history.bound_between("canary", begin.begin, end.begin);
    let lacking = lacks_pods(&history, gang(begin), (begin.begin, end.begin), WHOLE);
    if alive >= STUCK && bound < WHOLE && !lacking {
        return unmet(
            format!("{seen}, while the scheduler bound {alive} pods that came later"),
            vec![begin.begin, end.begin],
        );
    }
    unknown(events, "fitting", seen)
}

/// T2: no pod is bound before all pods of the gang exist.
pub fn incomplete_gang_waits(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "quorum");
    let (Some(begin), Some(end)) = (history.phase("short"), history.phase("short_closed")) else {
        return unknown(events, "quorum", "the window did not come to its end");
    };
    let name = gang(begin);
    let early: Vec<&Life> = history
        .members(name, begin.begin)
        .filter(|pod| pod.bound.is_some_and(|bound| bound.0 < end.begin))
        .collect();
    if !early.is_empty() {
        let places = early.iter().filter_map(|pod| pod.bound).map(|bound| bound.0).collect();
        return unmet(format!("{} bound while the gang lacked a pod", names(early.into_iter())), places);
    }
    let there = history.members(name, begin.begin).filter(|pod| pod.seen.0 < end.begin).count();
    let (canaries, _) = history.bound_between("canary", begin.begin, end.begin);
    if there != WHOLE - 1 || canaries < PASSED_OVER {
        let why = format!("{there} of 3 pods existed, and {canaries} of 2 canaries were bound meanwhile");
        return unknown(events, "quorum", why);
    }
    let Some(whole) = history.phase("whole_ended") else {
        return unknown(events, "quorum", "the last pod was not created");
    };
    if history.held(name, whole.begin) == WHOLE {
        return met(
            "3 of 4 pods waited on 8 free slots while 2 canaries were bound; with the fourth all were bound",
        );
    }
    let seen =
        format!("with its fourth pod {} of 4 were bound on 8 free slots", history.held(name, whole.begin));
    if is_stuck(&history, end.begin, whole.begin) {
        return unmet(format!("{seen}, while canaries that came later were"), vec![end.begin, whole.begin]);
    }
    unknown(events, "quorum", seen)
}

/// T3 (KAR-0053, negative test): no pod of a gang that misses slots is bound, although the scheduler decided.
pub fn oversized_gang_waits(events: &[&Event], subject: &Subject) -> Outcome {
    near_misses(events, subject, waits_whole)
}

/// Whether a gang that misses slots waits whole until its window closes.
fn waits_whole(events: &[&Event], name: &str) -> Outcome {
    let history = trial(events, name);
    if !control_arm(events, name).is_met() {
        return unknown(events, name, "the control arm does not hold");
    }
    let (Some(begin), Some(end)) = (history.phase("gang"), history.phase("gang_window_closed")) else {
        return unknown(events, name, "the window did not come to its end");
    };
    let (size, slots) = (history.number("gang", "size"), history.number("gang", "slots"));
    let room = begin.data.get("room").and_then(Value::as_str).unwrap_or("slots");
    let gang = gang(begin);
    let bound: Vec<&Life> = history
        .members(gang, begin.begin)
        .filter(|pod| pod.bound.is_some_and(|bound| bound.0 < end.begin))
        .collect();
    if !bound.is_empty() {
        let places = bound.iter().filter_map(|pod| pod.bound).map(|bound| bound.0).collect();
        let witness = format!(
            "{} of {size} pods of a gang were bound on {slots} {room}: {}",
            bound.len(),
            names(bound.into_iter())
        );
        return unmet(witness, places);
    }
    let Some(words) = history.refusal(gang, begin.begin, end.begin) else {
        let why = "no pod was bound, but nothing shows that the scheduler looked at the gang and said no";
        return unknown(events, name, why);
    };
    let (canaries, _) = history.bound_between("canary", begin.begin, end.begin);
    if canaries < PASSED_OVER {
        let why = format!(
            "only {canaries} of 2 canaries were bound while the gang waited: it is not known whether the scheduler was alive"
        );
        return unknown(events, name, why);
    }
    met(format!(
        "none of {size} pods was bound on {slots} {room} while {canaries} canaries were; the scheduler said: {words}"
    ))
}

/// Release: the same gang starts when its slots come, so that it was held because it is a gang and not because it is
/// broken.
pub fn waiting_gang_starts(events: &[&Event], subject: &Subject) -> Outcome {
    near_misses(events, subject, starts_after_all)
}

fn starts_after_all(events: &[&Event], name: &str) -> Outcome {
    let history = trial(events, name);
    let (Some(created), Some(begin), Some(end)) =
        (history.phase("gang"), history.phase("release"), history.phase("release_ended"))
    else {
        return unknown(events, name, "the release did not come to its end");
    };
    let (gang, size) = (gang(begin), history.number("gang", "size"));
    if history.held(gang, begin.begin) > 0 {
        return unknown(events, name, "the gang had not waited");
    }
    let held = history.held(gang, end.begin);
    // Pods that a queue makes only on admission come with the release; others are the same by UID.
    let members = history.members(gang, created.begin).filter(|pod| pod.seen.0 < end.begin).count();
    if held == size && members == size {
        return met(format!("all {size} pods of the waiting gang were bound when the missing slots came"));
    }
    let seen = format!("when the missing slots came {held} of {members} pods of the waiting gang were bound");
    let lacking = lacks_pods(&history, gang, (created.begin, end.begin), size);
    if is_stuck(&history, begin.begin, end.begin) && !lacking {
        return unmet(format!("{seen}, while canaries that came later were"), vec![begin.begin, end.begin]);
    }
    unknown(events, name, seen)
}

/// T12 (KAR-0053, clean-up): a deleted gang holds nothing, and its name can be used again.
pub fn nothing_is_left(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "cleanup");
    let attempts: Vec<&Phase> = history.phases.iter().filter(|phase| phase.name == "again").collect();
    let ends: Vec<&Phase> = history.phases.iter().filter(|phase| phase.name == "again_ended").collect();
    for (begin, end) in attempts.iter().zip(&ends) {
        let held = history.members(gang(begin), begin.begin).filter(|pod| pod.holds(end.begin)).count();
        if held == WHOLE {
            continue;
        }
        let seen = format!(
            "a gang created again under a deleted gang's name on 4 free slots: {held} of 4 pods bound"
        );
        let lacking = lacks_pods(&history, gang(begin), (begin.begin, end.begin), WHOLE);
        if is_stuck(&history, begin.begin, end.begin) && !lacking {
            return unmet(
                format!("{seen}, while canaries that came later were"),
                vec![begin.begin, end.begin],
            );
        }
        return unknown(events, "cleanup", seen);
    }
    let (Some(begin), Some(end)) = (history.phase("leak_check"), history.phase("leak_check_ended")) else {
        return unknown(events, "cleanup", "the trial did not come to its end");
    };
    let (bound, _) = history.bound_between("single", begin.begin, end.begin);
    if bound == WHOLE && ends.len() == 3 {
        return met(
            "a gang deleted while it waited and one deleted while bound left nothing: the same name started 3 times, then 4 pods of no gang took all 4 slots",
        );
    }
    let seen = format!("after its deletion {bound} of 4 pods of no gang were bound on the gang's 4 slots");
    if is_stuck(&history, begin.begin, end.begin) {
        return unmet(format!("{seen}, while canaries that came later were"), vec![begin.begin, end.begin]);
    }
    unknown(events, "cleanup", seen)
}
