//! Templates: text with values in it, which becomes an object.
//!
//! There are no filters and no functions: values, `if`, and what can be computed from them.

use aiconform_model::Kind;
use minijinja::{Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Steps that one template may take.
const FUEL: u64 = 10_000;

/// Why a template does not give what it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where in the template, in bytes from its start.
    pub at: usize,
    /// Reason, in words.
    pub why: String,
}

impl Flaw {
    /// Something about the whole template.
    pub fn whole(why: impl Into<String>) -> Flaw {
        Flaw { at: 0, why: why.into() }
    }
}

fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true);
    environment.set_fuel(Some(FUEL));
    environment
}

fn flaw(template: &str, error: &Error) -> Flaw {
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start: usize = template.split_inclusive('\n').take(line).map(str::len).sum();
    let why = match error.detail() {
        Some(detail) => format!("the template does not render: {}: {detail}", error.kind()),
        None => format!("the template does not render: {}", error.kind()),
    };
    Flaw { at: error.range().map_or(start, |range| range.start), why }
}

/// Names of the values that a template uses.
///
/// # Errors
/// When it is not a template.
pub fn names(template: &str) -> Result<HashSet<String>, Flaw> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| flaw(template, &error))?;
    Ok(parsed.undeclared_variables(false))
}

/// The text of a template with these values.
///
/// # Errors
/// When it is not a template, or asks for what is not there.
fn text(template: &str, values: &Value) -> Result<String, Flaw> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| flaw(template, &error))?;
    parsed.render(minijinja::value::Serde(values)).map_err(|error| flaw(template, &error))
}

/// YAML without templates in it.
///
/// # Errors
/// When it is none.
pub fn yaml(text: &str) -> Result<Value, Flaw> {
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().and_then(|place| usize::try_from(place.line()).ok()).unwrap_or(1);
        // The first line of the reader's message is a place of its own and the reason; a picture of the text follows.
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        let reason = first.split_once(": line ").and_then(|(_, rest)| rest.split_once(": "));
        Flaw {
            at: text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum(),
            why: format!("no YAML: {}", reason.map_or(first, |(_, reason)| reason)),
        }
    })
}

/// The patch that is to be merged into another object; nothing where the template is empty.
///
/// # Errors
/// When the template does not render, or gives no mapping.
pub fn patch(template: &str, values: &Value) -> Result<Value, Flaw> {
    let text = text(template, values)?;
    let value = yaml(&text).map_err(|flaw| {
        let line = text[..flaw.at].matches('\n').count() + 1;
        Flaw::whole(format!("in line {line} of what the template gives: {}", flaw.why))
    })?;
    match value {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Object(_) => Ok(value),
        _ => Err(Flaw::whole("the template gives no object")),
    }
}

/// An object of one of these kinds.
///
/// # Errors
/// When the template does not render, or gives no object with a name of a kind that is listed.
pub fn object(template: &str, values: &Value, kinds: &[Kind]) -> Result<(Kind, Value), Flaw> {
    let object = patch(template, values)?;
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (api, kind) = (text("/apiVersion"), text("/kind"));
    if api.is_empty() || kind.is_empty() {
        return Err(Flaw::whole("the template gives an object without apiVersion and kind"));
    }
    if text("/metadata/name").is_empty() {
        return Err(Flaw::whole(format!("the template gives a {kind} without metadata.name")));
    }
    match kinds.iter().find(|known| known.kind == kind && known.api_version() == api) {
        Some(known) => Ok((known.clone(), object)),
        None => Err(Flaw::whole(format!("{kind} ({api}) is not among the file's kinds"))),
    }
}

/// Merges a patch into a value (RFC 7396).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        if value.is_null() {
            if let Some(target) = target.as_object_mut() {
                target.remove(key);
            }
        } else {
            merge(&mut target[key], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_into_objects_as_numbers_or_texts() {
        let values = json!({"name": "g", "size": 4, "held": true});
        let template = "metadata: {name: {{ name }}, annotations: {count: \"{{ size }}\"}}\nspec:\n  least: {{ size - 1 }}\n  {% if held %}stop: Hold{% endif %}\n";
        let given = patch(template, &values).unwrap();
        let wanted = json!({"metadata": {"name": "g", "annotations": {"count": "4"}},
            "spec": {"least": 3, "stop": "Hold"}});
        assert_eq!(given, wanted);
        assert_eq!(patch("", &values), Ok(json!({})));
    }

    #[test]
    fn a_template_that_does_not_give_an_object_says_where() {
        let kinds = [Kind::job()];
        let flaw = |template: &str| object(template, &json!({"size": 4}), &kinds).unwrap_err();
        for (template, at, why) in [
            ("a: 1\nb: {{ nothing }}", 11, "undefined"),
            ("a: 1\nb: {{ size", 11, "syntax error"),
            ("a: {{ size | upper }}", 13, "unknown filter"),
            ("a: [", 0, "no YAML"),
            ("- a", 0, "no object"),
            ("{kind: Job}", 0, "without apiVersion and kind"),
            ("{apiVersion: batch/v1, kind: Job}", 0, "without metadata.name"),
            ("{apiVersion: v1, kind: Job, metadata: {name: a}}", 0, "not among the file's kinds"),
        ] {
            let found = flaw(template);
            assert!(found.why.contains(why), "{template}: {found:?}");
            assert_eq!(found.at, at, "{template}: {found:?}");
        }
    }

    #[test]
    fn a_template_cannot_run_for_ever() {
        let digits = "0".repeat(60);
        let loops = "{% for a in d %}".repeat(4) + &"{% endfor %}".repeat(4);
        assert!(text(&loops, &json!({"d": digits.chars().collect::<Vec<_>>()})).is_err());
    }

    #[test]
    fn a_patch_is_merged_as_the_api_server_merges() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut target, &json!({"a": {"b": null, "e": {"f": 3}}, "d": [2]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": {"f": 3}}, "d": [2]}));
    }
}
