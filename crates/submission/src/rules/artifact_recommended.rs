//! From 1.37 on, what the programme has a test for should have its artifact.

use super::{Found, Look, Matter, Rule, artifact_test};
use crate::case::Case;
use crate::checklist::at_least;
use crate::finding::{Level, Origin};

pub const RULE: Rule = Rule {
    id: "artifact_recommended",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Validator,
    since: Some("1.37"),
    asks: "a requirement with a test of the programme has junit.xml, results.json or e2e.log as evidence",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    if !case.release.as_deref().is_some_and(|release| at_least(release, "1.37")) {
        return;
    }
    let references = case.references();
    for (asked, answer) in case.answered().into_iter().filter(|(_, answer)| answer.implemented()) {
        if artifact_test::test_of(&asked.id).is_none() {
            continue;
        }
        let has = references.iter().any(|(of, _, _, reference)| {
            of.id == asked.id && case.artifact(&reference.file).is_some_and(|artifact| artifact.known)
        });
        if !has {
            let says = format!(
                "the programme has a test of {}: add junit.xml, results.json or e2e.log of a run as evidence",
                asked.id
            );
            found.at(answer.evidence_place, &asked.id, says);
        }
    }
}
