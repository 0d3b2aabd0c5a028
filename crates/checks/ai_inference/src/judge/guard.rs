//! Why nothing that was seen can be believed: what somebody else has changed.
//!
//! Pods, Services, Gateways and routes lie in one namespace that belongs to the check and not to a class, so that what was
//! admitted is looked at for all of them here; classes are told apart by what the objects themselves say.

use super::history::History;
use crate::marks::{SPLIT, gateways, http_routes};
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::foreign::admitted_pod;
use aiconform_trial::kinds::service;
use aiconform_trial::{Guard, Position, Story};
use serde_json::Value;

/// Why nothing of this subject can be believed.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    story.doubt(Guard {
        watches: &is_ours,
        admitted: &mut |_| None,
        own: &mut |event| match &event.kind {
            EventKind::Exchange {
                method,
                path,
                status: 200..300,
                request: Some(sent),
                response: Some(got),
                ..
            } => admitted_pod(method, path, sent, got).or_else(|| admitted(method, path, sent, got)),
            EventKind::Watch { kind, change, object } => {
                changed(history, &story.subject().id, Position::of(event), kind, *change, object)
            }
            _ => None,
        },
    })
}

/// A change or deletion of an object of the run by somebody else.
fn changed(
    history: &History,
    class: &str,
    at: Position,
    kind: &Kind,
    change: Change,
    object: &Object,
) -> Option<String> {
    let what = format!("{} {}", kind.kind, object.name());
    if is_ours(kind) && (change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some()) {
        return Some(format!("{what} was deleted by someone else (event {at})"));
    }
    if *kind == Kind::pod() && at > history.running && object.condition_is("Ready", "False") {
        return Some(format!("the test pod {} was not ready for a while (event {at})", object.name()));
    }
    // Classes are tried side by side, each with a Gateway and routes of its own.
    if is_of_another(object, class, &history.hosts) {
        return None;
    }
    // The run changes one route of a class, and that once.
    let is_split = hostnames(object).any(|host| host.starts_with(&format!("{SPLIT}-")));
    let most = if at > history.changes && *kind == http_routes() && is_split { 2 } else { 1 };
    let generation = object.at("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    ([gateways(), http_routes()].contains(kind) && generation > most)
        .then(|| format!("{what} was changed by someone else (event {at})"))
}

/// Tells whether objects of this kind are created for the check.
fn is_ours(kind: &Kind) -> bool {
    *kind == Kind::pod() || [service(), gateways(), http_routes()].contains(kind)
}

fn hostnames(route: &Object) -> impl Iterator<Item = &str> {
    let all = route.at("/spec/hostnames").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

/// Tells whether a Gateway or route says that it is of another class. One that does not say whose it is may be of this one.
fn is_of_another(object: &Object, own: &str, hosts: &[String]) -> bool {
    let class = object.text("/spec/gatewayClassName");
    if !class.is_empty() {
        return class != own;
    }
    let mut named = hostnames(object).peekable();
    named.peek().is_some() && !named.any(|host| hosts.iter().any(|own| own == host))
}

/// The difference of a Service, Gateway or route from what was sent.
fn admitted(method: &str, path: &str, sent: &Value, got: &Value) -> Option<String> {
    let (sent, got) = (Object(sent.clone()), Object(got.clone()));
    let creates = method == "POST" && ["Service", "Gateway", "HTTPRoute"].contains(&sent.kind());
    if !creates || path.contains("dryRun") {
        return None;
    }
    let place = differs(sent.at("/spec")?, got.at("/spec"))?;
    Some(format!(
        "{} {} was changed on its way in: spec{place} is not as it was sent; a webhook or policy of the platform rewrites it",
        sent.kind(),
        got.name()
    ))
}

/// The first place that is not as it was sent; more may be there.
fn differs(sent: &Value, got: Option<&Value>) -> Option<String> {
    match (sent, got) {
        (Value::Object(sent), Some(Value::Object(got))) => {
            sent.iter().find_map(|(key, value)| Some(format!(".{key}{}", differs(value, got.get(key))?)))
        }
        (Value::Array(sent), Some(Value::Array(got))) if sent.len() == got.len() => sent
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(place, (sent, got))| Some(format!("[{place}]{}", differs(sent, Some(got))?))),
        (sent, Some(got)) if sent == got => None,
        _ => Some(String::new()),
    }
}
