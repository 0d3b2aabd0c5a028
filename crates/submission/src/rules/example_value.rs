//! No value of an example is left.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "example_value",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "no value of metadata comes from an example",
    look: Look::Each(check),
};

/// Texts that stand in the programme's examples.
const EXAMPLES: &[&str] = &["yoyo.dyne", "turbo-encabulator", "example.com", "example.org", "product-name"];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let entries = case.product().and_then(|product| product.metadata.as_deref()).unwrap_or_default();
    for (key, value) in entries {
        let (Some(key), Some(text)) = (key.text(), value.text()) else { continue };
        if EXAMPLES.iter().any(|example| text.to_ascii_lowercase().contains(example)) {
            found.at(
                value.place,
                "",
                format!("metadata.{key} is {}, as in an example; put your own value there", quoted(text)),
            );
        }
    }
}
