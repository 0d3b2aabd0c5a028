//! Every requirement of the release is answered, in its category.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::yaml::Place;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "requirement_present",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "every category and requirement of the release's checklist is there",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let (Some(product), Some(checklist)) = (case.product(), case.asked()) else { return };
    let Some(categories) = &product.spec else { return };
    let mut told = BTreeSet::new();
    for asked in &checklist.asked {
        let Some(category) = categories.iter().find(|category| category.name == asked.category) else {
            if told.insert(&asked.category) {
                let says = format!(
                    "the category {} is missing; begin with the template of the release",
                    asked.category
                );
                found.at(Place::default(), "", says);
            }
            continue;
        };
        if product.answer_of(&asked.category, &asked.id).is_none() {
            let elsewhere = product.answers().find(|(_, answer)| answer.id.text == asked.id);
            let (place, hint) = match elsewhere {
                Some((other, answer)) => (answer.place, format!("; it stands in {:?}", other.name)),
                None => (category.place, format!("; the template of {} has it", checklist.release)),
            };
            let within = if elsewhere.is_some() { format!(" in {}", asked.category) } else { String::new() };
            found.at(place, &asked.id, format!("the requirement {} is missing{within}{hint}", asked.id));
        }
    }
}
