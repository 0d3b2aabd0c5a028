//! A review: which submissions there are, the rules on each, side by side.

use crate::case::{Case, PRODUCT, is_release};
use crate::checklist::at_least;
use crate::finding::{Alike, Finding, Level, Origin, plain};
use crate::rules::{self, Look, RULES, Rule};
use crate::traces::Trace;
use crate::{Given, Moment};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Findings in all submissions.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// Each submission, in the order in which they were given.
    pub submissions: Vec<Reviewed>,
    /// Things that were not checked, and why.
    pub not_checked: Vec<String>,
}

/// Findings in a submission.
#[derive(Clone, Debug, Serialize)]
pub struct Reviewed {
    /// Its folder, as it was given.
    pub folder: Utf8PathBuf,
    /// `v1.37/name`.
    pub title: String,
    /// Release of the checklist that it answers.
    pub release: Option<String>,
    /// Set if the programme's validator accepts it.
    pub accepted: bool,
    /// Set if nothing in it is an error.
    pub valid: bool,
    /// Findings, the gravest first; to others, those that differ in nothing but their place are one.
    #[serde(serialize_with = "alike")]
    pub findings: Vec<Finding>,
}

fn alike<S: serde::Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(Alike::of(findings))
}

impl Reviewed {
    /// The thing to do first: the demand that is not met and weighs most; nothing where only notes are left.
    pub fn first(&self) -> Option<String> {
        let first = self.findings.iter().find(|finding| finding.level >= Level::Warning)?;
        let rule = RULES.iter().find(|rule| rule.id == first.rule)?;
        let begin =
            if first.level == Level::Error { "begin with" } else { "nothing has to change; look first at" };
        Some(format!("{begin} {}: {}", rule.id, rule.asks))
    }
}

impl Review {
    /// Tells whether every submission is valid.
    pub fn valid(&self) -> bool {
        self.submissions.iter().all(|reviewed| reviewed.valid)
    }

    /// Number of findings of a level.
    pub fn count(&self, level: Level) -> usize {
        let findings = self.submissions.iter().flat_map(|reviewed| &reviewed.findings);
        findings.filter(|finding| finding.level == level).count()
    }
}

/// There is no submission where one was expected.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The path does not exist.
    #[error("{0}: there is no such file or folder")]
    Nothing(Utf8PathBuf),
    /// A folder without submissions.
    #[error(
        "{0} is no submission: it has no PRODUCT.yaml, and no folders of releases (v1.37/NAME/PRODUCT.yaml)"
    )]
    NoSubmission(Utf8PathBuf),
    /// A file of another name.
    #[error("{0} is no product file: name a PRODUCT.yaml, its folder, or a clone of the programme")]
    OtherFile(Utf8PathBuf),
}

