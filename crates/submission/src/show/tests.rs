//! What every format shows of a claim that decided in a run.

use super::{github, markdown, table};
use crate::{Decided, Finding, Level, Origin, Review, Reviewed};

/// A review that found this claim of a run against a MUST.
fn review(found: &str) -> Review {
    let claim = Decided {
        subject: "kueue/job".into(),
        claim: "waiting_gang_starts".into(),
        says: "a gang that waits starts".into(),
        outcome: "unmet".into(),
        found: found.into(),
        standing: "MUST, by our interpretation".into(),
        cites: "KAR-0053: \"all or nothing\"".into(),
    };
    let finding = Finding {
        rule: "run_folder",
        level: Level::Error,
        origin: Origin::Ours,
        file: crate::case::PRODUCT.into(),
        line: 3,
        column: 1,
        length: 4,
        requirement: "gang_scheduling".into(),
        says: "the run says otherwise".into(),
        snippet: "spec:".into(),
        claims: vec![claim.shown()],
        by_interpretation_alone: true,
    };
    let reviewed = Reviewed {
        folder: "v1.37/stratus".into(),
        title: "v1.37/stratus".into(),
        release: None,
        accepted: true,
        valid: false,
        findings: vec![finding],
    };
    Review { submissions: vec![reviewed], not_checked: Vec::new() }
}

#[test]
fn every_format_says_what_decided_and_whose_words_it_stands_on() {
    let review = review("it did not start");
    let json = serde_json::to_string(&review).unwrap();
    for text in [table(&review, false, false), github(&review), markdown(&review, false), json.clone()] {
        for words in
            ["a gang that waits starts", "it did not start", "MUST, by our interpretation", "all or nothing"]
        {
            assert!(text.contains(words), "no {words:?} in: {text}");
        }
    }
    assert!(json.contains("\"by_interpretation_alone\":true") && json.contains("\"claims\":[{"), "{json}");
    assert_eq!(github(&review).lines().count(), 1);
    let cells = markdown(&review, false);
    let row =
        cells.lines().find(|line| line.contains("run_folder") || line.contains("run\\_folder")).unwrap();
    assert!(
        row.contains("<br>kueue/job: a gang that waits starts: unmet: it did not start<br>_MUST"),
        "{row}"
    );
}

#[test]
fn what_foreign_evidence_shows_is_short_and_obeyed_by_nothing() {
    let review = review(&format!("\u{1b}[2J<b>{}", "x".repeat(10_000)));
    for text in [table(&review, false, false), github(&review), markdown(&review, false)] {
        assert!(!text.contains('\u{1b}') && text.len() < 2_000, "{text}");
    }
    assert!(!markdown(&review, false).contains("<b>"));
}

#[test]
fn a_finding_without_a_run_is_as_it_was() {
    let mut review = review("");
    let finding = &mut review.submissions[0].findings[0];
    (finding.claims, finding.by_interpretation_alone) = (Vec::new(), false);
    let json = serde_json::to_string(&review).unwrap();
    assert!(!json.contains("claims") && !json.contains("interpretation"), "{json}");
    assert!(!table(&review, false, false).contains("stands on"));
}
