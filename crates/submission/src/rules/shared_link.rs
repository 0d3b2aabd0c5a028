//! One page can hardly show everything.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "shared_link",
    level: Level::Note,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "one page is not the evidence of three requirements or more",
    look: Look::Each(check),
};

/// From how many requirements on it is told.
const MANY: usize = 3;

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let mut uses: BTreeMap<&str, Vec<(&str, crate::yaml::Place)>> = BTreeMap::new();
    for (asked, answer) in case.answered() {
        for item in answer.links().filter(|item| crate::evidence::is_link(&item.text)) {
            let used = uses.entry(item.text.as_str()).or_default();
            if used.iter().all(|(id, _)| *id != asked.id) {
                used.push((&asked.id, item.place));
            }
        }
    }
    for (link, used) in uses.iter().filter(|(_, used)| used.len() >= MANY) {
        let ids: Vec<&str> = used.iter().map(|(id, _)| *id).collect();
        let says = format!(
            "{} is the evidence of {} requirements ({}); name the part that shows each",
            quoted(link),
            used.len(),
            ids.join(", ")
        );
        found.at(used[0].1, ids[0], says);
    }
}
