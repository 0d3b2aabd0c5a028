//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod hand;
mod late;
mod recorded;

use aiconform_model::{Change, EventKind, Kind};
use aiconform_verdict::{Drawing, State, Verdict};
use hand::*;
use serde_json::{Value, json};

#[test]
fn a_healthy_autoscaler_meets_every_claim() {
    let judged = Script::healthy().judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, true), "{}", judged.why);
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    let picture = &judged.subjects[0].pictures[0];
    let Drawing::Lanes { lanes, marks, .. } = &picture.drawing else { panic!("{picture:?}") };
    assert_eq!((lanes.len(), marks.len()), (5, 2));
}

#[test]
fn a_pod_that_is_bound_and_does_not_run_is_not_taken_for_one_that_runs() {
    let judged = Script::healthy().without("runs-a").judged();
    assert_eq!((outcome(&judged, "node_comes"), judged.verdict), ("unknown", Verdict::Inconclusive));
    let unready = Script::healthy().without("node-a-ready").judged();
    assert_eq!(outcome(&unready, "node_comes"), "unknown");
}

#[test]
fn a_node_in_place_of_one_that_went_leaves_the_pool_as_large_as_it_was() {
    let judged =
        Script::healthy().put("over", "instead", node("node-c", "C", "True", Change::Added)).judged();
    assert_eq!((outcome(&judged, "node_goes"), judged.verdict), ("unknown", Verdict::Inconclusive));
}

#[test]
fn nodes_that_somebody_runs_are_not_simulated() {
    let judged = Script::healthy().edited("node-", |object| {
        object["metadata"]["labels"].as_object_mut().unwrap().remove("kwok.x-k8s.io/node");
    });
    assert!(!judged.judged().simulated);
}

#[test]
fn a_node_that_no_claim_of_karpenter_stands_for_was_added_by_someone() {
    let script =
        Script::healthy().edited("node-a", |object| object["metadata"]["ownerReferences"] = json!([]));
    let judged = script.judged();
    assert_eq!(outcome(&judged, "autoscaler_brought_it"), "unmet");
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
}

#[test]
fn a_claim_that_no_pool_owns_was_made_by_someone() {
    let script =
        Script::healthy().edited("claim-a", |object| object["metadata"]["ownerReferences"] = json!([]));
    assert_eq!(outcome(&script.judged(), "autoscaler_brought_it"), "unmet");
}

#[test]
fn without_karpenters_word_it_is_not_known_for_whom_a_node_came() {
    let silent = Script::healthy().without("nominated-a");
    let judged = silent.judged();
    assert_eq!(
        (outcome(&judged, "autoscaler_brought_it"), judged.verdict),
        ("unknown", Verdict::Inconclusive)
    );
    // The word of another node, and that of another program.
    let other = Script::healthy().edited("nominated-a", |event| {
        event["message"] = json!("Pod should schedule on: nodeclaim/other");
    });
    assert_eq!(outcome(&other.judged(), "autoscaler_brought_it"), "unknown");
    let stranger = Script::healthy().edited("nominated-a", |event| {
        event["source"]["component"] = json!("someone");
    });
    assert_eq!(outcome(&stranger.judged(), "autoscaler_brought_it"), "unknown");
}

#[test]
fn who_says_nothing_at_all_is_not_in_force() {
    let judged = Script::healthy().without("nominated").without("refused-by-it").without("claim-").judged();
    assert_eq!(outcome(&judged, "autoscaler_acts"), "unmet");
    assert_eq!((judged.subjects[0].state, judged.verdict), (State::NotInForce, Verdict::Inconclusive));
}

