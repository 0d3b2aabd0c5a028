//! Answers of N/A say why.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "not_applicable",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "a requirement that is N/A has the reason in notes",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        if answer.status.text == "N/A" && answer.notes.text.trim().is_empty() {
            found.at(
                answer.status.place,
                &asked.id,
                format!("{} is N/A without a reason in notes", asked.id),
            );
        }
    }
}
