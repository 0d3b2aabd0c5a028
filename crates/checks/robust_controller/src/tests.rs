//! The judge on hand-made histories and on recorded runs: every way to look passed or failed without being so.

mod hand;
mod recorded;

use crate::judge::CLAIMS;
use crate::marks::Webhook;
use aiconform_model::{EventKind, Kind, Object};
use aiconform_verdict::{State, Verdict};
use hand::*;
use serde_json::json;

#[test]
fn an_operator_that_works_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    assert_eq!(judged.subjects[0].claims.len(), CLAIMS.len());
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
}

#[test]
fn only_a_denial_that_names_a_webhook_of_the_operator_is_one() {
    let denied = |status: u16, message: &str| {
        let judged = Run { invalid: (status, message.into()), ..Run::default() }.judged();
        (outcome(&judged, "webhook_denies").to_owned(), judged.verdict)
    };
    let no = "denied the request: names must be unique";
    assert_eq!(denied(403, &format!("admission webhook \"{WEBHOOK}\" {no}")).0, "met");
    // Accepted: it is called, and lets everything through.
    assert_eq!(denied(201, ""), ("unmet".into(), Verdict::Failed));
    let silent = format!(
        "Internal error occurred: failed calling webhook \"{WEBHOOK}\": failed to call webhook: no endpoints"
    );
    assert_eq!(denied(500, &silent), ("unmet".into(), Verdict::Failed));
    for other in [
        format!("admission webhook \"other.example.com\" {no}"),
        format!(
            "rayclusters.ray.io \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: admission webhook \"{WEBHOOK}\" {no}"
        ),
        "RayCluster.ray.io \"a\" is invalid: spec: Invalid value: \"object\": no".into(),
        "rayclusters.ray.io \"a\" is forbidden: exceeded quota".into(),
        "Internal error occurred: failed calling webhook \"other.example.com\": no endpoints".into(),
    ] {
        assert_eq!(denied(422, &other), ("unknown".into(), Verdict::Inconclusive), "{other}");
    }
}

#[test]
fn an_operator_without_webhooks_fails_whoever_denies() {
    for (status, message) in [
        (201, ""),
        (
            422,
            "rayclusters.ray.io \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no",
        ),
        (422, "RayCluster.ray.io \"a\" is invalid: spec: Invalid value: \"object\": no"),
    ] {
        let run = Run { webhooks: vec![], invalid: (status, message.into()), ..Run::default() };
        let judged = run.judged();
        assert_eq!(
            (outcome(&judged, "webhook_denies"), judged.verdict),
            ("unmet", Verdict::Failed),
            "{message}"
        );
    }
}

#[test]
fn a_policy_engine_that_is_called_too_is_not_the_operator() {
    let engine = Webhook { name: "engine.example.com".into(), ..Webhook::default() };
    let own = Webhook { name: WEBHOOK.into(), hinted: true, ..Webhook::default() };
    let message = "admission webhook \"engine.example.com\" denied the request: no";
    let run = Run { webhooks: vec![engine, own], invalid: (403, message.into()), ..Run::default() };
    assert_eq!(outcome(&run.judged(), "webhook_denies"), "unknown");
}

#[test]
fn a_denial_under_a_name_that_another_has_too_must_be_in_the_operators_words() {
    let other = Webhook { service: "other".into(), name: WEBHOOK.into(), ..Webhook::default() };
    let own = Webhook { name: WEBHOOK.into(), hinted: true, ..Webhook::default() };
    let denied = |words: &str| {
        let invalid = (403, format!("admission webhook \"{WEBHOOK}\" denied the request: {words}"));
        let run = Run { webhooks: vec![own.clone(), other.clone()], invalid, ..Run::default() };
        outcome(&run.judged(), "webhook_denies").to_owned()
    };
    assert_eq!(denied("spec: worker group names must be unique"), "met");
    assert_eq!(denied("the queue is on hold"), "unknown");
}

#[test]
fn a_refusal_says_nothing_where_what_is_right_is_refused_too() {
    for place in [0, 1] {
        let mut run = Run::default();
        run.valid[place] = (403, "rayclusters.ray.io \"a\" is forbidden: exceeded quota".into());
        let judged = run.judged();
        assert_eq!((outcome(&judged, "webhook_denies"), judged.verdict), ("unknown", Verdict::Inconclusive));
    }
    // But a webhook that does not answer refuses what is right as well.
    let mut run = Run::default();
    run.valid[0] = (500, format!("Internal error occurred: failed calling webhook \"{WEBHOOK}\": refused"));
    assert_eq!(run.judged().verdict, Verdict::Failed);
}

