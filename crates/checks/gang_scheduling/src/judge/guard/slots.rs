//! Guard of the private slots of nodes: they are at all times what we had asked for.

use super::SLOTS;
use crate::judge::history::History;
use aiconform_model::{EventKind, Object};
use aiconform_trial::{Position, Story};
use serde_json::Value;
use std::collections::BTreeMap;

/// A slot of a node.
type Slot = (String, String);

/// An amount that we asked for, and the mark after which we did.
#[derive(Clone, Debug)]
struct Sent {
    amount: String,
    after: Position,
}

/// The amounts of each slot of each node, in the order in which we asked for them.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    sent: BTreeMap<Slot, Vec<Sent>>,
    /// The last of them to which the watch has come.
    seen: BTreeMap<Slot, usize>,
}

impl Slots {
    /// Every amount that we have asked for. A change can come on the watch before the answer to the patch that made it,
    /// so all of them are read first; it cannot come before the step in which we asked.
    pub fn asked(story: &Story<'_>, history: &History) -> Slots {
        let begun = |slot: &str, before: Position| {
            let phases = history.trials.iter().flat_map(|trial| &trial.phases);
            let marks = phases.filter(|phase| phase.mark.resource.as_deref() == Some(slot));
            marks.map(|phase| phase.at).filter(|at| *at < before).max().unwrap_or_default()
        };
        let mut sent: BTreeMap<Slot, Vec<Sent>> = BTreeMap::new();
        for event in story.events() {
            let EventKind::Exchange { method, path, request: Some(request), .. } = &event.kind else {
                continue;
            };
            let node = path.strip_prefix("/api/v1/nodes/").and_then(|rest| rest.split('/').next());
            let Some(node) = node.filter(|_| method == "PATCH" && path.ends_with("/status")) else {
                continue;
            };
            for (slot, amount) in amounts(&Object(request.clone())) {
                let after = begun(&slot, Position::of(event));
                sent.entry((node.to_owned(), slot)).or_default().push(Sent { amount, after });
            }
        }
        // What is only taken away is another subject's.
        sent.retain(|_, asked| asked.iter().any(|sent| !sent.amount.is_empty()));
        Slots { sent, seen: BTreeMap::new() }
    }

    /// The difference of a node, as it was watched at a position, from what we asked for.
    pub fn strange(&mut self, node: &Object, at: Position) -> Option<String> {
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