#[test]
fn a_node_without_accelerators_or_of_another_pool_does_not_count() {
    let none = Script::healthy().edited("node-a", |node| node["status"]["allocatable"] = json!({"cpu": "4"}));
    let judged = none.judged();
    assert_eq!(
        (outcome(&judged, "node_comes"), judged.verdict),
        ("unmet", Verdict::Failed),
        "{}",
        judged.why
    );
    let other = Script::healthy().edited("node-a", |node| {
        node["metadata"]["labels"]["karpenter.sh/nodepool"] = json!("other");
    });
    assert_eq!(outcome(&other.judged(), "node_comes"), "unmet");
}

#[test]
fn a_node_of_the_same_name_that_was_there_before_is_not_one_that_came() {
    // The pod is bound to the node that was there.
    let script = Script::healthy().edited("bound-a", |pod| pod["spec"]["nodeName"] = json!("old"));
    let judged = script.judged();
    assert_eq!(outcome(&judged, "node_comes"), "unknown");
    assert_ne!(judged.verdict, Verdict::Passed);
}

#[test]
fn a_node_that_comes_and_is_never_ready_fails() {
    let judged = Script::late().put("late", "node-a", node("new", "A", "False", Change::Added)).judged();
    assert_eq!(outcome(&judged, "node_comes"), "unmet");
    assert!(judged.why.contains("never became ready"), "{}", judged.why);
    assert_eq!(judged.verdict, Verdict::Failed);
}

#[test]
fn no_node_is_a_failure_unless_the_autoscaler_or_the_cloud_says_why() {
    let judged = Script::late().judged();
    // It said something of the impossible pod, and nothing of this one.
    assert_eq!(
        (outcome(&judged, "node_comes"), judged.verdict),
        ("unmet", Verdict::Failed),
        "{}",
        judged.why
    );
    assert_eq!(outcome(&judged, "comes_from_zero"), "unmet");
    let refused =
        Script::late().put("late", "no", said("wants-1-0", "FailedScheduling", "no pool has any")).judged();
    assert_eq!(refused.verdict, Verdict::Inconclusive);
    assert!(refused.why.contains("no pool has any"), "{}", refused.why);
    let mut stockout = claim("A", Change::Added);
    edit(&mut stockout, |claim| {
        claim["status"] = json!({"conditions": [{"type": "Launched", "status": "False",
            "reason": "InsufficientCapacity", "message": "none is left"}]});
    });
    let judged = Script::late().put("late", "claim-a", stockout).judged();
    assert_eq!(outcome(&judged, "node_comes"), "unknown");
    assert!(judged.why.contains("none is left"), "{}", judged.why);
}

#[test]
fn a_pod_that_nobody_refused_did_not_wait() {
    let judged = Script::healthy().without("refused-a").without("refused-b").judged();
    assert_eq!((outcome(&judged, "pod_waited"), judged.verdict), ("unknown", Verdict::Inconclusive));
}

#[test]
fn a_node_that_came_before_the_pod_was_refused_came_for_another() {
    let script = Script::healthy().put("pod-a", "early", node("early", "E", "True", Change::Added));
    assert_eq!(outcome(&script.judged(), "pod_waited"), "unknown");
}

