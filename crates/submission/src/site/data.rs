//! What the site says, as data: `site.json` is this, and the pages are made of it and of nothing else.

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

/// What an item of evidence is, as far as it can be told without following it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A test result in which a test of the requirement passed.
    TestPassed,
    /// A test result in which the test of the requirement failed.
    TestFailed,
    /// A test result in which the test of the requirement was skipped.
    TestSkipped,
    /// A test result without a test that has the name of the requirement.
    OtherTests,
    /// Another file of the submission.
    File,
    /// A repository, or something in one.
    Repository,
    /// A page.
    Page,
    /// A file that is not in the submission.
    Missing,
}

impl ItemKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            ItemKind::TestPassed => "test result in the submission; a test of this requirement passed in it",
            ItemKind::TestFailed => "test result in the submission; a test of this requirement failed in it",
            ItemKind::TestSkipped => {
                "test result in the submission; the test of this requirement was skipped in it"
            }
            ItemKind::OtherTests => {
                "test result in the submission; no test in it has the name of this requirement"
            }
            ItemKind::File => "file in the submission",
            ItemKind::Repository => "repository on GitHub",
            ItemKind::Page => "page",
            ItemKind::Missing => "not found in the submission",
        }
    }
}

/// Status and kind of evidence of an answer in one: what a cell of the matrix shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Implemented, and a test result in the submission shows it.
    Tested,
    /// Implemented, and a file or a repository is named for it.
    Attested,
    /// Implemented, and pages alone are named for it.
    Documents,
    /// Implemented, and nothing that is there is named for it.
    NoEvidence,
    /// N/A.
    NotApplicable,
    /// Partially Implemented.
    Partial,
    /// Not Implemented.
    NotImplemented,
    /// The status is empty.
    Open,
    /// There is no answer.
    Absent,
    /// A status that the programme does not have.
    OtherStatus,
    /// The product file cannot be read.
    Unreadable,
}

impl Mark {
    /// All of them.
    pub const ALL: &[Mark] = &[
        Mark::Tested,
        Mark::Attested,
        Mark::Documents,
        Mark::NoEvidence,
        Mark::NotApplicable,
        Mark::Partial,
        Mark::NotImplemented,
        Mark::Open,
        Mark::Absent,
        Mark::OtherStatus,
        Mark::Unreadable,
    ];

    /// Its name in addresses of styles and in the filter.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Tested => "tested",
            Mark::Attested => "attested",
            Mark::Documents => "documents",
            Mark::NoEvidence => "none",
            _ => "other",
        }
    }

    /// What stands in a cell beside or instead of a sign.
    pub fn short(self) -> &'static str {
        match self {
            Mark::Tested | Mark::Attested | Mark::Documents | Mark::NoEvidence => "",
            Mark::NotApplicable => "N/A",
            Mark::Partial => "part",
            Mark::NotImplemented => "not",
            Mark::Open => "open",
            Mark::Absent => "–",
            Mark::OtherStatus => "other",
            Mark::Unreadable => "?",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Mark::Tested => "Implemented, tested",
            Mark::Attested => "Implemented, attested",
            Mark::Documents => "Implemented, documents only",
            Mark::NoEvidence => "Implemented, no evidence found",
            Mark::NotApplicable => "N/A",
            Mark::Partial => "Partially Implemented",
            Mark::NotImplemented => "Not Implemented",
            Mark::Open => "status left empty",
            Mark::Absent => "no answer",
            Mark::OtherStatus => "another status",
            Mark::Unreadable => "the product file cannot be read",
        }
    }

    /// What it means, in a sentence.
    pub fn means(self) -> &'static str {
        match self {
            Mark::Tested => {
                "the evidence names a test result in the submission (JUnit or go test), and a test with the name of the requirement passed in it"
            }
            Mark::Attested => {
                "the evidence names a file in the submission, or a repository on GitHub: a description, a log, a picture, a script"
            }
            Mark::Documents => "all evidence is links to pages, such as documentation",
            Mark::NoEvidence => "no evidence is named, or only files that are not in the submission",
            Mark::NotApplicable => "the submission states that the requirement does not apply",
            Mark::Partial => "the submission states that it is partially implemented",
            Mark::NotImplemented => "the submission states that it is not implemented",
            Mark::Open => "the submission leaves the status empty",
            Mark::Absent => "the submission has no entry for the requirement",
            Mark::OtherStatus => "the status is not one of the programme's four",
            Mark::Unreadable => "the product file could not be read as YAML, so nothing of it is known here",
        }
    }
}

/// How many answers are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// [`Mark::Tested`].
    pub tested: usize,
    /// [`Mark::Attested`].
    pub attested: usize,
    /// [`Mark::Documents`].
    pub documents: usize,
    /// [`Mark::NoEvidence`].
    pub none: usize,
    /// Everything that is not stated as implemented.
    pub other: usize,
}

impl Shares {
    /// Adds an answer.
    pub fn add(&mut self, mark: Mark) {
        match mark {
            Mark::Tested => self.tested += 1,
            Mark::Attested => self.attested += 1,
            Mark::Documents => self.documents += 1,
            Mark::NoEvidence => self.none += 1,
            _ => self.other += 1,
        }
    }

    /// Adds those of another.
    pub fn add_all(&mut self, other: Shares) {
        self.tested += other.tested;
        self.attested += other.attested;
        self.documents += other.documents;
        self.none += other.none;
        self.other += other.other;
    }

    /// How many there are.
    pub fn all(self) -> usize {
        self.tested + self.attested + self.documents + self.none + self.other
    }

    /// Each kind with its name, its words and its number.
    pub fn parts(self) -> [(&'static str, &'static str, usize); 5] {
        [
            ("tested", "tested", self.tested),
            ("attested", "attested", self.attested),
            ("documents", "documents only", self.documents),
            ("none", "no evidence found", self.none),
            ("other", "not stated as implemented", self.other),
        ]
    }

    /// In words, what there is of.
    pub fn words(self) -> String {
        let parts = self.parts().into_iter().filter(|(.., number)| *number > 0);
        let words: Vec<String> = parts.map(|(_, words, number)| format!("{number} {words}")).collect();
        words.join(", ")
    }
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
