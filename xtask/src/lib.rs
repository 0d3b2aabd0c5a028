//! Files that are generated, and how tapes are cut.

pub mod count;
pub mod judged;
pub mod scaffold;
pub mod schedulers;

use aiconform_checks::CHECKS;
use aiconform_evidence::Stored;
use aiconform_model::catalogue::{RELEASES, requirements};
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_submission::{Origin, rules::RULES};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Every generated file: path from the root, and content.
///
/// # Errors
/// When a check's faults cannot be read.
pub fn generated() -> anyhow::Result<Vec<(&'static str, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok(vec![
        ("docs/reference/requirements.md", requirements_page()),
        ("docs/reference/faults.md", faults_page()?),
        ("docs/reference/rules.md", rules_page()),
        ("docs/reference/limits.md", limits_page()),
        ("tests/judged/tapes.json", judged::tapes(&root)?),
        ("tests/judged/runs.json", judged::runs(&root)?),
    ])
}

fn requirements_page() -> String {
    let mut page = String::from(
        "# Requirements\n\nGenerated from `catalog/requirements.toml`. A check tests by behaviour; without one a requirement is reported as not run.\n\n",
    );
    let _ =
        writeln!(page, "| requirement | category | KAR | {} | check | in one line |", RELEASES.join(" | "));
    let _ = writeln!(page, "|---|---|---|{}---|---|", "---|".repeat(RELEASES.len()));
    for requirement in requirements() {
        let levels: Vec<&str> = RELEASES
            .iter()
            .map(|release| requirement.level(release).map_or("–", |level| level.word()))
            .collect();
        let check = if CHECKS.iter().any(|check| check.id == requirement.id) { "yes" } else { "not yet" };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {check} | {} |",
            requirement.id,
            requirement.category,
            requirement.kar.as_deref().unwrap_or("–"),
            levels.join(" | "),
            requirement.summary
        );
    }
    page
}

fn rules_page() -> String {
    let mut page = String::from(
        "# Rules of a review\n\nGenerated from `crates/submission/src/rules`, where each rule is one file. What `aiconform review` asks of a submission,\nand whose rule it is: the programme's own validator checks it, or nobody does. An error makes a submission invalid.\n\n\"Asked since 1.37\" means that 1.37 was the first release that was opened with this rule in the validator. Today it is asked of every\nsubmission; with `--rules at-merge` it is a note on those of earlier releases, whose vendors it was not asked of.\n\nFindings of one weight are told in this order: substance, contradictions, what a person must judge, form.\n\n",
    );
    let _ = writeln!(
        page,
        "| rule | asks | a breach is | about | checked by the validator |\n|---|---|---|---|---|"
    );
    for rule in RULES {
        let theirs = match (rule.origin, rule.since) {
            (Origin::Ours, _) => "no".to_owned(),
            (Origin::Validator, None) => "yes".to_owned(),
            (Origin::Validator, Some(since)) => format!("yes, asked since {since}"),
        };
        let level = rule.level.word();
        let _ = writeln!(
            page,
            "| `{}` | {} | {level} | {} | {theirs} |",
            rule.id,
            rule.asks.replace('|', "\\|"),
            rule.matter.word()
        );
    }
    page
}

fn limits_page() -> String {
    let mut page = String::from(
        "# Limits\n\nGenerated from each check's `limits.rs`. The longest times that a verdict may hang on. What has not come by its limit is watched for\ntwice as long: what comes meanwhile is *late*, which decides nothing and names the limit; what never comes is missing. What must\nnot happen counts whenever it is seen. A profile stretches all, or sets one, which makes no whole check longer:\n\n    [limits]\n    stretch = 3\n    gang_scheduling.release = 300\n    gang_scheduling.whole = 3600\n\nA run's evidence holds the limits that were in force, and a stored run is judged by those.\n",
    );
    for check in CHECKS {
        let _ = writeln!(
            page,
            "\n## {}\n\nThe whole check (`whole`): {} s, its waits for its turn with the accelerators not counted.\n",
            check.id,
            check.limit.as_secs()
        );
        if check.limits.is_empty() {
            continue;
        }
        let _ = writeln!(page, "| limit | seconds | at most | the longest time for |\n|---|---|---|---|");
        for limit in check.limits {
            let most = limit.seconds * limit.most;
            let _ = writeln!(page, "| `{}` | {} | {most} | {} |", limit.key, limit.seconds, limit.what);
        }
    }
    page
}

