//! `README.md` of a submission: the commands that were run, and what each run said.

use super::upstream::Upstream;
use super::{Answers, folder};
use crate::JudgedRun;
use crate::together::left_out;
use serde_json::Value;
use std::fmt::Write;

/// The text.
pub fn readme(runs: &[JudgedRun], answers: &Answers, demo: bool, upstream: &[Upstream]) -> String {
    let metadata = &answers.metadata;
    let mut text = format!("# {} {}\n\n", metadata.platform_name, metadata.platform_version);
    if demo {
        text.push_str("**A demonstration, no submission: part of it was seen on simulated devices or was not tried.**\n\n");
    }
    if runs.len() > 1 {
        let _ = writeln!(
            text,
            "Of {} runs, all of which lie here. On one cluster a run replaces what another could not tell, never what failed; of several clusters the worst decides.\n",
            runs.len()
        );
    }
    for (place, run) in runs.iter().enumerate() {
        of_run(&mut text, run, &folder(place));
    }
    if !upstream.is_empty() {
        let names: Vec<String> = upstream.iter().map(|artifact| format!("`{}`", artifact.name)).collect();
        let _ = writeln!(text, "Of a run of the programme's own tests: {}.\n", names.join(", "));
    }
    table(&mut text, runs);
    text
}

/// One run: where its files lie, and by which command it can be made again.
fn of_run(text: &mut String, run: &JudgedRun, folder: &str) {
    let fact =
        |pointer: &str| run.facts.pointer(pointer).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let ids: Vec<&str> = run.verdicts.iter().map(|verdict| verdict.requirement.as_str()).collect();
    let _ = writeln!(
        text,
        "Tested against the checklist of {} on Kubernetes {}, by aiconform {}.\n",
        run.release,
        fact("/cluster/version"),
        fact("/tool/version")
    );
    let _ = writeln!(
        text,
        "## Reproduce\n\n    aiconform run --release {} --level {} --only {}{}\n",
        run.release,
        fact("/level"),
        ids.join(","),
        chosen(&run.facts)
    );
    let left = left_out(run);
    if left.len() == run.verdicts.len() {
        let _ = writeln!(
            text,
            "It has no test artifacts, because no test of it passed; `{folder}summary.md` says what was seen.\n"
        );
    } else {
        let _ = writeln!(
            text,
            "`{folder}junit.xml`, `{folder}results.json` and `{folder}e2e.log` are views of one run and agree; `{folder}summary.md` says what was seen.\n"
        );
    }
    if !left.is_empty() && left.len() < run.verdicts.len() {
        let _ = writeln!(
            text,
            "Not in those three, because a validator refuses an artifact with a test in it that did not pass: {}.\n",
            left.join(", ")
        );
    }
    if let Some(from) = run.facts.pointer("/derived/from").and_then(Value::as_str) {
        let _ = writeln!(
            text,
            "`{folder}run/` holds the evidence, from which `aiconform judge {folder}run` comes to the same verdicts and `aiconform report {folder}run` to the same files. Names, addresses and UUIDs of the platform are pseudonyms, in all of these files the same; the vendor keeps the run as it was seen, whose `manifest.json` has the SHA-256 `{from}`.\n"
        );
    }
}

/// The verdict of every run on every requirement that one of them tested.
fn table(text: &mut String, runs: &[JudgedRun]) {
    let mut ids: Vec<&str> = Vec::new();
    for verdict in runs.iter().flat_map(|run| &run.verdicts) {
        if !ids.contains(&verdict.requirement.as_str()) {
            ids.push(&verdict.requirement);
        }
    }
    let heads: Vec<String> = match runs.len() {
        0 | 1 => vec!["verdict".into()],
        more => (0..more).map(|place| format!("`{}run`", folder(place))).collect(),
    };
    let _ = writeln!(text, "| requirement | {} |\n|---|{}", heads.join(" | "), "---|".repeat(heads.len()));
    for id in ids {
        let words: Vec<&str> = runs
            .iter()
            .map(|run| {
                let verdict = run.verdicts.iter().find(|verdict| verdict.requirement == id);
                verdict.map_or("not chosen", |verdict| verdict.word.as_str())
            })
            .collect();
        let _ = writeln!(text, "| {id} | {} |", words.join(" | "));
    }
}

/// Flags for what else was chosen for a run, as they are given on the command line.
fn chosen(facts: &Value) -> String {
    let mut text = String::new();
    for key in ["rounds", "size", "seed"] {
        if let Some(number) = facts.get(key).and_then(Value::as_u64) {
            let _ = write!(text, " --{key} {number}");
        }
    }
    for (flag, key) in [("adapter", "adapters"), ("trial", "trials")] {
        let named = facts.get(key).and_then(|named| named.as_array()).into_iter().flatten();
        let named: Vec<&str> = named.filter_map(Value::as_str).collect();
        if !named.is_empty() {
            let _ = write!(text, " --{flag} {}", named.join(","));
        }
    }
    text
}
