//! When nothing that was seen can be believed: the platform, or someone else, changed what it stands on.

use super::run::ID;
use crate::accelerators::claims;
use crate::foreign::{changed, gap, holds, node};
use crate::pod::{GANG, ROLE};
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::Subject;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why nothing can be believed, if so.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let mut acting = false;
    let mut let_go: BTreeSet<String> = BTreeSet::new();
    for event in events {
        let ours = event.scope.check == ID && event.scope.subject == subject.id;
        match &event.kind {
            EventKind::SubjectStarted { .. } if ours => acting = true,
            // What comes after the end, early or not, is our own undoing.
            EventKind::SubjectEnded {} if ours => acting = false,
            EventKind::Stopped { .. } if ours || event.scope.subject.is_empty() => acting = false,
            kind @ EventKind::WatchGap { .. } if acting => {
                if let Some(why) = gap(kind) {
                    return Some(why);
                }
            }
            EventKind::Phase { phase, data } if ours && phase == "remove" => {
                let names = data.get("names").and_then(Value::as_array).into_iter().flatten();
                let_go.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
            }
            EventKind::Exchange {
                method,
                path,
                status: 200..300,
                request: Some(sent),
                response: Some(got),
                ..
            } if ours && method == "POST" && path.ends_with("/pods") => {
                if let Some(why) = admitted(sent, got) {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change } if acting && *kind == Kind::node() => {
                if subject.facts.get("node").and_then(Value::as_str) == Some(object.name())
                    && let Some(why) = node(object, *change)
                {
                    return Some(why);
                }
            }
            EventKind::Watch { kind, object, change } if acting && ours => {
                if let Some(why) = went(kind, object, *change, &let_go) {
                    return Some(why);
                }
            }
            _ => {}
        }
    }
    None
}

/// What of a pod differs from what was sent, in what it stands on.
pub fn admitted(sent: &Value, got: &Value) -> Option<String> {
    let (sent, got) = (Object(sent.clone()), Object(got.clone()));
    changed(&sent, &got, |_| false).or_else(|| {
        ["/spec/containers", "/spec/initContainers"].iter().find_map(|pointer| asked(&sent, &got, pointer))
    })
}

/// A container whose resources are others than were asked for. An environment may be mended: that is how some platforms
/// keep it from giving anything.
fn asked(sent: &Object, got: &Object, pointer: &str) -> Option<String> {
    let list = |object: &Object| object.at(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let there = list(got);
    list(sent).iter().find_map(|sent| {
        let name = sent["name"].as_str().unwrap_or_default();
        let found = there.iter().find(|found| found["name"] == sent["name"]);
        let (was, is) = (sent.get("resources"), found.and_then(|found| found.get("resources")));
        let names = |resources: Option<&Value>| -> BTreeSet<String> {
            let amounts = ["limits", "requests"].iter().filter_map(|key| resources?.get(*key)?.as_object());
            let claims = resources.and_then(|resources| resources.get("claims")?.as_array()).into_iter().flatten();
            let claims = claims.filter_map(|claim| claim.get("name")?.as_str().map(|name| format!("claim/{name}")));
            // Limits on CPU and memory are the namespace's affair.
            amounts.flat_map(|amounts| amounts.keys().filter(|name| name.contains('/')).cloned()).chain(claims).collect()
        };
        (!holds(was, is) || names(was) != names(is)).then(|| {
            let text = |value: Option<&Value>| value.map_or("absent".into(), Value::to_string);
            format!(
                "pod {} was changed on its way in: resources of container {name} were {}, are {}; a webhook or policy of the platform rewrites pods",
                got.name(),
                text(was),
                text(is)
            )
        })
    })
}

/// What someone else has taken away.
fn went(kind: &Kind, object: &Object, change: Change, let_go: &BTreeSet<String>) -> Option<String> {
    let gone = change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
    if *kind == Kind::pod() && !object.label(ROLE).is_empty() {
        if object.condition_is("DisruptionTarget", "True") {
            return Some(format!("pod {} was evicted by someone", object.called()));
        }
        return (gone && !let_go.contains(object.name()))
            .then(|| format!("pod {} was deleted by someone", object.called()));
    }
    if *kind == claims() && gone && !object.label(GANG).is_empty() && !let_go.contains(object.label(GANG)) {
        return Some(format!("ResourceClaim {} was deleted by someone", object.called()));
    }
    None
}
