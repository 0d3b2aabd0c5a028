//! Views of a judged run, one file per format. They agree because they are made of the same report, which is a pure
//! function of the run folder.

mod bins;
mod gotest;
mod html;
mod junit;
mod markdown;
mod measures;
mod once;
mod svg;
mod text;
mod whole;

use aiconform_evidence::{Evidence, Stored};
use aiconform_model::{EventKind, catalogue};
use aiconform_verdict::{Judgement, summary};
use serde::Serialize;
use serde_json::Value;

pub use bins::Bins;
pub use text::terminal;

/// Package path in every artifact of the go-test shape: ours, so that nobody takes it for upstream's.
pub const PACKAGE: &str = "aiconform.dev/aiconform";

/// Data that every view is made of.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `run.json`.
    pub run: Value,
    /// Release of the checklist.
    pub release: String,
    /// Number of its MUSTs that were tested, in words.
    pub tested: String,
    /// The requirements.
    pub requirements: Vec<Judged>,
    /// Ids of those that the test artifacts leave out, because a validator refuses an artifact with a test in it that did not pass.
    /// None unless it is a view of a submission; every other view has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Where the time went.
    pub bins: Bins,
    /// Ground that the proof stands on, as the checks have told it, in words.
    pub stands_on: Vec<String>,
}

/// A requirement with its name in the programme.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Name of the programme's test.
    pub test: String,
    /// Level in the release, in words.
    pub level: &'static str,
    /// Our summary of it.
    pub summary: String,
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// A view could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The page's template failed.
    #[error("the HTML report could not be made: {0}")]
    Html(#[from] askama::Error),
    /// The JUnit writer failed.
    #[error("junit.xml could not be made: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// The JSON writer failed.
    #[error("a view could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Puts a report together.
pub fn report(
    stored: &Stored,
    release: &str,
    judgements: Vec<Judgement>,
    test_name: &dyn Fn(&str) -> String,
) -> Report {
    let tested = summary(&judgements, catalogue::musts(release), release);
    let requirements = judgements
        .into_iter()
        .map(|judgement| {
            let requirement = catalogue::requirement(judgement.requirement);
            Judged {
                test: test_name(judgement.requirement),
                level: requirement
                    .and_then(|requirement| requirement.level(release))
                    .map_or("not asked", catalogue::Level::word),
                summary: requirement.map(|requirement| requirement.summary.clone()).unwrap_or_default(),
                judgement,
            }
        })
        .collect();
    let mut report = Report {
        run: stored.run.clone(),
        release: release.into(),
        tested,
        requirements,
        left_out: Vec::new(),
        bins: bins::bins(&stored.run, &stored.evidence),
        stands_on: stands_on(&stored.evidence),
    };
    if stored.run.pointer("/derived/without_failures").and_then(Value::as_bool) == Some(true) {
        report.leave_out_failures();
    }
    report
}

fn stands_on(evidence: &Evidence) -> Vec<String> {
    let told = evidence.events.iter().filter_map(|event| match &event.kind {
        EventKind::Fact { value, .. } => value.get("capacity")?.as_str().map(str::to_owned),
        _ => None,
    });
    let mut told: Vec<String> = told.collect();
    told.dedup();
    told
}

/// Every view: file name and content.
///
/// # Errors
/// When a writer fails.
pub fn views(report: &Report) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    let tests = gotest::tests(report);
    Ok(vec![
        ("e2e.log", gotest::log(report, &tests).into_bytes()),
        ("results.json", gotest::json(report, &tests)?.into_bytes()),
        ("junit.xml", junit::junit(report, &tests)?.into_bytes()),
        ("summary.md", markdown::summary(report).into_bytes()),
        ("verdict.json", serde_json::to_vec_pretty(report)?),
        ("report.html", html::page(report)?.into_bytes()),
    ])
}

impl Report {
    /// Has the test artifacts leave out every requirement that is a failure in them.
    pub fn leave_out_failures(&mut self) {
        let judgements = self.requirements.iter().map(|judged| &judged.judgement);
        let failures =
            judgements.filter(|judgement| gotest::status(judgement.verdict) == gotest::Status::Fail);
        self.left_out = failures.map(|judgement| judgement.requirement.to_owned()).collect();
    }

    /// A text of `run.json` at a JSON pointer, or `unknown`.
    pub(crate) fn fact(&self, pointer: &str) -> String {
        match self.run.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => "unknown".into(),
            Some(other) => other.to_string(),
        }
    }

    /// Things of the run that could not be removed, in words.
    pub(crate) fn left(&self) -> impl Iterator<Item = &str> {
        let left = self.run.get("left").and_then(Value::as_array);
        left.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Seconds from the start of the run to its end.
    pub(crate) fn seconds(&self) -> f64 {
        let time = |pointer: &str| self.fact(pointer).parse::<jiff::Timestamp>().ok();
        match (time("/started"), time("/ended")) {
            (Some(start), Some(end)) => (end.as_millisecond() - start.as_millisecond()) as f64 / 1000.0,
            _ => 0.0,
        }
    }
}
