//! The files that are named as evidence are there.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::evidence::Reference;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "evidence_file",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "evidence that is no link names a file in the submission's folder",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        for link in answer.links() {
            let is_told = || {
                let misshapen =
                    case.product().map(|product| product.misshapen.as_slice()).unwrap_or_default();
                misshapen.iter().any(|(place, _)| *place == link.place)
            };
            if is_nothing(&link.text) && is_told() {
                continue;
            }
            if is_nothing(&link.text) {
                let says = format!(
                    "the evidence {} is no file and no link: leave the list empty",
                    quoted(&link.text)
                );
                found.at(link.place, &asked.id, says);
                continue;
            }
            let why = match Reference::of(&link.text, case) {
                None => continue,
                Some(Err(why)) => why,
                Some(Ok(reference)) => {
                    if case.files.there(&reference.file) {
                        continue;
                    }
                    let base = reference.file.rsplit('/').next().unwrap_or_default();
                    let alike = case.files.all.iter().find(|file| {
                        let name = file.name.rsplit('/').next().unwrap_or_default();
                        base.contains(name) || name.eq_ignore_ascii_case(base)
                    });
                    let hint = alike.map(|file| hint(&link.text, &file.name)).unwrap_or_default();
                    format!("there is no such file beside PRODUCT.yaml{hint}")
                }
            };
            found.at(
                link.place,
                &asked.id,
                format!("the evidence {} cannot be used: {why}", quoted(&link.text)),
            );
        }
    }
}

/// Tells whether an item only says that there is none.
pub fn is_nothing(item: &str) -> bool {
    let bare = item.trim().trim_end_matches('.').to_ascii_lowercase();
    ["n/a", "na", "none", "not applicable", "-", "tbd", ""].contains(&bare.as_str())
}

/// The file that is meant, in words: a sentence around its name is to go, another name may be a mistake.
fn hint(item: &str, file: &str) -> String {
    let is_sentence = item.split_whitespace().count() > 1 && item.contains(file);
    if is_sentence {
        format!("; name the file alone: {}", quoted(file))
    } else {
        format!("; did you mean {}?", quoted(file))
    }
}
