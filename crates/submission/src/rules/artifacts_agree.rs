//! Artifacts beside each other are of one run, or of several: the programme's instructions give a command for each.

use super::{Found, Look, Matter, Rule};
use crate::artifact::{Artifact, some};
use crate::case::Case;
use crate::finding::{Level, Origin, quoted};
use crate::yaml::Place;

pub const RULE: Rule = Rule {
    id: "artifacts_agree",
    level: Level::Note,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "artifacts beside each other are of one run; several are permitted, and what differs is told",
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
    let differs = here.iter().filter_map(|(name, (first, line))| {
        let (second, _) = there.get(name).filter(|(second, _)| second != first)?;
        Some((*line, format!("{} {} here and {} there", quoted(name), first.word(), second.word())))
    });
    let differs: Vec<(usize, String)> = differs.collect();
    if let Some((line, what)) = differs.first() {
        let more = match differs.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let says = format!("{} is of another run: {what}{more}", quoted(&other.file));
        found.file(&one.file, Place { line: *line, column: 1, length: 0 }, "", says);
    }
    for (these, those, has, lacks) in [(&here, &there, one, other), (&there, &here, other, one)] {
        let missing = these.keys().filter(|name| !those.contains_key(*name)).map(|name| (*name).to_owned());
        let missing: Vec<String> = missing.collect();
        if !missing.is_empty() {
            let says = format!("{} has tests that this one lacks: {}", quoted(&has.file), some(&missing));
            found.file(&lacks.file, Place::default(), "", says);
        }
    }
}
