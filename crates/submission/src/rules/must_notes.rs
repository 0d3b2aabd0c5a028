//! Notes explain what is said of a MUST.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "must_notes",
    level: Level::Note,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "a MUST has notes, as the programme's instructions ask",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered().into_iter().filter(|(asked, _)| asked.must) {
        if answer.notes.text.trim().is_empty() {
            let place = if answer.notes.place.line == 0 { answer.place } else { answer.notes.place };
            found.at(
                place,
                &asked.id,
                format!("{} is a MUST and has no notes; say in a sentence how it is met", asked.id),
            );
        }
    }
}