#[test]
fn pods_that_are_not_ready_or_start_again_fail() {
    let claim = "controller_is_ready";
    let not_ready = Run { ready: [false, false], ..Run::default() };
    assert_eq!(outcome(&not_ready.judged(), claim), "unmet");
    let later = Run { ready: [true, false], ..Run::default() };
    assert_eq!(outcome(&later.judged(), claim), "unmet");
    let restarted = Run { restarts: [1, 2], ..Run::default() };
    assert_eq!(outcome(&restarted.judged(), claim), "unmet");
    // What was started again before is no matter.
    let before = Run { restarts: [3, 3], ..Run::default() };
    assert_eq!(outcome(&before.judged(), claim), "met");
    let replaced = Run { replaced: true, ..Run::default() };
    assert_eq!(outcome(&replaced.judged(), claim), "unknown");
    let none = Run { pods: false, ..Run::default() };
    assert_eq!((outcome(&none.judged(), claim), none.judged().verdict), ("unmet", Verdict::Failed));
    // Where nothing leads to pods, their absence is not known.
    let unknown = Run { pods: false, by: "", ..Run::default() };
    assert_eq!(outcome(&unknown.judged(), claim), "unknown");
}

#[test]
fn children_of_someone_else_are_none() {
    let foreign = Run { owner: "another", ..Run::default() };
    let judged = foreign.judged();
    assert_eq!((outcome(&judged, "children_are_made"), judged.verdict), ("unmet", Verdict::Failed));
    assert_eq!(outcome(&judged, "deletion_completes"), "unknown");
}

#[test]
fn what_a_list_shows_and_the_watch_does_not_is_unknown() {
    let lag = Run { owner: "another", listed: true, ..Run::default() };
    assert_eq!(outcome(&lag.judged(), "children_are_made"), "unknown");
    let gone = Run { left: true, listed: false, ..Run::default() };
    assert_eq!(outcome(&gone.judged(), "deletion_completes"), "unknown");
}

#[test]
fn an_operator_that_is_kept_from_it_by_a_policy_is_not_to_blame_and_one_without_rights_is() {
    let said = |said: &str| {
        let run = Run { owner: "another", said: Some(said.into()), ..Run::default() };
        run.judged().verdict
    };
    assert_eq!(said("pods \"a\" is forbidden: exceeded quota: q"), Verdict::Inconclusive);
    assert_eq!(said("pods is forbidden: violates PodSecurity \"restricted\""), Verdict::Inconclusive);
    assert_eq!(said("pods is forbidden: User \"o\" cannot create resource \"pods\""), Verdict::Failed);
}

#[test]
fn a_status_of_an_earlier_generation_or_without_the_sign_is_stale() {
    let old = Run { observed: 0, ..Run::default() };
    let judged = old.judged();
    assert_eq!((outcome(&judged, "status_follows"), judged.verdict), ("unmet", Verdict::Failed));
    let without = Run { provisioned: "False", ..Run::default() };
    assert_eq!(outcome(&without.judged(), "status_follows"), "unmet");
}

#[test]
fn an_operator_is_not_blamed_for_pods_that_do_not_start_or_for_what_cannot_be_read() {
    let waits = Run { provisioned: "False", waits: Some("ErrImagePull"), ..Run::default() };
    let judged = waits.judged();
    assert_eq!((outcome(&judged, "status_follows"), judged.verdict), ("unknown", Verdict::Inconclusive));
    assert!(judged.why.contains("ErrImagePull"), "{}", judged.why);
    let unread = Run { observed: 0, unread: true, ..Run::default() };
    assert_eq!(outcome(&unread.judged(), "status_follows"), "unknown");
    let leaving = Run { left: true, listed: true, leaving: true, ..Run::default() };
    assert_eq!(outcome(&leaving.judged(), "deletion_completes"), "unknown");
    // KubeRay, on a busy machine: it makes a Service again that the garbage collector takes at once.
    for (goes, word) in [(true, "met"), (false, "unknown")] {
        let again = Run { afterwards: Some(goes), ..Run::default() };
        assert_eq!(outcome(&again.judged(), "deletion_completes"), word);
    }
}

#[test]
fn a_child_that_is_the_same_was_not_made_again() {
    let never = Run { again: false, ..Run::default() };
    let judged = never.judged();
    assert_eq!(outcome(&judged, "child_is_made_again"), "unmet");
    // It goes further than the requirement.
    assert_eq!(judged.verdict, Verdict::Passed);
    let stayed = Run { child_goes: false, again: false, ..Run::default() };
    assert_eq!(outcome(&stayed.judged(), "child_is_made_again"), "unknown");
}

#[test]
fn a_change_that_is_not_followed_is_found_and_one_that_showed_before_proves_nothing() {
    let deaf = Run { follows: false, ..Run::default() };
    assert_eq!(outcome(&deaf.judged(), "change_is_followed"), "unmet");
    let before = Run { desired: 1, ..Run::default() };
    assert_eq!(outcome(&before.judged(), "change_is_followed"), "unknown");
}

#[test]
fn what_stays_after_deletion_fails() {
    let left = Run { left: true, listed: true, ..Run::default() };
    let judged = left.judged();
    assert_eq!((outcome(&judged, "deletion_completes"), judged.verdict), ("unmet", Verdict::Failed));
    assert!(judged.why.contains("Service"), "{}", judged.why);
    let stuck = Run { stuck: true, listed: true, ..Run::default() };
    let judged = stuck.judged();
    assert_eq!((outcome(&judged, "deletion_completes"), judged.verdict), ("unmet", Verdict::Failed));
    assert!(judged.why.contains("never"), "{}", judged.why);
}

