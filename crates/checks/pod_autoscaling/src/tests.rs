//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod hand;
mod recorded;
mod undoing;

use crate::marks::autoscalers;
use crate::plan::Name;
use aiconform_model::{Event, EventKind, Kind, Scope};
use aiconform_trial::story::LIMITS;
use aiconform_verdict::{Drawing, Verdict};
use hand::{Goes, Run, judge_events, outcome};
use serde_json::json;

#[test]
fn a_healthy_autoscaler_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, true), "{}", judged.why);
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    let picture = &judged.subjects[0].pictures[0];
    let Drawing::Curves { curves, shades, marks, .. } = &picture.drawing else { panic!("{picture:?}") };
    assert_eq!((curves.len(), shades.len(), marks.len()), (2, 2, 9));
    assert!(curves.iter().flat_map(|curve| &curve.points).all(|(_, value)| (0.0..=1.0).contains(value)));
    assert_eq!(judged.subjects[0].measures.len(), 2);
}

#[test]
fn what_runs_on_real_devices_is_not_called_simulated() {
    let judged = Run { real: true, ..Run::default() }.judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, false), "{}", judged.why);
}

#[test]
fn an_external_metric_is_read_as_the_sum_and_has_no_namespace() {
    let external = |wrong| Run { external: true, wrong, ..Run::default() }.judged();
    let judged = external(None);
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let claims: Vec<&str> = judged.subjects[0].claims.iter().map(|claim| claim.id).collect();
    assert!(!claims.contains(&"ignores_other_namespaces") && claims.len() == 8, "{claims:?}");
    assert!(judged.subjects[0].pictures[0].caption.starts_with("The replicas follow"));
    for (name, goes, claim, word) in [
        (Name::Begin, Goes::Times(2.0), "metric_is_read_as_set", "unmet"),
        (Name::Begin, Goes::Untold, "metric_is_read_as_set", "unknown"),
        (Name::FirstUp, Goes::Becomes(3), "rises_with_the_metric", "unmet"),
        (Name::Rest, Goes::Becomes(3), "rests_at_the_target", "unmet"),
        (Name::Most, Goes::Becomes(8), "keeps_the_limits", "unmet"),
        (Name::Down, Goes::Unnoticed, "falls_with_the_metric", "unknown"),
        (Name::Missing, Goes::Active, "keeps_pods_without_metric", "unmet"),
    ] {
        let judged = external(Some((name, goes)));
        assert_eq!(outcome(&judged, claim).0, word, "{name:?} {goes:?}");
    }
    let untold = external(Some((Name::Begin, Goes::Untold)));
    assert!(untold.why.contains("[pod_autoscaling] external_metric"), "{}", untold.why);
}

/// Which claim is unmet, and the words that its witness must hold.
fn fails(name: Name, goes: Goes, claim: &str, words: &str) {
    let judged = Run::wrong(name, goes).judged();
    let (word, said) = outcome(&judged, claim);
    assert_eq!(word, "unmet", "{name:?} {goes:?}: {claim}: {said}");
    assert!(said.contains(words), "{name:?} {goes:?}: {said}");
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
    let unmet: Vec<&str> = judged.subjects[0]
        .claims
        .iter()
        .filter(|claim| claim.outcome.is_unmet())
        .map(|claim| claim.id)
        .collect();
    assert_eq!(unmet, [claim], "{name:?} {goes:?}");
}

#[test]
fn each_step_that_comes_to_something_else_fails_its_claim_and_no_other() {
    fails(
        Name::FirstUp,
        Goes::Becomes(1),
        "rises_with_the_metric",
        "which makes 2 replicas, and there are 1",
    );
    fails(Name::FirstUp, Goes::Becomes(3), "rises_with_the_metric", "and there are 3");
    fails(Name::SecondUp, Goes::Becomes(3), "rises_with_the_metric", "which makes 4 replicas");
    fails(Name::Down, Goes::Becomes(4), "falls_with_the_metric", "ValidMetricFound");
    fails(Name::Down, Goes::Becomes(1), "falls_with_the_metric", "and there are 1");
    fails(Name::Rest, Goes::Becomes(3), "rests_at_the_target", "they become 3");
    fails(Name::Rest, Goes::PassesBy(1), "rests_at_the_target", "they become 1");
    fails(Name::Most, Goes::Becomes(8), "keeps_the_limits", "they become 8");
    fails(Name::Most, Goes::PassesBy(5), "keeps_the_limits", "they become 5");
    fails(Name::Least, Goes::Becomes(0), "keeps_the_limits", "they become 0");
    fails(Name::Decoy, Goes::Becomes(4), "ignores_other_namespaces", "the replicas become 4");
    fails(Name::Decoy, Goes::PassesBy(3), "ignores_other_namespaces", "the replicas become 3");
    fails(Name::Decoy, Goes::Times(3.0), "ignores_other_namespaces", "the metrics API tells 48");
    fails(
        Name::FirstUp,
        Goes::Waits("CreateContainerError"),
        "new_pods_have_accelerators",
        "1 of 2 pods serve",
    );
    fails(
        Name::SecondUp,
        Goes::Waits("CreateContainerError"),
        "new_pods_have_accelerators",
        "4 replicas are wanted",
    );
}

