//! From a stored run to verdicts and views, without a cluster.

use aiconform_checks::{CHECKS, Check};
use aiconform_evidence::{ReadError, Stored};
use aiconform_model::catalogue::{self, Level};
use aiconform_report::{Report, ReportError};
use aiconform_submission::{Decided, JudgedRun, RunFolders, RunVerdict};
use aiconform_verdict::{ClaimJudgement, Judgement, Lean, Standing, SubjectJudgement, Verdict};
use camino::Utf8Path;

/// A judged run.
pub struct Judged {
    /// Data that the views are made of.
    pub report: Report,
    /// Verdicts of those selected requirements that are MUSTs of the run's release.
    pub musts: Vec<Verdict>,
}

/// State of a view's file before the view was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It had the same content.
    Same,
    /// It had another content.
    Different,
    /// It was not there.
    Missing,
}

/// A view that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It could not be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Its file could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Judges the run in a folder.
///
/// # Errors
/// With the place of the first thing in the folder that does not fit.
pub fn judge(folder: &Utf8Path) -> Result<Judged, ReadError> {
    Ok(judge_stored(&open(folder)?))
}

/// Opens a stored run for judging: what no judge reads is checked, and not kept in memory.
pub(crate) fn open(folder: &Utf8Path) -> Result<Stored, ReadError> {
    let mut lean = Lean::new(CHECKS.iter().map(|check| check.rules));
    Stored::open_through(folder, |event| lean.cut(event))
}

/// Judges a run that is opened already.
pub(crate) fn judge_stored(stored: &Stored) -> Judged {
    let release = stored.run.get("release").and_then(|release| release.as_str()).unwrap_or("1.37").to_owned();
    let named = stored.run.get("checks").and_then(|checks| checks.as_array());
    let is_selected =
        |check: &&&Check| named.is_some_and(|named| named.iter().any(|id| id.as_str() == Some(check.id)));
    let judgements: Vec<Judgement> = CHECKS
        .iter()
        .filter(is_selected)
        .map(|check| aiconform_verdict::judge(check.rules, &stored.evidence))
        .collect();
    let is_must = |judgement: &&Judgement| {
        let requirement = catalogue::requirement(judgement.requirement);
        requirement.and_then(|requirement| requirement.level(&release)) == Some(Level::Must)
    };
    let musts = judgements.iter().filter(is_must).map(|judgement| judgement.verdict).collect();
    Judged { report: aiconform_report::report(stored, &release, judgements, &test_name), musts }
}

fn test_name(requirement: &str) -> String {
    aiconform_checks::check(requirement)
        .map(|check| check.test_name.to_owned())
        .unwrap_or_else(|| catalogue::test_name(requirement))
}

/// Writes every view of a judged run into its folder, and says of each how its file was before.
///
/// # Errors
/// When a view cannot be made or written.
pub fn write(folder: &Utf8Path, judged: &Judged) -> Result<Vec<(&'static str, Before)>, ViewError> {
    let mut written = Vec::new();
    for (name, content) in aiconform_report::views(&judged.report)? {
        let file = folder.join(name);
        let before = match fs_err::read(&file) {
            Ok(there) if there == content => Before::Same,
            Ok(_) => Before::Different,
            Err(_) => Before::Missing,
        };
        fs_err::write(&file, content)?;
        written.push((name, before));
    }
    Ok(written)
}

/// Judge of the run folders that are part of submissions.
pub struct RunJudge;

impl RunFolders for RunJudge {
    fn judge(&self, folder: &Utf8Path, is_to_be_submitted: bool) -> Result<JudgedRun, String> {
        let mut judged = judge(folder).map_err(|error| error.to_string())?;
        if is_to_be_submitted {
            judged.report.leave_out_failures();
        }
        let views = aiconform_report::views(&judged.report).map_err(|error| error.to_string())?;
        let verdicts = judged.report.requirements.iter().map(|requirement| {
            let judgement = &requirement.judgement;
            RunVerdict {
                requirement: judgement.requirement.to_owned(),
                test: requirement.test.clone(),
                passed: judgement.verdict == Verdict::Passed,
                simulated: judgement.simulated,
                not_applicable: judgement.verdict == Verdict::NotApplicable,
                word: judgement.word().to_owned(),
                why: judgement.why.clone(),
                against: judgement.against().into_iter().map(decided).collect(),
                failed_by_interpretation_alone: aiconform_checks::check(judgement.requirement)
                    .is_some_and(|check| judgement.failed_by_interpretation_alone(check.rules.aggregate())),
            }
        });
        Ok(JudgedRun {
            verdicts: verdicts.collect(),
            release: judged.report.release,
            facts: judged.report.run,
            views: views.into_iter().map(|(name, content)| (name.to_owned(), content)).collect(),
        })
    }
}

