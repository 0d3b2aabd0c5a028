//! What the cluster's events say of pods that do not come: a pod's status is silent when a device cannot be prepared.

use aiconform_cluster::Scratch;
use aiconform_model::{Kind, Object};
use aiconform_wait::TooLate;

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
