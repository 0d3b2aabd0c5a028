//! A run is of all tests.

use super::{Found, Look, Matter, Rule, artifact_test};
use crate::artifact::Artifact;
use crate::case::Case;
use crate::checklist::at_least;
use crate::finding::{Level, Origin};
use crate::together::of_two_runs;
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "partial_run",
    level: Level::Warning,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "an artifact has all tests of the programme whose requirements are Implemented, from 1.37 on",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    if !case.release.as_deref().is_some_and(|release| at_least(release, "1.37")) {
        return;
    }
    let answered = case.answered();
    for artifact in case.artifacts().iter().filter(|artifact| artifact.unreadable.is_none()) {
        if !artifact_test::TESTS.iter().any(|(_, test)| artifact.outcome(test).is_some()) {
            continue;
        }
        // Several runs have them together.
        let has = |test: &str| {
            let mut all = case.artifacts().iter();
            let is_beside = |other: &Artifact| {
                other.file == artifact.file || of_two_runs(&case.files, &other.file, &artifact.file)
            };
            all.any(|other| is_beside(other) && other.outcome(test).is_some())
        };
        let missing = answered
            .iter()
            .filter(|(_, answer)| answer.implemented())
            .filter_map(|(asked, _)| artifact_test::test_of(&asked.id).filter(|test| !has(test)));
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            let says = format!("this is of a part of the tests; not in it: {}", missing.join(", "));
            found.file(&artifact.file, Place::default(), "", says);
        }
    }
}
