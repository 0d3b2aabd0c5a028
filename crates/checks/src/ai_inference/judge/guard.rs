//! Why nothing that was seen can be believed: what somebody else has changed.

use crate::ai_inference::adapters::{gateways, http_routes, services};
use crate::ai_inference::history::SPLIT;
use crate::foreign::{admitted_pod, gap};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let over = |name: &str| {
        let found = events
            .iter()
            .find(|event| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == name));
        found.map_or(u64::MAX, |event| event.sequence)
    };
    let hosts = hosts(events);
    let started = |event: &&&Event| {
        matches!(event.kind, EventKind::SubjectStarted { .. }) && event.scope.subject == subject.id
    };
    let start = events.iter().find(started).map_or(u64::MAX, |event| event.sequence);
    // What is not seen after an early end is our own undoing.
    let ends = |event: &&&Event| match &event.kind {
        EventKind::SubjectEnded {} => event.scope.subject == subject.id,
        EventKind::Stopped { .. } => event.scope.subject.is_empty(),
        _ => false,
    };
    let ended = events.iter().find(ends).map_or(u64::MAX, |event| event.sequence);
    let (direct, end, changed) = (over("direct"), over("over").min(over("end")), over("change"));
    events.iter().filter(|event| event.sequence < end).find_map(|event| match &event.kind {
        EventKind::Exchange {
            method,
            path,
            status: 200..300,
            request: Some(sent),
            response: Some(got),
            ..
        } => admitted_pod(method, path, sent, got).or_else(|| admitted(method, path, sent, got)),
        EventKind::WatchGap { kind, .. }
            if is_ours(kind) && event.sequence > start && event.sequence < ended =>
        {
            gap(&event.kind)
        }
        EventKind::Watch { kind, change, object } => {
            let at = event.sequence;
            let what = format!("{} {}", kind.kind, object.name());
            if is_ours(kind)
                && (*change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some())
            {
                return Some(format!("{what} was deleted by someone else (event {at})"));
            }
            if *kind == Kind::pod() && at > direct && object.condition_is("Ready", "False") {
                return Some(format!(
                    "the test pod {} was not ready for a while (event {at})",
                    object.name()
                ));
            }
            // Classes are tried side by side, each with a Gateway and routes of its own.
            if is_of_another(object, subject, &hosts) {
                return None;
            }
            // The run changes one route of a class, and that once.
            let is_split = hostnames(object).any(|host| host.starts_with(&format!("{SPLIT}-")));
            let most = if at > changed && *kind == http_routes() && is_split { 2 } else { 1 };
            let generation = object.at("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
            if [gateways(), http_routes()].contains(kind) && generation > most {
                return Some(format!("{what} was changed by someone else (event {at})"));
            }
            None
        }
        _ => None,
    })
}

/// Whether objects of this kind are created for the check.
fn is_ours(kind: &Kind) -> bool {
    *kind == Kind::pod() || [services(), gateways(), http_routes()].contains(kind)
}

/// Hosts of the class's own routes.
fn hosts(events: &[&Event]) -> Vec<String> {
    let told = events.iter().find_map(|event| match &event.kind {
        EventKind::Phase { phase, data } if phase == "routes" => data["hosts"].as_array(),
        _ => None,
    });
    told.into_iter().flatten().filter_map(|host| host.as_str().map(str::to_owned)).collect()
}

fn hostnames(route: &Object) -> impl Iterator<Item = &str> {
    let all = route.at("/spec/hostnames").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a Gateway or route says that it is of another class. What does not say whose it is may be of this one.
fn is_of_another(object: &Object, subject: &Subject, hosts: &[String]) -> bool {
    let class = object.text("/spec/gatewayClassName");
    if !class.is_empty() {
        return class != subject.id;
    }
    let mut named = hostnames(object).peekable();
    named.peek().is_some() && !named.any(|host| hosts.iter().any(|own| own == host))
}

/// What of a Service, Gateway or route is not as it was sent.
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
