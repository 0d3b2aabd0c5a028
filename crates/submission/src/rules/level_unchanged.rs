//! The official levels stand as they are.

use super::{Found, Look, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "level_unchanged",
    level: Level::Error,
    origin: Origin::Ours,
    since: None,
    asks: "the level of each requirement is that of the release",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(product), Some(checklist)) = (case.product(), case.asked()) else { return };
    for asked in &checklist.asked {
        let Some(answer) = product.answer_of(&asked.category, &asked.id) else { continue };
        if answer.level.text != asked.level() {
            let place = if answer.level.place.line == 0 { answer.place } else { answer.level.place };
            let says = format!(
                "the level of {} is {} in {}, not {}",
                asked.id,
                asked.level(),
                checklist.release,
                quoted(&answer.level.text)
            );
            found.at(place, &asked.id, says);
        }
    }
}
