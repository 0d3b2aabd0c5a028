//! Reading an adapter's file: what must stand in it, and that it does what it must, before anything is created.

use super::{AdapterFile, OF_GANG, OF_TRIAL, POD, Pods};
use crate::acts::means::Means;
use crate::acts::template::Template;
use crate::adapters::{Can, Capacity, Wanted};
use crate::reading::{Sign, Signs};
use aiconform_check::place::FileError;
use aiconform_check::profile::Profile;
use aiconform_check::render::{self, Flaw};
use aiconform_check::source::{Source, Text};
use aiconform_model::{Kind, Object};
use aiconform_trial::foreign::holds;
use aiconform_trial::path::Path;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use toml::Spanned;

/// Longest id: it becomes a part of names, of which the longest have 63 letters.
const LONGEST_ID: usize = 24;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Text,
    product: String,
    #[serde(default = "yes")]
    tried: bool,
    can: Spanned<Vec<Can>>,
    timeout_seconds: Option<u32>,
    #[serde(default)]
    gates: Vec<String>,
    kinds: Spanned<Vec<Spanned<RawKind>>>,
    #[serde(default)]
    trial: RawTrial,
    #[serde(default)]
    gang: RawGang,
    pods: Spanned<RawPods>,
    decision: RawSign,
    in_force: RawSign,
    queued: Option<RawSign>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    api: String,
    kind: String,
    plural: String,
    #[serde(default)]
    cluster_wide: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTrial {
    cluster_objects: Vec<Text>,
    objects: Vec<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGang {
    group: Option<Text>,
    derived: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPods {
    member: Option<Text>,
    single: Option<Text>,
    wrap: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSign {
    kind: Text,
    gang: Text,
    shows: Option<Text>,
    example: Text,
}

/// Reads a file, whose id must not be one of these.
pub fn read(text: &str, file: &str, taken: &[&str]) -> Result<AdapterFile, FileError> {
    let source = Source { file, text };
    let raw: Raw = toml::from_str(text).map_err(|error| FileError::of_toml(file, text, &error))?;
    check_id(&source, &raw.id, taken)?;
    let kinds = kinds(&source, &raw.kinds)?;
    let all = |parts: &[Text]| -> Result<Vec<String>, FileError> {
        parts.iter().map(|part| source.template(part, OF_TRIAL)).collect()
    };
    let group = raw.gang.group.as_ref().map(|part| source.template(part, OF_GANG)).transpose()?;
    let derived = raw.gang.derived.as_ref().map(|name| kind_named(&source, name, &kinds)).transpose()?;
    let read_sign = |sign: &RawSign| read_sign(&source, sign, &kinds);
    let signs = Signs::new(
        read_sign(&raw.decision)?,
        read_sign(&raw.in_force)?,
        raw.queued.as_ref().map(read_sign).transpose()?,
        raw.gates.clone(),
    );
    let mut adapter = AdapterFile {
        id: raw.id.as_ref().clone(),
        product: raw.product.clone(),
        tried: raw.tried,
        can: raw.can.as_ref().clone(),
        timeout: raw.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        written: Vec::new(),
        cluster_objects: all(&raw.trial.cluster_objects)?,
        objects: all(&raw.trial.objects)?,
        group,
        derived,
        pods: read_pods(&source, &raw.pods)?,
        kinds,
        signs,
    };
    adapter.written = try_templates(&source, &raw, &adapter)?;
    check_can(&source, &raw, &adapter)?;
    Ok(adapter)
}

fn check_id(source: &Source, id: &Text, taken: &[&str]) -> Result<(), FileError> {
    let text = id.as_ref();
    if taken.contains(&text.as_str()) {
        let why = format!("there is a built-in adapter {text:?}; choose another id");
        return Err(source.error(id.span().start, why));
    }
    let whole = !text.starts_with(['-', '/']) && !text.ends_with(['-', '/']);
    let letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-/".contains(letter);
    if text.is_empty() || text.len() > LONGEST_ID || !whole || !text.chars().all(letters) {
        let why = format!(
            "an id has 1 to {LONGEST_ID} lower-case letters, digits, and - or / between them; this is {text:?}"
        );
        return Err(source.error(id.span().start, why));
    }
    Ok(())
}

fn kinds(source: &Source, raw: &Spanned<Vec<Spanned<RawKind>>>) -> Result<Vec<Kind>, FileError> {
    let mut kinds: Vec<Kind> = Vec::new();
    for spanned in raw.as_ref() {
        let one = spanned.as_ref();
        let (group, version) = one.api.split_once('/').unwrap_or(("", &one.api));
        let fault = if version.is_empty() || version.contains('/') || one.kind.is_empty() {
            Some(format!("{:?} is no group/version with a kind", one.api))
        } else if one.kind == "Pod" || kinds.iter().any(|kind| kind.kind == one.kind) {
            Some(format!("the kind {} is known already", one.kind))
        } else if one.plural.is_empty() || one.plural.contains('/') {
            Some(format!("{:?} is no plural name", one.plural))
        } else {
            None
        };
        if let Some(why) = fault {
            return Err(source.error(spanned.span().start, why));
        }
        let kind = if one.cluster_wide { Kind::cluster_wide } else { Kind::namespaced };
        kinds.push(kind(group, version, &one.kind, &one.plural));
    }
    if kinds.is_empty() {
        return Err(
            source.error(raw.span().start, "without a kind of its own the product cannot be detected")
        );
    }
    Ok(kinds)
}

fn kind_named(source: &Source, name: &Text, kinds: &[Kind]) -> Result<Kind, FileError> {
    let pod = Kind::pod();
    let known = kinds.iter().chain([&pod]).find(|kind| kind.kind == *name.as_ref());
    known.cloned().ok_or_else(|| {
        source.error(name.span().start, format!("the kind {:?} is not among the file's kinds", name.as_ref()))
    })
}

fn read_pods(source: &Source, raw: &Spanned<RawPods>) -> Result<Pods, FileError> {
    let pods = raw.as_ref();
    match (&pods.member, &pods.single, &pods.wrap) {
        (Some(member), Some(single), None) => Ok(Pods::Single {
            member: source.template(member, OF_GANG)?,
            single: source.template(single, OF_GANG)?,
        }),
        (None, None, Some(object)) => {
            let known = [OF_GANG, &[POD]].concat();
            let object_text = source.template(object, &known)?;
            if !render::names(&object_text).is_ok_and(|names| names.contains(POD)) {
                let why = "the object does not hold {{ pod }}, the template of its pods";
                return Err(source.inside(object, &Flaw::whole(why)));
            }
            Ok(Pods::Wrapped { object: object_text })
        }
        _ => {
            let why = "[pods] holds either `member` and `single`, or `wrap`";
            Err(source.error(raw.span().start, why))
        }
    }
}

fn read_sign(source: &Source, raw: &RawSign, kinds: &[Kind]) -> Result<Sign, FileError> {
    let kind = kind_named(source, &raw.kind, kinds)?;
    let path = |part: &Text| {
        let path = Path::parse(part.as_ref());
        path.map_err(|error| source.inside(part, &Flaw { at: error.0, why: error.1 }))
    };
    let gang = path(&raw.gang)?;
    let shows = raw.shows.as_ref().map(path).transpose()?;
    // An example holds no values, so that braces in it are braces.
    let example = render::yaml(raw.example.as_ref()).map_err(|flaw| source.inside(&raw.example, &flaw))?;
    let example = Object(example);
    if !example.0.is_object()
        || example.kind() != kind.kind
        || example.text("/apiVersion") != kind.api_version()
    {
        return Err(source.inside(&raw.example, &Flaw::whole(format!("the example is no {kind}"))));
    }
    for (part, path) in [(Some(&raw.gang), Some(&gang)), (raw.shows.as_ref(), shows.as_ref())] {
        if let (Some(part), Some(path)) = (part, path)
            && path.find(&example).is_none()
        {
            return Err(source.inside(part, &Flaw::whole("the JSONPath finds nothing in the example")));
        }
    }
    Ok(Sign { kind, gang, shows })
}

/// Renders every template as trials will; gives the kinds of what they give.
fn try_templates(source: &Source, raw: &Raw, adapter: &AdapterFile) -> Result<Vec<Kind>, FileError> {
    let mut written = Vec::new();
    for (held, preempts, quota) in [(false, false, 1), (true, false, 4), (false, true, 100), (true, true, 3)]
    {
        let capacity = Capacity {
            trial: "trial",
            namespace: "namespace",
            prefix: "",
            means: Means::Slots,
            resource: "slots.aiconform.dev/run-trial",
            canary: "slots.aiconform.dev/run-trial-canary",
            quota,
            held,
            preempts,
        };
        let values = adapter.of_trial(&capacity, "run", &Profile::default());
        for (parts, namespaced) in [(&raw.trial.cluster_objects, false), (&raw.trial.objects, true)] {
            for part in parts {
                let (kind, _) = render::object(part.as_ref(), &values, &adapter.kinds)
                    .map_err(|flaw| source.inside(part, &flaw))?;
                place(source, part, &kind, namespaced)?;
                written.push(kind);
            }
        }
    }
    let template = Template::example();
    for (size, least) in [(1, 1), (4, 2), (11, 11)] {
        let wanted = Wanted { name: "gang".into(), size, least };
        if let Some(part) = &raw.gang.group {
            let group = adapter.group(&wanted, &template).map_err(|flaw| source.inside(part, &flaw))?;
            written.extend(group.map(|(kind, object)| named(source, part, kind, &object)).transpose()?);
        }
        let pods = raw.pods.as_ref();
        for (part, pod) in
            [(&pods.member, template.member("gang", 0)), (&pods.single, template.single("gang"))]
        {
            let Some(part) = part else { continue };
            let merged = adapter
                .pod(part.as_ref(), &wanted, &template, pod.clone())
                .map_err(|flaw| source.inside(part, &flaw))?;
            if !holds(Some(&pod), Some(&merged)) {
                let why = "it changes what every test pod has; it may only add to it";
                return Err(source.inside(part, &Flaw::whole(why)));
            }
        }
        if let Some(part) = &pods.wrap {
            let pod = template.member("gang", 0);
            let (kind, object) = adapter
                .wrapped(part.as_ref(), &wanted, &template, &pod)
                .map_err(|flaw| source.inside(part, &flaw))?;
            written.push(named(source, part, kind, &object)?);
        }
    }
    written.sort();
    written.dedup();
    Ok(written)
}

/// Objects of the whole cluster and those of a namespace are written in different ways.
fn place(source: &Source, part: &Text, kind: &Kind, namespaced: bool) -> Result<(), FileError> {
    if kind.namespaced == namespaced {
        return Ok(());
    }
    let why = if namespaced {
        format!("a {} belongs to the whole cluster, not to a namespace", kind.kind)
    } else {
        format!("a {} belongs to a namespace, not to the whole cluster", kind.kind)
    };
    Err(source.inside(part, &Flaw::whole(why)))
}

/// An object that goes by the gang's name.
fn named(source: &Source, part: &Text, kind: Kind, object: &Value) -> Result<Kind, FileError> {
    place(source, part, &kind, true)?;
    if object["metadata"]["name"].as_str() == Some("gang") {
        return Ok(kind);
    }
    Err(source.inside(part, &Flaw::whole("metadata.name must be {{ name }}")))
}

/// Checks that what the product can do is possible with what the file says.
fn check_can(source: &Source, raw: &Raw, adapter: &AdapterFile) -> Result<(), FileError> {
    let uses = |parts: &[&String], value: &str| AdapterFile::using(parts.iter().copied(), &[value]).is_some();
    let queues: Vec<&String> = adapter.cluster_objects.iter().collect();
    let group: Vec<&String> = adapter.group.iter().collect();
    let mut gang = group.clone();
    gang.extend(match &adapter.pods {
        Pods::Single { member, .. } => [member],
        Pods::Wrapped { object } => [object],
    });
    for can in &adapter.can {
        let lacks = match can {
            Can::HoldBack if raw.pods.as_ref().wrap.is_some() => {
                Some("hold-back: pods that another object makes cannot be held back")
            }
            Can::Quota if raw.queued.is_none() => Some("quota: there is no [queued]"),
            Can::Quota if !uses(&queues, "quota") || !uses(&queues, "held") => {
                Some("quota: no cluster-wide object of [trial] uses {{ quota }} and {{ held }}")
            }
            Can::Elastic if !uses(&gang, "least") => Some("elastic: nothing of the gang uses {{ least }}"),
            Can::Resize if !uses(&group, "least") => Some("resize: the group does not use {{ least }}"),
            _ => None,
        };
        if let Some(why) = lacks {
            return Err(source.error(raw.can.span().start, why));
        }
    }
    Ok(())
}
