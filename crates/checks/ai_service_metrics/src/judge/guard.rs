//! Why nothing of a way of declaring can be believed.

use super::history::History;
use crate::marks::{DECLARED, PODS};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::foreign::holds;
use aiconform_trial::{Guard, Position, Story};

/// Why nothing of a way can be believed: a pod that was rewritten on its way in or did not stay as it was, or a gap in the
/// watch on pods.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    rewritten(history).or_else(|| {
        story.doubt(Guard {
            watches: &|kind| *kind == Kind::pod(),
            // What was admitted stands in the mark of the workload, with its annotations.
            admitted: &mut |_| None,
            own: &mut |event| disturbed(history, event),
        })
    })
}

fn rewritten(history: &History) -> Option<String> {
    let made = &history.made.as_ref()?.mark;
    made.sent.iter().find(|(who, sent)| !holds(Some(sent), made.admitted.get(*who))).map(|(who, sent)| {
        format!(
            "the test pod {} was changed on its way in: {sent} was sent, and it has {}; a webhook or policy of the platform rewrites pods",
            history.pod(who),
            made.admitted.get(who).cloned().unwrap_or_default()
        )
    })
}

/// Why a pod did not stay as it was, once it ran.
fn disturbed(history: &History, event: &Event) -> Option<String> {
    let at = Position::of(event);
    let EventKind::Watch { object, change, .. } = &event.kind else { return None };
    if history.made.as_ref().is_none_or(|made| at < made.at) {
        return None;
    }
    let who = PODS.into_iter().find(|who| history.pod(who) == object.name())?;
    let ours = || history.deleted.as_ref().is_some_and(|deleted| deleted.at < at);
    if who == DECLARED[0] && ours() {
        return None;
    }
    changed(object, *change, at)
}

fn changed(pod: &Object, change: Change, at: Position) -> Option<String> {
    let name = pod.name();
    if change == Change::Deleted || pod.at("/metadata/deletionTimestamp").is_some() {
        return Some(format!("the test pod {name} was deleted by someone else (event {at})"));
    }
    // Also while its container is started again, and counts from nothing.
    pod.condition_is("Ready", "False").then(|| {
        format!(
            "the test pod {name} was not ready for a while (event {at}), as when its node {} goes away",
            pod.text("/spec/nodeName")
        )
    })
}
