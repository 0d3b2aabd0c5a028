//! Whose words a claim stands on, where a review judges a run of ours.

use super::aiconform;
use super::certification::{prepared, run, submit, texts};

const INTERPRETED: &str = include_str!("../../crates/checks/gang_scheduling/tapes/retries.ndjson");

#[test]
fn a_run_that_speaks_against_a_claim_is_told_with_whose_words_it_stands_on() {
    let folder = prepared();
    assert_eq!(aiconform(&submit("v1.37/stratus", &["--demo"]), folder.path()).code, 0);
    run(folder.path(), "v1.37/stratus/worse", INTERPRETED);
    let review = |format: &str| aiconform(&["review", "v1.37/stratus", "-o", format], folder.path()).data;
    for format in ["table", "json", "github", "markdown"] {
        let said = review(format);
        for words in ["rests on our interpretation of the requirement alone", "MUST, by our interpretation"] {
            assert!(said.contains(words), "{format}: no {words:?} in: {said}");
        }
    }
    let json: serde_json::Value = serde_json::from_str(&review("json")).unwrap();
    let findings = json["submissions"][0]["findings"].as_array().unwrap().clone();
    let judged: Vec<_> =
        findings.iter().filter(|finding| finding["by_interpretation_alone"] == true).collect();
    assert!(
        judged.len() == 1 && !judged[0]["claims"][0]["cites"].as_str().unwrap().is_empty(),
        "{judged:#?}"
    );
    let site = aiconform(&["site", ".", "--output-dir", "site"], folder.path());
    assert_eq!(site.code, 0, "{}", site.talk);
    let page =
        texts(&folder.path().join("site/products")).into_iter().map(|(_, text)| text).collect::<String>();
    assert!(
        page.contains("MUST, by our interpretation")
            && page.contains("interpretation of the requirement alone")
    );
}
