//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod hand;
mod recorded;

use aiconform_model::{Event, EventKind, Kind};
use aiconform_verdict::{State, Verdict};
use hand::*;

#[test]
fn a_healthy_monitoring_system_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    assert_eq!(judged.subjects[0].measures.len(), 3);
}

/// What is broken, the claim that finds it, and the verdict.
#[test]
fn each_fault_breaks_its_claim_and_no_other() {
    let healthy = Run::default();
    let cases: [(&str, Run, &[&str], Verdict); 12] = [
        (
            "a value that stands still",
            Run { stands_still: true, ..healthy },
            &["counter_is_exact", "gauge_follows", "histogram_is_whole"],
            Verdict::Failed,
        ),
        ("one request too few", Run { lost: 1, ..healthy }, &["counter_is_exact"], Verdict::Failed),
        ("two jobs", Run { jobs: 2, ..healthy }, &["counted_once"], Verdict::Failed),
        ("a gauge that never falls", Run { peaks: true, ..healthy }, &["gauge_follows"], Verdict::Failed),
        ("no buckets", Run { buckets: Buckets::None, ..healthy }, &["histogram_is_whole"], Verdict::Failed),
        (
            "a bucket too few",
            Run { buckets: Buckets::Fewer, ..healthy },
            &["histogram_is_whole"],
            Verdict::Failed,
        ),
        ("another pod", Run { named: Named::Another, ..healthy }, &["labels_name_the_pod"], Verdict::Passed),
        ("nobody", Run { named: Named::Nobody, ..healthy }, &["labels_name_the_pod"], Verdict::Passed),
        (
            "pods that change places",
            Run { swapped: true, ..healthy },
            &["labels_name_the_pod"],
            Verdict::Passed,
        ),
        ("all pods", Run { takes_all: true, ..healthy }, &["undeclared_is_left_alone"], Verdict::Passed),
        ("a pod that stays", Run { keeps_gone: true, ..healthy }, &["gone_is_told_no_more"], Verdict::Passed),
        (
            "requests of strangers",
            Run { strangers: 1, ..healthy },
            &["workload_counts_right", "counter_is_exact", "histogram_is_whole"],
            Verdict::Inconclusive,
        ),
    ];
    for (what, run, broken, verdict) in cases {
        let judged = run.judged();
        assert_eq!(judged.verdict, verdict, "{what}: {}", judged.why);
        for claim in &judged.subjects[0].claims {
            let expected = if broken.contains(&claim.id) { "unmet" } else { "met" };
            assert_eq!(claim.outcome.word(), expected, "{what}: {}: {}", claim.id, claim.outcome.text());
        }
    }
}

