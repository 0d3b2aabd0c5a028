//! What the evidence shows: pure functions of one ordered watch.

use super::history::{History, Life, Phase, histories};
use super::statistics::in_words;
use super::trials::{SIZE, STUCK};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Grade, Outcome, State, Subject, SubjectJudgement};
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

fn trial(events: &[&Event], name: &str) -> History {
    histories(events).into_iter().find(|history| history.trial == name).unwrap_or_default()
}

fn gang(phase: &Phase) -> &str {
    phase.data.get("gang").and_then(Value::as_str).unwrap_or_default()
}

fn names<'a>(pods: impl Iterator<Item = &'a Life>) -> String {
    pods.map(|pod| pod.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The control arm: as many pods of no gang as there are slots are all bound. It shows that the slots are real, that
/// the scheduler is alive, and that a part of the gang could have been placed.
pub fn slots_are_real(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "near-miss");
    let (Some(begin), Some(end)) = (history.phase("control_arm"), history.phase("control_arm_ended")) else {
        return unknown(events, "near-miss", "the control arm did not come to its end");
    };
    let wanted = usize::try_from(SIZE - 1).unwrap_or(usize::MAX);
    match history.bound_between("single", begin.begin, end.begin) {
        (bound, _) if bound == wanted => met(format!("{bound} pods of no gang were bound on {wanted} slots")),
        (bound, there) => unknown(
            events,
            "near-miss",
            format!(
                "of {there} pods of no gang {bound} were bound on {wanted} free slots: the scheduler or the queue does not take pods, or the slots are not real"
            ),
        ),
    }
}

/// The plain scheduler places a part of what does not fit whole: only then does the trial tell anything.
pub fn part_is_placed(events: &[&Event], _: &Subject) -> Outcome {
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
    if alive >= STUCK && bound < WHOLE {
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
    if history.bound_between("canary", end.begin, whole.begin).0 >= STUCK {
        return unmet(format!("{seen}, while canaries that came later were"), vec![end.begin, whole.begin]);
    }
    unknown(events, "quorum", seen)
}

/// T3 (KAR-0053, negative test): no pod of a gang that misses one slot is bound, although the scheduler decided.
pub fn oversized_gang_waits(events: &[&Event], subject: &Subject) -> Outcome {
    let history = trial(events, "near-miss");
    if !slots_are_real(events, subject).is_met() {
        return unknown(events, "near-miss", "the control arm does not hold");
    }
    let (Some(begin), Some(end)) = (history.phase("gang"), history.phase("gang_window_closed")) else {
        return unknown(events, "near-miss", "the window did not come to its end");
    };
    let name = gang(begin);
    let bound: Vec<&Life> = history
        .members(name, begin.begin)
        .filter(|pod| pod.bound.is_some_and(|bound| bound.0 < end.begin))
        .collect();
    if !bound.is_empty() {
        let places = bound.iter().filter_map(|pod| pod.bound).map(|bound| bound.0).collect();
        let witness = format!(
            "{} of 4 pods of a gang were bound on 3 slots: {}",
            bound.len(),
            names(bound.into_iter())
        );
        return unmet(witness, places);
    }
    let Some(words) = history.refusal(name, begin.begin, end.begin) else {
        let why = "no pod was bound, but nothing shows that the scheduler looked at the gang and said no";
        return unknown(events, "near-miss", why);
    };
    let (canaries, _) = history.bound_between("canary", begin.begin, end.begin);
    if canaries < PASSED_OVER {
        let why = format!(
            "only {canaries} of 2 canaries were bound while the gang waited: it is not known whether the scheduler was alive"
        );
        return unknown(events, "near-miss", why);
    }
    met(format!(
        "none of 4 pods was bound on 3 slots while {canaries} canaries were; the scheduler said: {words}"
    ))
}

/// Release: the same gang starts when its last slot comes, so that it was held because it is a gang and not because
/// it is broken.
pub fn waiting_gang_starts(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "near-miss");
    let (Some(created), Some(begin), Some(end)) =
        (history.phase("gang"), history.phase("release"), history.phase("release_ended"))
    else {
        return unknown(events, "near-miss", "the release did not come to its end");
    };
    let name = gang(begin);
    if history.held(name, begin.begin) > 0 {
        return unknown(events, "near-miss", "the gang had not waited");
    }
    let held = history.held(name, end.begin);
    // Pods that a queue makes only on admission come with the release; others are the same by UID.
    let members = history.members(name, created.begin).filter(|pod| pod.seen.0 < end.begin).count();
    if held == WHOLE && members == WHOLE {
        return met("with a fourth slot all 4 pods of the waiting gang were bound");
    }
    let seen = format!("with a fourth slot {held} of {members} pods of the waiting gang were bound");
    if history.bound_between("canary", begin.begin, end.begin).0 >= STUCK {
        return unmet(format!("{seen}, while canaries that came later were"), vec![begin.begin, end.begin]);
    }
    unknown(events, "near-miss", seen)
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
        if history.bound_between("canary", begin.begin, end.begin).0 >= STUCK {
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
    if history.bound_between("canary", begin.begin, end.begin).0 >= STUCK {
        return unmet(format!("{seen}, while canaries that came later were"), vec![begin.begin, end.begin]);
    }
    unknown(events, "cleanup", seen)
}

/// What one round of two gangs on room for one and a half came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Name of the trial.
    pub trial: String,
    /// Whether quota was ample.
    pub ample: bool,
    /// Pods of the two gangs that held slots when the round had settled.
    pub held: (usize, usize),
    /// Whether the loser started when the winner was gone; `None` without a winner.
    pub loser_started: Option<bool>,
    /// Positions of the settled mark, as witness.
    pub at: u64,
}

impl Round {
    /// One gang whole, the other not at all, and that one starts next.
    pub fn is_whole(&self) -> bool {
        matches!(self.held, (WHOLE, 0) | (0, WHOLE)) && self.loser_started == Some(true)
    }

    /// A gang holds slots and is not whole.
    pub fn is_partial(&self) -> bool {
        self.held != (0, 0) && !matches!(self.held, (WHOLE, 0) | (0, WHOLE))
    }

    /// Both hold slots and neither is whole: nobody can go on.
    pub fn is_deadlock(&self) -> bool {
        let (a, b) = self.held;
        a > 0 && b > 0 && a < WHOLE && b < WHOLE
    }
}

/// The finished rounds.
pub fn rounds(events: &[&Event]) -> Vec<Round> {
    histories(events)
        .iter()
        .filter_map(|history| {
            let begin = history.phase("contend")?;
            let settled = history.phase("settled")?;
            let name = |number: usize| {
                begin.data.pointer(&format!("/gangs/{number}")).and_then(Value::as_str).unwrap_or_default()
            };
            let number = |key: &str| begin.data.get(key).and_then(Value::as_u64).unwrap_or_default();
            let loser = history.phase("release").and_then(|phase| phase.data.get("loser")?.as_str());
            let started = loser.and_then(|loser| {
                history.phase("release_ended").map(|end| history.held(loser, end.begin) == WHOLE)
            });
            Some(Round {
                trial: history.trial.clone(),
                ample: number("quota") > number("slots"),
                held: (history.held(name(0), settled.begin), history.held(name(1), settled.begin)),
                loser_started: started,
                at: settled.begin,
            })
        })
        .collect()
}

/// How many rounds were to be held with this kind of quota: as many as the rounds say, at least as many as began.
fn asked_rounds(events: &[&Event], ample: bool) -> usize {
    let number = |data: &Value, key: &str| data.get(key).and_then(Value::as_u64).unwrap_or_default();
    let begun: Vec<u64> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Phase { phase, data } if phase == "contend" => {
                ((number(data, "quota") > number(data, "slots")) == ample).then(|| number(data, "rounds"))
            }
            _ => None,
        })
        .collect();
    let said = begun.iter().max().copied().unwrap_or_default();
    begun.len().max(usize::try_from(said).unwrap_or(usize::MAX))
}

