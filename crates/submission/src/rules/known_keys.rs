//! Nothing stands there twice, or under a name that the programme does not know.

use super::{Found, Look, Matter, Rule, metadata_present};
use crate::case::{Case, PRODUCT};
use crate::finding::{Level, Origin, quoted};
use crate::product::snake_case;
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "known_keys",
    level: Level::Warning,
    matter: Matter::Form,
    origin: Origin::Ours,
    since: None,
    asks: "every key and requirement is known to the programme, and none stands there twice, which is an error",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(product) = case.product() else { return };
    for (place, name) in &product.unknown {
        found.at(*place, "", format!("the programme knows no key {}", quoted(name)));
    }
    let known = |key: &&str| {
        metadata_present::REQUIRED.contains(key) || ["repoUrl", "k8sConformanceUrl"].contains(key)
    };
    let all: Vec<&str> =
        metadata_present::REQUIRED.iter().copied().chain(["repoUrl", "k8sConformanceUrl"]).collect();
    for (key, _) in product.metadata.as_deref().unwrap_or_default() {
        let Some(name) = key.text().filter(|name| !known(name)) else { continue };
        match all.iter().find(|known| snake_case(known) == name) {
            Some(camel) => {
                found.weighs(
                    Level::Note,
                    PRODUCT,
                    key.place,
                    "",
                    format!("{name} is read as {camel}; the template writes {camel}"),
                );
            }
            None => {
                found.at(key.place, "", format!("the programme knows no key {} in metadata", quoted(name)))
            }
        }
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (category, answer) in product.answers() {
        let id = answer.id.text.as_str();
        if let Some(line) = seen.insert(id, answer.place.line) {
            let says = format!(
                "{} stands there twice, also in line {line}; the programme reads the last and drops the other",
                quoted(id)
            );
            found.weighs(Level::Error, PRODUCT, answer.place, id, says);
        } else if case.asked().is_some_and(|checklist| checklist.asked(id).is_none()) {
            let release = case.release.as_deref().unwrap_or_default();
            found.at(
                answer.place,
                id,
                format!(
                    "release {release} has no requirement {} (in {})",
                    quoted(id),
                    quoted(&category.name)
                ),
            );
        }
    }
}