/// The folders of the submissions at a path: a product file, a folder with one, a folder of a release, or a clone.
///
/// # Errors
/// When there is none.
pub fn submissions(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, NotFound> {
    let Ok(metadata) = fs_err::symlink_metadata(path) else { return Err(NotFound::Nothing(path.into())) };
    if !path.is_dir() {
        if path.file_name() != Some(PRODUCT) {
            return Err(NotFound::OtherFile(path.into()));
        }
        let folder = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        return Ok(vec![folder.to_owned()]);
    }
    if has_product(path) && !metadata.is_symlink() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for child in folders(path) {
        if has_product(&child) {
            found.push(child);
        } else if child.file_name().is_some_and(is_release) {
            found.extend(folders(&child).into_iter().filter(|folder| has_product(folder)));
        }
    }
    if found.is_empty() { Err(NotFound::NoSubmission(path.into())) } else { Ok(found) }
}

fn has_product(folder: &Utf8Path) -> bool {
    folder.join(PRODUCT).symlink_metadata().is_ok()
}

fn folders(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = path.read_dir_utf8().into_iter().flatten().flatten();
    let real = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<Utf8PathBuf> = real.map(|entry| entry.path().to_owned()).collect();
    folders.sort();
    folders
}

/// The names in a list of members: one a line, without what the landscape appends to them.
pub fn members(text: &str) -> BTreeSet<String> {
    let names = text.lines().map(|line| {
        let line = line.trim();
        let line = line.strip_suffix(" (member)").unwrap_or(line);
        line.strip_suffix(" (supporter)").unwrap_or(line).trim().to_owned()
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// Reviews submissions, as many side by side as there are processors; each is let go of before the next is read.
pub fn review(folders: &[Utf8PathBuf], given: &Given<'_>) -> Review {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Reviewed, Kept)>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(folders.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((number, folder)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    folders.get(number).map(|folder| (number, folder))
                } {
                    let (reviewed, kept) = one(folder, given);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((number, reviewed, kept));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, ..)| *number);
    let (mut submissions, kept): (Vec<Reviewed>, Vec<Kept>) =
        done.into_iter().map(|(_, reviewed, kept)| (reviewed, kept)).unzip();
    if !given.validator_only {
        compare(&mut submissions, &kept);
    }
    for reviewed in &mut submissions {
        let error = |finding: &&Finding| finding.level == Level::Error;
        let matter = |id: &str| RULES.iter().find(|rule| rule.id == id).map(|rule| rule.matter);
        reviewed.findings.sort_by_key(|finding| (std::cmp::Reverse(finding.level), matter(finding.rule)));
        reviewed.valid = !reviewed.findings.iter().any(|finding| error(&finding));
        reviewed.accepted =
            !reviewed.findings.iter().filter(error).any(|finding| finding.origin == Origin::Validator);
    }
    Review { submissions, not_checked: not_checked(given) }
}

/// Traces of a submission that are kept for each rule that compares, by the rule's place among all.
type Kept = Vec<(usize, Vec<Trace>)>;

/// Compares each submission with those before it: of an older release, or of a name that comes first. Of each trace the
/// first place is remembered, so that this takes no longer than there are traces.
fn compare(submissions: &mut [Reviewed], kept: &[Kept]) {
    let mut order: Vec<usize> = (0..submissions.len()).collect();
    order.sort_by_key(|number| submissions[*number].title.clone());
    for (place, rule) in RULES.iter().enumerate() {
        let mut first: BTreeMap<u64, (String, &Trace)> = BTreeMap::new();
        for number in &order {
            let own = kept[*number].iter().find(|(of, _)| *of == place);
            let Some((_, own)) = own.filter(|(_, own)| !own.is_empty()) else { continue };
            let findings = rules::compare(rule, own, &first);
            submissions[*number].findings.extend(findings);
            for trace in own {
                first.entry(trace.key).or_insert_with(|| (submissions[*number].title.clone(), trace));
            }
        }
    }
}

fn not_checked(given: &Given<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if given.links.is_none() {
        words.push(
            "links: nothing goes to the network without --online, so it is not known whether they answer"
                .to_owned(),
        );
    }
    if given.members.is_none() {
        words.push("vendorName: give the names of the members with --members".to_owned());
    }
    words
}

fn one(folder: &Utf8Path, given: &Given<'_>) -> (Reviewed, Kept) {
    let case = Case::read(folder, given);
    let asked = RULES.iter().filter(|rule| rule.origin == Origin::Validator || !given.validator_only);
    let mut findings: Vec<Finding> = asked.flat_map(|rule| in_time(rule, &case)).collect();
    // A rule of the validator may look further than that does.
    findings.retain(|finding| finding.origin == Origin::Validator || !given.validator_only);
    for finding in &mut findings {
        finding.snippet = line_of(&case, finding);
    }
    let mut kept = Kept::new();
    if !given.validator_only {
        for (place, rule) in RULES.iter().enumerate() {
            if let Look::Across(across) = &rule.look {
                kept.push((place, (across.take)(&case)));
            }
        }
    }
    let reviewed = Reviewed {
        folder: folder.to_owned(),
        title: plain(&case.title()),
        release: case.release.clone(),
        accepted: false,
        valid: false,
        findings,
    };
    (reviewed, kept)
}

/// Findings of a rule, by the rules of the time that counts.
fn in_time(rule: &Rule, case: &Case<'_>) -> Vec<Finding> {
    let mut findings = rules::apply(rule, case);
    let later = match (case.given.moment, rule.since, &case.release) {
        (Moment::AtMerge, Some(since), Some(release)) => !at_least(release, since),
        _ => false,
    };
    if later {
        for finding in findings.iter_mut().filter(|finding| finding.origin == rule.origin) {
            finding.level = Level::Note;
            let since = rule.since.unwrap_or_default();
            finding.says.push_str(&format!(" (asked since {since}, not when this release was open)"));
        }
    }
    findings
}

/// The line of a finding, as far as a terminal shows it.
fn line_of(case: &Case<'_>, finding: &Finding) -> String {
    const WIDEST: usize = 400;
    if finding.line == 0 || finding.file != PRODUCT {
        return String::new();
    }
    let line = case.text.lines().nth(finding.line - 1).unwrap_or_default();
    // A letter stays one letter, so that the columns do.
    line.chars()
        .take(WIDEST)
        .map(|letter| if plain(letter.encode_utf8(&mut [0; 4])).len() > 4 { ' ' } else { letter })
        .collect()
}
