//! Evidence is of this version.

use super::{Found, Look, Matter, Rule};
use crate::case::{Case, minor};
use crate::finding::{Level, Origin, quoted};
use crate::links::Link;
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "other_version",
    level: Level::Warning,
    matter: Matter::Judgement,
    origin: Origin::Ours,
    since: None,
    asks: "links and terminal output are of the version that the submission is of",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(release) = case.release.as_deref() else { return };
    for (asked, answer) in case.answered() {
        for item in answer.links() {
            let Some(link) = Link::of(&item.text) else { continue };
            let other = link.path.iter().find(|part| version(part).is_some_and(|version| version != release));
            let own = link.path.iter().any(|part| version(part).as_deref() == Some(release));
            if let Some(other) = other.filter(|_| !own) {
                let says = format!(
                    "the evidence is of {}, the submission of {release}; test this version",
                    quoted(other)
                );
                found.at(item.place, &asked.id, says);
            }
        }
    }
    for (name, text) in case.texts() {
        for (number, line) in text.lines().enumerate() {
            let Some((_, rest)) = line.split_once("Server Version:") else { continue };
            let said = rest.trim().trim_start_matches(['*', ' ', '`']);
            if let Some(server) = minor(said).filter(|server| server != release) {
                let says = format!(
                    "the server here has version {}, the submission is of {release}",
                    quoted(&server)
                );
                found.file(name, Place { line: number + 1, column: 1, length: 0 }, "", says);
                break;
            }
        }
    }
}

/// A version of Kubernetes, as a part of a path.
fn version(part: &str) -> Option<String> {
    let plain = part.strip_prefix('v').unwrap_or(part);
    let only = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let version = minor(part).filter(|_| only)?;
    let number: u32 = version.strip_prefix("1.")?.parse().ok()?;
    (25..60).contains(&number).then_some(version)
}
