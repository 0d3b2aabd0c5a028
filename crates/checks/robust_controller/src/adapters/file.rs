//! Reading an operator's file: what must stand in it, and that it gives what it must, before anything is asked.

use super::{Operator, VALUES};
use crate::marks::Plan;
use aiconform_check::place::FileError;
use aiconform_check::render::Flaw;
use aiconform_check::source::{Source, Text};
use aiconform_model::Kind;
use aiconform_trial::path::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

/// Longest id: it becomes a label.
const LONGEST_ID: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Text,
    product: String,
    #[serde(default = "yes")]
    tried: bool,
    install: String,
    #[serde(default)]
    controller: String,
    resource: RawResource,
    #[serde(default)]
    before: Vec<RawBefore>,
    #[serde(default)]
    children: Vec<Spanned<RawKind>>,
    reconciled: RawReconciled,
    change: Option<RawChange>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResource {
    api: Text,
    kind: String,
    plural: String,
    #[serde(default)]
    cluster_wide: bool,
    valid: Text,
    invalid: Text,
    denial: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBefore {
    api: Text,
    kind: String,
    plural: String,
    #[serde(default)]
    cluster_wide: bool,
    object: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    api: Text,
    kind: String,
    plural: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReconciled {
    shows: Text,
    observed: Option<Text>,
    again: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChange {
    patch: Text,
    shows: Text,
}

/// Reads a file, whose id must not be one of these.
pub fn read(text: &str, file: &str, taken: &[&str]) -> Result<Operator, FileError> {
    let source = Source { file, text };
    let raw: Raw = toml::from_str(text).map_err(|error| FileError::of_toml(file, text, &error))?;
    check_id(&source, &raw.id, taken)?;
    let resource = &raw.resource;
    let kind = kind(&source, &resource.api, &resource.kind, &resource.plural, resource.cluster_wide)?;
    if kind.group.is_empty() {
        let why = "a custom resource has a group: \"group/version\"";
        return Err(source.error(resource.api.span().start, why));
    }
    let mut children = Vec::new();
    for child in &raw.children {
        let child = child.as_ref();
        children.push(self::kind(&source, &child.api, &child.kind, &child.plural, false)?);
    }
    let again = match &raw.reconciled.again {
        Some(name) => {
            Some(children.iter().find(|child| child.kind == *name.as_ref()).cloned().ok_or_else(|| {
                source.error(
                    name.span().start,
                    format!("the kind {:?} is not among the file's children", name.as_ref()),
                )
            })?)
        }
        None => None,
    };
    let path = |part: &Text| {
        Path::parse(part.as_ref()).map_err(|error| source.inside(part, &Flaw { at: error.0, why: error.1 }))
    };
    let template = |part: &Text| source.template(part, VALUES);
    let mut before = Vec::new();
    for one in &raw.before {
        let kind = self::kind(&source, &one.api, &one.kind, &one.plural, one.cluster_wide)?;
        before.push((kind, template(&one.object)?));
    }
    let operator = Operator {
        plan: Plan {
            product: raw.product.clone(),
            tried: raw.tried,
            kind,
            children,
            again,
            denial: resource.denial.clone(),
            reconciled: path(&raw.reconciled.shows)?,
            observed: raw.reconciled.observed.as_ref().map(path).transpose()?,
            changed: raw.change.as_ref().map(|change| path(&change.shows)).transpose()?,
        },
        id: raw.id.as_ref().clone(),
        install: raw.install.clone(),
        controller: raw.controller.clone(),
        before,
        valid: template(&resource.valid)?,
        invalid: template(&resource.invalid)?,
        change: raw.change.as_ref().map(|change| template(&change.patch)).transpose()?,
    };
    try_templates(&source, &raw, &operator)?;
    Ok(operator)
}

fn check_id(source: &Source, id: &Text, taken: &[&str]) -> Result<(), FileError> {
    let text = id.as_ref();
    if taken.contains(&text.as_str()) {
        let why = format!("there is a built-in operator {text:?}; choose another id");
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

fn kind(
    source: &Source,
    api: &Text,
    kind: &str,
    plural: &str,
    cluster_wide: bool,
) -> Result<Kind, FileError> {
    let (group, version) = api.as_ref().split_once('/').unwrap_or(("", api.as_ref()));
    let word = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric());
    let domain = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
    if !word(version) || !group.chars().all(domain) || !word(kind) || !word(plural) {
        let why = format!(
            "{:?} with {kind:?} and {plural:?} is no group/version, kind and plural name",
            api.as_ref()
        );
        return Err(source.error(api.span().start, why));
    }
    let make = if cluster_wide { Kind::cluster_wide } else { Kind::namespaced };
    Ok(make(group, version, kind, plural))
}

/// Renders every template as a run will.
fn try_templates(source: &Source, raw: &Raw, operator: &Operator) -> Result<(), FileError> {
    let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}).to_string();
    let values = json!({"run": "0a1b2c3d", "name": "example", "namespace": "namespace", "image": "image", "node": "node",
        "pod": pod, "held_pod": pod, "held_job_pod": pod});
    let resource = &raw.resource;
    let valid = operator.valid(&values).map_err(|flaw| source.inside(&resource.valid, &flaw))?;
    if valid.pointer("/metadata/name").and_then(Value::as_str) != Some("example") {
        return Err(source.inside(&resource.valid, &Flaw::whole("metadata.name must be {{ name }}")));
    }
    for ((kind, _), one) in operator.before.iter().zip(&raw.before) {
        aiconform_check::render::object(one.object.as_ref(), &values, std::slice::from_ref(kind))
            .map_err(|flaw| source.inside(&one.object, &flaw))?;
    }
    let invalid = operator.invalid(&values).map_err(|flaw| source.inside(&resource.invalid, &flaw))?;
    if invalid == valid {
        let why = "it changes nothing of the valid object, so there is nothing to refuse";
        return Err(source.inside(&resource.invalid, &Flaw::whole(why)));
    }
    if invalid.pointer("/metadata/name") != valid.pointer("/metadata/name") {
        let why = "it changes the name: what is refused must be the same object";
        return Err(source.inside(&resource.invalid, &Flaw::whole(why)));
    }
    if let Some(change) = &raw.change {
        let patch = operator.change(&values).map_err(|flaw| source.inside(&change.patch, &flaw))?;
        let mut changed = valid.clone();
        aiconform_check::render::merge(&mut changed, &patch.unwrap_or_default());
        if changed.get("spec") == valid.get("spec") {
            let why = "it changes nothing of the spec, so there is nothing to follow";
            return Err(source.inside(&change.patch, &Flaw::whole(why)));
        }
    }
    Ok(())
}
