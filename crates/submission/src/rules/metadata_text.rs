//! Metadata of the product is text.

use super::{Found, Look, Matter, Rule, metadata_present};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Value;

pub const RULE: Rule = Rule {
    id: "metadata_text",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Validator,
    since: None,
    asks: "every value of metadata is a text: a version such as 1.0 stands in quotes",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    for key in metadata_present::REQUIRED.iter().chain(&["repoUrl", "k8sConformanceUrl"]) {
        let Some((_, value)) = product.field_of(key) else { continue };
        match &value.value {
            Value::Other(written) => {
                let says = format!("metadata.{key} is no text: write it in quotes, as {}", quoted(written));
                found.at(value.place, "", says);
            }
            Value::List(_) | Value::Map(_) => {
                found.at(value.place, "", format!("metadata.{key} is {}, not a text", value.kind()));
            }
            Value::Null | Value::Text(_) => {}
        }
    }
}
