//! Results on simulated devices are no proof of a MUST.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::finding::{Level, Origin};
use crate::yaml::Place;
use aiconform_model::catalogue::requirements;

pub const RULE: Rule = Rule {
    id: "simulated_proof",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "no MUST that is Implemented stands on a result that was passed (simulated)",
    look: Look::Each(check),
};

/// Name that this program gives to what it saw on simulated devices.
const SIMULATED: &str = "passed (simulated)";

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let answered = case.answered();
    let artifacts = case.artifacts().iter().map(|artifact| artifact.file.as_str());
    let texts = case.texts().iter().map(|(name, _)| name.as_str());
    for file in artifacts.chain(texts) {
        let Ok(bytes) = case.files.read(file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let mut told = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains(SIMULATED)) {
            let named = requirements().iter().find(|requirement| {
                line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                    .any(|word| word == requirement.id)
            });
            let Some(id) = named.map(|requirement| requirement.id.as_str()) else { continue };
            if told.contains(&id) {
                continue;
            }
            told.push(id);
            let claimed =
                answered.iter().any(|(asked, answer)| asked.must && asked.id == id && answer.implemented());
            let place = Place { line: number + 1, column: 1, length: 0 };
            if claimed {
                let says = format!(
                    "{id} is a MUST and Implemented, and this was seen on simulated devices, which prove nothing of a platform; run it on real ones"
                );
                found.file(file, place, id, says);
            } else {
                let says =
                    format!("{id} was seen on simulated devices here, which prove nothing of a platform");
                found.weighs(Level::Note, file, place, id, says);
            }
        }
    }
}
