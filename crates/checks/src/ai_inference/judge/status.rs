//! What the implementation says of Gateway and routes.

use super::{met, unknown, unmet};
use crate::ai_inference::history::History;
use aiconform_model::Event;
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

/// Reasons for which a route is not accepted that lie in the Gateway of the platform (Gateway API, RouteConditionReason).
const OF_THE_GATEWAY: &[&str] = &["NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent"];

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Status, and reason and message in words.
fn said(condition: Option<&Value>) -> (&str, String) {
    let text = |key: &str| condition.and_then(|it| it[key].as_str()).unwrap_or_default();
    (text("status"), [text("reason"), text("message")].join(" ").trim().to_owned())
}

/// The Gateway is programmed and its routes are accepted.
pub fn gateway_is_programmed(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let Some((sequence, gateway)) = &history.programmed else {
        return unknown(history.lack("no Gateway was programmed"));
    };
    if let ("False", words) = said(condition(gateway, "Accepted")) {
        return unmet(
            format!("a Gateway with one listener for HTTP is not accepted: {words}"),
            vec![*sequence],
        );
    }
    let Some((sequence, told)) = &history.told else {
        return unknown(history.lack("there were no routes"));
    };
    for route in ["split", "header"] {
        for kind in ["Accepted", "ResolvedRefs"] {
            match said(condition(&told[route], kind)) {
                ("True", _) => {}
                ("False", words) if OF_THE_GATEWAY.iter().any(|reason| words.starts_with(reason)) => {
                    return unknown(format!("the Gateway takes no route of the run: {words}"));
                }
                ("False", words) => {
                    return unmet(format!("the route {route} has {kind}=False: {words}"), vec![*sequence]);
                }
                _ => return unknown(format!("nothing was said of {kind} of the route {route}")),
            }
        }
    }
    let (programmed, words) = said(condition(gateway, "Programmed"));
    if programmed != "True" {
        return unknown(format!("nothing says that the Gateway is programmed: {programmed} {words}"));
    }
    let address = gateway["address"].as_str().unwrap_or_default();
    if address.is_empty() {
        return unknown("the Gateway is told to be programmed, and no address of it is known");
    }
    met(format!("the Gateway is programmed at {address}, and its routes are accepted and resolved"))
}

/// What is said is said of the latest generation.
pub fn status_is_of_the_latest(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let (Some((at, gateway)), Some((told_at, told)), Some((again_at, again))) =
        (&history.programmed, &history.told, &history.told_again)
    else {
        return unknown(history.lack("nothing was said of a change"));
    };
    let mut all = vec![("the Gateway".to_owned(), *at, gateway)];
    all.extend(
        ["split", "header", "missing"].map(|route| (format!("the route {route}"), *told_at, &told[route])),
    );
    all.push(("the route split after its change".to_owned(), *again_at, &again["split"]));
    let (mut count, mut silent) = (0, None);
    for (what, at, status) in all {
        let conditions = status["conditions"].as_array().filter(|conditions| !conditions.is_empty());
        let (Some(generation), Some(conditions)) = (status["generation"].as_i64(), conditions) else {
            // Another may show that what is said is not of the latest.
            silent.get_or_insert_with(|| format!("nothing was said of {what}"));
            continue;
        };
        for condition in conditions {
            let observed = condition["observedGeneration"].as_i64().unwrap_or_default();
            if observed != generation {
                let witness = format!(
                    "{what} is of generation {generation}, and its condition {} of {observed}",
                    condition["type"].as_str().unwrap_or_default()
                );
                return unmet(witness, vec![at]);
            }
            count += 1;
        }
    }
    match silent {
        Some(silent) => unknown(history.lack(&silent)),
        None => met(format!("{count} conditions of the Gateway, of its routes, and of one that was changed")),
    }
}

/// A backend that there is not is told, and answered with 500.
pub fn missing_backend_is_told(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let Some((sequence, told)) = &history.told else {
        return unknown(history.lack("there were no routes"));
    };
    let (status, words) = match said(condition(&told["missing"], "ResolvedRefs")) {
        ("", _) => return unknown("nothing was said of ResolvedRefs of the route without a backend"),
        found => found,
    };
    if status != "False" {
        let witness = format!("a route to a Service that there is not has ResolvedRefs={status}: {words}");
        return unmet(witness, vec![*sequence]);
    }
    let Some(done) = history.all("missing").next() else {
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
        return unmet(witness, vec![done.sequence]);
    }
    met(format!("ResolvedRefs=False ({words}), and {all} requests were answered with 500"))
}