#[test]
fn pods_that_go_for_want_of_the_metric_are_told_beside_the_requirement() {
    let judged = Run::wrong(Name::Missing, Goes::Becomes(1)).judged();
    assert_eq!(outcome(&judged, "keeps_pods_without_metric").0, "unmet");
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let judged = Run::wrong(Name::Missing, Goes::Active).judged();
    let (word, said) = outcome(&judged, "keeps_pods_without_metric");
    assert_eq!(word, "unmet");
    assert!(said.contains("does not say that it lacks"), "{said}");
    // What goes on telling what nobody says any more does not let it be tried.
    let judged = Run::wrong(Name::Missing, Goes::Untold).judged();
    assert_eq!(outcome(&judged, "keeps_pods_without_metric").0, "unknown");
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
}

#[test]
fn a_metric_that_never_appears_or_comes_out_changed_is_inconclusive_and_says_why() {
    for (goes, word, words) in [
        (Goes::Untold, "unknown", "[pod_autoscaling] metric"),
        (Goes::Refused, "unknown", "status 500"),
        (Goes::Times(2.0), "unmet", "the metrics API tells 20 of scaled-0"),
    ] {
        let judged = Run::wrong(Name::Begin, goes).judged();
        let (found, said) = outcome(&judged, "metric_is_read_as_set");
        assert_eq!(found, word, "{goes:?}: {said}");
        assert!(said.contains(words), "{goes:?}: {said}");
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        assert_eq!(outcome(&judged, "rises_with_the_metric").0, "unknown");
    }
    for name in [Name::FirstUp, Name::Rest, Name::SecondUp, Name::Down, Name::Least] {
        for goes in [Goes::Untold, Goes::Times(2.0), Goes::Times(0.5)] {
            if name == Name::Least && goes != Goes::Untold {
                continue;
            }
            let judged = Run::wrong(name, goes).judged();
            assert_eq!(judged.verdict, Verdict::Inconclusive, "{name:?} {goes:?}: {}", judged.why);
        }
    }
}

#[test]
fn pods_that_had_no_image_no_room_or_no_leave_are_not_the_autoscalers() {
    for (reason, words) in [
        ("", "1 of 2 pods were created"),
        ("Unschedulable", "Insufficient"),
        ("ImagePullBackOff", "no image"),
    ] {
        let judged = Run::wrong(Name::FirstUp, Goes::Waits(reason)).judged();
        let (found, said) = outcome(&judged, "new_pods_have_accelerators");
        assert_eq!(found, "unknown", "{reason}: {said}");
        assert!(said.contains(words), "{reason}: {said}");
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{reason}: {}", judged.why);
    }
}

#[test]
fn who_is_not_told_the_metric_any_more_need_not_follow_it() {
    let judged = Run::wrong(Name::FirstUp, Goes::Becomes(3)).judged();
    assert_eq!(outcome(&judged, "rises_with_the_metric").0, "unmet");
    let judged = Run::wrong(Name::FirstUp, Goes::BecomesUntold(3)).judged();
    let (found, said) = outcome(&judged, "rises_with_the_metric");
    assert_eq!(found, "unknown", "{said}");
    assert!(said.contains("not tell the value any more"), "{said}");
}

#[test]
fn what_comes_late_is_neither_right_nor_wrong() {
    for (name, goes, claim, words, key) in [
        (
            Name::FirstUp,
            Goes::Late(75_000),
            "rises_with_the_metric",
            "late: after 75",
            "pod_autoscaling.decide",
        ),
        (
            Name::SecondUp,
            Goes::Late(75_000),
            "rises_with_the_metric",
            "the limit is 60 s",
            "pod_autoscaling.decide",
        ),
        (Name::Down, Goes::Late(75_000), "falls_with_the_metric", "late: after 75", "pod_autoscaling.decide"),
        (
            Name::SecondUp,
            Goes::RunsLate(145_000),
            "new_pods_have_accelerators",
            "late: after 145",
            "accelerators.start",
        ),
    ] {
        let mut events = Run::wrong(name, goes).events();
        let judged = judge_events(events.clone());
        let (word, said) = outcome(&judged, claim);
        assert_eq!(word, "unknown", "{name:?} {goes:?}: {said}");
        assert!(said.contains(words) && said.contains(key), "{said}");
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
        // A limit that was stretched lets it pass.
        let fact = EventKind::Fact { name: LIMITS.into(), value: json!({key: 180.0}) };
        events.insert(0, Event { scope: Scope::default(), kind: fact, ..events[0].clone() });
        for (place, event) in events.iter_mut().enumerate() {
            event.sequence = place as u64;
        }
        assert_eq!(judge_events(events).verdict, Verdict::Passed);
    }
    let judged = Run::wrong(Name::Missing, Goes::Late(75_000)).judged();
    assert_eq!(outcome(&judged, "keeps_pods_without_metric").0, "unknown");
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    // What never comes is no matter of limits.
    fails(Name::FirstUp, Goes::Becomes(1), "rises_with_the_metric", "and there are 1");
}