#[test]
fn a_node_that_stays_fails_and_one_that_someone_removes_shows_nothing() {
    let judged = Script::healthy().stays().judged();
    assert_eq!((outcome(&judged, "node_goes"), judged.verdict), ("unmet", Verdict::Failed), "{}", judged.why);
    let judged = Script::healthy().without("claim-b-leaves").judged();
    assert_eq!((outcome(&judged, "node_goes"), judged.verdict), ("unknown", Verdict::Inconclusive));
    // Its taint says so, too.
    let taint = json!([{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]);
    let mut leaving = node("node-b", "B", "True", Change::Modified);
    edit(&mut leaving, |node| node["spec"]["taints"] = taint.clone());
    let judged = Script::healthy().without("claim-b-leaves").put("node-b-gone", "taint", leaving).judged();
    assert_eq!(outcome(&judged, "node_goes"), "met");
}

#[test]
fn a_node_that_was_on_its_way_out_before_shows_nothing() {
    let script = Script::healthy().put("deleted-b", "early", leaving_claim("B")).without("claim-b-leaves");
    assert_eq!(outcome(&script.judged(), "node_goes"), "unknown");
}

#[test]
fn a_busy_node_that_goes_fails_when_the_autoscaler_removed_it() {
    let by_it = |script: Script| {
        script
            .put("deleted-b", "claim-a-early", leaving_claim("A"))
            .put(
                "deleted-b",
                "pod-a-early",
                pod("wants-1-0", json!({"nodeName": "node-a"}), None, Change::Deleted),
            )
            .put("deleted-b", "node-a-early", node("node-a", "A", "True", Change::Deleted))
    };
    let judged = by_it(Script::healthy().without("claim-a-leaves")).judged();
    assert_eq!(
        (outcome(&judged, "busy_nodes_stay"), judged.verdict),
        ("unmet", Verdict::Failed),
        "{}",
        judged.why
    );
    let judged = by_it(Script::healthy().without("claim-a-leaves")).without("claim-a-early").judged();
    assert_eq!((outcome(&judged, "busy_nodes_stay"), judged.verdict), ("unknown", Verdict::Inconclusive));
}

#[test]
fn a_pod_that_someone_deletes_makes_everything_unknown() {
    let script = Script::healthy()
        .put("deleted-b", "evicted", pod("wants-1-0", json!({"nodeName": "node-a"}), None, Change::Deleted))
        .without("claim-a-leaves")
        .without("node-a-gone");
    let judged = script.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("deleted by someone else"), "{}", judged.why);
}

#[test]
fn a_pod_says_who_disrupted_it_before_it_went() {
    let mut gone = pod("wants-1-0", json!({"nodeName": "node-a"}), None, Change::Deleted);
    if let EventKind::Watch { object, .. } = &mut gone {
        object.0["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
            "reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint"}]);
    }
    let judged = Script::healthy().put("deleted-b", "evicted", gone).judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("DeletionByTaintManager: Taint manager"), "{}", judged.why);
}

#[test]
fn a_node_that_leaves_afterwards_does_not_excuse_who_deleted_its_pod() {
    let deleted = pod("wants-1-0", json!({"nodeName": "node-a"}), None, Change::Deleted);
    let judged = Script::healthy().put("deleted-b", "evicted", deleted).judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("deleted by someone else"), "{}", judged.why);
}

#[test]
fn a_node_that_somebody_else_needs_does_not_have_to_go() {
    let goes = |others: Value| {
        let judged = Script::healthy().stays_with(others).judged();
        let claim = judged.subjects[0].outcome("node_goes").unwrap();
        (claim.word(), claim.text().to_owned())
    };
    assert_eq!(goes(json!([])).0, "unmet");
    assert!(goes(json!([])).1.contains("no other pod needs it"));
    let (word, why) = goes(json!(["web/shop-0"]));
    assert_eq!(word, "unknown");
    assert!(why.contains("web/shop-0"), "{why}");
    assert_eq!(goes(Value::Null).0, "unknown");
}

#[test]
fn a_node_that_came_for_others_is_not_held_against_the_autoscaler() {
    let other = || {
        let mut other = node("other", "other", "True", Change::Added);
        edit(&mut other, |node| {
            node["metadata"]["labels"] = json!({});
            node["status"]["allocatable"] = json!({"cpu": "4"});
        });
        other
    };
    let cannot = said("wants-1-0", "FailedScheduling", "no instance type has it");
    let script = Script::late().put("late", "other", other()).put("late", "cannot", cannot);
    assert_eq!(outcome(&script.judged(), "node_comes"), "unknown");
    // The autoscaler says that it is the one.
    let word = said("wants-1-0", "Nominated", "Pod should schedule on: nodeclaim/claim-other");
    let script = script.put("other", "claim-other", claim("other", Change::Added)).put("late", "word", word);
    assert_eq!(outcome(&script.judged(), "node_comes"), "unmet");
}

