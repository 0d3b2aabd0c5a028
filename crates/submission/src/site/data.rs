//! Data of the site: `site.json` is this, and the pages are made of it and of nothing else.

use super::marks::{ItemKind, Mark, Shares};
use crate::finding::{Finding, Level, Origin};
use serde::Serialize;

/// Everything that the site says.
#[derive(Clone, Debug, Serialize)]
pub struct Programme {
    /// Maker of it, with the version.
    pub made_by: String,
    /// The releases that have submissions, oldest first.
    pub releases: Vec<Release>,
    /// The requirements of these releases, in the order of the newest checklist.
    pub requirements: Vec<Requirement>,
    /// The rules that were applied.
    pub rules: Vec<AppliedRule>,
    /// Things that were not checked, and why.
    pub not_checked: Vec<String>,
}

/// A release with its submissions.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Its folder, as `v1.37`.
    pub name: String,
    /// Its page.
    pub page: String,
    /// Requirements of its checklist, in that order; empty when there is no checklist.
    pub asks: Vec<Asks>,
    /// The submissions, by the names of the products.
    pub products: Vec<Product>,
    /// Number of the products that stand in the release before too.
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
    /// Set for a MUST.
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
    /// Name that it gives itself, else its folder.
    pub name: String,
    /// Vendor who says that it is theirs.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// Other things that it says of itself.
    pub metadata: Vec<Said>,
    /// Why its product file cannot be read, or nothing.
    pub unreadable: String,
    /// Its answer to each requirement of the release, in the order of [`Release::asks`].
    pub answers: Vec<Answer>,
    /// Its MUST answers.
    pub musts: Shares,
    /// Findings of the rules, the gravest first; not more than are shown.
    pub findings: Vec<Finding>,
    /// Numbers of them by level, those included that are not shown.
    pub counts: Counts,
}

/// Something that a product says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// The programme's key.
    pub key: &'static str,
    /// Name of it, in words.
    pub label: &'static str,
    /// The text.
    pub text: String,
    /// Where it leads, when it is a link that can be followed.
    pub link: Option<String>,
}

/// Answer of a product to a requirement.
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
    /// Number of items of evidence that are not shown.
    pub more: usize,
    /// Its notes.
    pub notes: String,
    /// Numbers of findings that concern it.
    pub counts: Counts,
}

/// An item of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// As it is written.
    pub text: String,
    /// Where it leads, when it is a link that can be followed.
    pub link: Option<String>,
    /// Kind of evidence.
    pub kind: ItemKind,
}

/// Numbers of findings, by level.
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

    /// Number of those that are more than a note.
    pub fn grave(self) -> usize {
        self.errors + self.warnings
    }

    /// Number of all findings.
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
    /// Weight of its findings, unless one says otherwise.
    pub level: Level,
    /// Whose rule it is.
    pub origin: Origin,
    /// First release that was opened with it in force.
    pub since: Option<&'static str>,
    /// Demand that it makes.
    pub asks: &'static str,
}
