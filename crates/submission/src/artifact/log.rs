//! Output of `go test -v`.

use super::{Content, Outcome, Test, Trouble, TroubleKind, written};
use crate::finding::quoted;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn read(bytes: &[u8]) -> Content {
    let mut content = Content::default();
    let text = String::from_utf8_lossy(bytes);
    let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ended: BTreeSet<&str> = BTreeSet::new();
    // What the test that writes has said last; go test writes it before the result, or right below.
    let mut said = "";
    // Whether the last package ended, and how.
    let mut end: Option<Outcome> = None;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let words = line.trim_start();
        if let Some(name) = words.strip_prefix("=== RUN ").map(str::trim) {
            (end, said) = (None, "");
            if begun.insert(name, number).is_some() || ended.contains(name) {
                let why =
                    format!("{} begins more than once, so that several runs are in one file", quoted(name));
                content.troubles.push(Trouble::new(TroubleKind::Joined, number, why));
            }
        } else if let Some((outcome, name)) = result(words) {
            begun.remove(name);
            ended.insert(name);
            let words = if outcome == Outcome::Skip { said.to_owned() } else { String::new() };
            content.tests.push(Test { name: name.to_owned(), outcome, line: number, words });
            said = "";
        } else if let Some(words) = written(line) {
            match content.tests.last_mut() {
                Some(test) if test.line + 1 == number && test.outcome == Outcome::Skip => {
                    words.clone_into(&mut test.words);
                }
                _ => said = words,
            }
        } else if line.starts_with("panic: ") {
            let why = "the test program panicked, so that tests after this one did not run";
            content.troubles.push(Trouble::new(TroubleKind::CutOff, number, why));
        } else if line == "FAIL" || line.starts_with("FAIL\t") || line.starts_with("exit status ") {
            end = Some(Outcome::Fail);
            if let Some(package) = line.strip_prefix("FAIL\t").and_then(|rest| rest.split('\t').next()) {
                content.failed_packages.push(package.to_owned());
            }
        } else if line == "PASS" || line.starts_with("ok  \t") {
            end = end.or(Some(Outcome::Pass));
        }
    }
    let failed = content.tests.iter().any(|test| test.outcome == Outcome::Fail);
    for (name, number) in &begun {
        let why = format!("{} begins and never ends: the file was cut off, or the run broke", quoted(name));
        content.troubles.push(Trouble::new(TroubleKind::CutOff, *number, why));
    }
    match end {
        _ if content.tests.is_empty() => {
            let why = "it has no line such as `--- PASS: TestName`, which go test writes for each test";
            content.unreadable = Some(Trouble::new(TroubleKind::Format, 0, why));
        }
        None => {
            let why = "it does not end with PASS or FAIL as go test does: the file was cut off, or is a part of one";
            content.troubles.push(Trouble::new(TroubleKind::CutOff, text.lines().count(), why));
        }
        Some(Outcome::Pass) if failed => {
            let why = "it ends with PASS, with a test in it that failed";
            content.troubles.push(Trouble::new(TroubleKind::Contradiction, text.lines().count(), why));
        }
        Some(_) => {}
    }
    content
}

/// `--- PASS: TestName (1.00s)`.
fn result(words: &str) -> Option<(Outcome, &str)> {
    let rest = words.strip_prefix("--- ")?;
    let (word, rest) = rest.split_once(": ")?;
    let outcome = match word {
        "PASS" => Outcome::Pass,
        "FAIL" => Outcome::Fail,
        "SKIP" => Outcome::Skip,
        _ => return None,
    };
    let name = rest.split_whitespace().next()?;
    Some((outcome, name))
}
