//! Kinds of evidence: of an item, and of an answer.

use serde::Serialize;

/// Kind of an item of evidence, as far as it can be told without following it.
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
            ItemKind::Repository => "repository",
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

    /// Text in a cell beside or instead of a sign.
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

    /// Meaning, in a sentence.
    pub fn means(self) -> &'static str {
        match self {
            Mark::Tested => {
                "the evidence names a test result in the submission (JUnit or go test), and a test with the name of the requirement passed in it"
            }
            Mark::Attested => {
                "the evidence names a file in the submission, or a repository (GitHub, or a file in GitLab): a description, a log, a picture, a script"
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

/// Numbers of answers, by kind.
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

    /// Number of all answers.
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
