//! When nothing that was seen can be believed: the platform, or someone else, changed what it stands on.

use super::history::History;
use crate::marks::Mark;
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::foreign::{changed, holds, node};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::{GANG, ROLE};
use aiconform_trial::{Admitted, Guard, Position, Story};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Pods that we deleted, and since when.
type LetGo<'a> = BTreeMap<&'a str, Position>;

/// Why nothing can be believed, if so.
pub fn doubt(story: &Story<'_>, history: &History) -> Option<String> {
    let mut let_go = LetGo::new();
    for marked in &history.marks {
        if let Mark::Remove { names, .. } = &marked.mark {
            names.iter().for_each(|name| {
                let_go.entry(name).or_insert(marked.at);
            });
        }
    }
    story.doubt(Guard {
        watches: &|kind| [Kind::pod(), Kind::node(), resource_claim()].contains(kind),
        admitted: &mut |Admitted { path, sent, got }| {
            path.ends_with("/pods").then(|| admitted(sent, got)).flatten()
        },
        own: &mut |event| match &event.kind {
            EventKind::Watch { kind, object, change } if *kind == Kind::node() => {
                (object.name() == history.facts.node).then(|| node(object, *change)).flatten()
            }
            EventKind::Watch { kind, object, change } if story.is_own(event) => {
                let ours = |name: &str| let_go.get(name).is_some_and(|since| *since < Position::of(event));
                went(kind, object, *change, ours)
            }
            _ => None,
        },
    })
}

/// The difference of a pod from what was sent, in what it stands on.
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

/// The object that someone else has deleted; `ours` knows the pods that we deleted.
fn went(kind: &Kind, object: &Object, change: Change, ours: impl Fn(&str) -> bool) -> Option<String> {
    let gone = change == Change::Deleted || object.at("/metadata/deletionTimestamp").is_some();
    if *kind == Kind::pod() && !object.label(ROLE).is_empty() {
        if object.condition_is("DisruptionTarget", "True") {
            return Some(format!("pod {} was evicted by someone", object.called()));
        }
        return (gone && !ours(object.name()))
            .then(|| format!("pod {} was deleted by someone", object.called()));
    }
    if *kind == resource_claim() && gone && !object.label(GANG).is_empty() && !ours(object.label(GANG)) {
        return Some(format!("ResourceClaim {} was deleted by someone", object.called()));
    }
    None
}
