//! When nothing that was seen can be believed.

use super::history::History;
use aiconform_model::{Change, EventKind, Kind};
use aiconform_trial::foreign::admitted_pod;
use aiconform_trial::{Guard, Story};

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    if history.dialect.is_none() {
        return Some(format!(
            "it is not known how the maker of {} says versions: look whether labels of its nodes, or attributes in its ResourceSlices, say what is installed",
            story.subject().id
        ));
    }
    story.doubt(Guard {
        watches: &|kind| *kind == Kind::pod(),
        admitted: &mut |pod| admitted_pod("POST", pod.path, pod.sent, pod.got),
        own: &mut |event| match &event.kind {
            EventKind::Watch { kind, object, change } if *kind == Kind::pod() && story.is_own(event) => {
                let gone = *change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
                gone.then(|| format!("the test pod {} was deleted by someone else", object.name()))
            }
            _ => None,
        },
    })
}
