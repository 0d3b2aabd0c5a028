//! Claims that go further than the requirement asks.

use super::history::{History, Life, Phase, Trial};
use super::{
    PASSED_OVER, WHOLE, bound_at, count, gang, is_gang, is_stuck, names, starts_after_all, waits_whole,
};
use crate::marks::{FEASIBLE, FUTILE, LEAST, SIZE, SMALL, Step};
use aiconform_trial::{Position, met, together, unmet};
use aiconform_verdict::Outcome;

/// The marks of a window: how its step is known, and its end.
type Window = (fn(&Step) -> bool, Step);

/// Members of a gang that were bound between two positions.
fn bound_members<'a>(trial: &'a Trial, gang: &'a str, begin: Position, end: Position) -> Vec<&'a Life> {
    let bound = move |pod: &&Life| pod.bound.is_some_and(|bound| bound.at > begin && bound.at < end);
    trial.all(gang).filter(bound).collect()
}

/// Nothing of a gang may be bound in a window, which counts only when canaries were bound in it.
fn nothing_bound<'a>(
    history: &'a History,
    name: &str,
    (begin, end): Window,
    what: &str,
) -> Result<&'a Trial, Outcome> {
    let trial = history.trial(name);
    let (Some(opened), Some(closed)) = (trial.phase(begin), trial.end(&end)) else {
        return Err(history.unknown(name, "the window did not come to its end"));
    };
    let early = bound_members(trial, gang(opened), opened.at, closed.at);
    if !early.is_empty() {
        let places: Vec<_> = bound_at(&early).collect();
        return Err(unmet(format!("{} bound {what}", names(early.into_iter())), places));
    }
    let (canaries, _) = trial.bound_between("canary", opened.at, closed.at);
    if canaries < PASSED_OVER {
        let why = format!("only {canaries} of 2 canaries were bound meanwhile");
        return Err(history.unknown(name, why));
    }
    Ok(trial)
}

/// At least so many members of a gang hold slots at the end of a window.
fn starts(history: &History, trial: &Trial, (begin, end): Window, wanted: usize) -> Result<usize, Outcome> {
    let (Some(opened), Some(closed)) = (trial.phase(begin), trial.end(&end)) else {
        return Err(history.unknown(&trial.name, "the trial did not come to its end"));
    };
    let held = trial.held(gang(opened), closed.at);
    if held >= wanted {
        return Ok(held);
    }
    let seen = format!("{held} of {wanted} members hold slots");
    Err(if is_stuck(trial, opened.at, closed.at) {
        unmet(format!("{seen}, while canaries that came later were bound"), [opened.at, closed.at])
    } else {
        history.unknown(&trial.name, seen)
    })
}

/// One outcome from either way.
fn either(result: Result<Outcome, Outcome>) -> Outcome {
    result.unwrap_or_else(|outcome| outcome)
}

/// T4: a gang that its quota admits and the hardware does not hold is not placed in part.
pub fn placement_is_whole(history: &History) -> Outcome {
    let trial = history.trial("placement");
    let (Some(begin), Some(end)) = (trial.phase(is_gang), trial.end(&Step::GangWindowClosed {})) else {
        return history.unknown("placement", "the window did not come to its end");
    };
    match waits_whole(history, "placement") {
        // A product whose quota admits the gang has no word of its own to say; its pods were refused one by one.
        Outcome::Unmet { witness, events } => {
            let after = match trial.held(gang(begin), end.at) {
                0 => "all were undone before the window closed".to_owned(),
                held => format!("{held} went on holding slots until the window closed"),
            };
            Outcome::Unmet { witness: format!("{witness}; {after}"), events }
        }
        other => other,
    }
}

/// Tells whether what T4 placed in part was undone before its window closed; `None` when nothing was placed or seen.
pub fn part_was_undone(history: &History) -> Option<bool> {
    let trial = history.trial("placement");
    let (begin, end) = (trial.phase(is_gang)?, trial.end(&Step::GangWindowClosed {})?);
    let bound = bound_members(trial, gang(begin), begin.at, end.at);
    (!bound.is_empty()).then(|| trial.held(gang(begin), end.at) == 0)
}

/// T4 over nodes: a gang that the slots of single nodes cannot hold is not placed in part.
pub fn fragmented_gang_waits(history: &History) -> Outcome {
    together(&[waits_whole(history, "fragmentation"), starts_after_all(history, "fragmentation")])
}

/// Scale: a gang of any size over many nodes, judged as a near miss.
pub fn wide_gang_is_whole(history: &History) -> Outcome {
    together(&[waits_whole(history, "scale"), starts_after_all(history, "scale")])
}