fn faults_page() -> anyhow::Result<String> {
    let mut page = String::from(
        "# Faults\n\nGenerated from each check's `faults.toml`. `aiconform lab faults` breaks a real lab in each of these ways and compares\nevery outcome with what stands here; what is not named must be as on the healthy lab. Those in bold are\ntried in every turn (`--turn`), the others by turns; those with an asterisk only with `--slow`, as are, where no requirement and\nno turn is named, those of checks beyond the quick set.\n",
    );
    for check in CHECKS {
        let _ = writeln!(page, "\n## {}\n", check.id);
        let _ = writeln!(page, "| breakage | verdict | subject | claim | outcome |\n|---|---|---|---|---|");
        for fault in check.read_faults().map_err(|error| anyhow::anyhow!(error))? {
            let name = if fault.variant.is_empty() {
                fault.breakage.clone()
            } else {
                format!("{} ({})", fault.breakage, fault.variant)
            };
            let name = match (fault.gravest, fault.slow) {
                (true, _) => format!("**{name}**"),
                (false, true) => format!("{name} *"),
                (false, false) => name,
            };
            let verdict = if fault.says.is_empty() {
                fault.verdict.clone()
            } else {
                format!("{}, saying \"{}\"", fault.verdict, fault.says)
            };
            if fault.expect.is_empty() {
                let _ = writeln!(page, "| {name} | {verdict} | | | as on the healthy lab |");
            }
            for expected in &fault.expect {
                let _ = writeln!(
                    page,
                    "| {name} | {verdict} | {} | {} | {} |",
                    expected.subject,
                    expected.claim.as_deref().unwrap_or("(the whole subject)"),
                    expected.outcome
                );
            }
        }
    }
    Ok(page)
}

/// A tape: events of these subjects, one a line, with only those parts of objects that a judge reads.
///
/// # Errors
/// When an event cannot be written as JSON.
pub fn tape(stored: &Stored, check: &str, subjects: &[String]) -> anyhow::Result<String> {
    let mut tape = String::new();
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for event in &stored.evidence.events {
        // What belongs to the whole cluster is told apart by its subject alone.
        let published = matches!(&event.kind, EventKind::Watch { kind, .. } if kind.group == DEVICES);
        let checked = event.scope.check == check || (published && event.scope.check.is_empty());
        let ours = checked && subjects.contains(&event.scope.subject);
        let everyones = event.scope.subject.is_empty();
        // What an operator says of its resource is read by its own file: only what it was asked for is left out.
        let of_operator = check == "robust_controller" && subjects.contains(&event.scope.subject);
        let cut = match check {
            NODES => nodes(event, ours, everyones),
            _ if of_operator => without_spec(event),
            _ => cut(event, ours, everyones),
        };
        if let Some(cut) = cut {
            // A change of what no judge reads is no change here.
            if let EventKind::Watch { change: Change::Modified, object, .. } = &cut.kind
                && last.insert(object.uid().to_owned(), object.0.clone()).as_ref() == Some(&object.0)
            {
                continue;
            }
            let _ = writeln!(tape, "{}", serde_json::to_string(&cut)?);
        }
    }
    Ok(tape)
}

/// The check whose judge reads what nodes offer, who asked for them, and what is said of pods.
const NODES: &str = "cluster_autoscaling";

/// Part of an event that the judge of [`NODES`] reads.
fn nodes(event: &Event, ours: bool, everyones: bool) -> Option<Event> {
    let mut event = event.clone();
    match &mut event.kind {
        EventKind::Watch { kind, object, .. } => {
            let brought = *kind == Kind::node() || kind.plural == "nodeclaims";
            let said = [Kind::pod(), Kind::event()].contains(kind);
            if !(everyones && brought || ours && said) {
                return None;
            }
            for pointer in ["/metadata/annotations", "/status/images", "/status/nodeInfo", "/status/capacity"]
            {
                if let Some((place, field)) = pointer.rsplit_once('/')
                    && let Some(fields) = object.0.pointer_mut(place).and_then(Value::as_object_mut)
                {
                    fields.remove(field);
                }
            }
            Some(event)
        }
        _ => cut(&event, ours, everyones),
    }
}

/// The API group of autoscalers.
const SCALING: &str = "autoscaling";

/// Parts that a judge reads of what scales, and of what is scaled.
fn scaling_parts(object: &Value) -> Value {
    let mut kept = Map::new();
    for (outer, inner) in [
        ("metadata", "name"),
        ("metadata", "namespace"),
        ("metadata", "uid"),
        ("spec", "replicas"),
        ("spec", "minReplicas"),
        ("spec", "maxReplicas"),
        ("spec", "metrics"),
        ("status", "desiredReplicas"),
        ("status", "currentMetrics"),
        ("status", "conditions"),
    ] {
        if let Some(value) = object.get(outer).and_then(|part| part.get(inner)) {
            kept.entry(outer).or_insert_with(|| json!({}))[inner] = value.clone();
        }
    }
    Value::Object(kept)
}

