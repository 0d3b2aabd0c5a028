//! T5: gangs that want the same slots.

use super::WHOLE;
use super::history::{History, Phase, Trial};
use crate::marks::{CONTENDED, Release, SIZE, Step};
use aiconform_trial::statistics::in_words;
use aiconform_trial::{Position, met, unmet};
use aiconform_verdict::Outcome;

/// Result of one round of gangs on room for one and a half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Name of the trial.
    pub trial: String,
    /// Pods of each gang that held slots when the round had settled.
    pub held: Vec<usize>,
    /// True if a loser started whole, and no other in part, when the winner was gone; `None` without a winner.
    pub loser_started: Option<bool>,
    /// Set if a gang that held nothing when the round had settled had held slots before.
    pub undone: bool,
    /// Position of the settled mark, as witness.
    pub at: Position,
}

impl Round {
    /// One gang whole, no other at all, and one of them starts next.
    pub fn is_whole(&self) -> bool {
        self.has_one_winner() && self.loser_started == Some(true)
    }

    /// A gang holds slots and is not whole, or others hold some beside it.
    pub fn is_partial(&self) -> bool {
        self.held.iter().any(|held| *held > 0) && !self.has_one_winner()
    }

    /// Several hold slots and none is whole: nobody can go on.
    pub fn is_deadlock(&self) -> bool {
        self.held.iter().filter(|held| **held > 0).count() > 1 && !self.held.contains(&WHOLE)
    }

    fn has_one_winner(&self) -> bool {
        self.held.contains(&WHOLE) && self.held.iter().sum::<usize>() == WHOLE
    }

    fn in_words(&self) -> String {
        let held: Vec<String> = self.held.iter().map(usize::to_string).collect();
        format!("({})", held.join(","))
    }
}

/// Tells whether a kubelet turned a bound pod away in a round: its slot was free again for others, which says nothing of
/// gangs.
fn is_void(trial: &Trial) -> bool {
    trial.pods.iter().any(|pod| pod.turned_away)
}

/// Tells whether gangs begin to contend with this step.
pub(super) fn is_contend(step: &Step) -> bool {
    matches!(step, Step::Contend { .. })
}

/// The gangs that contend, by name.
pub(super) fn contenders(phase: &Phase) -> &[String] {
    match &phase.mark.step {
        Step::Contend { gangs, .. } => gangs,
        _ => &[],
    }
}

/// The step with which a winner is deleted: its place, the winner, and the losers.
pub(super) fn release(trial: &Trial) -> Option<(&Phase, &str, &[String])> {
    trial.phases.iter().find_map(|phase| match &phase.mark.step {
        Step::Release(Release::Winner { winner, losers }) => Some((phase, winner.as_str(), &losers[..])),
        _ => None,
    })
}

/// The finished rounds whose names begin so, without those that are void.
pub fn rounds(history: &History, prefix: &str) -> Vec<Round> {
    let trials = history.trials.iter();
    trials.filter(|trial| trial.name.starts_with(prefix) && !is_void(trial)).filter_map(round).collect()
}

fn round(trial: &Trial) -> Option<Round> {
    let gangs = contenders(trial.phase(is_contend)?);
    let settled = trial.end(&Step::Settled {})?.at;
    let loser_started = release(trial).and_then(|(_, winner, _)| {
        let end = trial.end(&Step::ReleaseEnded {})?.at;
        let losers = gangs.iter().filter(|gang| *gang != winner);
        let held: Vec<usize> = losers.map(|gang| trial.held(gang, end)).collect();
        Some(held.contains(&WHOLE) && held.iter().sum::<usize>() == WHOLE)
    });
    let held: Vec<usize> = gangs.iter().map(|gang| trial.held(gang, settled)).collect();
    let placed = |gang: &str| trial.all(gang).any(|pod| pod.is_bound_before(settled));
    let undone = gangs.iter().zip(&held).any(|(gang, held)| *held == 0 && placed(gang));
    Some(Round { trial: trial.name.clone(), held, loser_started, undone, at: settled })
}

fn contention(history: &History, prefix: &str, gangs: &str) -> Outcome {
    let rounds = rounds(history, prefix);
    let in_all =
        |rounds: &[&Round]| rounds.iter().map(|round| round.in_words()).collect::<Vec<_>>().join(" ");
    let partial: Vec<&Round> = rounds.iter().filter(|round| round.is_partial()).collect();
    let deadlocks = partial.iter().filter(|round| round.is_deadlock()).count();
    if !partial.is_empty() {
        return unmet(
            format!(
                "{gangs} gangs of {SIZE} on {CONTENDED} slots: {} of {} rounds ended with a part of a gang holding slots (95 % interval {}), {deadlocks} of {} in deadlock ({}): {}",
                partial.len(),
                rounds.len(),
                in_words(partial.len(), rounds.len()),
                rounds.len(),
                in_words(deadlocks, rounds.len()),
                in_all(&partial)
            ),
            partial.iter().map(|round| round.at),
        );
    }
    let whole = rounds.iter().filter(|round| round.is_whole()).count();
    // Rounds that were planned and never came to their end count too.
    let trials = history.trials.iter();
    let void = trials.filter(|trial| trial.name.starts_with(prefix) && is_void(trial)).count();
    let asked = history.facts.planned(prefix).count().max(rounds.len() + void) - void;
    if rounds.is_empty() || whole < asked {
        let all: Vec<&Round> = rounds.iter().collect();
        let why = format!(
            "{whole} of {asked} rounds could be followed to their end ({void} void): {}",
            in_all(&all)
        );
        return history.unknown(prefix, why);
    }
    let without = if void > 0 { format!("; {void} more were void") } else { String::new() };
    met(format!(
        "{gangs} gangs of {SIZE} on {CONTENDED} slots: in all {whole} rounds one was bound whole and no other at all, and another followed when it was gone (95 % interval of rounds that end otherwise: {}{without})",
        in_words(0, whole)
    ))
}

/// T5 with quota equal to the capacity, or without quota.
pub fn contention_is_whole(history: &History) -> Outcome {
    contention(history, "round-", "two")
}

/// T5 with a quota far above the capacity.
pub fn ample_contention_is_whole(history: &History) -> Outcome {
    contention(history, "ample-", "two")
}

/// T5 with three gangs.
pub fn three_gangs_are_whole(history: &History) -> Outcome {
    contention(history, "three-", "three")
}

/// T5 on the plain scheduler: parts of gangs hold slots in at least one round.
pub fn contention_is_partial(history: &History) -> Outcome {
    match contention_is_whole(history) {
        Outcome::Unmet { witness, .. } => met(witness),
        Outcome::Met { seen } => unmet(seen, []),
        unknown @ Outcome::Unknown { .. } => unknown,
    }
}