#[test]
fn a_gap_or_a_pod_that_was_changed_makes_everything_unknown() {
    let gap = EventKind::WatchGap { kind: Kind::node(), why: "expired".into() };
    assert_eq!(Script::healthy().put("arrived-a", "gap", gap).judged().verdict, Verdict::Inconclusive);
    // The list that follows tells all Events; quiet watches on them end so after some minutes.
    let quiet = EventKind::WatchGap { kind: Kind::event(), why: "expired".into() };
    assert_eq!(Script::healthy().put("arrived-a", "quiet", quiet).judged().verdict, Verdict::Passed);
    let sent = json!({"metadata": {"name": "p"}, "spec": {"priorityClassName": "a"}});
    let mut got = sent.clone();
    got["spec"]["priorityClassName"] = json!("b");
    got["spec"]["schedulerName"] = json!("default-scheduler");
    let created = EventKind::Exchange {
        method: "POST".into(),
        path: "/api/v1/namespaces/n/pods".into(),
        status: 201,
        request: Some(sent),
        response: Some(got),
        milliseconds: 1,
    };
    let judged = Script::healthy().put("arrived-a", "changed", created).judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn nodes_for_nobody_and_for_the_impossible_are_told_beside_the_requirement() {
    let early = |script: Script| {
        script.put("trigger-a", "claim-x", claim("X", Change::Added)).put(
            "trigger-a",
            "node-x",
            node("node-x", "X", "True", Change::Added),
        )
    };
    let judged = early(Script::healthy()).judged();
    assert_eq!(outcome(&judged, "impossible_brings_none"), "unmet");
    assert_eq!(outcome(&judged, "no_more_than_needed"), "unmet");
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let word = said("impossible", "Nominated", "Pod should schedule on: nodeclaim/claim-X");
    let judged = Script::healthy().put("trigger-a", "nominated-x", word).judged();
    assert_eq!(outcome(&judged, "impossible_brings_none"), "unmet");
    // Nothing was said of it, or nothing came for another: it may not have been looked at.
    let judged = Script::healthy().without("refused-by-it").judged();
    assert_eq!(outcome(&judged, "impossible_brings_none"), "unknown");
    assert_eq!(outcome(&Script::late().judged(), "impossible_brings_none"), "unknown");
}

#[test]
fn one_node_too_many_is_found_also_when_a_later_pod_uses_it() {
    let script = Script::healthy()
        .put("arrived-a", "claim-x", claim("X", Change::Added))
        .put("arrived-a", "node-x", node("node-x", "X", "True", Change::Added))
        .edited("bound-b", |pod| pod["spec"]["nodeName"] = json!("node-x"));
    assert_eq!(outcome(&script.judged(), "no_more_than_needed"), "unmet");
}

#[test]
fn a_pool_that_had_a_node_says_nothing_of_an_empty_one() {
    let script = Script::healthy().put("begin", "there", node("there", "T", "True", Change::Listed));
    assert_eq!(outcome(&script.judged(), "comes_from_zero"), "unknown");
}

#[test]
fn with_one_node_nothing_is_said_of_busy_ones() {
    let judged = Script { max_nodes: 1, ..Script::healthy() }.judged();
    assert!(judged.subjects[0].outcome("busy_nodes_stay").is_none());
}

#[test]
fn cluster_autoscaler_is_known_by_its_events_and_taint_and_fails_nobody() {
    let script = Script::of_cluster_autoscaler();
    let judged = script.judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let silent = script.clone().without("nominated-a").judged();
    assert_eq!(outcome(&silent, "autoscaler_brought_it"), "unmet");
    assert_eq!(silent.verdict, Verdict::Inconclusive, "we have not run it: {}", silent.why);
    assert_eq!(outcome(&script.without("taint-b").judged(), "node_goes"), "unknown");
}
