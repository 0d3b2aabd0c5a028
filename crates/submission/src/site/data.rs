//! What the site says, as data: `site.json` is this, and the pages are made of it and of nothing else.

use super::marks::{ItemKind, Mark, Shares};
use crate::finding::{Finding, Level, Origin};
use serde::Serialize;

/// Everything that the site says.
#[derive(Clone, Debug, Serialize)]
pub struct Programme {
    /// Who made it, with the version.
    pub made_by: String,
    /// The releases that have submissions, oldest first.
    pub releases: Vec<Release>,
    /// The requirements of these releases, in the order of the newest checklist.
    pub requirements: Vec<Requirement>,
    /// The rules that were applied.
    pub rules: Vec<AppliedRule>,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}

/// A release with its submissions.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Its folder, as `v1.37`.
    pub name: String,
    /// Its page.
    pub page: String,
    /// What its checklist asks, in that order; empty when there is no checklist.
    pub asks: Vec<Asks>,
    /// The submissions, by the names of the products.
    pub products: Vec<Product>,
    /// How many of the products stand in the release before too.
    pub again: usize,
    /// The MUST answers of all products.
    pub musts: Shares,
}

/// A requirement in a release.
#[derive(Clone, Debug, Serialize)]
pub struct Asks {
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Whether it is a MUST.
    pub must: bool,
    /// The official sentence, when the programme's checklist is there.
    pub sentence: String,
}

impl Asks {
    /// The level as the programme writes it.
    pub fn level(&self) -> &'static str {
        if self.must { "MUST" } else { "SHOULD" }
    }
}

/// A requirement over all releases.
#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    /// Its id.
    pub id: String,
    /// Its category in the newest release that has it.
    pub category: String,
    /// Its page.
    pub page: String,
    /// Our summary; empty when this program does not know it.
    pub summary: String,
    /// Number of its Kubernetes AI Requirement, or nothing.
    pub kar: String,
}

/// A product in a release: one submission.
#[derive(Clone, Debug, Serialize)]
pub struct Product {
    /// The release's folder.
    pub release: String,
    /// Its own folder.
    pub folder: String,
    /// Its page.
    pub page: String,
    /// What it calls itself, else its folder.
    pub name: String,
    /// Who says that it is theirs.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// What else it says of itself.
    pub metadata: Vec<Said>,
    /// Why its product file cannot be read, or nothing.
    pub unreadable: String,
    /// Its answer to each requirement of the release, in the order of [`Release::asks`].
    pub answers: Vec<Answer>,
    /// Its MUST answers.
    pub musts: Shares,
    /// What the rules found, the gravest first; not more than are shown.
    pub findings: Vec<Finding>,
    /// How many of them are of each level, those included that are not shown.
    pub counts: Counts,
}

/// Something that a product says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// The programme's key.
    pub key: &'static str,
    /// What it is, in words.
    pub label: &'static str,
    /// The text.
    pub text: String,
    /// Where it leads, when it is a link that can be followed.
    pub link: Option<String>,
}

/// What a product says of a requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Id of the requirement.
    pub requirement: String,
    /// The status, as it is written.
    pub status: String,
    /// Status and kind of evidence in one.
    pub mark: Mark,
    /// Its evidence; not more than are shown.
    pub evidence: Vec<Item>,
    /// How many items of evidence are not shown.
    pub more: usize,
    /// Its notes.
    pub notes: String,
    /// How many findings concern it.
    pub counts: Counts,
}

/// An item of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// As it is written.
    pub text: String,
    /// Where it leads, when it is a link that can be followed.
    pub link: Option<String>,
    /// What it is.
    pub kind: ItemKind,
}

/// How many findings are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Counts {
        let mut counts = Counts::default();
        for finding in findings {
            match finding.level {
                Level::Error => counts.errors += 1,
                Level::Warning => counts.warnings += 1,
                // A site asks no links, so that there is none that could not be verified.
                Level::Note | Level::Unverified => counts.notes += 1,
            }
        }
        counts
    }

    /// How many there are that are more than a note.
    pub fn grave(self) -> usize {
        self.errors + self.warnings
    }

    /// How many there are.
    pub fn all(self) -> usize {
        self.grave() + self.notes
    }

    /// In words.
    pub fn words(self) -> String {
        let many = |number: usize, one: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{number} {one}s")),
        };
        let words = [many(self.errors, "error"), many(self.warnings, "warning"), many(self.notes, "note")];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if words.is_empty() { "no findings".into() } else { words.join(", ") }
    }
}

/// A rule that was applied.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedRule {
    /// Its id.
    pub id: &'static str,
    /// How much its findings weigh, unless one says otherwise.
    pub level: Level,
    /// Whose rule it is.
    pub origin: Origin,
    /// First release that was opened with it in force.
    pub since: Option<&'static str>,
    /// What it asks.
    pub asks: &'static str,
}
