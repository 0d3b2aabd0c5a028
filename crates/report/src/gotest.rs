//! The go-test shape: `e2e.log` and `results.json`, which the programme's validator reads.
//!
//! Only the MUST claims of the deciding subject and the controls are subtests, stated positively, because a validator
//! rejects an artifact with any failing test in it; everything else is output.
//!
//! A reason that all claims of a subject share is output of the requirement's test, once. Cases of `results.json` and
//! `junit.xml` are read one by one and have it each; `e2e.log` is read from its beginning.

use crate::once::said_once;
use crate::{Judged, PACKAGE, Report, ReportError};
use aiconform_verdict::{ClaimJudgement, Standing, SubjectJudgement, Verdict};
use serde_json::json;

/// Status of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pass,
    Fail,
    Skip,
}

impl Status {
    fn upper(self) -> &'static str {
        match self {
            Status::Pass => "PASS",
            Status::Fail => "FAIL",
            Status::Skip => "SKIP",
        }
    }
}

/// A test, or a subtest.
#[derive(Clone, Debug)]
pub struct Test {
    pub name: String,
    pub status: Status,
    pub output: Vec<String>,
    /// Last line of its output where the test that it belongs to is read before it, when that has said the reason.
    pub told: Option<String>,
    pub children: Vec<Test>,
}

impl Test {
    /// Lines that it prints, with the reason of its own or where the reason was told.
    fn lines(&self, is_read_from_the_beginning: bool) -> impl Iterator<Item = &str> {
        let told = self.told.as_deref().filter(|_| is_read_from_the_beginning);
        let own = self.output.len() - usize::from(told.is_some());
        self.output.iter().take(own).map(String::as_str).chain(told)
    }
}

/// Status of the test of a requirement.
pub fn status(verdict: Verdict) -> Status {
    match verdict {
        Verdict::Passed => Status::Pass,
        Verdict::Failed | Verdict::Inconclusive => Status::Fail,
        Verdict::NotApplicable | Verdict::NotRun => Status::Skip,
    }
}

/// The tests of a run.
pub fn tests(report: &Report) -> Vec<Test> {
    let is_left_out = |judged: &&Judged| report.left_out.iter().any(|id| id == judged.judgement.requirement);
    report
        .requirements
        .iter()
        .filter(|judged| !is_left_out(judged))
        .map(|judged| test(report, judged))
        .collect()
}

fn test(report: &Report, judged: &Judged) -> Test {
    let judgement = &judged.judgement;
    let status = status(judgement.verdict);
    let mut output = vec![
        format!("{} ({} of {}): {}", judgement.requirement, judged.level, report.release, judgement.word()),
        judgement.why.clone(),
        format!(
            "{}; {} {}; platform {} ({})",
            report.tested,
            report.fact("/tool/name"),
            report.fact("/tool/version"),
            report.fact("/cluster/version"),
            report.fact("/cluster/context")
        ),
    ];
    let mut children = Vec::new();
    for subject in &judgement.subjects {
        let decides = judgement.deciding.as_ref() == Some(&subject.id);
        let shared = said_once(subject);
        if status != Status::Skip && (decides || subject.control) {
            children.extend(subject.claims.iter().filter(|claim| counts(claim)).map(|claim| {
                Test {
                    name: format!("{}/{}/{}", judged.test, subject.id.replace('/', "-"), claim.id),
                    status: if claim.outcome.is_met() { Status::Pass } else { Status::Fail },
                    output: vec![
                        claim.says.to_owned(),
                        format!("{}: {}", claim.outcome.word(), claim.outcome.text()),
                    ],
                    told: shared
                        .as_ref()
                        .map(|_| format!("{}: why is said of subject {}", claim.outcome.word(), subject.id)),
                    children: Vec::new(),
                }
            }));
        }
        output.extend(lines(subject, decides, shared));
    }
    Test { name: judged.test.clone(), status, output, told: None, children }
}