/// T6: pods of no gang come into slots that a waiting gang cannot use.
pub fn waiting_gang_holds_nothing(history: &History) -> Outcome {
    let trial = history.trial("hoarding");
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::Others { .. })), trial.end(&Step::OthersEnded {}))
    else {
        return history.unknown("hoarding", "the trial did not come to its end");
    };
    if trial.held(gang(begin), end.at) > 0 {
        return history.unknown("hoarding", "the gang had not waited");
    }
    let (bound, _) = trial.bound_between("single", begin.at, end.at);
    if bound == count(SMALL) {
        return met(format!(
            "{SMALL} pods of no gang came into the {} slots that a gang of {SIZE} waits for",
            SIZE - 1
        ));
    }
    let seen = format!(
        "of {SMALL} pods of no gang {bound} came into the {} slots that a gang of {SIZE} waits for",
        SIZE - 1
    );
    if is_stuck(trial, begin.at, end.at) {
        return unmet(format!("{seen}, while canaries that came later were bound"), [begin.at, end.at]);
    }
    history.unknown("hoarding", seen)
}

/// T7: the gang goes on waiting when its scheduler's patience is over.
pub fn gang_waits_past_its_timeout(history: &History) -> Outcome {
    waits_whole(history, "past-timeout")
}

/// T8: an elastic gang starts with its least number of members, and not with fewer; the others follow.
pub fn elastic_gang_starts_at_its_least(history: &History) -> Outcome {
    let judged = || {
        let what = "with fewer slots than its least number";
        let below: Window = (|step| matches!(step, Step::Below { .. }), Step::BelowClosed {});
        let trial = nothing_bound(history, "elastic", below, what)?;
        let enough: Window = (|step| matches!(step, Step::Enough { .. }), Step::EnoughEnded {});
        let started = starts(history, trial, enough, count(LEAST))?;
        let more: Window = (|step| matches!(step, Step::More { .. }), Step::MoreEnded {});
        starts(history, trial, more, WHOLE)?;
        Ok(met(format!(
            "a gang of {SIZE} that may start with {LEAST}: none on one slot, {started} on three, all on four"
        )))
    };
    either(judged())
}

/// The gang that holds the slots when one of higher priority comes.
fn victim(phase: &Phase) -> &str {
    match &phase.mark.step {
        Step::Futile { victim, .. } | Step::Feasible { victim, .. } => victim,
        _ => "",
    }
}

/// T9: a gang that evicting cannot help evicts nobody.
pub fn futile_preemption_evicts_nobody(history: &History) -> Outcome {
    let trial = history.trial("preemption");
    let (Some(begin), Some(end)) =
        (trial.phase(|step| matches!(step, Step::Futile { .. })), trial.end(&Step::FutileClosed {}))
    else {
        return history.unknown("preemption", "the window did not come to its end");
    };
    let evicted: Vec<&Life> = trial.lost(victim(begin), begin.at, end.at).collect();
    if !evicted.is_empty() {
        let places: Vec<_> = evicted.iter().filter_map(|pod| pod.gone).map(|gone| gone.at).collect();
        let witness = format!(
            "{} evicted for a gang of {FUTILE}, which {SIZE} slots cannot hold",
            names(evicted.into_iter())
        );
        return unmet(witness, places);
    }
    let held = trial.held(victim(begin), begin.at);
    let (canaries, _) = trial.bound_between("canary", begin.at, end.at);
    let Some(words) = trial.refusal(gang(begin), begin.at, end.at) else {
        let why = "nothing shows that the scheduler looked at the gang and said no";
        return history.unknown("preemption", why);
    };
    if held != WHOLE || canaries < PASSED_OVER {
        let why = format!("{held} of {SIZE} victims were bound, and {canaries} of 2 canaries meanwhile");
        return history.unknown("preemption", why);
    }
    met(format!(
        "a gang of {FUTILE} of higher priority evicted none of {SIZE} pods; the scheduler said: {words}"
    ))
}

/// T9: a gang of higher priority starts whole, and what it evicts goes whole.
pub fn preemption_is_whole(history: &History) -> Outcome {
    let judged = || {
        let trial = history.trial("preemption");
        let window: Window = (|step| matches!(step, Step::Feasible { .. }), Step::FeasibleEnded {});
        let held = starts(history, trial, window.clone(), count(FEASIBLE))?;
        let (Some(begin), Some(end)) = (trial.phase(window.0), trial.end(&window.1)) else {
            return Err(history.unknown("preemption", "the trial did not come to its end"));
        };
        let rest = trial.held(victim(begin), end.at);
        if rest > 0 && rest < WHOLE {
            let witness = format!(
                "{held} pods of higher priority were bound, and {rest} of {SIZE} pods of the evicted gang went on holding slots, of no use to it"
            );
            return Err(unmet(witness, [begin.at, end.at]));
        }
        Ok(met(format!("{held} pods of higher priority were bound whole, and the evicted gang went whole")))
    };
    either(judged())
}

