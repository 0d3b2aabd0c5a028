//! Pods that were wanted: whether they run, each with an accelerator that a pod without one does not reach.

use super::history::{Closed, History, Stepped};
use crate::marks::Looked;
use crate::plan::Name;
use aiconform_model::probe::{Access, Seen};
use aiconform_model::{Change, Object};
use aiconform_trial::{Came, Position, met, unknown, unmet};
use aiconform_verdict::Outcome;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Reasons of a container that has no image, or may not have what it names.
const NO_IMAGE: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
];

/// Tells whether it stands on simulated devices: no driver stands behind them.
pub fn simulated(history: &History) -> bool {
    history.given.iter().any(|(_, looked)| {
        !looked.look.sockets.is_empty() || looked.look.devices.iter().any(|seen| seen.opening.has_no_driver())
    })
}

/// Control: a pod without an accelerator does not reach all that a pod with one reaches.
pub fn plain_pod_has_no_accelerator(history: &History) -> Outcome {
    let (Some(plain), Some((at, first))) = (&history.plain, history.given.first()) else {
        return unknown(history.lack("no pod was asked what it sees"));
    };
    let (own, theirs) = (first.reaches(Some(plain)), plain.reaches(None));
    if own.is_empty() && !theirs.is_empty() {
        return unmet(
            format!(
                "the pod {} asks for no accelerator and reaches {}, as {} does, which asks for one: who has one cannot be told",
                plain.pod,
                theirs.join(", "),
                first.pod
            ),
            [*at],
        );
    }
    met(format!(
        "{} asks for none and reaches {}",
        plain.pod,
        if theirs.is_empty() { "none".into() } else { theirs.join(", ") }
    ))
}

/// As many pods run as there are replicas, each on a node with accelerators and with one that a plain pod does not reach.
pub fn new_pods_have_accelerators(history: &History) -> Outcome {
    let ups: Vec<&Stepped> =
        [Name::FirstUp, Name::SecondUp].iter().filter_map(|name| history.step(*name)).collect();
    for step in &ups {
        let Some(Closed { at: closed, why }) = &step.closed else { break };
        let any_asked = history.given.iter().any(|(at, _)| *at > step.at && at < closed);
        // Replicas are there and no pod was asked: it did not run.
        if step.decided.is_some() && !any_asked && !why.is_empty() {
            if let Some(hindered) = hindered(history, step.step.replicas, *closed) {
                return unknown(format!("{} replicas are wanted, and {hindered}", step.step.replicas));
            }
            return unmet(format!("{} replicas are wanted, and {why}", step.step.replicas), [*closed]);
        }
    }
    let Some(plain) = &history.plain else {
        return unknown(history.lack("no pod was asked what it sees"));
    };
    let mut seen = Vec::new();
    for (at, looked) in &history.given {
        let own = looked.reaches(Some(plain));
        if own.is_empty() {
            return unmet(format!("the pod {} asks for an accelerator and reaches none", looked.pod), [*at]);
        }
        if !history.facts.nodes.contains(&looked.node) {
            return unmet(
                format!("the pod {} runs on {}, which has no such accelerator", looked.pod, looked.node),
                [*at],
            );
        }
        if let Some(other) = history.given.iter().find(|(_, other)| looked.has_nothing_beside(other, plain)) {
            return unknown(format!(
                "the pods {} and {} on {} reach the same ({}): whether each has one of its own cannot be told",
                looked.pod,
                other.1.pod,
                looked.node,
                own.join(", ")
            ));
        }
        seen.push(format!("{} on {}", own.join(" and "), looked.node));
    }
    let most = usize::try_from(history.facts.most).unwrap_or(usize::MAX);
    if seen.len() < most {
        return unknown(history.lack("not as many pods were asked as must have come"));
    }
    for step in &ups {
        let ran = history.ran.iter().find(|(at, _)| *at > step.at && *at < history.end(step));
        let came = step.decided.map(|decided| history.start.came(decided, ran.map(|(_, when)| *when)));
        if let Some(Came::Late(took)) = came {
            return history.start.late(&format!("{} pods ran", step.step.replicas), took);
        }
    }
    met(seen.join(", "))
}

impl Looked {
    /// Devices that it reaches.
    fn reached(&self) -> impl Iterator<Item = &Seen> {
        self.look.devices.iter().filter(|seen| seen.opening.access() == Access::Reached)
    }

    /// Paths of devices that it reaches, without those that the other does.
    fn reaches(&self, other: Option<&Looked>) -> Vec<String> {
        let paths = |looked: &Looked| -> BTreeSet<String> {
            looked.reached().map(|seen| seen.path.clone()).collect()
        };
        let others = other.map(paths).unwrap_or_default();
        paths(self).into_iter().filter(|path| !others.contains(path)).collect()
    }

    /// Tells whether another pod on the same node reaches every device that this one has beside what everyone reaches.
    /// Paths in a container say nothing of which device it is, numbers do.
    fn has_nothing_beside(&self, other: &Looked, plain: &Looked) -> bool {
        let numbers = |looked: &Looked| -> BTreeSet<_> { looked.reached().map(|seen| seen.number).collect() };
        let own: BTreeSet<_> = numbers(self).difference(&numbers(plain)).copied().collect();
        other.pod != self.pod && other.node == self.node && own.is_subset(&numbers(other))
    }
}

/// Why the pods that were wanted when a step was closed did not run, where that says nothing of the platform's accelerators:
/// they were not created, had no room, or no image.
fn hindered(history: &History, wanted: u64, closed: Position) -> Option<String> {
    let mut pods: BTreeMap<&str, &Object> = BTreeMap::new();
    for (_, change, pod) in history.pods.iter().filter(|(at, ..)| *at < closed) {
        match change {
            Change::Deleted => pods.remove(pod.name()),
            _ => pods.insert(pod.name(), pod),
        };
    }
    if (pods.len() as u64) < wanted {
        return Some(format!(
            "{} of {wanted} pods were created: a quota or a policy may refuse them",
            pods.len()
        ));
    }
    pods.values().filter(|pod| !pod.condition_is("Ready", "True")).find_map(|pod| {
        if let Some(condition) = pod.condition("PodScheduled")
            && pod.condition_is("PodScheduled", "False")
        {
            let message = condition.get("message").and_then(Value::as_str).unwrap_or_default();
            return Some(format!(
                "the pod {} found no room, and what was counted free before may have gone to somebody else: {message}",
                pod.name()
            ));
        }
        let statuses = pod.at("/status/containerStatuses").and_then(Value::as_array);
        let reason = |status: &Value| {
            status.pointer("/state/waiting/reason").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut reasons = statuses.into_iter().flatten().map(reason);
        let reason = reasons.find(|reason| NO_IMAGE.contains(&reason.as_str()))?;
        Some(format!("the pod {} has no image ({reason})", pod.name()))
    })
}
