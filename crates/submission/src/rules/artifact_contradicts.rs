//! No artifact in the folder says otherwise than the submission.

use super::{Found, Look, Matter, Rule};
use crate::artifact::{Artifact, Outcome, Test, bare, some, words_of};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::together::of_two_runs;
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "artifact_contradicts",
    level: Level::Error,
    matter: Matter::Contradiction,
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
        let (mut skipped, mut passed): (Vec<(&Artifact, &Test)>, Vec<&str>) = (Vec::new(), Vec::new());
        for (artifact, names) in &named {
            let about: Vec<&Test> = artifact
                .tests
                .iter()
                .zip(names)
                .filter(|(_, name)| words.iter().any(|word| name.contains(word)))
                .map(|(test, _)| test)
                .collect();
            let first = |outcome: Outcome| about.iter().find(|test| test.outcome == outcome).copied();
            match (first(Outcome::Fail), first(Outcome::Pass), first(Outcome::Skip)) {
                (Some(failed), ..) => {
                    let says = format!(
                        "{} is Implemented (line {} of PRODUCT.yaml), and here its test {} failed",
                        asked.id,
                        answer.status.place.line,
                        quoted(&failed.name)
                    );
                    let place = Place { line: failed.line, column: 1, length: 0 };
                    found.file(&artifact.file, place, &asked.id, says);
                }
                (None, None, Some(test)) => skipped.push((artifact, test)),
                (None, Some(_), _) => passed.push(&artifact.file),
                (None, None, None) => {}
            }
        }
        skipped.retain(|(artifact, _)| {
            !passed.iter().any(|other| of_two_runs(&case.files, other, &artifact.file))
        });
        let Some((artifact, test)) = skipped.iter().max_by_key(|(_, test)| test.words.len()) else {
            continue;
        };
        let said = match test.words.as_str() {
            "" => String::new(),
            words => format!(": {}", quoted(words)),
        };
        let files: Vec<String> = skipped.iter().map(|(artifact, _)| artifact.file.clone()).collect();
        let says = format!(
            "{} is Implemented (line {} of PRODUCT.yaml) and was not tested: its test {} was skipped in {}{said}",
            asked.id,
            answer.status.place.line,
            quoted(&test.name),
            some(&files)
        );
        found.file(&artifact.file, Place { line: test.line, column: 1, length: 0 }, &asked.id, says);
    }
}
