//! The rules: one file each, with an id, a level and the sentence that the submitter is shown.

use crate::RunVerdict;
use crate::case::Case;
use crate::finding::{Decided, Finding, Level, Origin, plain};
use crate::traces::Trace;
use crate::yaml::Place;
use std::collections::BTreeMap;

mod active_content;
mod all_skipped;
mod artifact_contradicts;
mod artifact_failing;
mod artifact_fragment;
mod artifact_readable;
mod artifact_recommended;
mod artifact_test;
mod artifact_unnamed;
mod artifact_whole;
mod artifacts_agree;
mod base_certification;
mod base_certification_version;
mod description_unchanged;
mod documents_only;
mod evidence_file;
mod evidence_given;
mod example_value;
mod half_shown;
mod known_keys;
mod kubernetes_version;
mod level_unchanged;
mod link_reachable;
mod logo_format;
mod metadata_address;
mod metadata_present;
mod metadata_text;
mod must_implemented;
mod must_notes;
mod mutable_link;
mod not_applicable;
mod not_applicable_reason;
mod one_document;
mod one_name;
mod other_checklist;
mod other_version;
mod own_words;
mod partial_run;
mod personal_repository;
pub(crate) mod placeholder;
mod platform_version;
mod product_form;
mod product_readable;
mod recycled_output;
mod release_folder;
mod requirement_present;
mod run_folder;
mod safe_files;
mod sections;
mod shared_link;
mod signature;
mod simulated_proof;
mod status_known;
mod vendor_member;

/// A rule.
pub struct Rule {
    /// Its id, the name of its file.
    pub id: &'static str,
    /// Weight of its findings, unless one says otherwise.
    pub level: Level,
    /// Matter of the rule, by which findings of one weight are ordered.
    pub matter: Matter,
    /// Whose rule it is.
    pub origin: Origin,
    /// First release that was opened with this rule in force; `None` when it always was.
    pub since: Option<&'static str>,
    /// Demand that it makes, in one line.
    pub asks: &'static str,
    /// Way in which it looks for what is against it.
    pub look: Look,
}

/// Matter of a rule; what is told first stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// The answers to requirements, and whether they can be read at all.
    Substance,
    /// Parts of the submission that contradict one another.
    Contradiction,
    /// Something that only a person can judge.
    Judgement,
    /// The way in which it is written.
    Form,
}

impl Matter {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Matter::Substance => "substance",
            Matter::Contradiction => "a contradiction",
            Matter::Judgement => "what a person must judge",
            Matter::Form => "form",
        }
    }
}

/// Way in which a rule looks.
pub enum Look {
    /// At each submission alone.
    Each(fn(&Case<'_>, &mut Found<'_>)),
    /// At each beside those before it.
    Across(Across),
}

/// Where each trace stood first: title of the submission, and the trace there.
pub type First<'a> = BTreeMap<u64, (String, &'a Trace)>;