#[test]
fn a_platform_whose_own_controllers_do_nothing_decides_nothing() {
    let dead = Run { plain: false, owner: "another", ..Run::default() };
    assert_eq!(dead.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_definition_that_is_not_established_fails() {
    let run = Run { established: false, ..Run::default() };
    assert_eq!(outcome(&run.judged(), "kind_is_established"), "unmet");
    let run = Run { served: "v2", ..Run::default() };
    assert_eq!(outcome(&run.judged(), "kind_is_established"), "unknown");
}

#[test]
fn a_file_that_was_not_tried_fails_nobody() {
    let run = Run { tried: false, observed: 0, ..Run::default() };
    let judged = run.judged();
    assert_eq!((judged.verdict, judged.subjects[0].state), (Verdict::Inconclusive, State::Inconclusive));
}

#[test]
fn a_gap_a_rewritten_spec_or_a_deletion_by_others_makes_everything_unknown() {
    let gap = EventKind::WatchGap { kind: Kind::pod(), why: "410".into() };
    let mut tape = Run::default().tape();
    insert_before(&mut tape, "asked", false, gap);
    assert_eq!(judged(&tape).verdict, Verdict::Inconclusive);

    let rewritten = Run { rewritten: true, ..Run::default() };
    let judged = rewritten.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("changed on its way in"), "{}", judged.why);

    let mut tape = Run::default().tape();
    let mut object = Run::default().resource(1, true);
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    insert_before(&mut tape, "change", true, watched(&resource_kind(), Object(object)));
    let judged = hand::judged(&tape);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("deleted by someone else"), "{}", judged.why);
}

#[test]
fn what_comes_late_is_unknown_and_not_late_where_the_limit_was_stretched() {
    let reconcile = "robust_controller.reconcile";
    let cases: [(&str, i64, &str, &[&str]); 5] = [
        ("plain", 60, "robust_controller.plain", &["plain_controller_works"]),
        ("create", 145, reconcile, &["children_are_made", "status_follows"]),
        ("delete_child", 145, reconcile, &["child_is_made_again"]),
        ("change", 145, reconcile, &["change_is_followed"]),
        ("delete", 145, reconcile, &["deletion_completes"]),
    ];
    for (phase, seconds, key, late) in cases {
        let mut tape = Run::default().tape();
        delay(&mut tape, phase, seconds);
        for claim in &judged(&tape).subjects[0].claims {
            let expected = if late.contains(&claim.id) { "unknown" } else { "met" };
            let text = claim.outcome.text();
            assert_eq!(claim.outcome.word(), expected, "{phase}: {}: {text}", claim.id);
            if late.contains(&claim.id) {
                assert!(text.contains(&format!("late: after {seconds} s, the limit is ")), "{text}");
                assert!(text.contains(&format!("[limits] {key} = ")), "{text}");
            }
        }
        stretch(&mut tape, key, 200.0);
        assert_eq!(judged(&tape).verdict, Verdict::Passed, "{phase}");
    }
}

#[test]
fn pods_that_are_ready_late_are_unknown_and_slow_answers_about_ready_ones_are_not() {
    for (waited, key) in [
        ([Some(100_000), None], "robust_controller.ready"),
        ([None, Some(100_000)], "robust_controller.still_ready"),
    ] {
        let mut tape = Run { waited, ..Run::default() }.tape();
        let judgement = judged(&tape);
        assert_eq!(outcome(&judgement, "controller_is_ready"), "unknown");
        assert!(
            judgement.why.contains("late: after 100 s") && judgement.why.contains(key),
            "{}",
            judgement.why
        );
        stretch(&mut tape, key, 200.0);
        assert_eq!(judged(&tape).verdict, Verdict::Passed);
    }
    let mut tape = Run::default().tape();
    delay(&mut tape, "look", 100);
    assert_eq!(judged(&tape).verdict, Verdict::Passed);
}

#[test]
fn what_never_comes_is_unmet_however_long_it_was_watched_for() {
    let foreign = Run { owner: "another", ..Run::default() };
    let stale = Run { observed: 0, ..Run::default() };
    let deaf = Run { follows: false, ..Run::default() };
    let stuck = Run { stuck: true, listed: true, ..Run::default() };
    for (run, phase, claim) in [
        (foreign, "create", "children_are_made"),
        (stale, "create", "status_follows"),
        (deaf, "change", "change_is_followed"),
        (stuck, "delete", "deletion_completes"),
    ] {
        let mut tape = run.tape();
        delay(&mut tape, phase, 180);
        assert_eq!(outcome(&judged(&tape), claim), "unmet", "{claim}");
    }
}

#[test]
fn a_run_that_is_cut_off_has_neither_passed_nor_failed() {
    let whole = Run::default().tape();
    for end in 0..whole.events.len() - 2 {
        let mut cut = whole.clone();
        cut.events.truncate(end);
        let judged = judged(&cut);
        assert!(!matches!(judged.verdict, Verdict::Passed | Verdict::Failed), "{end}: {}", judged.why);
    }
}
