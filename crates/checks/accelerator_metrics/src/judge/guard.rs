//! When nothing that was seen of a subject can be believed.

use super::history::{History, Stretch};
use crate::adapters::Lack;
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::{Guard, Position, Story};

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    if history.dialect.is_none() {
        return Some(unread(history));
    }
    story.doubt(Guard {
        watches: &|kind| *kind == Kind::pod(),
        admitted: &mut |_| None,
        own: &mut |event| history.stretches.iter().find_map(|stretch| lost(stretch, event)),
    })
}

/// Words of an endpoint that speaks no dialect that is known.
fn unread(history: &History) -> String {
    let answers = history.scrapes.iter().map(|scrape| match &scrape.read {
        Err(Lack::Answer(why)) => Some(why),
        _ => None,
    });
    // Nothing comes before something: not one of them was read.
    if let Some(Some(why)) = answers.min() {
        // Which of the two is wrong, only whoever runs the endpoint knows.
        let hint = if why.contains("UnknownIssuer") {
            "; if its certificate is right, name the authority that signed it in the profile: [accelerator_metrics] ca_file = \"…\""
        } else {
            ""
        };
        return format!("it could not be read: {why}{hint}");
    }
    let seen = history.scrapes.iter().find_map(|scrape| match &scrape.read {
        Ok(metrics) if metrics.samples > 0 => {
            Some(format!("{} samples, such as {}", metrics.samples, metrics.some))
        }
        Ok(_) => None,
        Err(lack) => Some(lack.words().into()),
    });
    let seen = seen.unwrap_or_else(|| "nothing was read".into());
    format!("it speaks none of the dialects that are known; what it says: {seen}")
}

/// Loss of the pod of a device, before we deleted it: each device has its own pod, which goes before the next comes.
fn lost(stretch: &Stretch, event: &Event) -> Option<String> {
    let (given, pod) = stretch.given.as_ref().map(|(at, given)| (*at, given.pod.as_str()))?;
    let at = Position::of(event);
    let EventKind::Watch { kind, change, object } = &event.kind else { return None };
    if *kind != Kind::pod() || object.name() != pod || stretch.pod_deleted.is_some_and(|ours| at > ours) {
        return None;
    }
    if object.at("/metadata/deletionTimestamp").is_some() || *change == Change::Deleted {
        return Some(format!("the test pod {pod} was deleted by someone else (event {at})"));
    }
    // Said by the kubelet, or by the control plane of all pods of a node that it does not hear from.
    (at > given && object.condition_is("Ready", "False")).then(|| {
        let node = object.text("/spec/nodeName");
        format!(
            "the test pod {pod} was not ready for a while (event {at}), as when its node {node} goes away"
        )
    })
}
