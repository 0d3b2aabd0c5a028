//! The product file is one document.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "one_document",
    level: Level::Warning,
    matter: Matter::Substance,
    origin: Origin::Ours,
    since: None,
    asks: "PRODUCT.yaml is one YAML document; of several the programme reads the first alone",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(line) = case.product().and_then(|product| product.unread) else { return };
    let says = "another YAML document begins here, and the programme's reader leaves it unread; put everything into the first";
    found.at(Place { line, column: 1, length: 3 }, "", says);
}
