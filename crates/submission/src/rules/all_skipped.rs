//! A test whose parts were all skipped has shown nothing.

use super::{Found, Look, Matter, Rule};
use crate::artifact::{Artifact, Outcome};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::together::of_two_runs;
use crate::yaml::Place;
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "all_skipped",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "no test passes whose subtests were all skipped, and not every test is skipped",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for artifact in case.artifacts() {
        // Of each test, how many subtests right below it, and whether all were skipped.
        let mut below: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
        for test in &artifact.tests {
            if let Some((parent, _)) = test.name.rsplit_once('/') {
                let (number, skipped) = below.entry(parent).or_insert((0, true));
                *number += 1;
                *skipped &= test.outcome == Outcome::Skip;
            }
        }
        for test in artifact.tests.iter().filter(|test| test.outcome == Outcome::Pass) {
            if let Some((number, true)) = below.get(test.name.as_str()) {
                let says = format!(
                    "{} passed although all its {number} subtests were skipped: it has shown nothing",
                    quoted(&test.name)
                );
                found.file(&artifact.file, Place { line: test.line, column: 1, length: 0 }, "", says);
            }
        }
        let some = !artifact.tests.is_empty();
        let passes = |other: &Artifact| other.tests.iter().any(|test| test.outcome == Outcome::Pass);
        let mut others =
            case.artifacts().iter().filter(|other| of_two_runs(&case.files, &other.file, &artifact.file));
        if some && !others.any(passes) && artifact.tests.iter().all(|test| test.outcome == Outcome::Skip) {
            found.file(
                &artifact.file,
                Place::default(),
                "",
                "every test in it was skipped: it shows nothing",
            );
        }
    }
}
