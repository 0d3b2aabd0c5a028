//! Submissions of the programme: read without trusting them, reviewed rule by rule, and made. Pure functions of the files
//! that are given, but for the two that make a folder; nothing goes to the network. What others have learnt there is given
//! too.
//!
//! A submission is foreign. Nothing outside its folder is read, links are not followed, and files, YAML (aliases, depth,
//! nodes) and XML have limits; what is beyond them is a finding and not an error of the program. The product file is a tree in
//! which everything has its place (`yaml.rs` alone knows the library), so that a finding has line and column, and what has
//! another form than the programme's is read all the same: the programme's reader stops there, and its submitters learn of
//! the next error only when the first is mended.
//!
//! A rule is a file: id, level, whose rule it is, what it asks, and a function. Those of the programme's validator follow its
//! newest version; since when each is asked stands beside it, for `--rules at-merge`. Everything else is ours, and only what
//! contradicts the programme's texts, or itself, is an error; what needs a person's eye is a warning.
//!
//! Submissions are reviewed side by side and let go of one by one. Rules that compare them keep only traces (hashes of UUIDs,
//! names of pods, whole files); of each the first place is remembered, so that ten times the submissions take ten times as long.
//!
//! Links are asked by a crate of its own (`links`), before the review, and what became of them is given to the rules as data; so
//! rules stay functions of what is given. Who may be asked (`gate.rs`) and how names become addresses (`names.rs`) are handed in,
//! because tests ask real servers of this machine, which the command line cannot. Name servers are asked by a library and not by
//! the system's, whose words do not part a host that is not there from a name server that is not.
//!
//! A run folder inside a submission is judged again. How that is done is handed in by whoever calls (`engine::RunJudge`), so that `submission`
//! knows no checks. `make.rs` goes the other way: the programme's template is filled in place (`submit.rs` alone knows the
//! library that edits YAML), read again with the other library, and reviewed in a folder beside its place before it is moved
//! there. `compare` puts both runs (`engine`) and submissions into names with a state, and compares those.
//!
//! A site goes one way: clone → what is to be said, as data (`site/data.rs`, which is `site.json`) → pages, which are templates
//! over that data and read nothing else. The templates escape everything; safe are our style and script alone, which the
//! policy of each page knows by digest, so that a mistake in escaping would still run nothing. Pages are well-formed XML, so that
//! a test can read them strictly: elements, attributes, headings, labels, and every link to its end. Names of files are made
//! of foreign names and never are them. Rules are those of the time of the release: what a vendor was not asked stands
//! against nobody.
//!
//! A submission is made of a derived run (`evidence/src/derive`). Names are collected first, by where they stand (fields of objects,
//! paths, labels of samples) and by their form, then replaced everywhere by a permutation of the names of one form that the key
//! chooses: nothing needs to be remembered, and equal stays equal. A name that is also a word (`public_words.txt`) stays, because
//! replacing it would change what judges read. Each event is looked through again before it is written. That a verdict could hang
//! on a name is met by judging the derived run and comparing: outcomes must be the same, and words too, but for which of several
//! names is shown, because names are sorted.
//!
//! What is signed is all files of a submission, so that a review can name what was changed; the rule is one file like others, and
//! `submission/src/signature` knows envelope and keys. Cryptography is `ring`, which the TLS of the cluster's client brings.
//! Artifacts of the programme's tests lie in a folder of their own, because rules compare those beside each other as of one run.

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
pub mod make;
pub mod product;
pub mod reach;
mod review;
pub mod rules;
pub mod show;
pub mod signature;
pub mod site;
mod staging;
pub mod submit;
pub mod together;
mod traces;
pub mod yaml;

pub use finding::{Alike, Decided, Finding, Level, Origin};
pub use review::{NotFound, Review, Reviewed, members, review, submissions};
pub use staging::StagingError;

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Inputs of a review, beside the submissions.
#[derive(Default)]
pub struct Given<'a> {
    /// Names of the members of the foundation; `None` when nobody gave a list, then it is not checked.
    pub members: Option<BTreeSet<String>>,
    /// Folder of the programme's checklists [default: `docs` beside the folder of the release, if it is there]
    pub templates: Option<Utf8PathBuf>,
    /// The rules of which time count.
    pub moment: Moment,
    /// Set if only what the programme's validator checks is asked.
    pub validator_only: bool,
    /// The key that must have signed each submission.
    pub verify_key: Option<signature::PublicKey>,
    /// Answers of the links, when somebody has asked.
    pub links: Option<reach::Answers>,
    /// Judge of run folders of this program that are part of a submission.
    pub runs: Option<&'a (dyn RunFolders + Sync)>,
}

/// The rules of which time count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Rules that the programme's newest validator checks.
    #[default]
    Today,
    /// Rules that were asked when the release was open: what came later is a note.
    AtMerge,
}

/// Judges run folders of this program again, from their evidence.
pub trait RunFolders {
    /// Judges the run folder at a path. Where its views are to be submitted, and where a derived run says that they were, its test
    /// artifacts are without what did not pass, because a validator refuses an artifact with a failure in it.
    ///
    /// # Errors
    /// A sentence that names what was changed, or cannot be read.
    fn judge(&self, folder: &Utf8Path, is_to_be_submitted: bool) -> Result<JudgedRun, String>;
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
    /// Set if it passed.
    pub passed: bool,
    /// Set if it passed on simulated devices.
    pub simulated: bool,
    /// Set if it does not apply, with proof.
    pub not_applicable: bool,
    /// The verdict in words.
    pub word: String,
    /// Why, in a sentence.
    pub why: String,
    /// The claims that keep it from being passed, and whose words they stand on.
    pub against: Vec<Decided>,
    /// Set if it failed, and would not have without our interpretation of the requirement.
    pub failed_by_interpretation_alone: bool,
}
