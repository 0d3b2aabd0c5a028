//! Whether private slots of nodes were at all times what we had asked for.

use super::SLOTS;
use aiconform_model::{Event, EventKind, Object};
use serde_json::Value;
use std::collections::BTreeMap;

/// A slot of a node.
type Slot = (String, String);

/// An amount that we asked for, and the mark after which we did.
struct Sent {
    amount: String,
    after: u64,
}

/// The amounts of each slot of each node, in the order in which we asked for them.
pub struct Slots {
    sent: BTreeMap<Slot, Vec<Sent>>,
    /// Which of them the watch has come to.
    seen: BTreeMap<Slot, usize>,
}

impl Slots {
    /// Every amount that we have asked for. A change can come on the watch before the answer to the patch that made it,
    /// so all of them are read first; it cannot come before the phase in which we asked.
    pub fn asked(events: &[&Event]) -> Slots {
        let mut marks: BTreeMap<&str, u64> = BTreeMap::new();
        let mut sent: BTreeMap<Slot, Vec<Sent>> = BTreeMap::new();
        for event in events {
            match &event.kind {
                EventKind::Phase { data, .. } => {
                    if let Some(resource) = data.get("resource").and_then(Value::as_str) {
                        marks.insert(resource, event.sequence);
                    }
                }
                EventKind::Exchange { method, path, request: Some(request), .. }
                    if method == "PATCH" && path.ends_with("/status") =>
                {
                    let Some(node) =
                        path.strip_prefix("/api/v1/nodes/").and_then(|rest| rest.split('/').next())
                    else {
                        continue;
                    };
                    for (slot, amount) in amounts(&Object(request.clone())) {
                        let after = marks.get(slot.as_str()).copied().unwrap_or_default();
                        sent.entry((node.to_owned(), slot)).or_default().push(Sent { amount, after });
                    }
                }
                _ => {}
            }
        }
        // What is only taken away is another subject's.
        sent.retain(|_, asked| asked.iter().any(|sent| !sent.amount.is_empty()));
        Slots { sent, seen: BTreeMap::new() }
    }

    /// What is not as we asked for it in a node as it was watched at a position.
    pub fn strange(&mut self, node: &Object, at: u64) -> Option<String> {
        let there = amounts(node);
        for (slot, sent) in &self.sent {
            if slot.0 != node.name() {
                continue;
            }
            let (amount, known) = (there.get(&slot.1).map_or("", String::as_str), self.seen.get(slot));
            // Before it was first seen it may not be there yet.
            if known.is_none() && amount.is_empty() {
                continue;
            }
            let from = known.copied().unwrap_or_default();
            let found = sent.iter().skip(from).position(|sent| sent.amount == amount && sent.after <= at);
            let Some(further) = found else {
                let amount = if amount.is_empty() { "nothing" } else { amount };
                return Some(format!("someone else set {} of node {} to {amount}", slot.1, slot.0));
            };
            self.seen.insert(slot.clone(), from + further);
        }
        None
    }
}

/// Amounts of private slots; an empty text stands for one that is taken away.
fn amounts(object: &Object) -> BTreeMap<String, String> {
    let amounts = object.at("/status/allocatable").and_then(Value::as_object);
    amounts
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with(SLOTS))
        .map(|(name, amount)| (name.clone(), amount.as_str().unwrap_or_default().to_owned()))
        .collect()
}
