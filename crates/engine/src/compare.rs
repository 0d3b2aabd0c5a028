//! Comparison of two runs, or two submissions: what got better or worse between them.

use crate::judge::{RunJudge, judge_stored, open};
use aiconform_evidence::Stored;
use aiconform_submission::compare::{Comparison, Item, Side, State, submission};
use aiconform_submission::{Given, submissions};
use aiconform_verdict::{Judgement, Outcome, Standing, Verdict};
use camino::Utf8Path;

/// Two paths that cannot be compared, and why: the user's to correct.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotComparable(String);

/// Compares two run folders, or two submissions; the older one is named first.
///
/// # Errors
/// When one is a run and the other is none, or one of them cannot be read or holds nothing that could be compared.
pub fn compare(before: &Utf8Path, after: &Utf8Path) -> Result<Comparison, NotComparable> {
    let is_run = |path: &Utf8Path| path.join("manifest.json").is_file();
    if is_run(before) != is_run(after) {
        let (run, other) = if is_run(before) { (before, after) } else { (after, before) };
        let why = format!("{run} is a run folder and {other} is none; name two of one kind");
        return Err(NotComparable(why));
    }
    let side = if is_run(before) { run_side } else { submission_side };
    let side = |path| side(path).map_err(NotComparable);
    Ok(aiconform_submission::compare::compare(&side(before)?, &side(after)?))
}

fn submission_side(path: &Utf8Path) -> Result<Side, String> {
    let found = submissions(path).map_err(|error| error.to_string())?;
    match found.as_slice() {
        [folder] => submission(folder, &Given { runs: Some(&RunJudge), ..Given::default() }),
        _ => Err(format!("{path} holds {} submissions; name the folder of one", found.len())),
    }
}

fn run_side(path: &Utf8Path) -> Result<Side, String> {
    let stored = open(path).map_err(|error| format!("{path}: {error}"))?;
    let report = judge_stored(&stored).report;
    let mut side = Side { title: path.to_string(), release: report.release.clone(), ..Side::default() };
    for requirement in &report.requirements {
        let judgement = &requirement.judgement;
        let item = Item {
            state: state(judgement),
            word: judgement.word().to_owned(),
            why: judgement.why.clone(),
            counts: true,
            fault: false,
            seconds: seconds(&stored, judgement.requirement),
        };
        side.items.insert(judgement.requirement.to_owned(), item);
        for subject in &judgement.subjects {
            for claim in &subject.claims {
                let state = match claim.outcome {
                    Outcome::Met { .. } => State::Good,
                    Outcome::Unmet { .. } => State::Bad,
                    Outcome::Unknown { .. } => State::Unknown,
                };
                let item = Item {
                    state,
                    word: claim.outcome.word().to_owned(),
                    why: claim.outcome.text().to_owned(),
                    counts: claim.standing != Standing::Additional,
                    fault: false,
                    seconds: None,
                };
                side.items.insert(format!("{}/{}/{}", judgement.requirement, subject.id, claim.id), item);
            }
        }
    }
    if side.items.is_empty() {
        // Two of these would be alike, and nothing would be known of either.
        return Err(format!(
            "{path} holds no requirement that this version of aiconform judges; compare with the version that made it"
        ));
    }
    Ok(side)
}

fn state(judgement: &Judgement) -> State {
    match judgement.verdict {
        Verdict::Passed if judgement.simulated => State::Partly,
        Verdict::Passed => State::Good,
        Verdict::Failed => State::Bad,
        Verdict::Inconclusive => State::Unknown,
        Verdict::NotApplicable => State::NotApplicable,
        Verdict::NotRun => State::Skipped,
    }
}

/// From the first event of a check to its last.
fn seconds(stored: &Stored, check: &str) -> Option<f64> {
    let mut times =
        stored.evidence.events.iter().filter(|event| event.scope.check == check).map(|event| event.time);
    let first = times.next()?;
    let last = times.next_back().unwrap_or(first);
    Some((last.as_millisecond() - first.as_millisecond()) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tapes::{self, MET, UNMET};
    use aiconform_submission::compare::Kind;

    #[test]
    fn a_requirement_that_failed_since_is_a_regression_and_a_run_is_like_itself() {
        let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let before = tapes::stored(before.path(), MET, "1.37", &["gang_scheduling"]);
        let after = tapes::stored(after.path(), UNMET, "1.37", &["gang_scheduling"]);
        let worse = compare(&before, &after).unwrap();
        let verdict = worse.changes.iter().find(|change| change.name == "gang_scheduling").unwrap();
        assert_eq!((verdict.kind, verdict.after.as_str()), (Kind::Worse, "failed"));
        assert!(worse.regression() && !compare(&after, &before).unwrap().changes[0].regression);
        let same = compare(&before, &before).unwrap();
        assert!(same.changes.is_empty() && same.same > 1);
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let here = Utf8Path::from_path(folder.path()).unwrap();
        let foreign = tapes::stored(folder.path(), MET, "1.37", &["of_another_version"]);
        let why = |before: &Utf8Path, after: &Utf8Path| compare(before, after).unwrap_err().to_string();
        assert!(why(&foreign, here).contains("is a run folder and"), "{}", why(&foreign, here));
        assert!(why(&foreign, &foreign).contains("holds no requirement that this version"));
        assert!(why(here, here).contains("is no submission"), "{}", why(here, here));
    }
}
