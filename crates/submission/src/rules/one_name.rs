//! A product has one name.

use super::{Across, First, Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::traces::{Trace, key};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "one_name",
    level: Level::Note,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "the folder of a product has the same name in every release, capitals included",
    look: Look::Across(Across { take, compare }),
};

fn take(case: &Case<'_>) -> Vec<Trace> {
    let key = key(case.name.to_lowercase().as_bytes());
    vec![Trace { key, what: case.name.clone(), file: String::new(), line: 0, whole: true }]
}

fn compare(own: &[Trace], first: &First<'_>, found: &mut Found<'_>) {
    for name in own {
        if let Some((title, other)) = first.get(&name.key)
            && other.what != name.what
        {
            let says = format!(
                "the folder is called {} here and {} for another release",
                quoted(&name.what),
                quoted(title)
            );
            found.file("", Place::default(), "", says);
        }
    }
}
