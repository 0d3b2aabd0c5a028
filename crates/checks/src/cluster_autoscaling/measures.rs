//! What is told beside the claims: notes for people who compare.

use super::history::History;
use aiconform_model::Event;
use aiconform_verdict::{Measure, Subject};

/// What was measured of a subject.
pub fn measures(events: &[&Event], subject: &Subject) -> Vec<Measure> {
    let history = History::of(events, subject);
    let mut measures = Vec::new();
    let mut tell = |name: &str, value: Option<i64>| {
        if let Some(value) = value {
            #[allow(clippy::cast_precision_loss, reason = "hours at most")]
            let value = format!("{:.1}", value as f64 / 1000.0);
            measures.push(Measure { name: name.into(), value });
        }
    };
    let mut came = Vec::new();
    let mut bound = Vec::new();
    for (trigger, pod) in history.waiting() {
        let Some(node) = history.node_of(&trigger.pod).filter(|node| node.came.0 > trigger.at) else {
            continue;
        };
        came.push(node.came.1 - pod.time);
        bound.extend(pod.bound.as_ref().map(|bound| bound.1 - pod.time));
    }
    let went = history.all("deleted").filter_map(|deleted| {
        let (_, time) = history.node_of(&deleted.pod)?.gone?;
        (time >= deleted.time).then_some(time - deleted.time)
    });
    tell("longest time from a pod that waits to its node, in s", came.into_iter().max());
    tell("longest time from a pod that waits to its binding, in s", bound.into_iter().max());
    tell("longest time from the end of a pod to that of its node, in s", went.max());
    let end = history.phases.last().map_or(0, |phase| phase.time);
    let there = history.new_nodes().map(|node| node.gone.map_or(end, |gone| gone.1) - node.came.1);
    tell("time that nodes which came were there, together, in s", Some(there.sum()).filter(|sum| *sum > 0));
    let count = history.new_nodes().count();
    if count > 0 {
        measures.push(Measure { name: "nodes that came".into(), value: count.to_string() });
    }
    measures
}
