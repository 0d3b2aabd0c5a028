//! Evidence is given for what is implemented.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "evidence_given",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Ours,
    since: None,
    asks: "what is Implemented has evidence; of a SHOULD its absence is a warning",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        if answer.implemented() && answer.links().next().is_none() {
            let level = if asked.must { Level::Error } else { Level::Warning };
            let hint = if answer.notes.text.contains("://") {
                "; move the links from notes to evidence"
            } else {
                ""
            };
            let says = format!("{} ({}) is Implemented without any evidence{hint}", asked.id, asked.level());
            found.weighs(level, PRODUCT, answer.evidence_place, &asked.id, says);
        }
    }
}
