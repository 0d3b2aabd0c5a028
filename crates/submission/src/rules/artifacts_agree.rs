//! Artifacts of one run say the same.

use super::{Found, Look, Rule};
use crate::artifact::{Artifact, some};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "artifacts_agree",
    level: Level::Error,
    origin: Origin::Ours,
    since: None,
    asks: "artifacts beside each other have the same tests with the same results; a test that one lacks is a warning",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let folder =
        |artifact: &Artifact| artifact.file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let readable: Vec<&Artifact> =
        case.artifacts().iter().filter(|artifact| artifact.unreadable.is_none()).collect();
    for (number, one) in readable.iter().enumerate() {
        for other in readable
            .iter()
            .skip(number + 1)
            .filter(|other| folder(other) == folder(one) && other.kind != one.kind)
        {
            compare(one, other, found);
        }
    }
}

fn compare(one: &Artifact, other: &Artifact, found: &mut Found<'_>) {
    let (here, there) = (one.outcomes(), other.outcomes());
    for (name, (first, line)) in &here {
        if let Some((second, _)) = there.get(name).filter(|(second, _)| second != first) {
            let says = format!(
                "the test {} {} here and {} in {}: they are not of one run",
                quoted(name),
                first.word(),
                second.word(),
                quoted(&other.file)
            );
            found.file(&one.file, Place { line: *line, column: 1, length: 0 }, "", says);
        }
    }
    for (these, those, has, lacks) in [(&here, &there, one, other), (&there, &here, other, one)] {
        let missing = these.keys().filter(|name| !those.contains_key(*name)).map(|name| (*name).to_owned());
        let missing: Vec<String> = missing.collect();
        if !missing.is_empty() {
            let says = format!("{} has tests that this one lacks: {}", quoted(&has.file), some(&missing));
            found.weighs(Level::Warning, &lacks.file, Place::default(), "", says);
        }
    }
}
