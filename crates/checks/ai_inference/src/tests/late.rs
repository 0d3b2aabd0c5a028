//! What comes late is told from what comes in time and from what never comes.

use super::hand::{Run, foreign, sent};
use crate::judge::{
    change_of_weights_takes_effect, headers_choose_the_backend, missing_backend_is_told,
    status_is_of_the_latest, weights_split_the_traffic,
};
use crate::marks::{CANARY, STABLE};
use aiconform_verdict::Verdict;
use serde_json::json;

#[test]
fn routes_that_are_served_late_are_neither_right_nor_wrong() {
    let late = Run { served: Some(89_999), ..Run::default() };
    for claim in [weights_split_the_traffic, headers_choose_the_backend] {
        let outcome = late.outcome(claim);
        assert_eq!(outcome.word(), "unknown");
        assert!(outcome.text().contains("after 90 s, the limit is 60 s"), "{}", outcome.text());
        assert!(outcome.text().contains("ai_inference.serve"), "{}", outcome.text());
    }
    assert_eq!(late.judged().verdict, Verdict::Inconclusive);
    let stretched = Run { limits: json!({"ai_inference.serve": 180.0}), ..late.clone() };
    assert_eq!(stretched.judged().verdict, Verdict::Passed);
    let mut nowhere = sent(&[]);
    nowhere.answers = foreign(404, "", 600);
    let never = Run { served: None, split: [nowhere.clone(), nowhere], ..Run::default() };
    assert_eq!(never.word(weights_split_the_traffic), "unmet");
    // Wrong shares are wrong, late or not.
    let half = sent(&[(STABLE, 300), (CANARY, 300)]);
    let wrong = Run { split: [half.clone(), half], ..late };
    assert_eq!(wrong.word(weights_split_the_traffic), "unmet");
}

#[test]
fn a_change_that_takes_effect_late_is_neither_right_nor_wrong() {
    let late = Run { changed_after: 145_000, ..Run::default() };
    let outcome = late.outcome(change_of_weights_takes_effect);
    assert_eq!(outcome.word(), "unknown");
    assert!(outcome.text().contains("after 145 s, the limit is 120 s"), "{}", outcome.text());
    assert_eq!(late.judged().verdict, Verdict::Inconclusive);
    let stretched = Run { limits: json!({"ai_inference.change": 360.0}), ..late.clone() };
    assert_eq!(stretched.word(change_of_weights_takes_effect), "met");
    let never = Some((false, sent(&[(STABLE, 48), (CANARY, 12)])));
    let never = Run { changed: never, changed_after: 240_000, ..Run::default() };
    assert_eq!(never.word(change_of_weights_takes_effect), "unmet");
    assert_eq!(Run { changed_after: 119_000, ..Run::default() }.word(change_of_weights_takes_effect), "met");
}

#[test]
fn a_batch_that_is_cut_off_by_its_limit_names_the_limit() {
    let few = sent(&[(STABLE, 168), (CANARY, 42)]);
    let cut = Run { split: [few.clone(), few], ..Run::default() };
    let outcome = cut.outcome(weights_split_the_traffic);
    assert_eq!(outcome.word(), "unknown");
    assert!(outcome.text().contains("210 of 210"), "{}", outcome.text());
    assert!(outcome.text().contains("not all 600 could be sent in 120 s"), "{}", outcome.text());
    assert!(outcome.text().contains("[limits] ai_inference.batch"), "{}", outcome.text());
}

#[test]
fn a_status_and_a_refusal_that_come_late_are_neither_right_nor_wrong() {
    let status = Run { fresh_after: 15_000, ..Run::default() };
    assert_eq!(status.word(status_is_of_the_latest), "unknown");
    assert_eq!(
        Run { observed: 1, fresh_after: 20_000, ..Run::default() }.word(status_is_of_the_latest),
        "unmet"
    );
    let refusal = Run { refused_after: Some(15_000), ..Run::default() };
    assert_eq!(refusal.word(missing_backend_is_told), "unknown");
    let mut other = sent(&[]);
    other.answers = foreign(503, "", 10);
    let never = Run { refused_after: None, missing: other, ..Run::default() };
    assert_eq!(never.word(missing_backend_is_told), "unmet");
    // Neither is a part of the requirement.
    assert_eq!([status, refusal].map(|run| run.judged().verdict), [Verdict::Passed; 2]);
}
