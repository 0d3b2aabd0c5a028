//! Whether the API is served, and keeps what it is given.

use super::{met, unknown, unmet};
use crate::dra_support::history::{History, Window};
use crate::dra_support::objects::{FIRST_MINOR, GROUP, VERSION, kinds};
use crate::dra_support::trials::{CHANGED, CHANGED_LABEL, KINDS};
use aiconform_model::{Event, EventKind, Object};
use aiconform_verdict::{Outcome, Subject};
use serde_json::Value;

/// One request to an object of the kind, and its answer.
struct Step<'a> {
    at: u64,
    method: &'a str,
    path: &'a str,
    status: u16,
    request: Option<&'a Value>,
    response: Option<&'a Value>,
}

/// The requests of a window to one object of a kind, and the one that created it; requests of other trials go on meanwhile,
/// and whatever is watched is listed first.
fn steps<'a>(events: &[&'a Event], window: &Window, plural: &str, name: &str) -> Vec<Step<'a>> {
    let of = |method: &str, path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let created = method == "POST" && path.ends_with(&format!("/{plural}"));
        created || path.ends_with(&format!("/{plural}/{name}"))
    };
    events
        .iter()
        .filter(|event| event.sequence > window.phase.at && event.sequence < window.end)
        .filter_map(|event| match &event.kind {
            EventKind::Exchange { method, path, status, request, response, .. } if of(method, path) => {
                Some(Step {
                    at: event.sequence,
                    method,
                    path,
                    status: *status,
                    request: request.as_ref(),
                    response: response.as_ref(),
                })
            }
            _ => None,
        })
        // Other trials create objects of the same kind.
        .filter(|step| {
            let called = step.request.and_then(|request| request.pointer("/metadata/name"));
            step.method != "POST" || called.and_then(Value::as_str) == Some(name)
        })
        .collect()
}

/// All kinds are served, and an object of each is created, read, changed and deleted.
pub fn api_is_served(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, KINDS);
    let mut kept = Vec::new();
    for kind in kinds() {
        let tried =
            history.windows("kind", "kind_ended").find(|window| window.phase.text("plural") == kind.plural);
        let Some(window) = tried else {
            return unknown(events, format!("{} were not tried to their end", kind.plural));
        };
        let steps = steps(events, &window, &kind.plural, window.phase.text("name"));
        if let Err(outcome) = one(events, subject, &kind.plural, &steps) {
            return outcome;
        }
        kept.push(kind.plural);
    }
    met(format!("{GROUP}/{VERSION}: an object was created, read, changed and deleted of {}", kept.join(", ")))
}

fn one(events: &[&Event], subject: &Subject, plural: &str, steps: &[Step]) -> Result<(), Outcome> {
    let mut steps = steps.iter();
    let mut next = |method: &str| {
        let step = steps.next().filter(|step| step.method == method);
        step.ok_or_else(|| unknown(events, format!("no {method} of {plural} was answered")))
    };
    let wrong = |step: &Step, what: &str| {
        let witness = format!("{} {} was answered with {}: {what}", step.method, step.path, step.status);
        unmet(witness, vec![step.at])
    };
    let answered = |step: &Step| match step.status {
        200..300 => Ok(()),
        404 | 405 => Err(wrong(step, "it is not there")),
        // A policy, a webhook, a lack of permission: it says nothing of the API.
        status => Err(unknown(
            events,
            format!("{} {} was answered with {status}: {}", step.method, step.path, message(step)),
        )),
    };
    let created = next("POST")?;
    if created.status == 404 {
        return Err(unserved(events, subject, created));
    }
    answered(created)?;
    let read = next("GET")?;
    answered(read)?;
    let field = |step: &Step, pointer: &str| step.response.and_then(|got| got.pointer(pointer)).cloned();
    if field(read, "/metadata/uid") != field(created, "/metadata/uid")
        || field(read, "/spec") != field(created, "/spec")
    {
        return Err(wrong(read, "what was created is not what is read"));
    }
    answered(next("PATCH")?)?;
    let again = next("GET")?;
    answered(again)?;
    let changed = again.response.cloned().map(Object).unwrap_or(Object(Value::Null));
    if changed.label(CHANGED_LABEL) != CHANGED {
        return Err(wrong(again, "the change is not there"));
    }
    let deleted = next("DELETE")?;
    answered(deleted)?;
    let gone = next("GET")?;
    let going = field(gone, "/metadata/deletionTimestamp").is_some();
    match gone.status {
        404 => Ok(()),
        200..300 if going => Ok(()),
        200..300 => Err(wrong(gone, "what was deleted is still there")),
        _ => answered(gone),
    }
}

fn message<'a>(step: &Step<'a>) -> &'a str {
    step.response.and_then(|got| got.get("message")?.as_str()).unwrap_or("no word")
}

/// The version is not served: what the API server has instead.
fn unserved(events: &[&Event], subject: &Subject, step: &Step) -> Outcome {
    let served = subject.facts.get("served").and_then(Value::as_array).into_iter().flatten();
    let served: Vec<&str> = served.filter_map(Value::as_str).collect();
    let minor = subject.facts.get("minor").and_then(Value::as_u64).unwrap_or_default();
    let there = if served.is_empty() { "none".to_owned() } else { served.join(", ") };
    let what = format!("the API server does not serve {GROUP}/{VERSION} (of that group it serves {there})");
    if minor != 0 && minor < FIRST_MINOR && !served.is_empty() {
        let why =
            format!("{what}: it is 1.{minor}, which has no {VERSION} yet, and what it has is not tried");
        return unknown(events, why);
    }
    unmet(format!("{what}: {} {} was answered with {}", step.method, step.path, step.status), vec![step.at])
}
