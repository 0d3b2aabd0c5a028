//! What goes further than the requirement asks.

use super::{
    PASSED_OVER, WHOLE, gang, is_stuck, met, names, starts_after_all, together, trial, unknown, unmet,
    waits_whole,
};
use crate::gang_scheduling::history::{History, Life};
use crate::gang_scheduling::trials::{FEASIBLE, FUTILE, LEAST, SIZE, SMALL};
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Members of a gang that were bound between two positions.
fn bound_members<'a>(history: &'a History, gang: &'a str, begin: u64, end: u64) -> Vec<&'a Life> {
    let bound = move |pod: &&Life| pod.bound.is_some_and(|bound| bound.0 > begin && bound.0 < end);
    history.members(gang, 0).filter(bound).collect()
}

/// Nothing of a gang may be bound in a window, which counts only when canaries were bound in it.
fn nothing_bound(
    events: &[&Event],
    name: &str,
    (begin, end): (&str, &str),
    what: &str,
) -> Result<History, Outcome> {
    let history = trial(events, name);
    let (Some(opened), Some(closed)) = (history.phase(begin), history.phase(end)) else {
        return Err(unknown(events, name, "the window did not come to its end"));
    };
    let early = bound_members(&history, gang(opened), opened.begin, closed.begin);
    if !early.is_empty() {
        let places = early.iter().filter_map(|pod| pod.bound).map(|bound| bound.0).collect();
        return Err(unmet(format!("{} bound {what}", names(early.into_iter())), places));
    }
    let (canaries, _) = history.bound_between("canary", opened.begin, closed.begin);
    if canaries < PASSED_OVER {
        let why = format!("only {canaries} of 2 canaries were bound meanwhile");
        return Err(unknown(events, name, why));
    }
    Ok(history)
}

/// At least so many members of a gang hold slots at the end of a phase.
fn starts(
    events: &[&Event],
    history: &History,
    (begin, end): (&str, &str),
    wanted: usize,
) -> Result<usize, Outcome> {
    let (Some(opened), Some(closed)) = (history.phase(begin), history.phase(end)) else {
        return Err(unknown(events, &history.trial, "the trial did not come to its end"));
    };
    let held = history.held(gang(opened), closed.begin);
    if held >= wanted {
        return Ok(held);
    }
    let seen = format!("{held} of {wanted} members hold slots");
    Err(if is_stuck(history, opened.begin, closed.begin) {
        unmet(format!("{seen}, while canaries that came later were bound"), vec![opened.begin, closed.begin])
    } else {
        unknown(events, &history.trial, seen)
    })
}

/// Either way an outcome is an outcome.
fn either(result: Result<Outcome, Outcome>) -> Outcome {
    result.unwrap_or_else(|outcome| outcome)
}

/// T4: a gang that its quota admits and the hardware does not hold is not placed in part.
pub fn placement_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "placement");
    let (Some(begin), Some(end)) = (history.phase("gang"), history.phase("gang_window_closed")) else {
        return unknown(events, "placement", "the window did not come to its end");
    };
    let held = history.held(gang(begin), end.begin);
    match waits_whole(events, "placement") {
        // A product whose quota admits the gang has no word of its own to say; its pods were refused one by one.
        Outcome::Unmet { witness, events } => {
            let after = match held {
                0 => "all were undone before the window closed".to_owned(),
                held => format!("{held} went on holding slots until the window closed"),
            };
            Outcome::Unmet { witness: format!("{witness}; {after}"), events }
        }
        other => other,
    }
}

/// Whether what T4 placed in part was undone before its window closed; `None` when nothing was placed or seen.
pub fn part_was_undone(events: &[&Event]) -> Option<bool> {
    let history = trial(events, "placement");
    let (begin, end) = (history.phase("gang")?, history.phase("gang_window_closed")?);
    let bound = bound_members(&history, gang(begin), begin.begin, end.begin);
    (!bound.is_empty()).then(|| history.held(gang(begin), end.begin) == 0)
}

/// T4 over nodes: a gang that the slots of single nodes cannot hold is not placed in part.
pub fn fragmented_gang_waits(events: &[&Event], _: &Subject) -> Outcome {
    together(vec![waits_whole(events, "fragmentation"), starts_after_all(events, "fragmentation")])
}

