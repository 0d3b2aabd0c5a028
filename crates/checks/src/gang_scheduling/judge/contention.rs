//! T5: gangs that want the same slots.

use super::{WHOLE, met, unknown, unmet};
use crate::gang_scheduling::history::{History, histories, planned};
use crate::statistics::in_words;
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

/// What one round of gangs on room for one and a half came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Name of the trial.
    pub trial: String,
    /// Pods of each gang that held slots when the round had settled.
    pub held: Vec<usize>,
    /// Whether a loser started whole, and no other in part, when the winner was gone; `None` without a winner.
    pub loser_started: Option<bool>,
    /// Whether a gang that held nothing when the round had settled had held slots before.
    pub undone: bool,
    /// Position of the settled mark, as witness.
    pub at: u64,
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

    fn told(&self) -> String {
        let held: Vec<String> = self.held.iter().map(usize::to_string).collect();
        format!("({})", held.join(","))
    }
}

/// A round in which a kubelet turned a bound pod away: its slot was free again for others, which says nothing of gangs.
fn is_void(history: &History) -> bool {
    history.pods.iter().any(|pod| pod.turned_away)
}

/// The finished rounds whose names begin so, without those that are void.
pub fn rounds(events: &[&Event], prefix: &str) -> Vec<Round> {
    histories(events)
        .iter()
        .filter(|history| history.trial.starts_with(prefix) && !is_void(history))
        .filter_map(|history| {
            let begin = history.phase("contend")?;
            let settled = history.phase("settled")?;
            let gangs: Vec<&str> =
                begin.data.get("gangs")?.as_array()?.iter().filter_map(Value::as_str).collect();
            let winner = history.phase("release").and_then(|phase| phase.data.get("winner")?.as_str());
            let started = winner.and_then(|winner| {
                let end = history.phase("release_ended")?.begin;
                let held: Vec<usize> = gangs
                    .iter()
                    .filter(|gang| **gang != winner)
                    .map(|gang| history.held(gang, end))
                    .collect();
                Some(held.contains(&WHOLE) && held.iter().sum::<usize>() == WHOLE)
            });
            let held: Vec<usize> = gangs.iter().map(|gang| history.held(gang, settled.begin)).collect();
            let placed = |gang: &&str| {
                history.members(gang, 0).any(|pod| pod.bound.is_some_and(|bound| bound.0 < settled.begin))
            };
            let undone = gangs.iter().zip(&held).any(|(gang, held)| *held == 0 && placed(gang));
            Some(Round {
                trial: history.trial.clone(),
                held,
                loser_started: started,
                undone,
                at: settled.begin,
            })
        })
        .collect()
}

fn contention(events: &[&Event], subject: &Subject, prefix: &str, gangs: &str) -> Outcome {
    let rounds = rounds(events, prefix);
    let told = |rounds: &[&Round]| rounds.iter().map(|round| round.told()).collect::<Vec<_>>().join(" ");
    let partial: Vec<&Round> = rounds.iter().filter(|round| round.is_partial()).collect();
    let deadlocks = partial.iter().filter(|round| round.is_deadlock()).count();
    if !partial.is_empty() {
        return unmet(
            format!(
                "{gangs} gangs of 4 on 6 slots: {} of {} rounds ended with a part of a gang holding slots (95 % interval {}), {deadlocks} of {} in deadlock ({}): {}",
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
    // Rounds that were planned and never came to their end count too.
    let void = histories(events).iter().filter(|h| h.trial.starts_with(prefix) && is_void(h)).count();
    let asked = planned(subject, prefix).count().max(rounds.len() + void) - void;
    if rounds.is_empty() || whole < asked {
        let all: Vec<&Round> = rounds.iter().collect();
        let why =
            format!("{whole} of {asked} rounds could be followed to their end ({void} void): {}", told(&all));
        return unknown(events, prefix, why);
    }
    let without = if void > 0 { format!("; {void} more were void") } else { String::new() };
    met(format!(
        "{gangs} gangs of 4 on 6 slots: in all {whole} rounds one was bound whole and no other at all, and another followed when it was gone (95 % interval of rounds that end otherwise: {}{without})",
        in_words(0, whole)
    ))
}

/// T5 with quota equal to the capacity, or without quota.
pub fn contention_is_whole(events: &[&Event], subject: &Subject) -> Outcome {
    contention(events, subject, "round-", "two")
}

/// T5 with a quota far above the capacity.
pub fn ample_contention_is_whole(events: &[&Event], subject: &Subject) -> Outcome {
    contention(events, subject, "ample-", "two")
}

/// T5 with three gangs.
pub fn three_gangs_are_whole(events: &[&Event], subject: &Subject) -> Outcome {
    contention(events, subject, "three-", "three")
}

/// T5 on the plain scheduler: parts of gangs hold slots in at least one round.
pub fn contention_is_partial(events: &[&Event], subject: &Subject) -> Outcome {
    match contention_is_whole(events, subject) {
        Outcome::Unmet { witness, .. } => met(witness),
        Outcome::Met { seen } => unmet(seen, Vec::new()),
        unknown @ Outcome::Unknown { .. } => unknown,
    }
}
