//! Output was made for this submission.

use super::{Across, First, Found, Look, Matter, Rule};
use crate::finding::{Level, Origin, quoted};
use crate::traces::{self, Trace};
use crate::yaml::Place;
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "recycled_output",
    level: Level::Warning,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "terminal output, UUIDs and names of pods are not those of another submission that is reviewed with it",
    look: Look::Across(Across { take: traces::take, compare }),
};

/// Number of same things of two files that makes it worth a word, unless one of them is a UUID or the whole
/// file.
const ENOUGH: usize = 3;

/// Compares a submission with those that come before it.
fn compare(own: &[Trace], first: &First<'_>, found: &mut Found<'_>) {
    let mut files: BTreeMap<(&str, &str), Vec<(&Trace, &Trace)>> = BTreeMap::new();
    for trace in own {
        if let Some((title, other)) = first.get(&trace.key) {
            files.entry((&trace.file, title)).or_default().push((trace, other));
        }
    }
    for ((file, title), same) in files {
        let (first, other) = same.iter().find(|(trace, _)| trace.whole).unwrap_or(&same[0]);
        let strong = first.whole || same.iter().any(|(trace, _)| trace.what.starts_with("the UUID"));
        if !strong && same.len() < ENOUGH {
            continue;
        }
        let more = match same.len() - 1 {
            0 => String::new(),
            more if first.whole => format!(" with {more} UUIDs and names of pods"),
            more => format!(" and {more} more"),
        };
        let says = format!(
            "{}{more} is also in {} of {}: was this run again for this release, on this product?",
            first.what,
            quoted(&other.file),
            quoted(title)
        );
        found.file(file, Place { line: first.line, column: 1, length: 0 }, "", says);
    }
}
