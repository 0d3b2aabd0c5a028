//! The official levels stand as they are.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT};
use crate::checklist::Checklist;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "level_unchanged",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "the level of each requirement is that of the release",
    look: Look::Each(check),
};

/// Where a clone differs from what this program knows of the release; sentences have a rule of their own.
fn own_checklist(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(checklist) = case.asked().filter(|_| case.beside) else { return };
    let Ok(Some(known)) = Checklist::of(&checklist.release, None) else { return };
    for asked in &known.asked {
        let words = match checklist.asked(&asked.id) {
            None => "does not ask for it".to_owned(),
            Some(there) if there.must != asked.must => format!("says {}", there.level()),
            Some(there) if there.category != asked.category => {
                format!("has it in {}", quoted(&there.category))
            }
            Some(_) => continue,
        };
        let file = format!("docs/AIConformance-{}.yaml", checklist.release);
        let says = format!(
            "{} is a {} of {} in {}, and the checklist {file} of this clone {words}; it may have been edited to ask for less: review with the programme's own (--templates)",
            asked.id,
            asked.level(),
            quoted(&asked.category),
            known.release,
        );
        found.weighs(Level::Warning, PRODUCT, Place::default(), &asked.id, says);
    }
}

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    own_checklist(case, found);
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
