//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod hand;
mod recorded;
mod undoing;

use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_trial::story::LIMITS;
use aiconform_verdict::{Drawing, State, Verdict};
use hand::*;
use serde_json::json;

#[test]
fn a_healthy_exporter_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    let picture = &judged.subjects[0].pictures[0];
    let Drawing::Curves { curves, shades, .. } = &picture.drawing else { panic!("{picture:?}") };
    assert_eq!((curves.len(), shades.len()), (2, 2));
    assert!(curves[1].main && !curves[0].main);
}

#[test]
fn one_series_too_few_is_found_whichever_it_is() {
    for device in [OWN, OTHER] {
        let run = Run { missing: Some(device), ..Run::default() };
        let judged = run.judged();
        assert_eq!(outcome(&judged, "every_accelerator_has_its_series"), "unmet", "{device}");
        assert_eq!(judged.verdict, Verdict::Failed, "{device}: {}", judged.why);
    }
}

#[test]
fn two_devices_of_one_name_are_one_too_few() {
    let run = Run { names: [OWN, OWN], ..Run::default() };
    assert_eq!(outcome(&run.judged(), "every_accelerator_has_its_series"), "unmet");
}

#[test]
fn a_node_without_an_endpoint_is_named() {
    let run = Run { nodes: vec![("node-0", 2), ("node-1", 8)], ..Run::default() };
    let judged = run.judged();
    assert!(judged.why.contains("node-1 has 8 accelerators and no endpoint"), "{}", judged.why);
}

#[test]
fn utilisation_that_does_not_move_fails() {
    let run = Run { busy: 0.42, idle: 0.42, ..Run::default() };
    let judged = run.judged();
    assert_eq!(
        (outcome(&judged, "utilisation_follows_the_load"), judged.verdict),
        ("unmet", Verdict::Failed)
    );
}

#[test]
fn a_small_rise_is_enough_and_noise_is_not() {
    let small = Run { busy: 0.05, idle: 0.0, ..Run::default() };
    assert_eq!(outcome(&small.judged(), "utilisation_follows_the_load"), "met");
    let noise = Run { busy: 0.42, idle: 0.42, noise: 0.2, ..Run::default() };
    assert_ne!(outcome(&noise.judged(), "utilisation_follows_the_load"), "met");
}

#[test]
fn a_device_that_follows_once_of_twice_is_unknown() {
    let run = Run { deaf_cycle: Some(1), ..Run::default() };
    assert_eq!(outcome(&run.judged(), "utilisation_follows_the_load"), "unknown");
}

#[test]
fn a_load_that_shows_on_another_device_too_fails() {
    let run = Run { other_follows: true, ..Run::default() };
    let judged = run.judged();
    assert_eq!(outcome(&judged, "utilisation_follows_the_load"), "unmet");
    assert!(judged.why.contains(OTHER), "{}", judged.why);
}

#[test]
fn another_device_that_is_busy_all_the_time_is_no_matter() {
    let run = Run { other: 0.9, ..Run::default() };
    assert_eq!(run.judged().verdict, Verdict::Passed);
}

#[test]
fn a_load_that_was_not_done_proves_nothing() {
    // The utilisation stays still because nothing was worked.
    let run = Run { busy: 0.0, done: 0, ..Run::default() };
    let judged = run.judged();
    assert_eq!(outcome(&judged, "load_was_done"), "unmet");
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
}

#[test]
fn a_device_that_others_use_proves_nothing() {
    let shared = Run { share: true, ..Run::default() };
    assert_eq!(shared.judged().verdict, Verdict::Inconclusive);
    let used = Run { quiet_sway: 0.8, ..Run::default() };
    let judged = used.judged();
    assert_eq!((outcome(&judged, "device_was_quiet"), judged.verdict), ("unmet", Verdict::Inconclusive));
}

#[test]
fn memory_must_rise_by_what_was_taken_and_on_that_device_only() {
    let of = |rise: f64, other: f64| {
        let run = Run { rise, other_rise: other, ..Run::default() };
        outcome(&run.judged(), "memory_follows_the_allocation")
    };
    assert_eq!(of(256.0, 0.0), "met");
    // Rounded to a unit.
    assert_eq!(of(255.0, 0.0), "met");
    assert_eq!(of(100.0, 0.0), "unmet");
    assert_eq!(of(0.0, 0.0), "unmet");
    assert_eq!(of(256.0, 256.0), "unmet");
    // What stays when ours is given back is somebody else's; what goes with it is not.
    let stays = |other_stays: bool| {
        let run = Run { other_rise: 256.0, other_stays: Some(other_stays), ..Run::default() };
        outcome(&run.judged(), "memory_follows_the_allocation")
    };
    assert_eq!((stays(true), stays(false)), ("met", "unmet"));
    let refused = Run { taken: 0, rise: 0.0, ..Run::default() };
    assert_eq!(outcome(&refused.judged(), "memory_follows_the_allocation"), "unknown");
}

