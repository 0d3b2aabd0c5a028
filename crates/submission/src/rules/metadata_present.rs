//! Everything that is asked of the product is answered.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::product::snake_case;
use crate::yaml::{Place, Value};

pub const RULE: Rule = Rule {
    id: "metadata_present",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Validator,
    since: None,
    asks: "every key of metadata is there and not empty, but for repoUrl",
    look: Look::Each(check),
};

/// The keys that the programme asks for; what it asks of `k8sConformanceUrl` is a rule of its own.
pub const REQUIRED: &[&str] = &[
    "kubernetesVersion",
    "platformName",
    "platformVersion",
    "vendorName",
    "websiteUrl",
    "documentationUrl",
    "productLogoUrl",
    "description",
    "contactEmailAddress",
];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for key in REQUIRED {
        missing(key, case, found);
    }
}

/// Finds that a key is missing or empty.
pub fn missing(key: &str, case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product().filter(|product| product.metadata.is_some()) else { return };
    match product.field_of(key) {
        None => {
            let says = format!("metadata.{key} (or {}) is missing", snake_case(key));
            found.at(Place::default(), "", says);
        }
        Some((name, value)) if value.value == Value::Null => {
            found.at(name.place, "", format!("metadata.{key} has no value"));
        }
        Some((_, value)) if value.text() == Some("") => {
            found.at(value.place, "", format!("metadata.{key} is empty"));
        }
        Some(_) => {}
    }
}
