//! What comes late is told from what comes in time and from what never comes.

use super::hand::*;
use aiconform_verdict::Verdict;

#[test]
fn a_node_that_comes_late_is_neither_right_nor_wrong() {
    let late = Script::healthy().slower("claim-a", 1500);
    let judged = late.judged();
    let claim = judged.subjects[0].outcome("node_comes").unwrap();
    assert_eq!((claim.word(), judged.verdict), ("unknown", Verdict::Inconclusive));
    assert!(claim.text().contains("the limit is 1200 s"), "{}", claim.text());
    assert!(claim.text().contains("cluster_autoscaling.deadline = "), "{}", claim.text());
    assert_eq!(outcome(&judged, "comes_from_zero"), "unknown");
    let stretched = Script { deadline: Some(3600.0), ..late.clone() }.judged();
    assert_eq!(stretched.verdict, Verdict::Passed, "{}", stretched.why);
    // That what came is wrong, is wrong whenever it comes.
    let wrong = late.edited("node-a", |node| {
        node["metadata"]["labels"]["karpenter.sh/nodepool"] = serde_json::json!("other");
    });
    assert_eq!(outcome(&wrong.judged(), "node_comes"), "unmet");
    assert_eq!(outcome(&Script::late().judged(), "node_comes"), "unmet", "it never came");
}

#[test]
fn a_node_that_goes_late_is_neither_right_nor_wrong() {
    let late = Script { deadline: Some(30.0), ..Script::healthy() }.slower("node-b-gone", 40);
    let judged = late.judged();
    assert_eq!((outcome(&judged, "node_goes"), judged.verdict), ("unknown", Verdict::Inconclusive));
    assert!(judged.why.contains("the limit is 30 s"), "{}", judged.why);
    assert_eq!(Script { deadline: Some(60.0), ..late }.judged().verdict, Verdict::Passed);
    assert_eq!(outcome(&Script::healthy().stays().judged(), "node_goes"), "unmet", "it never went");
}

#[test]
fn a_node_that_goes_after_all_was_tried_stayed() {
    let judged = Script::healthy()
        .stays()
        .put("end", "claim-b-leaves", leaving_claim("B"))
        .put("end", "node-b-gone", node("node-b", "B", "True", aiconform_model::Change::Deleted))
        .judged();
    assert_eq!((outcome(&judged, "node_goes"), judged.verdict), ("unmet", Verdict::Failed), "{}", judged.why);
}