/// A claim that decided, as a review tells it.
fn decided((subject, claim): (&SubjectJudgement, &ClaimJudgement)) -> Decided {
    let cites = match claim.standing {
        Standing::Must { cites, .. } => cites,
        Standing::Additional | Standing::Control | Standing::InForce => "",
    };
    Decided {
        subject: subject.id.clone(),
        claim: claim.id.to_owned(),
        says: claim.says.to_owned(),
        outcome: claim.outcome.word().to_owned(),
        found: claim.outcome.text().to_owned(),
        standing: claim.standing.word(),
        cites: cites.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tapes::{self, INTERPRETED, MET, UNMET};

    #[test]
    fn only_musts_of_the_release_count_and_only_of_selected_requirements() {
        let musts = |tape: &str, release: &str, checks: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            let run = tapes::stored(folder.path(), tape, release, checks);
            let judged = judge(&run).unwrap();
            (judged.report.requirements.len(), judged.musts)
        };
        let gangs = "gang_scheduling";
        assert_eq!(musts(MET, "1.37", &[gangs]), (1, vec![Verdict::Passed]));
        assert_eq!(musts(UNMET, "1.37", &[gangs]), (1, vec![Verdict::Failed]));
        // Nothing of it was tried, and that is said.
        assert_eq!(musts(MET, "1.37", &[gangs, "ai_inference"]), (2, vec![Verdict::NotRun, Verdict::Passed]));
        assert_eq!(musts(MET, "1.37", &["of_another_version"]), (0, vec![]));
        // What a release does not ask for, or only recommends, is judged and does not count.
        assert_eq!(musts(UNMET, "1.30", &[gangs]), (1, vec![]));
        assert_eq!(musts(MET, "1.37", &["dra_support", "gpu_sharing"]), (2, vec![]));
    }

    #[test]
    fn a_verdict_says_which_claims_decided_and_whose_words_they_stand_on() {
        let verdict = |tape: &str| {
            let folder = tempfile::tempdir().unwrap();
            let run = tapes::stored(folder.path(), tape, "1.37", &["gang_scheduling"]);
            RunJudge.judge(&run, false).unwrap().verdicts.remove(0)
        };
        let met = verdict(MET);
        assert!(met.passed && met.against.is_empty() && !met.failed_by_interpretation_alone);
        let unmet = verdict(UNMET);
        assert_eq!((unmet.word.as_str(), unmet.failed_by_interpretation_alone), ("failed", false));
        assert!(unmet.against.iter().any(|claim| claim.standing == "MUST, by the KAR"), "{unmet:#?}");
        assert!(unmet.against.iter().all(|claim| claim.outcome == "unmet" && !claim.cites.is_empty()));
        let interpreted = verdict(INTERPRETED);
        assert!(
            interpreted.word == "failed" && interpreted.failed_by_interpretation_alone,
            "{interpreted:#?}"
        );
        assert!(interpreted.against.iter().all(|claim| claim.standing == "MUST, by our interpretation"));
    }

    #[test]
    fn what_was_changed_in_a_run_folder_is_named_or_mended() {
        let folder = tempfile::tempdir().unwrap();
        let run = tapes::stored(folder.path(), MET, "1.37", &["gang_scheduling"]);
        let judged = judge(&run).unwrap();
        let states = |judged: &Judged| -> Vec<Before> {
            write(&run, judged).unwrap().into_iter().map(|(_, before)| before).collect()
        };
        assert_eq!(states(&judged), [Before::Missing; 6]);
        assert_eq!(states(&judged), [Before::Same; 6]);
        fs_err::write(run.join("e2e.log"), "PASS").unwrap();
        assert_eq!(states(&judged)[0], Before::Different);
        assert_eq!(states(&judged), [Before::Same; 6]);
        fs_err::write(run.join("events.ndjson"), "").unwrap();
        assert!(RunJudge.judge(&run, false).unwrap_err().contains("events.ndjson"));
    }
}
