//! A run folder of this program is what its evidence gives.

use super::{Found, Look, Matter, Rule};
use crate::case::Case;
use crate::files::{Kind, limit};
use crate::finding::{Level, Origin, quoted};
use crate::together::together;
use crate::yaml::Place;
use crate::{JudgedRun, RunVerdict};

pub const RULE: Rule = Rule {
    id: "run_folder",
    level: Level::Error,
    matter: Matter::Contradiction,
    origin: Origin::Ours,
    since: None,
    asks: "a run folder of this program is unchanged, its views are those of its evidence, it supports each MUST that is Implemented (several runs together do), and no SHOULD that is Implemented failed in it",
    look: Look::Each(check),
};

fn check(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(runs) = case.runs() else { return };
    let mut judged = Vec::new();
    // Artifacts in the submission's own folder are of the run below it, or of the one that there is somewhere.
    let is_below = |name: &str| around(name.strip_suffix("manifest.json").unwrap_or_default()).is_empty();
    let is_shown_below =
        case.files.all.iter().any(|file| base(&file.name) == "manifest.json" && is_below(&file.name));
    for manifest in case.files.all.iter().filter(|file| base(&file.name) == "manifest.json") {
        let folder = manifest.name.strip_suffix("manifest.json").unwrap_or_default();
        if case.files.get(&format!("{folder}events.ndjson")).is_none() {
            continue;
        }
        if let Some((name, why)) = unfit(case, folder) {
            found.file(&name, Place::default(), "", format!("{why}, so the run folder is not judged"));
            continue;
        }
        let run = match runs.judge(&case.folder.join(folder), false) {
            Ok(run) => run,
            Err(why) => {
                found.file(
                    &manifest.name,
                    Place::default(),
                    "",
                    format!("the run folder cannot be believed: {why}"),
                );
                continue;
            }
        };
        if let Some(from) = run.facts.pointer("/derived/from").and_then(|from| from.as_str()) {
            let says = format!(
                "this run is derived, with pseudonyms for names, of one whose manifest.json has the SHA-256 {}: it is consistent, never authentic",
                quoted(from)
            );
            found.weighs(Level::Note, &format!("{folder}run.json"), Place::default(), "", says);
        }
        for (name, content) in &run.views {
            // Beside the evidence, or where the submission shows it.
            let mut places = vec![format!("{folder}{name}"), format!("{}{name}", around(folder))];
            if !is_shown_below {
                places.push(name.clone());
            }
            places.dedup();
            for place in places {
                if case.files.read(&place).is_ok_and(|bytes| bytes != *content) {
                    let says = format!(
                        "this is not what the evidence in {} gives; render it again with `aiconform report`",
                        quoted(folder)
                    );
                    found.file(&place, Place::default(), "", says);
                }
            }
        }
        if case.release.as_deref().is_some_and(|release| release != run.release) {
            let says = format!("the run is of release {}, the submission is not", quoted(&run.release));
            found.file(&manifest.name, Place::default(), "", says);
        }
        judged.push(run);
    }
    claims(case, found, &judged);
}

/// Holds what is claimed against what the runs come to together.
fn claims(case: &Case<'_>, found: &mut Found<'_>, runs: &[JudgedRun]) {
    for (asked, answer) in case.answered().iter().filter(|(_, answer)| answer.implemented()) {
        let Some(verdict) = together(runs, &asked.id).map(|together| together.deciding) else { continue };
        let is_shown = verdict.passed && !verdict.simulated;
        // What could not be told of a SHOULD may be shown by other evidence.
        if if asked.must { !is_shown } else { verdict.word == "failed" } {
            let whose = if runs.len() > 1 { "the verdict of the runs together" } else { "the run's verdict" };
            let says =
                format!("{} is Implemented, and {whose} is {}{}", asked.id, verdict.word, why(verdict));
            found.judged(answer.status.place, &asked.id, says, verdict);
        }
    }
}

/// The folder around a folder, both with a slash at their end or empty.
fn around(folder: &str) -> &str {
    let own = folder.trim_end_matches('/');
    own.rfind('/').map_or("", |place| &own[..=place])
}

/// Says what a reader must know of a verdict beside its word and the claims that decided it.
fn why(verdict: &RunVerdict) -> String {
    if verdict.failed_by_interpretation_alone {
        ", which rests on our interpretation of the requirement alone".into()
    } else if verdict.against.is_empty() && !verdict.passed {
        format!(": {}", verdict.why)
    } else {
        String::new()
    }
}

/// A file of the run folder that is not safe to open: whoever judges follows links and reads to the end.
fn unfit(case: &Case<'_>, folder: &str) -> Option<(String, &'static str)> {
    if case.files.more {
        // What was not looked at may be a link.
        return Some((format!("{folder}manifest.json"), "not all files of the submission were looked at"));
    }
    let blobs = format!("{folder}blobs");
    let read = |name: &str| {
        let rest = name.strip_prefix(&blobs);
        let evidence = ["manifest.json", "run.json", "events.ndjson"];
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || name.strip_prefix(folder).is_some_and(|rest| evidence.contains(&rest))
    };
    case.files.all.iter().filter(|file| read(&file.name)).find_map(|file| {
        let why = match file.kind {
            Kind::Plain if file.size <= limit(&file.name) => return None,
            Kind::Plain => "this is larger than what is read of a foreign file",
            Kind::Link | Kind::Other => "this is no ordinary file",
        };
        Some((file.name.clone(), why))
    })
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
