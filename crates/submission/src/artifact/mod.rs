//! Test artifacts: `junit.xml`, `results.json` and `e2e.log`, by these and by other names; read strictly.

mod gotest;
mod junit;
mod log;

use crate::files::{Files, Kind as FileKind};
use crate::yaml::Place;
use std::collections::BTreeMap;

/// A test artifact.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The file, from the folder of the submission.
    pub file: String,
    /// Kind of artifact.
    pub kind: Kind,
    /// Set if it has the name by which the programme's validator knows it.
    pub known: bool,
    /// Its tests in their order, each as often as it stands there.
    pub tests: Vec<Test>,
    /// Why the programme's validator cannot read it.
    pub unreadable: Option<Trouble>,
    /// Troubles with it that the programme's validator does not see.
    pub troubles: Vec<Trouble>,
    /// Packages that failed as a whole.
    pub failed_packages: Vec<String>,
}

/// Kind of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JUnit XML.
    Junit,
    /// Output of `go test -json`.
    GoTest,
    /// Output of `go test -v`.
    Log,
}

/// A test, as it stands in an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name; subtests have `/` in it.
    pub name: String,
    /// Outcome.
    pub outcome: Outcome,
    /// Line, from 1.
    pub line: usize,
    /// Words with which it was skipped; nothing where there are none.
    pub words: String,
}

/// Outcome of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Pass,
    /// It failed.
    Fail,
    /// It was skipped.
    Skip,
}

impl Outcome {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "passed",
            Outcome::Fail => "failed",
            Outcome::Skip => "was skipped",
        }
    }
}

/// Something that is wrong with an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub place: Place,
    /// Trouble in words.
    pub why: String,
    /// Of which kind it is.
    pub kind: TroubleKind,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// It is not of the format.
    Format,
    /// Its end, or something before it, is missing; a program that ended in a panic leaves such a file too.
    CutOff,
    /// It says one thing in one place and another elsewhere.
    Contradiction,
    /// Several runs in one file.
    Joined,
}

impl Trouble {
    fn new(kind: TroubleKind, line: usize, why: impl Into<String>) -> Trouble {
        Trouble { place: Place { line, column: 1, length: 0 }, why: why.into(), kind }
    }
}

/// Content that a reader of one format gives.
#[derive(Default)]
struct Content {
    tests: Vec<Test>,
    unreadable: Option<Trouble>,
    troubles: Vec<Trouble>,
    failed_packages: Vec<String>,
}

/// Reads the artifact in a text.
pub fn read(file: &str, bytes: &[u8]) -> Option<Artifact> {
    let base = base_of(file);
    let known = by_name(&base);
    let kind = known.or_else(|| by_content(&base, bytes))?;
    let mut content = match kind {
        Kind::Junit => junit::read(bytes),
        Kind::GoTest => gotest::read(bytes),
        Kind::Log => log::read(bytes),
    };
    // One file that is wrong all over needs no thousand findings.
    content.troubles.truncate(20);
    Some(Artifact {
        file: file.to_owned(),
        kind,
        known: known.is_some(),
        tests: content.tests,
        unreadable: content.unreadable,
        troubles: content.troubles,
        failed_packages: content.failed_packages,
    })
}

fn by_content(base: &str, bytes: &[u8]) -> Option<Kind> {
    let start = &bytes[..bytes.len().min(64 * 1024)];
    let holds = |words: &str| start.windows(words.len()).any(|window| window == words.as_bytes());
    let ending = base.rsplit('.').next().unwrap_or_default();
    match ending {
        "xml" if holds("<testsuite") => Some(Kind::Junit),
        "json" | "ndjson" | "jsonl" if holds("\"Action\":") && holds("\"Package\":") => Some(Kind::GoTest),
        "log" | "txt" | "out" if holds("=== RUN ") || holds("--- PASS: ") || holds("--- FAIL: ") => {
            Some(Kind::Log)
        }
        _ => None,
    }
}

