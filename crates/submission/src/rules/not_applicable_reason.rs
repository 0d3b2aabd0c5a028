//! Reasons tell what does not apply from what is not supported.

use super::{Found, Look, Matter, Rule, own_words};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "not_applicable_reason",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "the reason for N/A says why a MUST does not apply, not that it is not supported",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered().into_iter().filter(|(asked, _)| asked.must) {
        if answer.status.text != "N/A" {
            continue;
        }
        if let Some(said) = own_words::said(&answer.notes.text, own_words::NOT_THERE) {
            let says = format!(
                "the reason for N/A in {} is {}; the programme wants to hear why the requirement does not apply, not that it is not supported",
                asked.id,
                quoted(said)
            );
            found.at(answer.notes.place, &asked.id, says);
        }
    }
}
