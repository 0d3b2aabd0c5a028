//! Every MUST is implemented.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "must_implemented",
    level: Level::Error,
    matter: Matter::Substance,
    origin: Origin::Validator,
    since: None,
    asks: "a MUST is Implemented; cluster_autoscaling may be N/A with a reason in notes",
    look: Look::Each(check),
};

/// The MUSTs whose sentence has a condition, which may be N/A where it does not apply.
pub const CONDITIONAL: &[&str] = &["cluster_autoscaling"];

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered().into_iter().filter(|(asked, _)| asked.must) {
        let status = answer.status.text.as_str();
        let conditional = CONDITIONAL.contains(&asked.id.as_str());
        let place = if answer.status.place.line == 0 { answer.place } else { answer.status.place };
        if status == "N/A" && conditional {
            let says =
                format!("{} is a MUST and marked N/A: a reviewer must read the reason in notes", asked.id);
            found.weighs(Level::Warning, crate::case::PRODUCT, place, &asked.id, says);
        } else if status != "Implemented" {
            let or = if conditional { ", or N/A with a reason in notes" } else { "" };
            let says = format!(
                "{} is a MUST and its status is {}; it must be Implemented{or}",
                asked.id,
                quoted(status)
            );
            found.at(place, &asked.id, says);
        }
    }
}
