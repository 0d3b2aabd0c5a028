//! Words that are the same for every claim of a subject, and so are said once.

use aiconform_verdict::{Outcome, SubjectJudgement};

/// The sentence that stands for all claims of a subject, where there are several and one reason makes each unknown.
pub fn said_once(subject: &SubjectJudgement) -> Option<String> {
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Unknown { why } => Some(why.clone()),
        Outcome::Met { .. } | Outcome::Unmet { .. } => None,
    };
    let (first, others) = subject.claims.split_first()?;
    let why = reason(&first.outcome)?;
    let is_shared = !others.is_empty() && others.iter().all(|claim| claim.outcome == first.outcome);
    is_shared.then(|| format!("nothing could be told of any of its {} claims: {why}", subject.claims.len()))
}

#[cfg(test)]
mod tests {
    use crate::{Bins, Judged, Report, gotest, html, junit, markdown, terminal};
    use aiconform_verdict::{ClaimJudgement, Judgement, Outcome, Standing, State, SubjectJudgement, Verdict};

    const WHY: &str = "the run was interrupted by the user";

    /// A report on one subject with these outcomes.
    fn report(outcomes: &[Outcome]) -> Report {
        report_on(outcomes, false)
    }

    /// Like [`report`], where the subject may be a control, whose claims are tests.
    fn report_on(outcomes: &[Outcome], control: bool) -> Report {
        let claims = ["it waits", "it starts", "it ends"].into_iter().zip(outcomes);
        let claims = claims.map(|(says, outcome)| ClaimJudgement {
            id: says.split_once(' ').map_or(says, |(_, word)| word),
            says,
            standing: if control { Standing::Control } else { Standing::Additional },
            outcome: outcome.clone(),
        });
        let subject = SubjectJudgement {
            id: "one/a".into(),
            state: State::Inconclusive,
            why: format!("it waits: {}", outcomes.first().map(Outcome::text).unwrap_or_default()),
            control,
            declared: false,
            facts: serde_json::Value::Null,
            claims: claims.collect(),
            grade: None,
            simulated: false,
            measures: Vec::new(),
            pictures: Vec::new(),
        };
        let judgement = Judgement {
            requirement: "gang_scheduling",
            verdict: Verdict::Inconclusive,
            why: "nothing decides".into(),
            deciding: None,
            simulated: false,
            subjects: vec![subject],
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

    fn unknown(why: &str) -> Outcome {
        Outcome::Unknown { why: why.into() }
    }

    /// Number of times that the reason stands in what the terminal shows, in the page, and in `verdict.json`.
    fn counts(report: &Report) -> [usize; 3] {
        let json = serde_json::to_string(report).unwrap();
        [terminal(report), html::page(report).unwrap(), json].map(|text| text.matches(WHY).count())
    }

    #[test]
    fn one_reason_for_all_claims_is_said_once_and_the_data_keep_it_for_each() {
        let report = report(&[unknown(WHY), unknown(WHY), unknown(WHY)]);
        assert_eq!(counts(&report), [1, 1, 4]);
        let sentence = format!("nothing could be told of any of its 3 claims: {WHY}");
        let (text, page) = (terminal(&report), html::page(&report).unwrap());
        assert!(text.contains(&format!("one/a: inconclusive\n    {sentence}\n")), "{text}");
        assert!(page.contains(&format!("<p>{sentence}</p>")), "{page}");
        // The page has every claim all the same, where links from elsewhere lead.
        for claim in ["waits", "starts", "ends"] {
            assert!(page.contains(&format!("id=\"one/a-{claim}\"")), "{page}");
        }
        assert_eq!(page.matches("? unknown").count(), 3);
        assert!(!page.contains("What was seen"), "{page}");
    }

    #[test]
    fn what_is_read_from_its_beginning_says_it_once_and_cases_have_it_each() {
        for control in [false, true] {
            let report = report_on(&[unknown(WHY), unknown(WHY), unknown(WHY)], control);
            let tests = gotest::tests(&report);
            let count = |text: &str| text.matches(WHY).count();
            let (summary, log) = (markdown::summary(&report), gotest::log(&report, &tests));
            let sentence = format!("nothing could be told of any of its 3 claims: {WHY}");
            assert!(summary.contains(&format!("### one/a: inconclusive\n\n{sentence}.\n")), "{summary}");
            assert!(log.contains(&format!("    subject one/a: inconclusive: {sentence}\n")), "{log}");
            assert_eq!((count(&summary), count(&log)), (1, 1), "{summary}{log}");
            let cases = if control { 3 } else { 0 };
            assert_eq!(log.matches("    unknown: why is said of subject one/a\n").count(), cases, "{log}");
            assert_eq!(log.matches("    --- FAIL: TestGang/one-a/").count(), cases, "{log}");
            // Once for the requirement's test, and once for each case.
            assert_eq!(count(&gotest::json(&report, &tests).unwrap()), 1 + cases);
            assert_eq!(count(&junit::junit(&report, &tests).unwrap()), 1 + 2 * cases);
        }
    }

    #[test]
    fn claims_that_came_to_something_else_are_told_one_by_one() {
        let met = Outcome::Met { seen: WHY.into() };
        let unmet = Outcome::Unmet { witness: WHY.into(), events: Vec::new() };
        for other in [met, unmet, unknown("a watch was lost")] {
            let report = report(&[unknown(WHY), unknown(WHY), other]);
            let page = html::page(&report).unwrap();
            let log = gotest::log(&report, &gotest::tests(&report));
            for told in [&terminal(&report), &markdown::summary(&report), &log] {
                assert!(!told.contains("nothing could be told") && told.matches(WHY).count() >= 2, "{told}");
            }
            assert!(!page.contains("nothing could be told") && page.contains("What was seen"), "{page}");
            assert!(counts(&report)[0] >= 2 && counts(&report)[1] >= 3);
        }
    }

    #[test]
    fn the_page_begins_with_the_whole_and_folds_what_is_met() {
        let met = Outcome::Met { seen: "it was seen".into() };
        let unmet = Outcome::Unmet { witness: "it never came".into(), events: Vec::new() };
        let mut whole = report(&[unmet, met.clone(), met]);
        let mut should = whole.requirements[0].clone();
        (should.level, should.judgement.requirement) = ("SHOULD", "gpu_sharing");
        let mut passed = whole.requirements[0].clone();
        (passed.judgement.requirement, passed.judgement.verdict) = ("ai_inference", Verdict::Passed);
        whole.requirements[0].judgement.verdict = Verdict::Failed;
        whole.requirements.splice(0..0, [should, passed]);
        let page = html::page(&whole).unwrap();
        let sentence = "Of the 8 MUSTs of 1.37: 1 passed; 1 failed (gang_scheduling); 6 not tested (";
        let rest = page.split_once(sentence).unwrap_or_else(|| panic!("{page}")).1;
        assert!(rest.contains("No submission can be made of it before every MUST has passed"), "{page}");
        let at = |id: &str| rest.find(&format!("<a href=\"#{id}\">")).unwrap();
        assert!(
            at("gang_scheduling") < at("ai_inference") && at("ai_inference") < at("gpu_sharing"),
            "{rest}"
        );
        assert_eq!(rest.matches("<details class=\"met\"><summary>2 claims are met</summary>").count(), 3);
        let folded =
            rest.split("<details class=\"met\">").nth(1).unwrap().split("</details>").next().unwrap();
        assert!(folded.contains("it was seen") && !folded.contains("it never came"), "{folded}");
    }

    #[test]
    fn one_claim_alone_is_told_as_it_is() {
        let alone = terminal(&report(&[unknown(WHY)]));
        assert!(alone.contains("unknown  additional  it waits\n") && alone.contains(WHY), "{alone}");
    }
}
