//! Both sections are there.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "sections",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "the sections metadata and spec are there",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    for (name, there) in [("metadata", product.metadata.is_some()), ("spec", product.spec.is_some())] {
        if !there {
            found.at(
                Place::default(),
                "",
                format!("the section {name} is missing; begin with the template of the release"),
            );
        }
    }
}
