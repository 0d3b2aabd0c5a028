//! Claims on the status that the implementation gives to Gateway and routes.

use super::history::{History, Said};
use crate::marks::MISSING;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Reasons for which a route is not accepted that lie in the Gateway of the platform (Gateway API, RouteConditionReason).
const OF_THE_GATEWAY: &[&str] = &["NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent"];

/// Status of a condition, and reason and message in words.
fn said<'a>(status: &'a Said, kind: &str) -> (&'a str, String) {
    let condition = status.condition(kind);
    condition.map(|condition| (condition.status.as_str(), condition.words())).unwrap_or_default()
}

/// The Gateway is programmed and its routes are accepted.
pub fn gateway_is_programmed(history: &History) -> Outcome {
    let Some(gateway) = &history.programmed else {
        return unknown(history.lack("no Gateway was programmed"));
    };
    if let ("False", words) = said(&gateway.status, "Accepted") {
        return unmet(
            format!("a Gateway with one listener for HTTP is not accepted: {words}"),
            [gateway.status.at],
        );
    }
    let Some(told) = &history.told else {
        return unknown(history.lack("there were no routes"));
    };
    for (route, status) in [("split", &told.split), ("header", &told.header)] {
        for kind in ["Accepted", "ResolvedRefs"] {
            match said(status, kind) {
                ("True", _) => {}
                ("False", words) if OF_THE_GATEWAY.iter().any(|reason| words.starts_with(reason)) => {
                    return unknown(format!("the Gateway takes no route of the run: {words}"));
                }
                ("False", words) => {
                    return unmet(format!("the route {route} has {kind}=False: {words}"), [status.at]);
                }
                _ => return unknown(format!("nothing was said of {kind} of the route {route}")),
            }
        }
    }
    let (programmed, words) = said(&gateway.status, "Programmed");
    if programmed != "True" {
        return unknown(format!("nothing says that the Gateway is programmed: {programmed} {words}"));
    }
    let address = &gateway.address;
    if address.is_empty() {
        return unknown("the Gateway is told to be programmed, and no address of it is known");
    }
    met(format!("the Gateway is programmed at {address}, and its routes are accepted and resolved"))
}

/// The status is of the latest generation.
pub fn status_is_of_the_latest(history: &History) -> Outcome {
    let (Some(gateway), Some(told), Some(again)) = (&history.programmed, &history.told, &history.told_again)
    else {
        return unknown(history.lack("nothing was said of a change"));
    };
    let all = [
        ("the Gateway", &gateway.status),
        ("the route split", &told.split),
        ("the route header", &told.header),
        ("the route missing", &told.missing),
        ("the route split after its change", again),
    ];
    let (mut count, mut silent) = (0, None);
    for (what, status) in all {
        let Some(generation) = status.generation.filter(|_| !status.conditions.is_empty()) else {
            // Another may show that what is said is not of the latest.
            silent.get_or_insert_with(|| format!("nothing was said of {what}"));
            continue;
        };
        for condition in &status.conditions {
            let observed = condition.observed_generation.unwrap_or_default();
            if observed != generation {
                let witness = format!(
                    "{what} is of generation {generation}, and its condition {} of {observed}",
                    condition.kind
                );
                return unmet(witness, [status.at]);
            }
            count += 1;
        }
    }
    match silent {
        Some(silent) => unknown(history.lack(&silent)),
        None => {
            let seen =
                met(format!("{count} conditions of the Gateway, of its routes, and of one that was changed"));
            history.fresh.judged("the status of the changed route was of the change", seen)
        }
    }
}

/// A backend that there is not is told, and answered with 500.
pub fn missing_backend_is_told(history: &History) -> Outcome {
    let Some(told) = &history.told else {
        return unknown(history.lack("there were no routes"));
    };
    let (status, words) = match said(&told.missing, "ResolvedRefs") {
        ("", _) => return unknown("nothing was said of ResolvedRefs of the route without a backend"),
        found => found,
    };
    if status != "False" {
        let witness = format!("a route to a Service that there is not has ResolvedRefs={status}: {words}");
        return unmet(witness, [told.missing.at]);
    }
    let Some(done) = history.all(MISSING).next() else {
        return unknown(history.lack("nothing was sent to it"));
    };
    let tally = history.tally(&done.sent);
    if let Some(elsewhere) = tally.elsewhere {
        return unknown(format!("requests were {elsewhere}"));
    }
    let all: u32 = tally.refused.values().sum::<u32>() + tally.ours();
    if all == 0 {
        return unknown(format!("it was not answered: {}", tally.words()));
    }
    if tally.refused.get(&500) != Some(&all) {
        let witness = format!("a route to a Service that there is not is answered: {}", tally.words());
        return unmet(witness, [done.at]);
    }
    let seen = met(format!("ResolvedRefs=False ({words}), and {all} requests were answered with 500"));
    history.refusal.judged("the route without a backend was answered with 500", seen)
}