#[test]
fn members_of_one_monitoring_system_are_not_two() {
    let judged = Run { replicas: true, jobs: 2, ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}

#[test]
fn a_histogram_that_was_turned_into_a_native_one_is_whole() {
    let judged = Run { buckets: Buckets::Native, ..Run::default() }.judged();
    assert_eq!(outcome(&judged, "histogram_is_whole"), "met", "{}", judged.why);
}

#[test]
fn a_native_histogram_whose_buckets_do_not_hold_its_latencies_is_not_whole() {
    for (buckets, says) in
        [(Buckets::NativeFewer, "its buckets hold 2 of 3"), (Buckets::NativeNone, "none came in a bucket")]
    {
        let judged = Run { buckets, ..Run::default() }.judged();
        assert_eq!(outcome(&judged, "histogram_is_whole"), "unmet", "{}", judged.why);
        assert!(judged.why.contains(says), "{}", judged.why);
    }
}

#[test]
fn counts_of_requests_that_nobody_says_were_sent_are_not_known() {
    // All nought, as the workload itself says: nothing was counted right.
    for sent in [serde_json::json!({}), serde_json::json!({"sent": {"one": 0, "other": 0, "undeclared": 0}})]
    {
        let mut events = Run { declared: true, idle: true, ..Run::default() }.events();
        for event in &mut events {
            if let EventKind::Phase { phase, data } = &mut event.kind
                && ["first", "held", "released"].contains(&phase.as_str())
            {
                *data = sent.clone();
            }
        }
        let judged = judge_events(events);
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        for claim in ["workload_counts_right", "counter_is_exact", "gauge_follows", "histogram_is_whole"] {
            assert_eq!(outcome(&judged, claim), "unknown", "{claim}");
        }
    }
}

#[test]
fn what_was_told_before_it_fell_silent_fails_nobody() {
    let broken = Run { declared: true, falls_silent: true, ..Run::default() };
    for run in [
        Run { stands_still: true, ..broken },
        Run { finds: false, ..broken },
        Run { keeps_gone: true, ..broken },
    ] {
        let judged = run.judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        assert!(judged.why.contains("status 503"), "{}", judged.why);
        assert!(judged.subjects[0].claims.iter().all(|claim| claim.outcome.word() != "unmet"));
    }
}

#[test]
fn a_watch_that_ends_with_the_run_is_no_interruption() {
    let mut events = Run { declared: true, lost: 1, ..Run::default() }.events();
    let over = events.iter().position(|event| is_phase(event, "over")).unwrap();
    let kinds = [
        EventKind::Stopped { why: "it was interrupted".into() },
        EventKind::WatchGap { kind: Kind::pod(), why: "the run ends".into() },
    ];
    for (place, kind) in kinds.into_iter().enumerate() {
        let mut event = Event { kind, ..events[over].clone() };
        event.scope.subject.clear();
        events.insert(over + place, event);
    }
    for (place, event) in events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
    assert_eq!(outcome(&judge_events(events), "counter_is_exact"), "unmet");
}

#[test]
fn annotations_that_nobody_goes_by_fail_only_who_names_them() {
    let nothing = Run { finds: false, ..Run::default() };
    let judged = nothing.judged();
    assert_eq!((judged.verdict, judged.subjects[0].state), (Verdict::Inconclusive, State::NotInForce));
    assert!(judged.subjects[0].why.contains("--adapter annotations"), "{}", judged.subjects[0].why);
    let judged = Run { declared: true, ..nothing }.judged();
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
    assert!(judged.why.contains("no series of one and other came to m/p:9090"), "{}", judged.why);
    // What an operator selects is in force.
    let judged = Run { selected: true, ..nothing }.judged();
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
}

#[test]
fn one_of_two_pods_is_not_enough() {
    let judged = Run { declared: true, misses_other: true, ..Run::default() }.judged();
    assert_eq!(outcome(&judged, "workload_is_discovered"), "unmet");
    assert!(judged.why.contains("no series of other came"), "{}", judged.why);
}

#[test]
fn answers_that_tell_nothing_fail_nobody_and_say_why() {
    let cases: [(u16, &str, &str, &str); 10] = [
        (500, "", "oops", "status 500"),
        (503, "", r#"{"status":"error","errorType":"timeout","error":"overloaded"}"#, "overloaded"),
        (401, "", "", "token_file"),
        (302, "", "<html>", "leads somewhere else"),
        (200, "", "<!DOCTYPE html><html><title>Sign in</title></html>", "Sign in"),
        (200, "", "{\"status\":", "not one of the Prometheus API"),
        (200, "", r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "parse error"),
        (
            200,
            "",
            r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["a store is down"]}"#,
            "a store is down",
        ),
        (0, "it did not end within 10 s", "", "did not end within 10 s"),
        (0, "invalid peer certificate: UnknownIssuer", "", "ca_file"),
    ];
    for (status, why, text, says) in cases {
        for declared in [false, true] {
            let run = Run { declared, answer: Some((status, why, text)), ..Run::default() };
            let judged = run.judged();
            assert_eq!(judged.verdict, Verdict::Inconclusive, "{status} {text}: {}", judged.why);
            assert!(judged.why.contains(says), "{says}: {}", judged.why);
        }
    }
}

#[test]
fn an_answer_that_tells_nothing_among_others_is_passed_over() {
    let judged = Run { hiccup: true, ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}

#[test]
fn a_pod_that_did_not_stay_as_it_was_makes_everything_unknown() {
    for (disturbance, says) in [
        (Disturbance::Deleted, "deleted by someone else"),
        (Disturbance::Gone, "the test pod other was deleted by someone else"),
        (Disturbance::Unwatched, "the watch on pods was interrupted (410)"),
        (Disturbance::Unready, "not ready for a while"),
        (Disturbance::Rewritten, "changed on its way in"),
    ] {
        let judged = Run { disturbance: Some(disturbance), lost: 1, ..Run::default() }.judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        assert!(judged.why.contains(says), "{}", judged.why);
    }
}

#[test]
fn what_comes_late_is_unknown_and_not_late_where_the_limit_was_stretched() {
    let cases: [(&str, i64, &str, &[&str]); 3] = [
        ("look", 200, "ai_service_metrics.find", &["workload_is_discovered"]),
        ("held_sent", 200, "ai_service_metrics.show", &["counter_is_exact", "gauge_follows"]),
        ("gone", 200, "ai_service_metrics.show", &["gone_is_told_no_more"]),
    ];
    for (phase, seconds, key, late) in cases {
        let mut events = Run { declared: true, ..Run::default() }.events();
        delay(&mut events, phase, seconds);
        for claim in &judge_events(events.clone()).subjects[0].claims {
            let expected = if late.contains(&claim.id) { "unknown" } else { "met" };
            let text = claim.outcome.text();
            assert_eq!(claim.outcome.word(), expected, "{phase}: {}: {text}", claim.id);
            if late.contains(&claim.id) {
                assert!(text.contains(" late: after 201 s, the limit is 150 s"), "{text}");
                assert!(text.contains(&format!("[limits] {key} = ")), "{text}");
            }
        }
        stretch(&mut events, key, 300.0);
        assert_eq!(judge_events(events).verdict, Verdict::Passed, "{phase}");
    }
}

#[test]
fn a_value_that_came_in_time_is_not_late_because_another_was_waited_for() {
    let mut events = Run { declared: true, peaks: true, ..Run::default() }.events();
    let settled = events.iter().position(|event| is_phase(event, "released_settled")).unwrap();
    for event in &mut events[settled..] {
        event.time = event.time.checked_add(jiff::SignedDuration::from_secs(300)).unwrap();
    }
    let judged = judge_events(events);
    assert_eq!((outcome(&judged, "gauge_follows"), outcome(&judged, "counter_is_exact")), ("unmet", "met"));
}

#[test]
fn what_never_comes_is_unmet_however_long_it_was_watched_for() {
    let named = Run { declared: true, ..Run::default() };
    for (run, phase, claim) in [
        (Run { finds: false, ..named }, "look", "workload_is_discovered"),
        (Run { lost: 1, ..named }, "first_sent", "counter_is_exact"),
        (Run { keeps_gone: true, ..named }, "gone", "gone_is_told_no_more"),
    ] {
        let mut events = run.events();
        delay(&mut events, phase, 300);
        assert_eq!(outcome(&judge_events(events), claim), "unmet", "{claim}");
    }
}

#[test]
fn what_fails_on_a_way_that_we_never_tried_is_not_held_against_it() {
    let judged = Run { tried: false, selected: true, lost: 1, ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    let judged = Run { tried: false, selected: true, ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}

#[test]
fn a_run_that_ends_anywhere_passes_and_fails_nobody() {
    let whole = Run { declared: true, ..Run::default() }.events();
    for end in 0..whole.len() {
        let judged = judge_events(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
        let last = whole[..end].iter().any(|event| is_phase(event, "released_settled"));
        assert!(last || judged.verdict != Verdict::Passed, "{end}: {}", judged.why);
    }
    // Also one that is broken: nothing fails before its time was over.
    let broken = Run { declared: true, lost: 1, ..Run::default() }.events();
    let settled = broken.iter().position(|event| is_phase(event, "first_settled")).unwrap();
    for end in 0..=settled {
        let judged = judge_events(broken[..end].to_vec());
        assert_eq!(
            outcome(&judged, "counter_is_exact"),
            if judged.subjects.is_empty() { "none" } else { "unknown" }
        );
    }
}
