//! No artifact in the folder says otherwise than the submission.

use super::{Found, Look, Rule};
use crate::artifact::{Artifact, Outcome, Test, bare, words_of};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "artifact_contradicts",
    level: Level::Error,
    origin: Origin::Ours,
    since: None,
    asks: "no artifact in the folder, by whatever name, has the test of an Implemented requirement failed or only skipped",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let named: Vec<(&Artifact, Vec<String>)> = case
        .artifacts()
        .iter()
        .map(|artifact| (artifact, artifact.tests.iter().map(|test| bare(&test.name)).collect()))
        .collect();
    for (asked, answer) in case.answered().into_iter().filter(|(_, answer)| answer.implemented()) {
        let words = words_of(&asked.id);
        for (artifact, names) in &named {
            let about: Vec<&Test> = artifact
                .tests
                .iter()
                .zip(names)
                .filter(|(_, name)| words.iter().any(|word| name.contains(word)))
                .map(|(test, _)| test)
                .collect();
            let first = |outcome: Outcome| about.iter().find(|test| test.outcome == outcome).copied();
            let against = match (first(Outcome::Fail), first(Outcome::Pass), first(Outcome::Skip)) {
                (Some(failed), ..) => failed,
                (None, None, Some(skipped)) => skipped,
                _ => continue,
            };
            let says = format!(
                "{} is Implemented (line {} of PRODUCT.yaml), and here its test {} {}",
                asked.id,
                answer.status.place.line,
                quoted(&against.name),
                against.outcome.word()
            );
            found.file(&artifact.file, Place { line: against.line, column: 1, length: 0 }, &asked.id, says);
        }
    }
}
