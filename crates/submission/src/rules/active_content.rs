//! Nothing in it acts when it is shown.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, PRODUCT, place_of};
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "active_content",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "no script, frame or control character stands in texts",
    look: Look::Each(check),
};

/// Texts that a browser would obey.
const ACTIVE: &[&str] = &[
    "<script",
    "<iframe",
    "<object",
    "<embed",
    "<svg",
    "javascript:",
    " onerror=",
    " onload=",
    "data:text/html",
];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let product = (PRODUCT, case.text.as_str());
    let texts = case.texts().iter().map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in texts.chain([product]) {
        let lower = text.to_ascii_lowercase();
        for active in ACTIVE {
            if let Some(at) = lower.find(active) {
                let says = format!(
                    "{} is something that a browser would run; write it as text, or take it out",
                    quoted(active.trim())
                );
                found.file(name, place_of(text, at), "", says);
            }
        }
        if let Some(at) =
            text.find(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
        {
            found.weighs(
                Level::Note,
                name,
                place_of(text, at),
                "",
                "there is a control character here, which a terminal may obey",
            );
        }
    }
}
