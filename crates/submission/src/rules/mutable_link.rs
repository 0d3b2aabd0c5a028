//! Evidence does not change after it was accepted.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::links::Link;

pub const RULE: Rule = Rule {
    id: "mutable_link",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "a link into a repository names a tag or a commit, not a branch",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        for item in answer.links() {
            let Some(link) = Link::of(&item.text) else { continue };
            if link.mutable().is_some() {
                let says = "the link leads to a branch, where the text can be another tomorrow; link to a commit or a tag";
                found.at(item.place, &asked.id, says);
            }
        }
    }
}