#[test]
fn attribution_names_our_pod_and_only_while_it_is() {
    let of = |run: Run| outcome(&run.judged(), "attribution_follows_the_pod");
    assert_eq!(of(Run { stale: true, ..Run::default() }), "unmet");
    assert_eq!(of(Run { pod: None, ..Run::default() }), "unmet");
    assert_eq!(of(Run { pod: Some("someone-else"), ..Run::default() }), "unmet");
    assert_eq!(of(Run { other_named: true, ..Run::default() }), "unmet");
    // It goes further than the requirement.
    assert_eq!(Run { stale: true, ..Run::default() }.judged().verdict, Verdict::Passed);
}

#[test]
fn samples_of_long_ago_are_found() {
    let frozen = Run { timestamp: Some(false), busy: 0.0, rise: 0.0, ..Run::default() };
    let judged = frozen.judged();
    assert_eq!(outcome(&judged, "samples_are_fresh"), "unmet");
    assert_eq!(outcome(&judged, "utilisation_follows_the_load"), "unmet");
    let moving = Run { timestamp: Some(true), ..Run::default() };
    assert_eq!(outcome(&moving.judged(), "samples_are_fresh"), "met");
    let still = Run { busy: 0.0, rise: 0.0, stale: true, ..Run::default() };
    assert_eq!(outcome(&still.judged(), "samples_are_fresh"), "unmet");
}

#[test]
fn units_that_cannot_be_are_found() {
    let of = |run: Run| outcome(&run.judged(), "units_are_sane");
    // A ratio under a name in percent.
    assert_eq!(of(Run { busy: 0.01, ..Run::default() }), "unmet");
    // Percent times a hundred.
    assert_eq!(of(Run { busy: 97.0, ..Run::default() }), "unmet");
    // Bytes under a name in MiB.
    assert_eq!(of(Run { rise: 256.0 * 1_048_576.0, ..Run::default() }), "unmet");
    // MiB under a name in bytes.
    assert_eq!(of(Run { rise: 0.001, ..Run::default() }), "unmet");
    assert_eq!(of(Run { temperature: 400.0, ..Run::default() }), "unmet");
    // They go further than the requirement, and follow the load all the same.
    assert_eq!(
        outcome(&Run { busy: 0.01, ..Run::default() }.judged(), "utilisation_follows_the_load"),
        "met"
    );
}

#[test]
fn what_is_no_metrics_fails_and_what_does_not_answer_is_unknown() {
    let of = |answer: Answer| {
        let judged = Run { answer, ..Run::default() }.judged();
        (outcome(&judged, "format_is_machine_readable"), judged.verdict)
    };
    assert_eq!(of(Answer::Html), ("unmet", Verdict::Failed));
    assert_eq!(of(Answer::Garbage), ("unmet", Verdict::Failed));
    assert_eq!(of(Answer::WrongType), ("unmet", Verdict::Failed));
    assert_eq!(of(Answer::Hang), ("unknown", Verdict::Inconclusive));
    assert_eq!(of(Answer::Cut), ("unknown", Verdict::Inconclusive));
    assert_eq!(of(Answer::Refused), ("unknown", Verdict::Inconclusive));
}

#[test]
fn one_bad_line_is_told_and_costs_nothing() {
    let judged = Run { answer: Answer::BadLine, ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let format = judged.subjects[0].outcome("format_is_machine_readable").unwrap().text().to_owned();
    assert!(format.contains("1 lines") && format.contains("line 8, column 30"), "{format}");
}

#[test]
fn a_dialect_that_nobody_knows_is_told_with_what_it_says() {
    let judged = Run { dialect: "", ..Run::default() }.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("DCGM_FI_DEV_GPU_UTIL"), "{}", judged.why);
}

#[test]
fn a_dialect_that_was_not_tried_fails_nobody() {
    let judged = Run { busy: 0.42, idle: 0.42, tried: false, ..Run::default() }.judged();
    assert_eq!(judged.subjects[0].state, State::Inconclusive, "{}", judged.why);
}