/// An event about an operator, without the specs of what was watched; of requests, those that change something.
fn without_spec(event: &Event) -> Option<Event> {
    let mut event = event.clone();
    match &mut event.kind {
        EventKind::Wait { .. } => return None,
        EventKind::Exchange { method, .. } if method != "POST" && method != "PATCH" => return None,
        EventKind::Watch { object, .. } => {
            object.0.as_object_mut()?.remove("spec");
        }
        _ => {}
    }
    Some(event)
}

/// The API group of devices and claims.
const DEVICES: &str = "resource.k8s.io";

fn cut(event: &Event, ours: bool, everyones: bool) -> Option<Event> {
    let mut event = event.clone();
    match &mut event.kind {
        EventKind::Wait { .. } => return None,
        // Of fences the watch is read.
        EventKind::Exchange { path, .. } if path.ends_with("/resourceclaims/fence") => return None,
        EventKind::Exchange { path, request, response, .. } if is_of_devices(path) => {
            if !ours || path.contains("limit=") {
                return None;
            }
            *request = request.take().map(device_parts);
            *response = response.take().map(device_parts);
        }
        // What a probe sees stands as it came.
        EventKind::Exchange { path, .. } if path.ends_with("/proxy/look") => return ours.then_some(event),
        EventKind::Exchange { method, path, request, response, .. } => {
            let pods = method == "POST" && path.split('?').next().is_some_and(|path| path.ends_with("/pods"));
            let slots = method == "PATCH" && path.ends_with("/status");
            // Ballast that we let go of; of others it is not asked who deleted them.
            let ballast = method == "DELETE" && path.contains("-ballast-");
            if !ours || !(method == "POST" || slots || ballast) {
                return None;
            }
            let trim = if pods || slots { trim } else { numbers_of };
            *request = request.take().map(trim);
            *response = response.take().filter(|_| !slots && !ballast).map(trim);
        }
        EventKind::Watch { kind, object, .. } if kind.group == DEVICES => {
            if !ours {
                return None;
            }
            object.0 = device_parts(object.0.take());
        }
        EventKind::Watch { kind, object, .. } if kind.group == SCALING || *kind == Kind::deployment() => {
            if !ours {
                return None;
            }
            object.0 = scaling_parts(&object.0);
        }
        EventKind::Watch { kind, object, change } => {
            let kept = ours || (everyones && *kind == Kind::node());
            if !kept || (kind.group.is_empty() && kind.kind == "Event") || *kind == Kind::job() {
                return None;
            }
            object.0 = trim(object.0.take());
            // How a pod came in is read when it comes in, unless it is not ours.
            if *kind == Kind::pod()
                && *change != Change::Added
                && !object.label("aiconform.dev/role").is_empty()
            {
                let spec = object.0["spec"].as_object_mut()?;
                spec.retain(|field, _| ["nodeName", "workloadRef"].contains(&field.as_str()));
            }
            if *kind == Kind::node() {
                // Other subjects' slots say nothing here.
                object.0["status"].as_object_mut()?.remove("capacity");
                object.0["status"].as_object_mut()?.remove("allocatable");
            }
        }
        _ if !ours && !everyones => return None,
        _ => {}
    }
    Some(event)
}

fn is_of_devices(path: &str) -> bool {
    path.starts_with(&format!("/apis/{DEVICES}/"))
}

/// Parts that a judge reads of devices, claims, and answers to requests about them.
fn device_parts(object: Value) -> Value {
    let mut kept = json!({});
    for key in ["kind", "message", "spec"] {
        if let Some(value) = object.get(key).filter(|value| !value.is_null()) {
            kept[key] = value.clone();
        }
    }
    for key in ["name", "namespace", "uid", "labels", "deletionTimestamp"] {
        if let Some(value) = object["metadata"].get(key) {
            kept["metadata"][key] = value.clone();
        }
    }
    for key in ["allocation", "reservedFor"] {
        if let Some(value) = object["status"].as_object().and_then(|status| status.get(key)) {
            kept["status"][key] = value.clone();
        }
    }
    kept
}

