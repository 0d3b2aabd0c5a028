//! Why nothing of an operator can be believed.

use super::history::History;
use aiconform_model::{Change, Event, EventKind};
use aiconform_trial::foreign::changed_spec;
use aiconform_trial::{Guard, Position, Story};

/// Why nothing of an operator can be believed: a gap in a watch, an object that was rewritten on its way in, or a deletion
/// of the resource by somebody else.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    story.doubt(Guard {
        watches: &|_| true,
        admitted: &mut |admitted| {
            // A question about our rights is no object.
            if admitted.path.contains("/selfsubjectaccessreviews") {
                return None;
            }
            changed_spec(admitted.sent, admitted.got)
        },
        own: &mut |event| deleted_by_others(history, event),
    })
}

fn deleted_by_others(history: &History, event: &Event) -> Option<String> {
    let EventKind::Watch { change, object, .. } = &event.kind else { return None };
    let goes = *change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
    let ours = history.delete.as_ref().is_some_and(|delete| delete.at < Position::of(event));
    let of_it = !history.uid.is_empty() && object.uid() == history.uid;
    (of_it && goes && !ours).then(|| {
        let (kind, name) = (&history.plan.kind.kind, object.called());
        format!("{kind} {name} was deleted by someone else (event {})", event.sequence)
    })
}
