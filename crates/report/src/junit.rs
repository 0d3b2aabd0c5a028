//! `junit.xml`.

use crate::gotest::{Status, Test};
use crate::{PACKAGE, Report, ReportError};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// One suite, a case for every test and subtest.
pub fn junit(report: &Report, tests: &[Test]) -> Result<String, ReportError> {
    let mut suite = TestSuite::new(PACKAGE);
    let time = Duration::from_secs_f64(report.seconds().max(0.0));
    suite.set_time(time);
    suite.add_property(("aiconform.version", report.fact("/tool/version").as_str()));
    suite.add_property(("release", report.release.as_str()));
    suite.add_property(("tested", report.tested.as_str()));
    suite.add_property(("platform.version", report.fact("/cluster/version").as_str()));
    for test in tests {
        suite.add_test_case(case(test, Some(time)));
        suite.add_test_cases(test.children.iter().map(|child| case(child, None)));
    }
    let mut junit = Junit::new("aiconform");
    junit.set_time(time);
    junit.add_test_suite(suite);
    Ok(junit.to_string()?)
}

fn case(test: &Test, time: Option<Duration>) -> TestCase {
    let text = test.output.join("\n");
    let status = match test.status {
        Status::Pass => TestCaseStatus::success(),
        Status::Skip => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(text.clone());
            status
        }
        Status::Fail => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(test.output.get(1).cloned().unwrap_or_default());
            status
        }
    };
    let mut case = TestCase::new(test.name.clone(), status);
    case.set_classname(PACKAGE);
    case.set_time(time.unwrap_or_default());
    case.set_system_out(text);
    case
}
