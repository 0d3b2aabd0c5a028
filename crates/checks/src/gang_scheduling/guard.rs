//! When nothing that was seen of a subject can be believed: the platform, or someone else, changed what it stands on.

mod ballast;
mod slots;

use super::adapters::Reading;
use super::template::{GANG, ROLE, TRIAL};
use crate::foreign::{self, renumbered};
use aiconform_cluster::RUN_LABEL;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::{Outcome, Subject};
use ballast::Ballast;
use serde_json::Value;
use slots::Slots;
use std::collections::{BTreeMap, BTreeSet};

const SLOTS: &str = "slots.aiconform.dev/";

/// Why nothing can be believed, if so.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let mut slots = Slots::asked(events);
    let ballast = Ballast::let_go(events);
    let templates = sent_templates(events);
    let reading = Reading::of(&subject.id, &subject.facts);
    let mut acting = false;
    for event in events {
        let ours = event.scope.subject == subject.id;
        match &event.kind {
            EventKind::SubjectStarted { .. } if ours => acting = true,
            EventKind::SubjectEnded {} if ours => acting = false,
            // What comes after an early end is our own undoing; nothing is decided then.
            EventKind::Stopped { .. } if event.scope.subject.is_empty() => acting = false,
            kind @ EventKind::WatchGap { .. } if acting => {
                if let Some(why) = foreign::gap(kind) {
                    return Some(why);
                }
            }
            EventKind::Exchange {
                method,
                path,
                status: 200..300,
                request: Some(sent),
                response: Some(got),
                ..
            } if method == "POST" && ours => {
                let to_pods = path.split('?').next().is_some_and(|path| path.ends_with("/pods"));
                let (sent, got) = (Object(sent.clone()), Object(got.clone()));
                let difference =
                    if to_pods { changed(&sent, &got, &reading) } else { renumbered(&sent, &got) };
                if difference.is_some() {
                    return difference;
                }
            }
            EventKind::Watch { kind, object, change } if acting && *kind == Kind::node() => {
                if let Some(why) =
                    foreign::node(object, *change).or_else(|| slots.strange(object, event.sequence))
                {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change }
                if acting
                    && *kind == Kind::pod()
                    && object.label(RUN_LABEL).is_empty()
                    && event.scope.check.is_empty() =>
            {
                if let Some(why) = neighbour(object, *change) {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change } if acting && ours && *kind == Kind::pod() => {
                // What a Job makes does not come through a request of ours: it is compared as it comes in.
                let template = templates.get(object.label(GANG)).filter(|_| *change == Change::Added);
                let rewritten = template.and_then(|sent| changed(sent, object, &reading));
                let lost = || ballast.lost(object, *change, event.sequence);
                if let Some(why) = rewritten.or_else(|| pod(object, *change)).or_else(lost) {
                    return Some(why);
                }
            }
            _ => {}
        }
    }
    None
}

/// The pods that Jobs and the like of ours are to make, by their gang.
fn sent_templates(events: &[&Event]) -> BTreeMap<String, Object> {
    let mut found = BTreeMap::new();
    for event in events {
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
    let template = Object(value.clone());
    if template.at("/spec/containers").is_some() {
        found.insert(template.label(GANG).to_owned(), template);
        return;
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|inner| templates_in(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| templates_in(inner, found)),
        _ => {}
    }
}

/// What of an admitted pod differs in what the trial stands on.
pub fn changed(sent: &Object, got: &Object, reading: &Reading) -> Option<String> {
    foreign::changed(sent, got, |gate| reading.gates(gate))
}

/// Whether a kubelet has turned a bound pod away for want of private slots.
pub fn is_turned_away(pod: &Object) -> bool {
    pod.text("/status/phase") == "Failed"
        && pod.text("/status/reason").starts_with("OutOfslots.aiconform.dev/")
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

/// Whether the product had the gang in its hands at all: what was written for it was kept, and it made of it what it
/// makes of gangs.
pub fn is_in_force(events: &[&Event], subject: &Subject) -> Outcome {
    let mut seen: BTreeMap<String, bool> = BTreeMap::new();
    let mut gangs = BTreeSet::new();
    let mut closed = false;
    let reading = Reading::of(&subject.id, &subject.facts);
    for event in events {
        match &event.kind {
            EventKind::Phase { phase, data } => {
                if phase == "gang"
                    && let Some(gang) = data.get("gang").and_then(Value::as_str)
                {
                    gangs.insert(gang.to_owned());
                }
                closed |= phase == "gang_window_closed" || phase == "gang_ended";
            }
            EventKind::Watch { kind, object, change } if *change != Change::Deleted => {
                if let Some((gang, held)) = reading.in_force(kind, object, *change)
                    && gangs.contains(&gang)
                {
                    *seen.entry(gang).or_insert(true) &= held;
                }
            }
            _ => {}
        }
    }
    if let Some((gang, _)) = seen.iter().find(|(_, held)| !**held) {
        let witness = format!(
            "pods of {gang} came in without what {} needs to hold them: fields dropped, a gate off, or its webhook does not serve",
            subject.id
        );
        return Outcome::Unmet { witness, events: Vec::new() };
    }
    match seen.len() {
        0 if closed => Outcome::Unmet {
            witness: format!("{} made nothing of the gangs that were created for it", subject.id),
            events: Vec::new(),
        },
        0 => Outcome::Unknown { why: "no gang was created".into() },
        count => Outcome::Met { seen: format!("{count} gangs were taken up as gangs") },
    }
}