/// A gang of any size over many nodes, judged as a near miss.
pub fn wide_gang_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    together(vec![waits_whole(events, "scale"), starts_after_all(events, "scale")])
}

/// T6: pods of no gang come into slots that a waiting gang cannot use.
pub fn waiting_gang_holds_nothing(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "hoarding");
    let (Some(begin), Some(end)) = (history.phase("others"), history.phase("others_ended")) else {
        return unknown(events, "hoarding", "the trial did not come to its end");
    };
    if history.held(gang(begin), end.begin) > 0 {
        return unknown(events, "hoarding", "the gang had not waited");
    }
    let (bound, _) = history.bound_between("single", begin.begin, end.begin);
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
    if is_stuck(&history, begin.begin, end.begin) {
        return unmet(
            format!("{seen}, while canaries that came later were bound"),
            vec![begin.begin, end.begin],
        );
    }
    unknown(events, "hoarding", seen)
}

/// T7: the gang goes on waiting when its scheduler's patience is over.
pub fn gang_waits_past_its_timeout(events: &[&Event], _: &Subject) -> Outcome {
    waits_whole(events, "past-timeout")
}

/// T8: an elastic gang starts with its least number of members, and not with fewer; the others follow.
pub fn elastic_gang_starts_at_its_least(events: &[&Event], _: &Subject) -> Outcome {
    let judged = || {
        let what = "with fewer slots than its least number";
        let history = nothing_bound(events, "elastic", ("below", "below_closed"), what)?;
        let started = starts(events, &history, ("enough", "enough_ended"), count(LEAST))?;
        starts(events, &history, ("more", "more_ended"), WHOLE)?;
        Ok(met(format!(
            "a gang of {SIZE} that may start with {LEAST}: none on one slot, {started} on three, all on four"
        )))
    };
    either(judged())
}

/// T9: a gang that evicting cannot help evicts nobody.
pub fn futile_preemption_evicts_nobody(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "preemption");
    let (Some(begin), Some(end)) = (history.phase("futile"), history.phase("futile_closed")) else {
        return unknown(events, "preemption", "the window did not come to its end");
    };
    let victim = begin.data.get("victim").and_then(serde_json::Value::as_str).unwrap_or_default();
    let evicted: Vec<&Life> = history.lost(victim, begin.begin, end.begin).collect();
    if !evicted.is_empty() {
        let places = evicted.iter().filter_map(|pod| pod.gone).map(|gone| gone.0).collect();
        let witness = format!(
            "{} evicted for a gang of {FUTILE}, which {SIZE} slots cannot hold",
            names(evicted.into_iter())
        );
        return unmet(witness, places);
    }
    let held = history.held(victim, begin.begin);
    let (canaries, _) = history.bound_between("canary", begin.begin, end.begin);
    let Some(words) = history.refusal(gang(begin), begin.begin, end.begin) else {
        return unknown(
            events,
            "preemption",
            "nothing shows that the scheduler looked at the gang and said no",
        );
    };
    if held != WHOLE || canaries < PASSED_OVER {
        let why = format!("{held} of {SIZE} victims were bound, and {canaries} of 2 canaries meanwhile");
        return unknown(events, "preemption", why);
    }
    met(format!(
        "a gang of {FUTILE} of higher priority evicted none of {SIZE} pods; the scheduler said: {words}"
    ))
}

/// T9: a gang of higher priority starts whole, and what it evicts goes whole.
pub fn preemption_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    let judged = || {
        let history = trial(events, "preemption");
        let wanted = count(FEASIBLE);
        let held = starts(events, &history, ("feasible", "feasible_ended"), wanted)?;
        let (Some(begin), Some(end)) = (history.phase("feasible"), history.phase("feasible_ended")) else {
            return Err(unknown(events, "preemption", "the trial did not come to its end"));
        };
        let victim = begin.data.get("victim").and_then(serde_json::Value::as_str).unwrap_or_default();
        let rest = history.held(victim, end.begin);
        if rest > 0 && rest < WHOLE {
            let witness = format!(
                "{held} pods of higher priority were bound, and {rest} of {SIZE} pods of the evicted gang went on holding slots, of no use to it"
            );
            return Err(unmet(witness, vec![begin.begin, end.begin]));
        }
        Ok(met(format!("{held} pods of higher priority were bound whole, and the evicted gang went whole")))
    };
    either(judged())
}

