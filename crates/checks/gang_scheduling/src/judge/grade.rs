//! The grade: which guarantee a gang scheduler really gives, step by step.

use super::history::History;
use super::{part_was_undone, rounds};
use aiconform_verdict::{Grade, Outcome, State, Step, StepState, SubjectJudgement};

/// One step of the ladder: its name, what it says, and the claims that it needs.
struct Rung {
    level: &'static str,
    says: &'static str,
    claims: &'static [&'static str],
}

const LADDER: &[Rung] = &[
    Rung {
        level: "G1",
        says: "admission is whole: what its quota or the cluster cannot hold does not start in part",
        claims: &["fitting_gang_completes", "oversized_gang_waits", "waiting_gang_starts", "nothing_is_left"],
    },
    Rung {
        level: "G2",
        says: "no deadlock: what is placed in part is undone, and someone goes on",
        claims: &["placement_is_whole", "contention_is_whole", "ample_contention_is_whole"],
    },
    Rung {
        level: "G3",
        says: "placement is whole: nothing is ever placed in part, and what waits holds nothing",
        claims: &[
            "placement_is_whole",
            "contention_is_whole",
            "ample_contention_is_whole",
            "three_gangs_are_whole",
            "fragmented_gang_waits",
            "waiting_gang_holds_nothing",
        ],
    },
    Rung {
        level: "G4",
        says: "failures are whole: preemption and the loss of a member leave no part behind",
        claims: &["futile_preemption_evicts_nobody", "preemption_is_whole", "lost_member_is_replaced"],
    },
];

/// Claims without which a step cannot be called reached, when they apply; those that a subject has not are not asked.
fn untested<'a>(history: &History, judged: &SubjectJudgement, rung: &'a Rung) -> Vec<&'a str> {
    let optional = ["placement_is_whole", "ample_contention_is_whole"];
    rung.claims
        .iter()
        .copied()
        .filter(|claim| match judged.outcome(claim) {
            Some(outcome) => !outcome.is_met() && !outcome.is_unmet(),
            // Without a quota there is none above the hardware; where there is nothing else, that is what is missing.
            None => {
                history.facts.by_quota_alone()
                    || !(optional.contains(claim) && judged.outcome("ample_contention_is_whole").is_none())
            }
        })
        .collect()
}

/// The grade of a subject (gang.md, section 3.1): each step with the claim that decided it, or what is untested.
pub fn grade(history: &History, judged: &SubjectJudgement) -> Option<Grade> {
    if judged.state == State::Failed {
        let says = format!("G0: {}", judged.why);
        return Some(Grade { level: "G0".into(), says, steps: Vec::new() });
    }
    // What binds plain pods in part is what a gang scheduler is told apart from.
    if judged.state == State::ControlMet
        && let Some(seen) = judged.outcome("part_is_placed")
    {
        let says = format!("G0: {}", seen.text());
        return Some(Grade { level: "G0".into(), says, steps: Vec::new() });
    }
    if judged.state != State::Passed {
        return None;
    }
    let mut steps: Vec<Step> = Vec::new();
    for rung in LADDER {
        let mut broken: Vec<(&str, &Outcome)> = rung
            .claims
            .iter()
            .filter_map(|claim| Some((*claim, judged.outcome(claim)?)))
            .filter(|(_, outcome)| outcome.is_unmet())
            .collect();
        if rung.level == "G2" {
            broken.retain(|(claim, _)| !is_rolled_back(history, claim));
        }
        let open = untested(history, judged, rung);
        let (state, claim, why) = match broken.first() {
            Some((claim, outcome)) => (StepState::Missed, (*claim).to_owned(), outcome.text().to_owned()),
            None if rung.level == "G3"
                && let Some((claim, why)) = undone(history) =>
            {
                (StepState::Missed, claim.to_owned(), why)
            }
            None if !open.is_empty() => (StepState::Untested, open.join(", "), String::new()),
            None => (StepState::Reached, rung.claims.join(", "), String::new()),
        };
        let says = rung.says.to_owned();
        steps.push(Step { level: rung.level.into(), says, state, claim, why });
    }
    let reached = steps.iter().take_while(|step| step.state == StepState::Reached).last();
    let level = reached.map_or("G0", |step| step.level.as_str()).to_owned();
    let next = steps.iter().find(|step| step.state != StepState::Reached);
    let says = match next {
        None => format!("{level}: every step is shown"),
        Some(step) if step.state == StepState::Untested => {
            format!("at least {level}; not tested for more: {}", step.claim)
        }
        Some(step) => format!("{level}, not {}. {}", step.level, step.why),
    };
    Some(Grade { level, says, steps })
}

/// A claim on rounds of which one placed a part and undid it: its end is whole, its placement was not.
fn undone(history: &History) -> Option<(&'static str, String)> {
    ["contention_is_whole", "ample_contention_is_whole", "three_gangs_are_whole"].into_iter().find_map(
        |claim| {
            let round = rounds(history, prefix(claim)?).into_iter().find(|round| round.undone)?;
            Some((
                claim,
                format!(
                    "in {} a gang was placed in part, which was undone before the round had settled",
                    round.trial
                ),
            ))
        },
    )
}

/// The beginning of the names of a claim's rounds.
fn prefix(claim: &str) -> Option<&'static str> {
    match claim {
        "contention_is_whole" => Some("round-"),
        "ample_contention_is_whole" => Some("ample-"),
        "three_gangs_are_whole" => Some("three-"),
        _ => None,
    }
}

/// Tells whether a part that was placed was undone again, so that someone went on.
fn is_rolled_back(history: &History, claim: &str) -> bool {
    let Some(prefix) = prefix(claim) else { return part_was_undone(history) == Some(true) };
    !rounds(history, prefix).iter().any(|round| round.is_deadlock())
}