fn counts(claim: &ClaimJudgement) -> bool {
    claim.standing != Standing::Additional
}

/// Lines that are told of a subject as output: everything that is no subtest. What is `shared` by all its claims stands for
/// them.
fn lines(subject: &SubjectJudgement, decides: bool, shared: Option<String>) -> Vec<String> {
    let told = shared.is_some();
    let why = shared.unwrap_or_else(|| subject.why.clone());
    let mut lines = vec![format!("subject {}: {}: {why}", subject.id, subject.state.word())];
    if let Some(grade) = &subject.grade {
        lines.push(format!("subject {}: grade {}: {}", subject.id, grade.level, grade.says));
    }
    for measure in &subject.measures {
        lines.push(format!("subject {}: {}: {}", subject.id, measure.name, measure.value));
    }
    for claim in subject.claims.iter().filter(|_| !told) {
        if !(counts(claim) && (decides || subject.control)) {
            let text = claim.outcome.text();
            lines.push(format!("subject {}: {}: {}: {text}", subject.id, claim.id, claim.outcome.word()));
        }
    }
    lines
}

/// The lines that `go test -v` would print, each with its action and test for `go tool test2json`'s shape.
fn stream(
    report: &Report,
    tests: &[Test],
    is_read_from_the_beginning: bool,
) -> Vec<(Option<String>, &'static str, String)> {
    let mut lines = Vec::new();
    let seconds = report.seconds();
    for test in tests {
        let own = Some(test.name.clone());
        lines.push((own.clone(), "run", format!("=== RUN   {}\n", test.name)));
        for line in test.lines(is_read_from_the_beginning) {
            lines.push((own.clone(), "output", format!("    {}\n", one_line(line))));
        }
        for child in &test.children {
            let own = Some(child.name.clone());
            lines.push((own.clone(), "run", format!("=== RUN   {}\n", child.name)));
            for line in child.lines(is_read_from_the_beginning) {
                lines.push((own.clone(), "output", format!("    {}\n", one_line(line))));
            }
        }
        lines.push((own, "result", format!("--- {}: {} ({seconds:.2}s)\n", test.status.upper(), test.name)));
        for child in &test.children {
            let line = format!("    --- {}: {} (0.00s)\n", child.status.upper(), child.name);
            lines.push((Some(child.name.clone()), "result", line));
        }
    }
    lines
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn overall(tests: &[Test]) -> Status {
    if tests.iter().any(|test| test.status == Status::Fail) { Status::Fail } else { Status::Pass }
}

/// The last lines of the package.
fn tail(report: &Report, tests: &[Test]) -> Vec<String> {
    let seconds = report.seconds();
    match overall(tests) {
        Status::Fail => vec!["FAIL\n".into(), format!("FAIL\t{PACKAGE}\t{seconds:.3}s\n")],
        _ => vec!["PASS\n".into(), format!("ok  \t{PACKAGE}\t{seconds:.3}s\n")],
    }
}

/// `e2e.log`: what `go test -v` would print.
pub fn log(report: &Report, tests: &[Test]) -> String {
    let lines = stream(report, tests, true).into_iter().map(|(.., line)| line);
    lines.chain(tail(report, tests)).collect()
}

/// `results.json`: what `go test -json` would print, one event a line.
pub fn json(report: &Report, tests: &[Test]) -> Result<String, ReportError> {
    let time = report.fact("/ended");
    let mut out = String::new();
    let mut event = |action: &str, test: Option<&str>, output: Option<&str>, elapsed: Option<f64>| {
        let mut value = json!({"Time": time, "Action": action, "Package": PACKAGE});
        if let Some(test) = test {
            value["Test"] = json!(test);
        }
        if let Some(output) = output {
            value["Output"] = json!(output);
        }
        if let Some(elapsed) = elapsed {
            value["Elapsed"] = json!(elapsed);
        }
        out.push_str(&value.to_string());
        out.push('\n');
    };
    let action = |status: Status| match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Skip => "skip",
    };
    event("start", None, None, None);
    for (test, kind, line) in stream(report, tests, false) {
        if kind == "run" {
            event("run", test.as_deref(), None, None);
        }
        event("output", test.as_deref(), Some(&line), None);
    }
    let rounded = |seconds: f64| (seconds * 100.0).round() / 100.0;
    for test in tests {
        for child in &test.children {
            event(action(child.status), Some(&child.name), None, Some(0.0));
        }
        event(action(test.status), Some(&test.name), None, Some(rounded(report.seconds())));
    }
    for line in tail(report, tests) {
        event("output", None, Some(&line), None);
    }
    event(action(overall(tests)), None, None, Some(rounded(report.seconds())));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bins;
    use aiconform_verdict::{Judgement, Outcome, State};

    fn claim(id: &'static str, standing: Standing, met: bool) -> ClaimJudgement {
        let outcome = if met {
            Outcome::Met { seen: "seen".into() }
        } else {
            Outcome::Unmet { witness: "two\nlines".into(), events: Vec::new() }
        };
        ClaimJudgement { id, says: "a sentence", standing, outcome }
    }

    fn subject(id: &str, control: bool, claims: Vec<ClaimJudgement>) -> SubjectJudgement {
        SubjectJudgement {
            id: id.into(),
            state: State::Passed,
            why: "because".into(),
            control,
            declared: false,
            facts: serde_json::Value::Null,
            claims,
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn report(verdict: Verdict) -> Report {
        let must = Standing::Must { basis: aiconform_verdict::Basis::Kar, cites: "a step" };
        let judgement = Judgement {
            requirement: "gang_scheduling",
            verdict,
            why: "because".into(),
            deciding: Some("one/a".into()),
            simulated: false,
            subjects: vec![
                subject("plain", true, vec![claim("told_apart", Standing::Control, true)]),
                subject(
                    "one/a",
                    false,
                    vec![
                        claim("waits", must, verdict == Verdict::Passed),
                        claim("further", Standing::Additional, false),
                    ],
                ),
                subject("two", false, vec![claim("waits", must, false)]),
            ],
        };
        Report {
            run: serde_json::json!({}),
            release: "1.37".into(),
            tested: "1 of 8 MUSTs of 1.37 tested".into(),
            requirements: vec![Judged {
                test: "TestGang".into(),
                level: "MUST",
                summary: String::new(),
                judgement,
            }],
            left_out: Vec::new(),
            bins: Bins::default(),
            stands_on: Vec::new(),
        }
    }

    #[test]
    fn only_claims_of_the_deciding_subject_and_controls_are_tests() {
        let report = report(Verdict::Passed);
        let tests = tests(&report);
        let names: Vec<&str> = tests[0].children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["TestGang/plain/told_apart", "TestGang/one-a/waits"]);
        let log = log(&report, &tests);
        assert!(!log.contains("FAIL") && log.ends_with("0.000s\n") && log.contains("\nok  \t"), "{log}");
        // What is no test is told all the same, each on one line.
        assert!(log.contains("    subject one/a: further: unmet: two lines\n"), "{log}");
        assert!(log.contains("    subject two: waits: unmet: two lines\n"), "{log}");
    }

    #[test]
    fn failed_and_inconclusive_are_fail_and_what_did_not_run_is_skip() {
        for (verdict, expected) in [
            (Verdict::Failed, Status::Fail),
            (Verdict::Inconclusive, Status::Fail),
            (Verdict::NotRun, Status::Skip),
            (Verdict::NotApplicable, Status::Skip),
        ] {
            let report = report(verdict);
            let tests = tests(&report);
            assert_eq!(tests[0].status, expected);
            assert!(log(&report, &tests).contains(verdict.word()));
            assert_eq!(tests[0].children.is_empty(), expected == Status::Skip);
        }
    }
}
