//! The work of an operator on its resource: what it makes of it, what it says of it, and that it lets go of it.

use super::history::{Child, History, Look};
use crate::marks::{Closed, Deleted, Plan};
use aiconform_trial::path::Path;
use aiconform_trial::{Marked, Moment, Position, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Refuser of what the operator wanted to make: a policy of the platform is not the operator's fault.
fn blamed(closed: &Closed) -> Option<String> {
    const POLICIES: &[&str] =
        &["ValidatingAdmissionPolicy '", "admission webhook \"", "exceeded quota", "violates PodSecurity"];
    let Some(said) = &closed.said else {
        return Some(
            "it did not come to what it must, and the Events that may say why could not be read".into(),
        );
    };
    said.iter()
        .find(|said| POLICIES.iter().any(|policy| said.contains(policy)))
        .map(|said| format!("a policy of the platform refused what the operator wanted to make: {said}"))
}

/// Warnings of its Events, as the end of a sentence.
fn said(closed: &Closed) -> String {
    let said = closed.said.as_deref().unwrap_or_default().join("; ");
    if said.is_empty() { said } else { format!("; its Events say: {said}") }
}

/// The outcome of what an operator did after the limit; nothing where it did it in time.
fn late(history: &History, what: &str, begin: Option<&Marked<()>>, came: Moment) -> Option<Outcome> {
    history.limits.reconcile.too_late(what, begin?.when, came)
}

/// Why nothing can be said of what happened after the resource was created.
fn not_created(history: &History) -> Outcome {
    match &history.created {
        Some(answer) if answer.status > 299 => {
            unknown(format!("the resource could not be created: {}", answer.message))
        }
        _ => unknown(history.lack("the resource was not created")),
    }
}

/// The children that are to be made of the resource are made, and belong to it.
pub fn children_are_made(history: &History) -> Outcome {
    let Some(end) = &history.reconciled else { return not_created(history) };
    let plan = &history.plan;
    let (mut made, mut latest) = (Vec::new(), None);
    for kind in &plan.children {
        let seen = history.children.iter().find(|child| child.kind == kind.kind && child.is_there(end.at));
        match seen {
            Some(child) => {
                latest = latest.max(Some(child.seen.when));
                made.push(format!("{} {}", child.kind, child.name));
            }
            None if end.mark.lists(Some(kind)) => {
                return unknown(format!("a {} is listed and was not seen on its watch", kind.kind));
            }
            None => {
                let witness =
                    format!("no {} with an ownerReference to it was made{}", kind.kind, said(&end.mark));
                return blamed(&end.mark).map_or_else(|| unmet(witness, [end.at]), unknown);
            }
        }
    }
    let made = made.join(", ");
    let late =
        latest.and_then(|latest| late(history, &format!("{made} was made"), history.create.as_ref(), latest));
    late.unwrap_or_else(|| met(format!("it owns {made}")))
}

/// The resource's status follows its last generation.
pub fn status_follows(history: &History) -> Outcome {
    let Some(end) = &history.reconciled else { return not_created(history) };
    let plan = &history.plan;
    let Some(look) = history.before(end.at) else {
        return unknown("the resource was not seen on its watch");
    };
    match plan.lacks(&look.object, &plan.reconciled) {
        None => {
            let mut looks = history.between(Position::default(), end.at);
            let first = looks.find(|look| plan.lacks(&look.object, &plan.reconciled).is_none());
            let when = first.map_or(look.when, |first| first.when);
            late(history, "its status showed what became of it", history.create.as_ref(), when)
                .unwrap_or_else(|| met(shown(plan, look, &plan.reconciled)))
        }
        Some(lack) => {
            // That a pod runs is not the operator's work, and its status may say no more than is.
            if let Some(waits) = history.children.iter().find_map(|child| child.waits(end.at)) {
                return unknown(format!("{lack}, and {waits}{}", said(&end.mark)));
            }
            let witness = format!("{lack}{}", said(&end.mark));
            blamed(&end.mark).map_or_else(|| unmet(witness, [look.at, end.at]), unknown)
        }
    }
}

fn shown(plan: &Plan, look: &Look, shows: &Path) -> String {
    let value = shows.find(&look.object).unwrap_or_default();
    let generation = look.object.at("/metadata/generation").map(ToString::to_string).unwrap_or_default();
    let observed = if plan.observed.is_some() {
        format!("its status is about generation {generation}, its last, and shows {value}")
    } else {
        format!("its status shows {value}; it does not say of which generation")
    };
    format!("{observed} (event {})", look.at)
}

/// A child that is deleted is made again.
pub fn child_is_made_again(history: &History) -> Outcome {
    let (Some(begin), Some(end)) = (&history.delete_child, &history.made_again) else {
        return unknown(history.lack("no child was there to be deleted"));
    };
    let Deleted { kind, name, uid } = &begin.mark;
    let kind = &kind.kind;
    let old = history.children.iter().find(|child| child.uid == *uid);
    if !old.is_some_and(|old| old.gone.is_some_and(|gone| gone.at > begin.at && gone.at < end.at)) {
        return unknown(format!("{kind} {name} was deleted and did not go"));
    }
    let new = history.children.iter().find(|child| {
        child.kind == *kind && child.uid != *uid && child.seen.at > begin.at && child.seen.at < end.at
    });
    match new {
        Some(new) => {
            let limit = history.limits.reconcile;
            let what = format!("{kind} {name} was deleted, and {} was made", new.name);
            let late = limit.too_late(&what, begin.when, new.seen.when);
            late.unwrap_or_else(|| met(format!("{what} (another UID)")))
        }
        None => {
            let witness = format!("{kind} {name} was deleted, and no other was made{}", said(&end.mark));
            blamed(&end.mark).map_or_else(|| unmet(witness, [begin.at, end.at]), unknown)
        }
    }
}

/// A change of the resource is followed.
pub fn change_is_followed(history: &History) -> Outcome {
    let plan = &history.plan;
    let Some(begin) = &history.change else {
        return unknown(history.lack("the resource was not changed"));
    };
    if let Some(answer) = history.change_answer.as_ref().filter(|answer| answer.status > 299) {
        return unknown(format!("the change was refused: {}", answer.message));
    }
    let (Some(shows), Some(end)) = (&plan.changed, &history.changed) else {
        return unknown(history.lack("the resource was not changed"));
    };
    let (Some(before), Some(after)) = (history.before(begin.at), history.before(end.at)) else {
        return unknown("the resource was not seen on its watch");
    };
    if before.object.at("/metadata/generation") == after.object.at("/metadata/generation") {
        return unknown("the change did not make another generation");
    }
    if plan.lacks(&before.object, shows).is_none() {
        return unknown("what is to show the change was there before it");
    }
    match plan.lacks(&after.object, shows) {
        None => {
            let first =
                history.between(begin.at, end.at).find(|look| plan.lacks(&look.object, shows).is_none());
            let when = first.map_or(after.when, |first| first.when);
            late(history, "its status showed the change", Some(begin), when)
                .unwrap_or_else(|| met(shown(plan, after, shows)))
        }
        Some(lack) => {
            let witness = format!("{lack}{}", said(&end.mark));
            blamed(&end.mark).map_or_else(|| unmet(witness, [begin.at, end.at]), unknown)
        }
    }
}

/// A deleted resource goes, and what was made of it goes with it.
pub fn deletion_completes(history: &History) -> Outcome {
    let (Some(begin), Some(end)) = (&history.delete, &history.gone) else { return not_created(history) };
    let plan = &history.plan;
    if !plan.children.is_empty() && !history.children.iter().any(|child| child.seen.at < begin.at) {
        return unknown("nothing was made of it, so that nothing could go with it");
    }
    let look = history.before(end.at);
    if !look.is_some_and(|look| look.gone) {
        let finalizers = look.and_then(|look| look.object.at("/metadata/finalizers"));
        let held = finalizers.map_or_else(|| "no finalizers".into(), ToString::to_string);
        if !end.mark.there {
            return unknown("that it went was not seen on its watch");
        }
        return unmet(
            format!("it was deleted and is still there, with finalizers {held}"),
            [begin.at, end.at],
        );
    }
    let (leaving, left): (Vec<_>, Vec<_>) = history
        .children
        .iter()
        // What the operator makes after the end, not knowing of it yet, and the garbage collector takes, was not left.
        .filter(|child| child.is_there(end.at) || (child.stays(end.at) && child.gone.is_none()))
        .partition(|child| child.is_leaving(end.at));
    let names = |children: Vec<&Child>| -> Vec<String> {
        children.iter().map(|child| format!("{} {}", child.kind, child.name)).collect()
    };
    let (leaving, left) = (names(leaving), names(left));
    if left.is_empty() && !leaving.is_empty() {
        // Who ends a pod is its kubelet.
        return unknown(format!("it is gone, and {} are being deleted and still there", leaving.join(", ")));
    }
    if left.is_empty() {
        let gone = history.children.iter().filter_map(|child| child.gone).map(|gone| gone.when);
        let last = gone.chain(look.map(|look| look.when)).max();
        let what = "it, and all that it owned, was gone";
        if let Some(late) = last.and_then(|last| late(history, what, Some(begin), last)) {
            return late;
        }
        let count = history.children.iter().filter(|child| child.seen.at < end.at).count();
        return met(if plan.children.is_empty() {
            "it is gone, finalizers and all".to_owned()
        } else {
            format!("it is gone, and all {count} objects that it owned")
        });
    }
    if !end.mark.lists(None) {
        return unknown(format!("that {} went was not seen on its watch", left.join(", ")));
    }
    unmet(format!("it is gone, and left {}", left.join(", ")), [begin.at, end.at])
}
