//! Claims that go further than the requirement, where devices are claimed.

use super::ground;
use super::history::{History, looks_or_tries};
use crate::marks::{BORROWER, MAIN, Mark};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use serde_json::Value;
use std::collections::BTreeSet;

/// The device in the container is the one that the claim was given.
pub fn allocated_device_is_given(history: &History) -> Outcome {
    let granted = match ground(history) {
        Ok(granted) => granted,
        Err(outcome) => return outcome,
    };
    let mut words = Vec::new();
    for holder in &granted.holders {
        let Some(claim) = history.claims.iter().find(|claim| claim.pod == holder.pod) else {
            return unknown(history.lack(&format!("no claim of {} was seen to have a device", holder.pod)));
        };
        let allocated: BTreeSet<&str> = claim
            .devices
            .iter()
            .filter_map(|device| history.facts.names.get(device))
            .map(String::as_str)
            .collect();
        if allocated.len() != claim.devices.len() {
            return unknown("the driver does not tell the UUIDs of its devices");
        }
        let Some(sight) = history.saw(&holder.pod, MAIN, looks_or_tries).last() else {
            return unknown(history.lack("the pod said nothing"));
        };
        let known: BTreeSet<&str> = history.facts.names.values().map(String::as_str).collect();
        let values = sight.look.environment.values().flat_map(|value| value.split(','));
        let named: BTreeSet<&str> = values.filter(|value| known.contains(value)).collect();
        if named.is_empty() {
            return unknown("containers are not told which device they have");
        }
        if named != allocated {
            let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
            return unmet(
                format!(
                    "the claim of {} was given {}, and its container has {}",
                    holder.pod,
                    list(&allocated),
                    list(&named)
                ),
                vec![claim.given, sight.at],
            );
        }
        words.push(format!("{}: {}", holder.pod, named.into_iter().collect::<Vec<_>>().join(", ")));
    }
    met(words.join("; "))
}

/// A claim with access for administrators is refused where nobody has allowed it.
pub fn admin_access_is_refused(history: &History) -> Outcome {
    let (Some(plain), Some(admin)) = (&history.plain, &history.admin) else {
        return unknown(history.lack("no claim with access for administrators was tried"));
    };
    let says = |answer: &Value| answer.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !(200..300).contains(&plain.status) {
        return unknown(format!("the same claim without it is refused too: {}", says(&plain.answer)));
    }
    let request = admin.answer.pointer("/spec/devices/requests/0");
    let kept = request.and_then(|request| request.pointer("/exactly/adminAccess")).and_then(Value::as_bool);
    match (admin.status, kept) {
        (200..300, Some(true)) => unmet(
            "a claim with adminAccess, which gives devices that others have, is let into a namespace for which nobody asked for it",
            vec![admin.at],
        ),
        (200..300, _) => unknown("the API server drops adminAccess from claims: its feature is off"),
        (400..500, _) if says(&admin.answer).to_lowercase().contains("admin") => met(says(&admin.answer)),
        (status, _) => unknown(format!("it was answered with status {status}: {}", says(&admin.answer))),
    }
}

/// A pod cannot use the claim of another namespace.
pub fn foreign_claim_is_unusable(history: &History) -> Outcome {
    let Some(borrower) = history.of_role(BORROWER).next() else {
        return unknown(history.lack("no pod named the claim of another namespace"));
    };
    let borrowed = history.marked(|mark| match mark {
        Mark::Borrow { claim, .. } => Some(claim.as_str()),
        _ => None,
    });
    let claim = borrowed.map(|(_, claim)| claim).unwrap_or_default();
    if let Some((at, node)) = &borrower.bound {
        let runs = if borrower.ready.is_some() { "runs on" } else { "was put on" };
        return unmet(
            format!("{}, which names the claim {claim} of another namespace, {runs} {node}", borrower.name),
            vec![*at],
        );
    }
    // The scheduler had its time: it has given a node to a pod that came later.
    let later = history.pods.iter().find(|pod| {
        pod.sent > borrower.sent && pod.bound.as_ref().is_some_and(|(at, _)| *at > borrower.sent)
    });
    let Some(later) = later else {
        return unknown(history.lack("no pod that came later was given a node"));
    };
    let words = borrower.refused.as_ref().map_or("no node was given to it", |(_, words)| words.as_str());
    met(format!("{} waits ({words}), while {}, which came later, has a node", borrower.name, later.name))
}
