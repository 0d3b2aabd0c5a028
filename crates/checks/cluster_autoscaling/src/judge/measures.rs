//! Measures beside the claims: notes for people who compare.

use super::history::History;
use aiconform_verdict::Measure;
use std::time::Duration;

/// Measures of a subject.
pub fn measures(history: &History) -> Vec<Measure> {
    let mut measures = Vec::new();
    let mut tell = |name: &str, time: Option<Duration>| {
        let value = time.map(|time| format!("{:.1}", time.as_secs_f64()));
        measures.extend(value.map(|value| Measure { name: name.into(), value }));
    };
    let mut came = Vec::new();
    let mut bound = Vec::new();
    for (trigger, pod) in history.waiting() {
        let Some(node) = history.node_of(&trigger.pod).filter(|node| node.came.at > trigger.mark.at) else {
            continue;
        };
        came.push(node.came.when.since(pod.came.when));
        bound.extend(pod.bound.as_ref().map(|(bound, _)| bound.when.since(pod.came.when)));
    }
    let went = history.steps.deleted.iter().filter_map(|deleted| {
        let gone = history.node_of(&deleted.pod)?.gone?;
        (gone.when >= deleted.mark.when).then(|| gone.when.since(deleted.mark.when))
    });
    tell("longest time from a pod that waits to its node, in s", came.into_iter().max());
    tell("longest time from a pod that waits to its binding, in s", bound.into_iter().max());
    tell("longest time from the end of a pod to that of its node, in s", went.max());
    let end = history.steps.last;
    let there = history.new_nodes().map(|node| node.gone.map_or(end, |gone| gone.when).since(node.came.when));
    let there: Duration = there.sum();
    tell("time that nodes which came were there, together, in s", Some(there).filter(|sum| !sum.is_zero()));
    let count = history.new_nodes().count();
    if count > 0 {
        measures.push(Measure { name: "nodes that came".into(), value: count.to_string() });
    }
    measures
}
