//! Evidence can be reached by everybody.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin, quoted};
use crate::reach::{Named, Reached, places};

pub const RULE: Rule = Rule {
    id: "link_reachable",
    level: Level::Error,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "links lead to something (with `--online`)",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(answers) = &case.given.links else { return };
    let mut all = Vec::new();
    for Named { link, place, requirement, broken } in places(case) {
        let (level, says) = match answers.get(link) {
            Some(Reached::Fine) => continue,
            Some(Reached::Moved(to)) => {
                (Level::Note, format!("{} has moved for good; link to {}", quoted(link), quoted(to)))
            }
            Some(Reached::Unverified(why)) => (
                Level::Unverified,
                format!(
                    "whether {} leads to something could not be verified: {why}; open it yourself",
                    quoted(link)
                ),
            ),
            Some(Reached::Broken(why)) => (
                broken,
                format!("{} leads to nothing: {why}; link to a page that everybody can reach", quoted(link)),
            ),
            None => (
                Level::Unverified,
                format!(
                    "whether {} leads to something was not asked: there are too many links",
                    quoted(link)
                ),
            ),
        };
        all.push((level, place, requirement, says));
    }
    // There is a most of findings, and the gravest must be among them.
    all.sort_by_key(|(level, ..)| std::cmp::Reverse(*level));
    for (level, place, requirement, says) in all {
        found.weighs(level, PRODUCT, place, requirement, says);
    }
}
