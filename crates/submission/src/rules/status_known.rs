//! Every status is one of the four.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "status_known",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "a status is Implemented, Not Implemented, Partially Implemented or N/A; of a SHOULD without evidence it may be empty",
    look: Look::Each(check),
};

const KNOWN: &[&str] = &["Implemented", "Not Implemented", "Partially Implemented", "N/A"];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        if !KNOWN.contains(&answer.status.text.as_str()) {
            let place = if answer.status.place.line == 0 { answer.place } else { answer.status.place };
            let says = format!("the status {} is none of {}", quoted(&answer.status.text), KNOWN.join(", "));
            found.at(place, &asked.id, says);
        }
    }
}