/// T10: a gang that lost a member becomes whole again once there is a slot, or goes whole.
pub fn lost_member_is_replaced(history: &History) -> Outcome {
    let trial = history.trial("member-loss");
    let (Some(bound), Some(begin), Some(end)) = (
        trial.phase(|step| matches!(step, Step::Bound { .. })),
        trial.phase(|step| matches!(step, Step::SlotFree { .. })),
        trial.end(&Step::SlotFreeEnded {}),
    ) else {
        return history.unknown("member-loss", "the trial did not come to its end");
    };
    let gang = gang(begin);
    if trial.held(gang, bound.at) != WHOLE {
        return history.unknown("member-loss", "the gang was not bound whole before it lost a member");
    }
    if !trial.all(gang).any(|pod| pod.gone.is_some_and(|gone| gone.at < begin.at)) {
        return history.unknown("member-loss", "no member was lost");
    }
    match trial.held(gang, end.at) {
        WHOLE => met("a gang that lost a member was whole again when there was a slot"),
        0 => met("a gang that lost a member gave up all its slots"),
        held => {
            let seen =
                format!("{held} of {SIZE} pods of a gang that lost a member hold slots, with a slot free");
            if is_stuck(trial, begin.at, end.at) {
                let witness = format!("{seen}, while canaries that came later were bound");
                return unmet(witness, [begin.at, end.at]);
            }
            history.unknown("member-loss", seen)
        }
    }
}

/// T11: gangs of one name in two namespaces are two gangs.
pub fn namespaces_are_apart(history: &History) -> Outcome {
    let judged = || {
        let what = "although its other half is in another namespace";
        let halves: Window = (|step| matches!(step, Step::Halves { .. }), Step::HalvesClosed {});
        let trial = nothing_bound(history, "namespaces", halves.clone(), what)?;
        let there = trial.phase(halves.0).map_or(0, |begin| {
            let closed = end(trial, &halves.1);
            trial.members(gang(begin), begin.at).filter(|pod| pod.seen.at < closed).count()
        });
        if there != WHOLE {
            return Err(history.unknown("namespaces", format!("{there} of {SIZE} pods existed")));
        }
        let whole: Window = (|step| matches!(step, Step::Whole { .. }), Step::WholeEnded {});
        let held = starts(history, trial, whole, WHOLE)?;
        if held > WHOLE {
            let witness = format!("{held} pods were bound, of a gang of {SIZE} and half a one");
            return Err(unmet(witness, [end(trial, &Step::WholeEnded {})]));
        }
        Ok(met(
            "two halves of a gang of one name in two namespaces waited on eight slots; the one that became whole started, and the other half did not",
        ))
    };
    either(judged())
}

fn end(trial: &Trial, step: &Step) -> Position {
    trial.end(step).map_or(Position::END, |phase| phase.at)
}

/// T13: a waiting gang whose least number of members is changed follows it.
pub fn resized_gang_follows(history: &History) -> Outcome {
    let judged = || {
        let trial = history.trial("resize");
        let is_smaller: fn(&Step) -> bool = |step| matches!(step, Step::Smaller { .. });
        if let Some(waiting) = trial.phase(is_smaller)
            && trial.held(gang(waiting), waiting.at) > 0
        {
            return Err(history.unknown("resize", "the gang had not waited"));
        }
        let smaller = starts(history, trial, (is_smaller, Step::SmallerEnded {}), WHOLE - 1)?;
        let what = "with fewer pods than its new least number";
        let window: Window = (|step| matches!(step, Step::Larger { .. }), Step::LargerClosed {});
        let trial = nothing_bound(history, "resize", window.clone(), what)?;
        let Some(opened) = trial.phase(window.0) else {
            return Err(history.unknown("resize", "the trial did not come to its end"));
        };
        let closed = end(trial, &Step::LargerEnded {});
        let larger = trial.held(gang(opened), closed);
        if larger < WHOLE - 1 {
            let seen = format!("{larger} of {} members hold slots", WHOLE - 1);
            return Err(if is_stuck(trial, end(trial, &Step::LargerClosed {}), closed) {
                let witness = format!("{seen}, while canaries that came later were bound");
                unmet(witness, [opened.at, closed])
            } else {
                history.unknown("resize", seen)
            });
        }
        Ok(met(format!(
            "a gang of {SIZE} that was made one smaller started with {smaller} on {smaller} slots; one that was made one larger waited for its third pod"
        )))
    };
    either(judged())
}
