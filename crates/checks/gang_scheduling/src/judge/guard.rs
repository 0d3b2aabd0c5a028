//! When nothing that was seen of a subject can be believed: the platform, or someone else, changed what it stands on.

mod ballast;
mod slots;

pub use ballast::Ballast;
pub use slots::Slots;

use super::history::{History, is_turned_away};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_trial::foreign::{self, renumbered};
use aiconform_trial::labels::{GANG, ROLE, RUN, TRIAL};
use aiconform_trial::{Admitted, Guard, Position, Story};
use aiconform_verdict::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

const SLOTS: &str = "slots.aiconform.dev/";

/// Why nothing can be believed, if so.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    let mut slots = history.slots.clone();
    let mut own = |event: &Event| {
        let EventKind::Watch { kind, object, change } = &event.kind else { return None };
        let at = Position::of(event);
        if *kind == Kind::node() {
            return foreign::node(object, *change).or_else(|| slots.strange(object, at));
        }
        if *kind != Kind::pod() {
            return None;
        }
        if object.label(RUN).is_empty() && event.scope.check.is_empty() {
            return neighbour(object, *change);
        }
        if !story.is_own(event) {
            return None;
        }
        // What a Job makes does not come through a request of ours: it is compared as it comes in.
        let template = history.templates.get(object.label(GANG)).filter(|_| *change == Change::Added);
        let rewritten = template.and_then(|sent| history.reading.changed(sent, object));
        rewritten.or_else(|| pod(object, *change)).or_else(|| history.ballast.lost(object, *change, at))
    };
    let mut admitted = |admitted: &Admitted<'_>| {
        let to_pods = admitted.path.split('?').next().is_some_and(|path| path.ends_with("/pods"));
        let (sent, got) = (Object(admitted.sent.clone()), Object(admitted.got.clone()));
        if to_pods { history.reading.changed(&sent, &got) } else { renumbered(&sent, &got) }
    };
    story.doubt(Guard { watches: &|_| true, admitted: &mut admitted, own: &mut own })
}

/// The pods that Jobs and the like of ours are to make, by their gang.
pub fn sent_templates(story: &Story<'_>) -> BTreeMap<String, Object> {
    let mut found = BTreeMap::new();
    for event in story.events() {
        if let EventKind::Exchange { method, path, status: 200..300, request: Some(sent), .. } = &event.kind
            && method == "POST"
            && !path.contains("/pods")
        {
            templates_in(sent, &mut found);
        }
    }
    found
}

/// Templates of pods, wherever they stand in an object.
fn templates_in(value: &Value, found: &mut BTreeMap<String, Object>) {
    if value.pointer("/spec/containers").is_some() {
        let template = Object(value.clone());
        found.insert(template.label(GANG).to_owned(), template);
        return;
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|inner| templates_in(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| templates_in(inner, found)),
        _ => {}
    }
}

/// A pod of others on the node whose CPU is measured out. It is only watched where slots are CPU.
fn neighbour(object: &Object, change: Change) -> Option<String> {
    let node = object.text("/spec/nodeName");
    match change {
        Change::Added => Some(format!("pod {} came to node {node}: what is free changed", object.called())),
        Change::Deleted => Some(format!("pod {} left node {node}: what is free changed", object.called())),
        Change::Modified if matches!(object.text("/status/phase"), "Succeeded" | "Failed") => {
            Some(format!("pod {} ended on node {node}: what is free changed", object.called()))
        }
        Change::Modified | Change::Listed => None,
    }
}

fn pod(object: &Object, change: Change) -> Option<String> {
    if change == Change::Deleted {
        return None;
    }
    let requests = object.at("/spec/containers/0/resources/requests").and_then(Value::as_object);
    let takes = requests.is_some_and(|requests| requests.keys().any(|name| name.starts_with(SLOTS)));
    if takes && (object.label(ROLE).is_empty() || object.label(TRIAL).is_empty()) {
        return Some(format!("pod {} is not ours and takes a private slot", object.called()));
    }
    // Where gangs of two priorities meet, the eviction is what is tried.
    if object.condition_is("DisruptionTarget", "True") && object.label(TRIAL) != "preemption" {
        return Some(format!("pod {} was evicted by someone", object.called()));
    }
    // Slots that come while pods wait for them are seen by the scheduler and the kubelet in their own time; a kubelet
    // that is behind turns a pod away that was bound to it. A round of several gangs is void then and others stand; of
    // every other trial there is one, and a slot that is free again could hide what it looks for.
    let round = ["round-", "ample-", "three-"].iter().any(|prefix| object.label(TRIAL).starts_with(prefix));
    if round && is_turned_away(object) {
        return None;
    }
    // A pod that we delete may be seen to fail on its way out.
    if object.at("/metadata/deletionTimestamp").is_none() && object.text("/status/phase") == "Failed" {
        let why = [object.text("/status/reason"), object.text("/status/message")].join(": ");
        return Some(format!("pod {} failed: {why}", object.called()));
    }
    None
}

/// Control: the product had the gang in its hands at all. What was written for it was kept, and it made of it what it makes
/// of gangs.
pub fn is_in_force(history: &History) -> Outcome {
    let (seen, subject) = (&history.in_force.seen, &history.subject);
    if let Some((gang, _)) = seen.iter().find(|(_, held)| !**held) {
        let witness = format!(
            "pods of {gang} came in without what {subject} needs to hold them: fields dropped, a gate off, or its webhook does not serve"
        );
        return aiconform_trial::unmet(witness, []);
    }
    match seen.len() {
        0 if history.in_force.closed => aiconform_trial::unmet(
            format!("{subject} made nothing of the gangs that were created for it"),
            [],
        ),
        0 => aiconform_trial::unknown("no gang was created"),
        count => aiconform_trial::met(format!("{count} gangs were taken up as gangs")),
    }
}
