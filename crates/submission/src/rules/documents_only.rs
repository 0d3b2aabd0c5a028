//! Something was tested.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::evidence::is_page;
use crate::finding::{Level, Origin};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "documents_only",
    level: Level::Note,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "at least one MUST has evidence that is not a page of documentation",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let answered = case.answered();
    let musts = || answered.iter().filter(|(asked, answer)| asked.must && answer.implemented());
    let tested = musts().any(|(_, answer)| answer.links().any(|item| !is_page(&item.text)));
    if musts().next().is_some() && !tested {
        let says = "all evidence is pages of documentation: nothing in it shows that anything was tried";
        found.at(Place::default(), "", says);
    }
}
