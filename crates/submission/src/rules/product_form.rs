//! The product file has the form of the programme's template.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "product_form",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "metadata and spec are maps, a category is a list of requirements, evidence is a list of texts",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (place, why) in case.product().map(|product| product.misshapen.as_slice()).unwrap_or_default() {
        found.at(*place, "", format!("{why}; the programme's reader refuses the whole file for it"));
    }
}
