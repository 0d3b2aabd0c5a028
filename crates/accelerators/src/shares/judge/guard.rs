//! When nothing of a trial can be believed.

use super::history::History;
use aiconform_model::{Change, EventKind, Kind};
use aiconform_trial::foreign::admitted_pod;
use aiconform_trial::{Guard, Position, Story};

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    let ours = |pod: &str, at: Position| {
        history.release.as_ref().is_some_and(|release| release.pod == pod && release.at < at)
    };
    story.doubt(Guard {
        watches: &|kind| *kind == Kind::pod(),
        admitted: &mut |pod| admitted_pod("POST", pod.path, pod.sent, pod.got),
        own: &mut |event| match &event.kind {
            EventKind::Watch { kind, object, change } if *kind == Kind::pod() && story.is_own(event) => {
                let gone = *change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
                (gone && !ours(object.name(), Position::of(event)))
                    .then(|| format!("the test pod {} was deleted by someone else", object.name()))
            }
            _ => None,
        },
    })
}
