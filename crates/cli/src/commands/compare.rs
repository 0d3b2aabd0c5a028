//! `aiconform compare`: what got better or worse between two runs, or two submissions.

use crate::commands::review::Judge;
use crate::exit::{Exit, UsageError};
use crate::verdicts;
use aiconform_evidence::Stored;
use aiconform_submission::compare::{Item, Side, State, compare, submission, text};
use aiconform_submission::{Given, submissions};
use aiconform_verdict::{Judgement, Outcome, Standing, Verdict};
use camino::{Utf8Path, Utf8PathBuf};

/// Arguments of `aiconform compare`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The older run folder or submission
    before: Utf8PathBuf,
    /// The newer one, of the same kind
    after: Utf8PathBuf,
    /// Format
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    output: Output,
}

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// Compares; exit code 1 when something that counts got worse, or is not tried any more.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let is_run = |path: &Utf8Path| path.join("manifest.json").is_file();
    let (before, after) = (&arguments.before, &arguments.after);
    if is_run(before) != is_run(after) {
        let (run, other) = if is_run(before) { (before, after) } else { (after, before) };
        return Err(
            UsageError(format!("{run} is a run folder and {other} is none; name two of one kind")).into()
        );
    }
    let side = if is_run(before) { run_side } else { submission_side };
    let comparison = compare(&side(before)?, &side(after)?);
    match arguments.output {
        Output::Table => anstream::print!("{}", text(&comparison)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&comparison)?),
    }
    Ok(if comparison.regression() { Exit::Failed } else { Exit::Success })
}

fn submission_side(path: &Utf8Path) -> Result<Side, UsageError> {
    let found = submissions(path).map_err(|error| UsageError(error.to_string()))?;
    match found.as_slice() {
        [folder] => submission(folder, &Given { runs: Some(&Judge), ..Given::default() }).map_err(UsageError),
        _ => Err(UsageError(format!("{path} holds {} submissions; name the folder of one", found.len()))),
    }
}

fn run_side(path: &Utf8Path) -> Result<Side, UsageError> {
    let stored = verdicts::open(path).map_err(|error| UsageError(format!("{path}: {error}")))?;
    let judged = verdicts::of(&stored);
    let mut side =
        Side { title: path.to_string(), release: judged.report.release.clone(), ..Side::default() };
    for requirement in &judged.report.requirements {
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
        return Err(UsageError(format!(
            "{path} holds no requirement that this version of aiconform judges; compare with the version that made it"
        )));
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