#[test]
fn replicas_that_are_right_by_chance_are_not_met() {
    // Nothing shows that the autoscaler has seen the value: what stays may just never have been looked at.
    for (name, claim) in [
        (Name::Rest, "rests_at_the_target"),
        (Name::Decoy, "ignores_other_namespaces"),
        (Name::Most, "keeps_the_limits"),
        (Name::FirstUp, "rises_with_the_metric"),
    ] {
        let judged = Run::wrong(name, Goes::Unnoticed).judged();
        assert_eq!(outcome(&judged, claim).0, "unknown", "{name:?}");
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    }
}

#[test]
fn a_decoy_that_is_not_told_shows_nothing() {
    let judged = Run::wrong(Name::Decoy, Goes::DecoyUntold).judged();
    assert_eq!(outcome(&judged, "ignores_other_namespaces").0, "unknown");
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn a_run_that_stops_early_proves_nothing_of_what_it_did_not_come_to() {
    for (name, met) in [(Name::Begin, false), (Name::Most, true), (Name::Least, true)] {
        let judged = Run::wrong(name, Goes::Stops).judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{name:?}: {}", judged.why);
        assert_eq!(outcome(&judged, "rises_with_the_metric").0 == "met", met, "{name:?}");
        assert!(outcome(&judged, "keeps_the_limits").1.contains("the API server went away"));
    }
}

#[test]
fn pods_without_an_accelerator_fail_and_a_leak_is_inconclusive() {
    let judged = Run { without_device: true, ..Run::default() }.judged();
    assert_eq!(outcome(&judged, "new_pods_have_accelerators").0, "unmet");
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
    let judged = Run { elsewhere: true, ..Run::default() }.judged();
    assert!(outcome(&judged, "new_pods_have_accelerators").1.contains("node-9"));
    let judged = Run { leak: true, ..Run::default() }.judged();
    assert_eq!(outcome(&judged, "plain_pod_has_no_accelerator").0, "unmet");
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn pods_that_all_reach_one_device_have_not_each_one_of_their_own() {
    let judged = Run { one_device: true, ..Run::default() }.judged();
    let (word, text) = outcome(&judged, "new_pods_have_accelerators");
    assert!(word == "unknown" && text.contains("reach the same"), "{word}: {text}");
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn in_one_namespace_nothing_is_shown_of_others() {
    let judged = Run { together: true, ..Run::default() }.judged();
    assert_eq!(outcome(&judged, "ignores_other_namespaces").0, "unknown");
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn what_happened_while_a_watch_was_interrupted_is_not_known() {
    for kind in [Kind::pod(), Kind::deployment(), autoscalers()] {
        let mut events = Run::default().events();
        let place = events.len() / 2;
        let gap = EventKind::WatchGap { kind, why: "too old".into() };
        events.insert(place, Event { kind: gap, ..events[place].clone() });
        let judged = judge_events(events);
        assert!(judged.why.contains("was interrupted (too old)"), "{}", judged.why);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn what_others_change_is_named_and_makes_it_inconclusive() {
    for (run, words) in [
        (Run { rewritten: true, ..Run::default() }, "was changed on its way in"),
        (Run { carrier_deleted: true, ..Run::default() }, "scaled-0, which says the metric, was deleted"),
        (Run { limits_changed: true, ..Run::default() }, "someone changed the HorizontalPodAutoscaler"),
        (Run { scaled_by_hand: Some(7), ..Run::default() }, "scaled the Deployment to 7"),
    ] {
        let judged = run.judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{words}: {}", judged.why);
        assert!(judged.why.contains(words), "{}", judged.why);
    }
}

#[test]
fn what_is_left_of_a_cut_log_is_not_passed() {
    let whole = Run::default().events();
    let last = whole
        .iter()
        .rposition(|event| matches!(&event.kind, EventKind::Phase { phase, .. } if phase == "closed"));
    for length in (1..=last.unwrap()).step_by(2) {
        let judged = judge_events(whole[..length].to_vec());
        assert_ne!(judged.verdict, Verdict::Passed, "{length} events: {}", judged.why);
        assert_ne!(judged.verdict, Verdict::Failed, "{length} events: {}", judged.why);
    }
}
