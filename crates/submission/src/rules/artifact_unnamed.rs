//! No artifact lies there that nobody is to see.

use super::{Found, Look, Matter, Rule};
use crate::artifact::some;
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "artifact_unnamed",
    level: Level::Error,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "every artifact in the folder is named as evidence; one that is not is a note, unless a test failed in it",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let references = case.references();
    for artifact in case.artifacts() {
        if references.iter().any(|(_, _, _, reference)| reference.file == artifact.file) {
            continue;
        }
        let failures = artifact.failures();
        if failures.is_empty() {
            let says = "this artifact is no evidence of any requirement: name it, or take it out";
            found.weighs(Level::Note, &artifact.file, Place::default(), "", says);
        } else {
            let says = format!(
                "this artifact is not named as evidence, and tests failed in it: {}",
                some(&failures)
            );
            found.file(&artifact.file, Place::default(), "", says);
        }
    }
}
