//! A test artifact that is named as evidence can be read.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "artifact_readable",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: Some("1.37"),
    asks: "junit.xml, results.json and e2e.log that are evidence are of these formats, with a test in them",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let mut told = BTreeSet::new();
    for (asked, _, link, reference) in case.references() {
        let Some(artifact) = case.artifact(&reference.file) else { continue };
        if let Some(trouble) = &artifact.unreadable
            && told.insert(reference.file.clone())
        {
            let (file, why, line) = (quoted(&reference.file), &trouble.why, trouble.place.line);
            let says = if artifact.known {
                format!(
                    "{file} is no such artifact as its name says: {why} (line {line}); under this name the programme reads it as one of go test"
                )
            } else {
                format!("{file} is a test artifact that cannot be read: {why} (line {line})")
            };
            found.by(artifact.known, link.place, &asked.id, says);
        }
    }
}