/// Words of a line that a test has written by itself: `    a_test.go:12: words`.
fn written(line: &str) -> Option<&str> {
    let (place, words) = line.trim_start().split_once(": ")?;
    let (file, number) = place.rsplit_once(':')?;
    let is_place = file.ends_with(".go") && number.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then(|| words.trim())
}

/// The name of a test or a requirement in letters and digits alone, so that names of different tools can be compared.
pub fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Words that the [`bare`] name of a test of this requirement has in it, one or the other.
pub fn words_of(requirement: &str) -> [String; 2] {
    [bare(requirement), bare(&aiconform_model::catalogue::test_name(requirement))]
}

fn base_of(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase()
}

/// The kind of an artifact by the only names that the programme's validator knows.
fn by_name(base: &str) -> Option<Kind> {
    match base {
        "junit.xml" => Some(Kind::Junit),
        "results.json" => Some(Kind::GoTest),
        "e2e.log" => Some(Kind::Log),
        _ => None,
    }
}

/// All artifacts of a submission, or those alone that the programme's validator would know by their names: the others
/// need not be read then.
pub fn find(files: &Files, known_alone: bool) -> Vec<Artifact> {
    let plain = files.all.iter().filter(|file| file.kind == FileKind::Plain);
    let named = plain.filter(|file| {
        let name = file.name.to_ascii_lowercase();
        [".xml", ".json", ".ndjson", ".jsonl", ".log", ".txt", ".out"]
            .iter()
            .any(|ending| name.ends_with(ending))
    });
    let asked = named.filter(|file| !known_alone || by_name(&base_of(&file.name)).is_some());
    asked.filter_map(|file| read(&file.name, &files.read(&file.name).ok()?)).collect()
}

impl Artifact {
    /// Outcome of a test as the programme's validator finds it: a failure stays, else the last word counts;
    /// without a test of that name, its subtests are taken together.
    pub fn outcome(&self, name: &str) -> Option<Outcome> {
        let last = |name: &str| {
            let mut found = None;
            for test in self.tests.iter().filter(|test| test.name == name) {
                if found != Some(Outcome::Fail) {
                    found = Some(test.outcome);
                }
            }
            found
        };
        last(name).or_else(|| {
            let subtests: Vec<&Test> = self.subtests(name).collect();
            let is = |outcome: Outcome| move |test: &&Test| test.outcome == outcome;
            if subtests.is_empty() {
                None
            } else if subtests.iter().any(is(Outcome::Fail)) {
                Some(Outcome::Fail)
            } else if subtests.iter().all(is(Outcome::Skip)) {
                Some(Outcome::Skip)
            } else {
                Some(Outcome::Pass)
            }
        })
    }

    /// Outcome of every test, with the line where it stands first.
    pub fn outcomes(&self) -> BTreeMap<&str, (Outcome, usize)> {
        let mut outcomes: BTreeMap<&str, (Outcome, usize)> = BTreeMap::new();
        for test in &self.tests {
            let (outcome, _) = outcomes.entry(&test.name).or_insert((test.outcome, test.line));
            if *outcome != Outcome::Fail {
                *outcome = test.outcome;
            }
        }
        outcomes
    }

    /// The subtests of a test, at any depth.
    pub fn subtests<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Test> {
        self.tests
            .iter()
            .filter(move |test| test.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The names of tests that failed, sorted; of packages when no test did.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.tests.iter().filter(|test| test.outcome == Outcome::Fail);
        let mut names: Vec<String> = failed.map(|test| test.name.clone()).collect();
        if names.is_empty() {
            names = self.failed_packages.iter().map(|package| format!("package {package}")).collect();
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Names in a sentence: a few, and how many more.
pub fn some(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut words: Vec<String> = names.iter().take(SHOWN).map(|name| crate::finding::quoted(name)).collect();
    if names.len() > SHOWN {
        words.push(format!("and {} more", names.len() - SHOWN));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests;
