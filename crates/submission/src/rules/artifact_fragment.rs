//! The test that is named belongs to the requirement.

use super::{Found, Look, Matter, Rule, artifact_test};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use aiconform_model::catalogue::test_name;

pub const RULE: Rule = Rule {
    id: "artifact_fragment",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "the test named after # is the programme's test of that requirement",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, _, link, reference) in case.references() {
        let named = reference.fragment.split('/').next().unwrap_or_default();
        if case.artifact(&reference.file).is_none() || named.is_empty() {
            continue;
        }
        let own = [artifact_test::test_of(&asked.id).unwrap_or_default().to_owned(), test_name(&asked.id)];
        let is_unmapped = artifact_test::UNMAPPED.contains(&(asked.id.as_str(), named));
        if !is_unmapped && !own.iter().any(|own| own == named) {
            let says =
                format!("the test {} is not the one of {}, which is {}", quoted(named), asked.id, own[1]);
            found.at(link.place, &asked.id, says);
        }
    }
}
