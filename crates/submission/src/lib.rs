//! Submissions of the programme: read without trusting them, and reviewed rule by rule. Pure functions of the files that
//! are given; nothing goes to the network. What others have learnt there is given too.

// The tests of the site share a module with those from outside, which know the crate by its name.
#[cfg(test)]
extern crate self as aiconform_submission;

pub mod artifact;
pub mod case;
pub mod checklist;
pub mod compare;
pub mod evidence;
pub mod files;
mod finding;
pub mod links;
pub mod product;
pub mod reach;
mod review;
pub mod rules;
pub mod show;
pub mod signature;
pub mod site;
pub mod submit;
mod traces;
pub mod yaml;

pub use finding::{Finding, Level, Origin};
pub use review::{NotFound, Review, Reviewed, members, review, submissions};

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// What is given for a review, beside the submissions.
#[derive(Default)]
pub struct Given<'a> {
    /// Names of the members of the foundation; `None` when nobody gave a list, then it is not checked.
    pub members: Option<BTreeSet<String>>,
    /// Folder of the programme's checklists [default: `docs` beside the folder of the release, if it is there]
    pub templates: Option<Utf8PathBuf>,
    /// The rules of which time count.
    pub moment: Moment,
    /// Whether only what the programme's validator checks is asked.
    pub validator_only: bool,
    /// The key that must have signed each submission.
    pub verify_key: Option<signature::PublicKey>,
    /// What became of each link, when somebody has asked.
    pub links: Option<reach::Answers>,
    /// Who judges run folders of this program that are part of a submission.
    pub runs: Option<&'a (dyn RunFolders + Sync)>,
}

/// The rules of which time count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// What the programme's newest validator checks.
    #[default]
    Today,
    /// What was asked when the release was open: what came later is a note.
    AtMerge,
}

/// Judges run folders of this program again, from their evidence.
pub trait RunFolders {
    /// Judges the run folder at a path.
    ///
    /// # Errors
    /// A sentence that names what was changed, or cannot be read.
    fn judge(&self, folder: &Utf8Path) -> Result<JudgedRun, String>;
}

/// A run folder, judged again.
#[derive(Clone, Debug, Default)]
pub struct JudgedRun {
    /// Release of the checklist.
    pub release: String,
    /// Each requirement that was selected.
    pub verdicts: Vec<RunVerdict>,
    /// The views as they must be: name and content.
    pub views: Vec<(String, Vec<u8>)>,
    /// `run.json`: who, what, versions, flags.
    pub facts: serde_json::Value,
}

/// The verdict of a requirement in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunVerdict {
    /// Id of the requirement.
    pub requirement: String,
    /// Name of its test in the artifacts.
    pub test: String,
    /// Whether it passed.
    pub passed: bool,
    /// Whether it passed on simulated devices.
    pub simulated: bool,
    /// Whether it does not apply, with proof.
    pub not_applicable: bool,
    /// The verdict in words.
    pub word: String,
    /// Why, in a sentence.
    pub why: String,
}