/// A look at several submissions, none of which is kept.
pub struct Across {
    /// Takes what is kept of a submission.
    pub take: fn(&Case<'_>) -> Vec<Trace>,
    /// Compares what was kept of one with where each trace stood first, in which submission.
    pub compare: fn(&[Trace], &First<'_>, &mut Found<'_>),
}

/// All rules, in the order in which their findings are told.
pub const RULES: &[Rule] = &[
    other_checklist::RULE,
    product_readable::RULE,
    product_form::RULE,
    one_document::RULE,
    release_folder::RULE,
    sections::RULE,
    metadata_present::RULE,
    metadata_text::RULE,
    placeholder::RULE,
    base_certification::RULE,
    vendor_member::RULE,
    requirement_present::RULE,
    status_known::RULE,
    must_implemented::RULE,
    not_applicable::RULE,
    evidence_file::RULE,
    artifact_readable::RULE,
    artifact_failing::RULE,
    artifact_test::RULE,
    artifact_recommended::RULE,
    evidence_given::RULE,
    description_unchanged::RULE,
    level_unchanged::RULE,
    kubernetes_version::RULE,
    base_certification_version::RULE,
    example_value::RULE,
    known_keys::RULE,
    artifact_contradicts::RULE,
    artifact_whole::RULE,
    all_skipped::RULE,
    artifacts_agree::RULE,
    artifact_unnamed::RULE,
    artifact_fragment::RULE,
    partial_run::RULE,
    simulated_proof::RULE,
    run_folder::RULE,
    signature::RULE,
    safe_files::RULE,
    active_content::RULE,
    own_words::RULE,
    half_shown::RULE,
    not_applicable_reason::RULE,
    other_version::RULE,
    recycled_output::RULE,
    link_reachable::RULE,
    mutable_link::RULE,
    personal_repository::RULE,
    logo_format::RULE,
    platform_version::RULE,
    metadata_address::RULE,
    must_notes::RULE,
    shared_link::RULE,
    documents_only::RULE,
    one_name::RULE,
];

pub(crate) use evidence_file::is_nothing;

/// Most findings of one rule in one submission; more of the same help nobody.
const MOST: usize = 100;

/// Most claims of a run that are told of one finding.
const MOST_CLAIMS: usize = 20;

/// Where a rule puts what it finds.
pub struct Found<'a> {
    rule: &'a Rule,
    findings: Vec<Finding>,
}

impl Found<'_> {
    /// In the product file.
    pub fn at(&mut self, place: Place, requirement: &str, says: impl Into<String>) {
        self.weighs(self.rule.level, crate::case::PRODUCT, place, requirement, says);
    }

    /// In another file.
    pub fn file(&mut self, file: &str, place: Place, requirement: &str, says: impl Into<String>) {
        self.weighs(self.rule.level, file, place, requirement, says);
    }

    /// In the product file, by the programme's validator when that looks at it too, else by us alone.
    pub fn by(&mut self, validator: bool, place: Place, requirement: &str, says: impl Into<String>) {
        let before = self.findings.len();
        self.at(place, requirement, says);
        if !validator {
            self.findings[before..].iter_mut().for_each(|finding| finding.origin = Origin::Ours);
        }
    }

    /// With another weight than the rule's.
    pub fn weighs(
        &mut self,
        level: Level,
        file: &str,
        place: Place,
        requirement: &str,
        says: impl Into<String>,
    ) {
        if self.findings.len() == MOST {
            return;
        }
        self.findings.push(Finding {
            rule: self.rule.id,
            level,
            origin: self.rule.origin,
            file: plain(file),
            line: place.line,
            column: place.column,
            length: place.length,
            requirement: plain(requirement),
            says: plain(&says.into()),
            snippet: String::new(),
            claims: Vec::new(),
            by_interpretation_alone: false,
        });
    }

    /// In the product file, by the verdict of a run of this program, with the claims that decided it.
    pub fn judged(&mut self, place: Place, requirement: &str, says: impl Into<String>, verdict: &RunVerdict) {
        let before = self.findings.len();
        self.at(place, requirement, says);
        for finding in &mut self.findings[before..] {
            finding.claims = verdict.against.iter().take(MOST_CLAIMS).map(Decided::shown).collect();
            finding.by_interpretation_alone = verdict.failed_by_interpretation_alone;
        }
    }
}

/// Findings of a rule in a submission alone.
pub fn apply(rule: &Rule, case: &Case<'_>) -> Vec<Finding> {
    let mut found = Found { rule, findings: Vec::new() };
    if let Look::Each(check) = rule.look {
        check(case, &mut found);
    }
    found.findings
}

/// Findings of a rule in a submission beside others.
pub fn compare(rule: &Rule, own: &[Trace], first: &First<'_>) -> Vec<Finding> {
    let mut found = Found { rule, findings: Vec::new() };
    if let Look::Across(across) = &rule.look {
        (across.compare)(own, first, &mut found);
    }
    found.findings
}

#[cfg(test)]
mod tests;
