//! The official sentences stand as they are.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "description_unchanged",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "the description of each requirement is the official sentence of the release",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(product), Some(checklist)) = (case.product(), case.asked()) else { return };
    for asked in &checklist.asked {
        let Some(answer) = product.answer_of(&asked.category, &asked.id) else { continue };
        if !asked.says(&answer.description.text) {
            let place =
                if answer.description.place.line == 0 { answer.place } else { answer.description.place };
            let says = format!(
                "the description of {} is not the sentence of {}; take it from the template",
                asked.id, checklist.release
            );
            found.at(place, &asked.id, says);
        }
    }
}