#[test]
fn a_pod_that_someone_else_deletes_leaves_nothing_to_believe() {
    let judged = Run { evicted: true, ..Run::default() }.judged();
    assert!(judged.why.contains("someone else"), "{}", judged.why);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn a_pod_that_goes_at_once_or_unseen_leaves_nothing_to_believe() {
    let gone = |event: &mut Event| {
        if let EventKind::Watch { change, object, .. } = &mut event.kind {
            (*change, *object) = (Change::Deleted, Object(json!({"metadata": {"name": "probe"}})));
        }
    };
    let unseen = |event: &mut Event| {
        if matches!(event.kind, EventKind::Watch { .. }) {
            event.kind = EventKind::WatchGap { kind: Kind::pod(), why: "too old".into() };
        }
    };
    for (change, words) in
        [(&gone as &dyn Fn(&mut Event), "someone else"), (&unseen, "the watch on pods was interrupted")]
    {
        let mut events = Run { evicted: true, ..Run::default() }.events();
        events.iter_mut().for_each(change);
        let judged = judge_events(events);
        assert!(judged.why.contains(words), "{}", judged.why);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn what_a_run_that_was_stopped_removes_is_not_taken_for_someone_elses() {
    let mut events = Run { evicted: true, ..Run::default() }.events();
    let is_pod = |event: &Event| matches!(event.kind, EventKind::Watch { .. });
    let place = events.iter().position(is_pod).unwrap();
    events.truncate(place + 1);
    let kind = EventKind::Phase { phase: "over".into(), data: json!({}) };
    events.insert(place, Event { kind, ..events[place].clone() });
    let judged = judge_events(events);
    assert!(!judged.why.contains("someone else"), "{}", judged.why);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn a_node_that_goes_away_leaves_nothing_to_believe() {
    let mut events = Run { evicted: true, ..Run::default() }.events();
    let pod = json!({"metadata": {"name": "probe"}, "spec": {"nodeName": "node-0"},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    for event in &mut events {
        if let EventKind::Watch { object, .. } = &mut event.kind {
            *object = Object(pod.clone());
        }
    }
    let judged = judge_events(events);
    assert!(judged.why.contains("not ready for a while") && judged.why.contains("node-0"), "{}", judged.why);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn an_endpoint_that_is_never_read_is_not_said_to_speak_another_dialect() {
    let judged = Run { dialect: "", answer: Answer::Hang, ..Run::default() }.judged();
    assert!(judged.why.contains("could not be read: it did not end"), "{}", judged.why);
}

#[test]
fn what_is_wrong_with_the_device_of_one_way_is_found_and_said() {
    let plugin = Run { names: [OTHER, OWN], ..Run::default() };
    let judged = judge_events(both(&Run::default(), &plugin));
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let follows = judged.subjects[0].outcome("utilisation_follows_the_load").unwrap().text().to_owned();
    assert!(follows.contains("dra: ") && follows.contains("device-plugin: "), "{follows}");
    assert_eq!(judged.subjects[0].pictures.len(), 2);
    let still = Run { busy: 0.0, ..plugin.clone() };
    for (events, mode) in [
        (both(&Run::default(), &still), "device-plugin: "),
        (both(&Run { busy: 0.0, ..Run::default() }, &plugin), "dra: "),
    ] {
        let judged = judge_events(events);
        assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
        assert!(judged.why.contains(mode), "{}", judged.why);
    }
    // The load is done by the one and shown on the other.
    let swapped = Run { busy: 0.0, other_follows: true, ..plugin };
    assert_ne!(judge_events(both(&Run::default(), &swapped)).verdict, Verdict::Passed);
}

#[test]
fn a_way_that_was_not_come_to_is_not_passed_over() {
    let events = both(&Run::default(), &Run { names: [OTHER, OWN], ..Run::default() });
    let second = events.iter().rposition(|event| is(event, "given")).unwrap();
    for end in memory_settled(&events)..events.len() {
        let judged = judge_events(events[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
        if end <= second {
            assert_ne!(judged.verdict, Verdict::Passed, "{end}");
        }
    }
}

#[test]
fn what_is_shown_late_is_neither_right_nor_wrong() {
    let claims =
        ["utilisation_follows_the_load", "memory_follows_the_allocation", "attribution_follows_the_pod"];
    let late = Run { shown: Some(100_000), ..Run::default() };
    let judged = late.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{}", judged.why);
    for claim in claims {
        let outcome = judged.subjects[0].outcome(claim).unwrap();
        assert_eq!(outcome.word(), "unknown", "{claim}: {}", outcome.text());
        let words = "late: after 100 s, the limit is 90 s";
        assert!(outcome.text().contains(words), "{}", outcome.text());
        assert!(outcome.text().contains("accelerator_metrics.show = 150"), "{}", outcome.text());
    }
    // A limit that was stretched lets it pass.
    let mut events = late.events();
    let value = json!({"accelerator_metrics.show": 150.0});
    let kind = EventKind::Fact { name: LIMITS.into(), value };
    let fact = Event { scope: Scope::default(), kind, ..events[0].clone() };
    events.insert(0, fact);
    for (place, event) in events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
    assert_eq!(judge_events(events).verdict, Verdict::Passed);
    // What shows on another device, too, is wrong however late it is.
    let too = Run { other_follows: true, ..late.clone() };
    assert_eq!(outcome(&too.judged(), claims[0]), "unmet");
    // What never comes is no matter of limits.
    let never = Run { shown: None, busy: 0.0, rise: 0.0, stale: true, ..Run::default() };
    for claim in claims {
        assert_eq!(outcome(&never.judged(), claim), "unmet", "{claim}");
    }
}

#[test]
fn a_run_that_ends_anywhere_is_never_more_than_the_whole_one() {
    let whole = Run::default().events();
    for end in 0..whole.len() {
        let judged = judge_events(whole[..end].to_vec());
        assert_ne!(judged.verdict, Verdict::Failed, "{end}: {}", judged.why);
        let passed = judged.verdict == Verdict::Passed;
        assert!(!passed || end > memory_settled(&whole), "{end} of {}", whole.len());
    }
}
