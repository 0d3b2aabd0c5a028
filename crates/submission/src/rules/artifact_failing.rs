//! A test artifact that is named as evidence has no failing test.

use super::{Found, Look, Matter, Rule};
use crate::artifact::some;
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "artifact_failing",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Validator,
    since: Some("1.37"),
    asks: "no test in an artifact that is evidence failed",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let mut told = BTreeSet::new();
    for (asked, _, link, reference) in case.references() {
        let Some(artifact) = case.artifact(&reference.file) else { continue };
        let failures = artifact.failures();
        // Of what it cannot read the validator says only that.
        if (artifact.unreadable.is_none() || !artifact.known)
            && !failures.is_empty()
            && told.insert(reference.file.clone())
        {
            let says = format!("{} has failing tests: {}", quoted(&reference.file), some(&failures));
            found.by(artifact.known, link.place, &asked.id, says);
        }
    }
}
