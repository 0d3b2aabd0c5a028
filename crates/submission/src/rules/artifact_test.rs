//! The test that an artifact is named for passed in it.

use super::{Found, Look, Matter, Rule};
use crate::artifact::Outcome;
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "artifact_test",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Validator,
    since: Some("1.37"),
    asks: "the test named after #, or the programme's test of the requirement, is in the artifact and passed",
    look: Look::Each(check),
};

/// The programme's tests by requirement, as its validator knows them.
pub const TESTS: &[(&str, &str)] = &[
    ("secure_accelerator_access", "TestSecureAcceleratorAccess"),
    ("gang_scheduling", "TestGangScheduling"),
    ("cluster_autoscaling", "TestAcceleratorClusterAutoscaling"),
];

/// Tests of the programme that its validator does not map to their requirements yet: named, they are the right ones, and
/// nobody misses them. One that it maps moves up.
pub const UNMAPPED: &[(&str, &str)] =
    &[("driver_runtime_management", "TestAcceleratorDriverRuntimeManagement")];

/// The programme's test of a requirement.
pub fn test_of(requirement: &str) -> Option<&'static str> {
    TESTS.iter().find(|(id, _)| *id == requirement).map(|(_, test)| *test)
}

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer, link, reference) in case.references() {
        let artifact = case.artifact(&reference.file);
        let Some(artifact) = artifact.filter(|artifact| artifact.unreadable.is_none()) else {
            continue;
        };
        let named = (!reference.fragment.is_empty()).then_some(reference.fragment.as_str());
        let Some(test) = named.or_else(|| test_of(&asked.id)) else { continue };
        let (test_words, file) = (quoted(test), quoted(&reference.file));
        let says = match artifact.outcome(test) {
            // An artifact that is neither named nor pointed to as the validator asks may hold other tests.
            None if !artifact.known && named.is_none() => continue,
            None => format!("the test {test_words} is not in {file}"),
            Some(Outcome::Fail) => format!("the test {test_words} failed in {file}"),
            Some(Outcome::Skip) if answer.implemented() => {
                format!("{} is Implemented, and its test {test_words} was skipped in {file}", asked.id)
            }
            Some(_) => continue,
        };
        found.by(artifact.known, link.place, &asked.id, says);
    }
}
