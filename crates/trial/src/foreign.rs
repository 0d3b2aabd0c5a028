//! Changes that the platform, or someone else, made to what was sent or is stood on.

use aiconform_model::{Change, EventKind, Kind, Object};
use serde_json::Value;
use std::collections::BTreeSet;

/// The first difference of an admitted pod in what the trial stands on. `gates` knows the scheduling gates that the product
/// under test adds itself.
pub fn changed(sent: &Object, got: &Object, gates: impl Fn(&str) -> bool) -> Option<String> {
    let name = got.name();
    let changed_by = |what: &str, was: String, is: String| {
        Some(format!(
            "pod {name} was changed on its way in: {what} was {was}, is {is}; a webhook or policy of the platform rewrites pods"
        ))
    };
    let default =
        |value: &str, default: &str| if value.is_empty() { default.to_owned() } else { value.to_owned() };
    let (was, is) = (
        default(sent.text("/spec/schedulerName"), "default-scheduler"),
        got.text("/spec/schedulerName").to_owned(),
    );
    if was != is {
        return changed_by("spec.schedulerName", was, is);
    }
    for pointer in [
        "/spec/priorityClassName",
        "/spec/affinity",
        "/spec/containers/0/resources/requests",
        "/spec/resourceClaims",
        "/metadata/labels/aiconform.dev~1trial",
        "/metadata/labels/aiconform.dev~1role",
        "/metadata/labels/aiconform.dev~1gang",
    ] {
        if !holds(sent.at(pointer), got.at(pointer)) {
            let text = |value: Option<&Value>| value.map_or("absent".into(), Value::to_string);
            return changed_by(pointer, text(sent.at(pointer)), text(got.at(pointer)));
        }
    }
    if !got.text("/spec/nodeName").is_empty() {
        return changed_by("spec.nodeName", "absent".into(), got.text("/spec/nodeName").into());
    }
    let gates_of = |object: &Object| -> BTreeSet<String> {
        let gates = object.at("/spec/schedulingGates").and_then(Value::as_array);
        gates.into_iter().flatten().filter_map(|gate| gate.get("name")?.as_str().map(str::to_owned)).collect()
    };
    let strange: Vec<String> =
        gates_of(got).difference(&gates_of(sent)).filter(|gate| !gates(gate)).cloned().collect();
    if strange.is_empty() {
        None
    } else {
        changed_by("spec.schedulingGates", "none".into(), strange.join(", "))
    }
}

/// The first difference of a pod as it was admitted from what was sent, when this request created one.
pub fn admitted_pod(method: &str, path: &str, sent: &Value, got: &Value) -> Option<String> {
    let creates = method == "POST" && path.split('?').next().is_some_and(|path| path.ends_with("/pods"));
    creates.then(|| changed(&Object(sent.clone()), &Object(got.clone()), |_| false)).flatten()
}

/// A number of an object, such as a gang's least number of members, that was not kept as it was sent: with another one a
/// gang is another gang. Quantities may come back as texts.
pub fn renumbered(sent: &Object, got: &Object) -> Option<String> {
    let (path, was, is) = number(sent.at("/spec")?, got.at("/spec"))?;
    Some(format!(
        "{} {} was changed on its way in: spec{path} was {was}, is {is}; a webhook or policy of the platform rewrites it, or its field is not served",
        sent.text("/kind"),
        got.name()
    ))
}

fn number(sent: &Value, got: Option<&Value>) -> Option<(String, String, String)> {
    match (sent, got) {
        (Value::Object(sent), got) => sent.iter().find_map(|(key, sent)| {
            let (path, was, is) = number(sent, got.and_then(|got| got.get(key)))?;
            Some((format!(".{key}{path}"), was, is))
        }),
        (Value::Array(sent), got) => sent.iter().enumerate().find_map(|(place, sent)| {
            let (path, was, is) = number(sent, got.and_then(|got| got.get(place)))?;
            Some((format!("[{place}]{path}"), was, is))
        }),
        (Value::Number(was), None) => Some((String::new(), was.to_string(), "absent".into())),
        (Value::Number(was), Some(Value::Number(is))) if was != is => {
            Some((String::new(), was.to_string(), is.to_string()))
        }
        _ => None,
    }
}

/// Tells whether everything that was sent is there; more may be.
pub fn holds(sent: Option<&Value>, got: Option<&Value>) -> bool {
    match (sent, got) {
        (None, _) => true,
        (Some(Value::Object(sent)), Some(Value::Object(got))) => {
            sent.iter().all(|(key, value)| holds(Some(value), got.get(key)))
        }
        (sent, got) => sent == got,
    }
}

/// The spec of an object that was not kept as it was sent. An API server or a webhook may add to it, in lists' members too.
pub fn changed_spec(sent: &Value, got: &Value) -> Option<String> {
    let (was, is) = (sent.get("spec")?, got.get("spec"));
    if added_to(was, is) {
        return None;
    }
    let got = Object(got.clone());
    let is = is.map_or("absent".into(), Value::to_string);
    Some(format!(
        "{} {} was changed on its way in: its spec was {was}, is {is}; a webhook or policy of the platform rewrites it",
        got.kind(),
        got.name()
    ))
}

fn added_to(sent: &Value, got: Option<&Value>) -> bool {
    match (sent, got) {
        (Value::Object(sent), Some(Value::Object(got))) => {
            sent.iter().all(|(key, value)| added_to(value, got.get(key)))
        }
        (Value::Array(sent), Some(Value::Array(got))) => {
            sent.len() <= got.len() && sent.iter().zip(got).all(|(sent, got)| added_to(sent, Some(got)))
        }
        // What is empty may be left out.
        (Value::Object(sent), None) => sent.is_empty(),
        (Value::Array(sent), None) => sent.is_empty(),
        (sent, got) => got == Some(sent),
    }
}

/// Words for the interruption of a watch, if this event is one. Not of a watch on Events: an API server forgets nothing of
/// those while a run lasts (it keeps them for an hour), so that the list which follows tells all; and as it sends no
/// bookmarks for them, every quiet one that lasts for some minutes ends so.
pub fn gap(event: &EventKind) -> Option<String> {
    let EventKind::WatchGap { kind, why } = event else { return None };
    (*kind != Kind::event()).then(|| {
        format!("the watch on {} was interrupted ({why}): what happened meanwhile was not seen", kind.plural)
    })
}

/// Why a node does not stand as it stood, as it was watched.
pub fn node(object: &Object, change: Change) -> Option<String> {
    let name = object.name();
    if change == Change::Deleted {
        return Some(format!("node {name} went away"));
    }
    if !object.condition_is("Ready", "True") {
        return Some(format!("node {name} was not ready for a while"));
    }
    if object.at("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        return Some(format!("node {name} was cordoned by someone"));
    }
    None
}
