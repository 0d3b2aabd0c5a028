//! From a stored run to verdicts, files and an exit code; the same for `run`, `judge` and `report`.

use crate::exit::Exit;
use aiconform_checks::{CHECKS, Check};
use aiconform_evidence::{ReadError, Stored};
use aiconform_model::catalogue::{self, Level};
use aiconform_report::Report;
use aiconform_verdict::{Judgement, Lean, Verdict, judge};
use camino::Utf8Path;

/// A judged run.
pub struct Judged {
    /// What the report is made of.
    pub report: Report,
    /// The exit code.
    pub exit: Exit,
}

/// Opens a stored run for judging: what no judge reads is checked, and not kept in memory.
///
/// # Errors
/// With the place of the first thing that does not fit.
pub fn open(folder: &Utf8Path) -> Result<Stored, ReadError> {
    let mut lean = Lean::new(CHECKS.iter().map(|check| check.rules));
    Stored::open_through(folder, |event| lean.cut(event))
}

/// Judges a stored run.
pub fn of(stored: &Stored) -> Judged {
    let release = stored.run.get("release").and_then(|release| release.as_str()).unwrap_or("1.37").to_owned();
    let selected: Vec<&Check> = CHECKS
        .iter()
        .copied()
        .filter(|check| {
            let named = stored.run.get("checks").and_then(|checks| checks.as_array());
            named.is_some_and(|named| named.iter().any(|id| id.as_str() == Some(check.id)))
        })
        .collect();
    let judgements: Vec<Judgement> =
        selected.iter().map(|check| judge(check.rules, &stored.evidence)).collect();
    let exit = exit(&judgements, &release);
    Judged { report: aiconform_report::report(stored, &release, judgements, &test_name), exit }
}

fn test_name(requirement: &str) -> String {
    aiconform_checks::check(requirement)
        .map(|check| check.test_name.to_owned())
        .unwrap_or_else(|| catalogue::test_name(requirement))
}

/// Counts the selected MUSTs only; precedence 1, 4, 0.
fn exit(judgements: &[Judgement], release: &str) -> Exit {
    let musts = judgements.iter().filter(|judgement| {
        catalogue::requirement(judgement.requirement)
            .and_then(|requirement| requirement.level(release))
            .is_some_and(|level| level == Level::Must)
    });
    let verdicts: Vec<Verdict> = musts.map(|judgement| judgement.verdict).collect();
    if verdicts.contains(&Verdict::Failed) {
        Exit::Failed
    } else if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Inconclusive | Verdict::NotRun)) {
        Exit::Inconclusive
    } else {
        Exit::Success
    }
}

/// Writes every view of the run into its folder.
pub fn write(folder: &Utf8Path, judged: &Judged) -> anyhow::Result<()> {
    for (name, content) in aiconform_report::views(&judged.report)? {
        fs_err::write(folder.join(name), content)?;
    }
    Ok(())
}

/// Prints the verdicts to stdout, readable without colour.
pub fn print(judged: &Judged) {
    anstream::print!("{}", aiconform_report::terminal(&judged.report));
}
