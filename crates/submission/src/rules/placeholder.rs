//! No placeholder of the template is left.

use super::{Found, Look, Matter, Rule, metadata_present};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "placeholder",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Validator,
    since: None,
    asks: "no value of metadata is a placeholder in brackets",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    for key in metadata_present::REQUIRED.iter().chain(&["repoUrl", "k8sConformanceUrl"]) {
        let Some((value, place)) = product.text_of(key) else { continue };
        if is_placeholder(value) {
            let says = format!(
                "metadata.{key} still has the placeholder {}; put your own value there",
                quoted(value)
            );
            found.at(place, "", says);
        }
    }
}

/// Tells whether a value is a placeholder of the template.
pub fn is_placeholder(value: &str) -> bool {
    value.starts_with('[') && value.ends_with(']')
}