/// T10: a gang that lost a member becomes whole again once there is a slot, or goes whole.
pub fn lost_member_is_replaced(events: &[&Event], _: &Subject) -> Outcome {
    let history = trial(events, "member-loss");
    let (Some(bound), Some(begin), Some(end)) =
        (history.phase("bound"), history.phase("slot_free"), history.phase("slot_free_ended"))
    else {
        return unknown(events, "member-loss", "the trial did not come to its end");
    };
    let gang = gang(begin);
    if history.held(gang, bound.begin) != WHOLE {
        return unknown(events, "member-loss", "the gang was not bound whole before it lost a member");
    }
    if !history.members(gang, 0).any(|pod| pod.gone.is_some_and(|gone| gone.0 < begin.begin)) {
        return unknown(events, "member-loss", "no member was lost");
    }
    match history.held(gang, end.begin) {
        WHOLE => met("a gang that lost a member was whole again when there was a slot"),
        0 => met("a gang that lost a member gave up all its slots"),
        held => {
            let seen =
                format!("{held} of {SIZE} pods of a gang that lost a member hold slots, with a slot free");
            if is_stuck(&history, begin.begin, end.begin) {
                let witness = format!("{seen}, while canaries that came later were bound");
                return unmet(witness, vec![begin.begin, end.begin]);
            }
            unknown(events, "member-loss", seen)
        }
    }
}

/// T11: gangs of one name in two namespaces are two gangs.
pub fn namespaces_are_apart(events: &[&Event], _: &Subject) -> Outcome {
    let judged = || {
        let what = "although its other half is in another namespace";
        let history = nothing_bound(events, "namespaces", ("halves", "halves_closed"), what)?;
        let there = history.phase("halves").map_or(0, |begin| {
            history
                .members(gang(begin), begin.begin)
                .filter(|pod| pod.seen.0 < end(&history, "halves_closed"))
                .count()
        });
        if there != WHOLE {
            return Err(unknown(events, "namespaces", format!("{there} of {SIZE} pods existed")));
        }
        let held = starts(events, &history, ("whole", "whole_ended"), WHOLE)?;
        if held > WHOLE {
            let witness = format!("{held} pods were bound, of a gang of {SIZE} and half a one");
            return Err(unmet(witness, vec![end(&history, "whole_ended")]));
        }
        Ok(met(
            "two halves of a gang of one name in two namespaces waited on eight slots; the one that became whole started, and the other half did not",
        ))
    };
    either(judged())
}

fn end(history: &History, phase: &str) -> u64 {
    history.phase(phase).map_or(u64::MAX, |phase| phase.begin)
}

/// T13: a waiting gang whose least number of members is changed follows it.
pub fn resized_gang_follows(events: &[&Event], _: &Subject) -> Outcome {
    let judged = || {
        let history = trial(events, "resize");
        if let Some(waiting) = history.phase("smaller")
            && history.held(gang(waiting), waiting.begin) > 0
        {
            return Err(unknown(events, "resize", "the gang had not waited"));
        }
        let smaller = starts(events, &history, ("smaller", "smaller_ended"), WHOLE - 1)?;
        let what = "with fewer pods than its new least number";
        let history = nothing_bound(events, "resize", ("larger", "larger_closed"), what)?;
        let Some(opened) = history.phase("larger") else {
            return Err(unknown(events, "resize", "the trial did not come to its end"));
        };
        let closed = end(&history, "larger_ended");
        let larger = history.held(gang(opened), closed);
        if larger < WHOLE - 1 {
            let seen = format!("{larger} of {} members hold slots", WHOLE - 1);
            return Err(if is_stuck(&history, end(&history, "larger_closed"), closed) {
                unmet(
                    format!("{seen}, while canaries that came later were bound"),
                    vec![opened.begin, closed],
                )
            } else {
                unknown(events, "resize", seen)
            });
        }
        Ok(met(format!(
            "a gang of {SIZE} that was made one smaller started with {smaller} on {smaller} slots; one that was made one larger waited for its third pod"
        )))
    };
    either(judged())
}