/// Only what a judge reads of an object.
fn trim(object: Value) -> Value {
    let mut kept = Map::new();
    for pointer in [
        "/metadata/name",
        "/metadata/namespace",
        "/metadata/uid",
        "/metadata/labels",
        "/metadata/deletionTimestamp",
        "/metadata/ownerReferences",
        "/spec/nodeName",
        "/spec/schedulerName",
        "/spec/schedulingGates",
        "/spec/schedulingGroup",
        "/spec/workloadRef",
        "/spec/priorityClassName",
        "/spec/unschedulable",
        "/spec/resourceClaims",
        "/spec/containers",
        "/spec/initContainers",
        "/status/phase",
        "/status/reason",
        "/status/message",
        "/status/conditions",
        "/status/allocatable",
        "/status/capacity",
    ] {
        let Some(value) = object.pointer(pointer) else { continue };
        let mut parts = pointer.trim_start_matches('/').splitn(2, '/');
        let (Some(outer), Some(inner)) = (parts.next(), parts.next()) else { continue };
        let value = match inner {
            "containers" | "initContainers" => resources(value),
            // Only gangs without a status of their own are refused pod by pod, what claims a device, and pods of probes.
            "conditions" => {
                let pods_say_it = ["/spec/workloadRef", "/spec/resourceClaims"];
                let says_it = pods_say_it.iter().any(|pointer| object.pointer(pointer).is_some());
                let probes = object.pointer("/spec/containers/0").is_some_and(is_probe);
                conditions(value, says_it || probes)
            }
            "labels" => labels(value),
            "ownerReferences" => owners(value),
            _ => value.clone(),
        };
        if value.as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let entry = kept.entry(outer).or_insert_with(|| json!({}));
        entry[inner] = value;
    }
    Value::Object(kept)
}

/// Parts that a judge reads of what makes pods or gangs: its numbers, and the pods that it is to make.
fn numbers_of(object: Value) -> Value {
    let mut kept = json!({"kind": object["kind"], "metadata": {"name": object["metadata"]["name"]}});
    if let Some(spec) = numbers(&object["spec"]) {
        kept["spec"] = spec;
    }
    kept
}

fn numbers(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::Object(fields) if fields.get("spec").is_some_and(|spec| spec["containers"].is_array()) => {
            Some(trim(value.clone()))
        }
        Value::Object(fields) => {
            let kept: Map<String, Value> =
                fields.iter().filter_map(|(key, value)| Some((key.clone(), numbers(value)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        // A place in an array is what leads to a number.
        Value::Array(items) => {
            let kept: Vec<Option<Value>> = items.iter().map(numbers).collect();
            let some = kept.iter().any(Option::is_some);
            some.then(|| kept.into_iter().map(Option::unwrap_or_default).collect())
        }
        _ => None,
    }
}

fn resources(containers: &Value) -> Value {
    let containers = containers.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |container: &Value| match container.pointer("/resources/requests") {
        // Which of them is asked for what, and at which port it answers.
        _ if is_probe(container) => {
            let parts = ["name", "args", "resources"].into_iter();
            parts.filter_map(|part| Some((part, container.get(part)?.clone()))).collect()
        }
        Some(requests) => json!({"resources": {"requests": requests}}),
        None => json!({}),
    };
    containers.iter().map(read).collect()
}

fn is_probe(container: &Value) -> bool {
    container["args"][0] == "serve"
}

fn conditions(conditions: &Value, pods_say_it: bool) -> Value {
    let conditions = conditions.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = [
        "Ready",
        "PodScheduled",
        "PodGroupInitiallyScheduled",
        "PodGroupScheduled",
        "QuotaReserved",
        "DisruptionTarget",
    ];
    conditions
        .iter()
        .filter(|condition| condition["type"].as_str().is_some_and(|kind| read.contains(&kind)))
        .filter(|condition| condition["type"] != "PodScheduled" || pods_say_it)
        .map(|condition| {
            let keys = ["type", "status", "reason", "message"];
            let kept: Map<String, Value> = keys
                .iter()
                .filter_map(|key| Some(((*key).to_owned(), condition.get(*key)?.clone())))
                .collect();
            Value::Object(kept)
        })
        .collect()
}

fn owners(owners: &Value) -> Value {
    let owners = owners.as_array().map(Vec::as_slice).unwrap_or_default();
    owners.iter().map(|owner| json!({"kind": owner["kind"], "name": owner["name"]})).collect()
}

fn labels(labels: &Value) -> Value {
    let labels = labels.as_object().into_iter().flatten();
    let read = ["aiconform.dev/run", "aiconform.dev/trial", "aiconform.dev/role", "aiconform.dev/gang"];
    let ours = labels.filter(|(key, _)| read.contains(&key.as_str()));
    Value::Object(ours.map(|(key, value)| (key.clone(), value.clone())).collect())
}
