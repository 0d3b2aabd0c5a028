//! Other words of the cluster when something does not go on: events about pods (a pod's status is silent when a device
//! cannot be prepared), and how their nodes stand.

use aiconform_check::cx::Stop;
use aiconform_cluster::Scratch;
use aiconform_model::{Change, Kind, Object};
use aiconform_trial::foreign::node;
use aiconform_wait::TooLate;
use std::collections::BTreeSet;

/// Adds to what was seen last what the latest warning about one of the pods says, where events may be read.
pub async fn explained(scratch: &Scratch, pods: &[String], mut late: TooLate) -> TooLate {
    let kind = Kind::namespaced("", "v1", "Event", "events");
    // Whoever may not read them goes without.
    let events = scratch.session().api().list(scratch.scope(), &kind, scratch.namespace(), "").await;
    if let Some((pod, words)) = events.ok().and_then(|events| latest(&events, pods)) {
        late.last = format!("{}; the latest warning is about {pod}: {words}", late.last);
    }
    late
}

/// The stop of the run, with the node of its pods before it where that is gone or not ready.
pub async fn blamed<T>(scratch: &Scratch, done: Result<T, Stop>) -> Result<T, Stop> {
    let stop = match done {
        Err(stop @ (Stop::Cluster(_) | Stop::Hindered(_))) => stop,
        other => return other,
    };
    let placed = |pod: &Object| Some(pod.text("/spec/nodeName").to_owned()).filter(|node| !node.is_empty());
    let nodes: BTreeSet<String> = scratch.all(&Kind::pod(), placed).into_iter().collect();
    for name in nodes {
        let why = match scratch.session().api().get(scratch.scope(), &Kind::node(), "", &name).await {
            Ok(found) => node(&found, Change::Modified),
            Err(error) if error.is_not_found() => Some(format!("node {name} went away")),
            Err(_) => None,
        };
        if let Some(why) = why {
            return Err(Stop::Hindered(format!("{why}: {stop}")));
        }
    }
    Err(stop)
}

/// The pod and the words of the latest warning about one of these pods.
fn latest(events: &[Object], pods: &[String]) -> Option<(String, String)> {
    let warnings = events.iter().filter(|event| event.text("/type") == "Warning");
    let about = warnings.filter(|event| {
        event.text("/involvedObject/kind") == "Pod"
            && pods.iter().any(|pod| pod == event.text("/involvedObject/name"))
    });
    // Times of one form, which come in the order of time as text does; some reporters write the second one.
    let time = |event: &Object| event.text("/lastTimestamp").max(event.text("/eventTime")).to_owned();
    let event = about.max_by_key(|event| time(event))?;
    Some((
        event.text("/involvedObject/name").to_owned(),
        format!("{}: {}", event.text("/reason"), event.text("/message")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_latest_warning_about_one_of_the_pods_is_told() {
        let event = |kind: &str, pod: &str, time: &str, message: &str| {
            Object(json!({"type": kind, "reason": "R", "message": message, "lastTimestamp": time,
                "involvedObject": {"kind": "Pod", "name": pod}}))
        };
        let events = [
            event("Warning", "a", "2026-01-01T00:00:02Z", "later"),
            event("Warning", "a", "2026-01-01T00:00:01Z", "earlier"),
            event("Warning", "b", "2026-01-01T00:00:03Z", "another pod's"),
            event("Normal", "a", "2026-01-01T00:00:04Z", "no warning"),
        ];
        assert_eq!(latest(&events, &["a".into()]), Some(("a".into(), "R: later".into())));
        assert_eq!(latest(&events, &["c".into()]), None);
    }
}
