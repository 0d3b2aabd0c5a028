//! Output of `go test -json`: one event a line.

use super::{Content, Outcome, Test, Trouble, TroubleKind, written};
use crate::finding::quoted;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
}

/// Actions of `go tool test2json`, and of builds.
const ACTIONS: &[&str] = &[
    "start",
    "run",
    "pause",
    "cont",
    "pass",
    "bench",
    "fail",
    "output",
    "skip",
    "attr",
    "artifacts",
    "build-output",
    "build-fail",
];

pub(super) fn read(bytes: &[u8]) -> Content {
    let mut content = Content::default();
    // What has begun and not ended, with its line; a package is a test without a name.
    let mut begun: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut ended: BTreeMap<(String, String), Outcome> = BTreeMap::new();
    // The last words that each test has written.
    let mut said: BTreeMap<(String, String), String> = BTreeMap::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = number + 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let event: Event = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(error) => {
                let why = format!("it is no JSON of go test: {error}");
                content.unreadable = Some(Trouble::new(TroubleKind::Format, number, why));
                return content;
            }
        };
        let key = (event.package.clone(), event.test.clone());
        let outcome = match event.action.as_str() {
            "start" | "run" => {
                if begun.insert(key.clone(), number).is_some() || ended.contains_key(&key) {
                    let why =
                        format!("{} begins more than once, so that several runs are in one file", what(&key));
                    content.troubles.push(Trouble::new(TroubleKind::Joined, number, why));
                }
                continue;
            }
            "pass" => Outcome::Pass,
            "fail" => Outcome::Fail,
            "skip" => Outcome::Skip,
            action => {
                if let Some(words) = written(&event.output) {
                    said.insert(key, words.to_owned());
                } else if !ACTIONS.contains(&action) {
                    let why = format!("go test has no action {}", quoted(action));
                    content.troubles.push(Trouble::new(TroubleKind::Format, number, why));
                }
                continue;
            }
        };
        if begun.remove(&key).is_none() && !ended.contains_key(&key) {
            let why = format!("{} ends and has never begun", what(&key));
            content.troubles.push(Trouble::new(TroubleKind::CutOff, number, why));
        }
        let words = said.remove(&key).filter(|_| outcome == Outcome::Skip).unwrap_or_default();
        if ended.insert(key, outcome).is_some_and(|before| before != outcome) {
            let why = format!("{} ends twice, and differently", quoted(&event.test));
            content.troubles.push(Trouble::new(TroubleKind::Joined, number, why));
        }
        if event.test.is_empty() {
            if outcome == Outcome::Fail {
                content.failed_packages.push(event.package);
            }
        } else {
            content.tests.push(Test { name: event.test, outcome, line: number, words });
        }
    }
    for (key, number) in &begun {
        let why = format!("{} begins and never ends: the file was cut off, or the run broke", what(key));
        content.troubles.push(Trouble::new(TroubleKind::CutOff, *number, why));
    }
    let failed: BTreeSet<&str> = ended
        .iter()
        .filter(|((_, test), outcome)| !test.is_empty() && **outcome == Outcome::Fail)
        .map(|((package, _), _)| package.as_str())
        .collect();
    for ((package, test), outcome) in &ended {
        if test.is_empty() && *outcome == Outcome::Pass && failed.contains(package.as_str()) {
            let why = format!("package {} passes with a test in it that failed", quoted(package));
            content.troubles.push(Trouble::new(TroubleKind::Contradiction, 0, why));
        }
    }
    let packages = ended.keys().filter(|(_, test)| test.is_empty()).count();
    if !content.tests.is_empty() && packages == 0 {
        let why = "no package ends in it: the file was cut off, or is a part of one";
        content.troubles.push(Trouble::new(TroubleKind::CutOff, 0, why));
    }
    if content.tests.is_empty() && content.failed_packages.is_empty() {
        content.unreadable = Some(Trouble::new(TroubleKind::Format, 0, "no test ends in it"));
    }
    content
}

fn what((package, test): &(String, String)) -> String {
    if test.is_empty() { format!("package {}", quoted(package)) } else { format!("test {}", quoted(test)) }
}
