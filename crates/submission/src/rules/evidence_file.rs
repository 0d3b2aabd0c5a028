//! The files that are named as evidence are there.

use super::{Found, Look, Rule};
use crate::case::Case;
use crate::evidence::Reference;
use crate::finding::{Level, Origin, quoted};

pub const RULE: Rule = Rule {
    id: "evidence_file",
    level: Level::Error,
    origin: Origin::Validator,
    since: None,
    asks: "evidence that is no link names a file in the submission's folder",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    for (asked, answer) in case.answered() {
        for link in answer.links() {
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
                    let hint = alike
                        .map(|file| format!("; did you mean {}?", quoted(&file.name)))
                        .unwrap_or_default();
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