fn contention(events: &[&Event], ample: bool) -> Outcome {
    let rounds: Vec<Round> = rounds(events).into_iter().filter(|round| round.ample == ample).collect();
    let told = |rounds: &[&Round]| {
        rounds
            .iter()
            .map(|round| format!("({},{})", round.held.0, round.held.1))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let partial: Vec<&Round> = rounds.iter().filter(|round| round.is_partial()).collect();
    let deadlocks = partial.iter().filter(|round| round.is_deadlock()).count();
    if !partial.is_empty() {
        return unmet(
            format!(
                "two gangs of 4 on 6 slots: {} of {} rounds ended with a part of a gang holding slots (95 % interval {}), {deadlocks} of {} in deadlock ({}): {}",
                partial.len(),
                rounds.len(),
                in_words(partial.len(), rounds.len()),
                rounds.len(),
                in_words(deadlocks, rounds.len()),
                told(&partial)
            ),
            partial.iter().map(|round| round.at).collect(),
        );
    }
    let whole = rounds.iter().filter(|round| round.is_whole()).count();
    // Rounds that were asked for and never came to their end count too.
    let asked = asked_rounds(events, ample).max(rounds.len());
    if rounds.is_empty() || whole < asked {
        let all: Vec<&Round> = rounds.iter().collect();
        let why = format!("{whole} of {asked} rounds could be followed to their end: {}", told(&all));
        return unknown(events, "round", why);
    }
    met(format!(
        "two gangs of 4 on 6 slots: in all {whole} rounds one was bound whole and the other not at all, and the other followed when it was gone (95 % interval of rounds that end otherwise: {})",
        in_words(0, whole)
    ))
}

/// T5 with quota equal to the capacity, or without quota.
pub fn contention_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    contention(events, false)
}

/// T5 with a quota far above the capacity.
pub fn ample_contention_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    contention(events, true)
}

/// T5 on the plain scheduler: parts of gangs hold slots in at least one round.
pub fn contention_is_partial(events: &[&Event], _: &Subject) -> Outcome {
    match contention(events, false) {
        Outcome::Unmet { witness, .. } => met(witness),
        Outcome::Met { seen } => unmet(seen, Vec::new()),
        unknown @ Outcome::Unknown { .. } => unknown,
    }
}

/// The grade as far as tested (G0: not in force; G1: a gang that its quota or the cluster cannot hold does not start in
/// part). T4 and T6, which tell G2 and G3 apart, are not part of this version.
pub fn grade(judged: &SubjectJudgement) -> Option<Grade> {
    let contended = ["contention_is_whole", "ample_contention_is_whole"]
        .iter()
        .filter_map(|claim| judged.outcome(claim))
        .find(|outcome| outcome.is_unmet());
    match judged.state {
        State::Passed => Some(match contended {
            Some(outcome) => Grade {
                level: "G1".into(),
                says: format!("G1: admission is whole, placement is not. {}", outcome.text()),
            },
            None => Grade { level: "G1".into(), says: "at least G1; not tested for more: T4, T6".into() },
        }),
        State::Failed => Some(Grade { level: "G0".into(), says: format!("G0: {}", judged.why) }),
        _ => None,
    }
}
