//! The submission's own words do not say otherwise.

use super::{Found, Look, Matter, Rule, must_implemented};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "own_words",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "notes and evidence of what is Implemented do not say that it is not there or does not apply",
    look: Look::Each(check),
};

/// Words that say that a requirement does not apply.
const NOT_APPLICABLE: &[&str] = &["not applicable", "n/a "];
/// Words that say that something is not there.
pub const NOT_THERE: &[&str] = &[
    "does not provide",
    "do not provide",
    "does not bundle",
    "does not support",
    "do not support",
    "is not supported",
    "does not include",
    "not provided",
];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered().into_iter().filter(|(_, answer)| answer.implemented()) {
        let conditional = must_implemented::CONDITIONAL.contains(&asked.id.as_str());
        let words: Vec<&str> =
            if conditional { [NOT_APPLICABLE, NOT_THERE].concat() } else { NOT_APPLICABLE.to_vec() };
        let hint = if conditional {
            "; a reviewer must decide, and N/A with a reason is permitted"
        } else {
            "; a reviewer must decide"
        };
        if let Some(said) = said(&answer.notes.text, &words) {
            let says = format!("{} is Implemented, and its notes say {}{hint}", asked.id, quoted(said));
            found.at(answer.notes.place, &asked.id, says);
        }
        if !conditional {
            continue;
        }
        for (_, _, _, reference) in case.references().iter().filter(|(of, ..)| of.id == asked.id) {
            let Some((name, text)) = case.texts().iter().find(|(name, _)| *name == reference.file) else {
                continue;
            };
            for (number, line) in text.lines().enumerate() {
                if let Some(said) = said(line, NOT_APPLICABLE) {
                    let says =
                        format!("{} is Implemented, and its evidence says {}{hint}", asked.id, quoted(said));
                    found.file(name, Place { line: number + 1, column: 1, length: 0 }, &asked.id, says);
                    break;
                }
            }
        }
    }
}

/// The words around the first of these that stand in a text.
pub fn said<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let at = words.iter().filter_map(|word| lower.find(word)).min()?;
    let start = text[..at].rfind(['.', '\n']).map_or(0, |end| end + 1);
    let end = text[at..].find(['.', '\n']).map_or(text.len(), |end| at + end);
    text.get(start..end).map(str::trim)
}
