//! A test artifact that is named as evidence can be read.

use super::{Found, Look, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "artifact_readable",
    level: Level::Error,
    origin: Origin::Validator,
    since: Some("1.37"),
    asks: "junit.xml, results.json and e2e.log that are evidence are of these formats, with a test in them",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let mut told = BTreeSet::new();
    for (asked, _, link, reference) in case.references() {
        let Some(artifact) = case.artifact(&reference.file).filter(|artifact| artifact.known) else {
            continue;
        };
        if let Some(trouble) = &artifact.unreadable
            && told.insert(reference.file.clone())
        {
            let says = format!(
                "{} is no such artifact as its name says: {} (line {}); under this name the programme reads it as one of go test",
                quoted(&reference.file),
                trouble.why,
                trouble.place.line
            );
            found.at(link.place, &asked.id, says);
        }
    }
}
