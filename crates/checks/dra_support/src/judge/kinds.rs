//! Claims that the API is served, and keeps what it is given.

use super::history::{History, Trial};
use crate::marks::{CHANGED, CHANGED_LABEL, Step};
use crate::reading::{GROUP, VERSION, kinds};
use aiconform_model::{Event, EventKind, Object};
use aiconform_trial::{Position, Story, met, unmet};
use aiconform_verdict::Outcome;
use serde_json::Value;

/// The first minor version of Kubernetes that has the API in its stable version.
const FIRST_MINOR: u64 = 34;

/// One request to an object of a kind, and its answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// The position of the answer.
    at: Position,
    /// Its method.
    method: String,
    /// Its path and query.
    path: String,
    /// The status of the answer.
    status: u16,
    /// The answer.
    response: Object,
}

/// A kind that was tried to its end.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its plural.
    pub plural: String,
    /// The requests to its object, in order.
    pub requests: Vec<Request>,
}

/// The kinds that were tried to their ends.
pub fn asked(story: &Story<'_>, trial: &Trial) -> Vec<Asked> {
    let of = |plural: &str| {
        let end = Step::KindEnded { plural: plural.into() };
        let window = trial.window(|step| object(step, plural), &end)?;
        let between = |event: &&Event| (window.begin..window.end).contains(&Position::of(event));
        let requests = story.events().filter(between).filter_map(|event| request(event, plural, window.of));
        Some(Asked { plural: plural.into(), requests: requests.collect() })
    };
    kinds().iter().filter_map(|kind| of(&kind.plural)).collect()
}

/// Name of the object with which a kind is tried.
fn object<'a>(step: &'a Step, of: &str) -> Option<&'a str> {
    match step {
        Step::Kind { plural, name, .. } if plural == of => Some(name),
        _ => None,
    }
}

/// The request of an event to one object of a kind, also the one that created it; requests of other trials go on meanwhile,
/// and whatever is watched is listed first.
fn request(event: &Event, plural: &str, name: &str) -> Option<Request> {
    let EventKind::Exchange { method, path, status, request, response, .. } = &event.kind else {
        return None;
    };
    let place = path.split('?').next().unwrap_or_default();
    let called = || request.as_ref()?.pointer("/metadata/name")?.as_str();
    let is_to_it = place.ends_with(&format!("/{plural}/{name}"))
        // Other trials create objects of the same kind.
        || method == "POST" && place.ends_with(&format!("/{plural}")) && called() == Some(name);
    is_to_it.then(|| Request {
        at: Position::of(event),
        method: method.clone(),
        path: path.clone(),
        status: *status,
        response: Object(response.clone().unwrap_or_default()),
    })
}

/// All kinds are served, and an object of each is created, read, changed and deleted.
pub fn api_is_served(history: &History) -> Outcome {
    let mut kept = Vec::new();
    for kind in kinds() {
        let Some(asked) = history.kinds.iter().find(|asked| asked.plural == kind.plural) else {
            return history.unknown(format!("{} were not tried to their end", kind.plural));
        };
        if let Err(outcome) = one(history, asked) {
            return outcome;
        }
        kept.push(kind.plural);
    }
    met(format!("{GROUP}/{VERSION}: an object was created, read, changed and deleted of {}", kept.join(", ")))
}

fn one(history: &History, asked: &Asked) -> Result<(), Outcome> {
    let mut requests = asked.requests.iter();
    let mut next = |method: &str| {
        let request = requests.next().filter(|request| request.method == method);
        request.ok_or_else(|| history.unknown(format!("no {method} of {} was answered", asked.plural)))
    };
    let wrong = |request: &Request, what: &str| {
        let witness =
            format!("{} {} was answered with {}: {what}", request.method, request.path, request.status);
        unmet(witness, [request.at])
    };
    let answered = |request: &Request| match request.status {
        200..300 => Ok(()),
        404 | 405 => Err(wrong(request, "it is not there")),
        // A policy, a webhook, a lack of permission: it says nothing of the API.
        status => Err(history.unknown(format!(
            "{} {} was answered with {status}: {}",
            request.method,
            request.path,
            message(request)
        ))),
    };
    let created = next("POST")?;
    if created.status == 404 {
        return Err(unserved(history, created));
    }
    answered(created)?;
    let read = next("GET")?;
    answered(read)?;
    let field = |request: &Request, pointer: &str| request.response.at(pointer).cloned();
    if field(read, "/metadata/uid") != field(created, "/metadata/uid")
        || field(read, "/spec") != field(created, "/spec")
    {
        return Err(wrong(read, "what was created is not what is read"));
    }
    answered(next("PATCH")?)?;
    let again = next("GET")?;
    answered(again)?;
    if again.response.label(CHANGED_LABEL) != CHANGED {
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

fn message(request: &Request) -> &str {
    request.response.at("/message").and_then(Value::as_str).unwrap_or("no word")
}

/// The version is not served: what the API server has instead.
fn unserved(history: &History, request: &Request) -> Outcome {
    let (served, minor) = (&history.facts.served, history.facts.minor);
    let there = if served.is_empty() { "none".to_owned() } else { served.join(", ") };
    let what = format!("the API server does not serve {GROUP}/{VERSION} (of that group it serves {there})");
    if minor != 0 && minor < FIRST_MINOR && !served.is_empty() {
        let why =
            format!("{what}: it is 1.{minor}, which has no {VERSION} yet, and what it has is not tried");
        return history.unknown(why);
    }
    unmet(
        format!("{what}: {} {} was answered with {}", request.method, request.path, request.status),
        [request.at],
    )
}
