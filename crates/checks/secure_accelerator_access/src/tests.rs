//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod any;
mod guards;
mod hand;
mod recorded;

use crate::marks::Mark;
use aiconform_model::EventKind;
use aiconform_model::probe::Number;
use aiconform_verdict::{CellKind, Drawing, Standing, State, Verdict};
use hand::*;
use serde_json::json;

#[test]
fn a_platform_that_isolates_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, true), "{}", judged.why);
    for claim in &judged.subjects[0].claims {
        assert!(claim.outcome.is_met(), "{}: {}", claim.id, claim.outcome.text());
    }
    assert_eq!(judged.subjects[0].claims.len(), 12);
}

#[test]
fn the_picture_has_a_row_for_every_container_and_says_what_is_whose() {
    let count = |run: Run, kind: CellKind| {
        let judged = run.judged();
        let picture = &judged.subjects[0].pictures[0];
        let Drawing::Grid(grid) = picture.drawing.clone() else { panic!("{picture:?}") };
        assert_eq!((grid.rows.len(), grid.columns), (11, vec!["accel0".to_owned(), "accel1".to_owned()]));
        grid.rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.kind == kind).count()
    };
    assert_eq!(count(Run::default(), CellKind::Own), 2);
    assert_eq!(count(Run::default(), CellKind::Kept), 20);
    assert_eq!(count(leak("plain", "probe", 0, ENXIO), CellKind::Leak), 1);
    assert_eq!(count(leak("plain", "probe", 0, EACCES), CellKind::Open), 1);
    // What two holders have is the own of neither.
    assert_eq!(count(leak("holder-0", "probe", 1, ENXIO), CellKind::Leak), 2);
}

#[test]
fn real_devices_are_not_called_simulated() {
    let sees = |_: &At<'_>, sees: &mut Sees| sees.values_mut().for_each(|(_, errno)| *errno = OPENED);
    let judged = Run { sees: Box::new(sees), ..Run::default() }.judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, false), "{}", judged.why);
}

/// A run in which a container sees a device that is not its own.
fn leak(to: &'static str, container: &'static str, minor: u32, errno: (i32, &'static str)) -> Run {
    let sees = move |at: &At<'_>, sees: &mut Sees| {
        if at.pod.starts_with(to) && at.container == container {
            add(sees, minor, errno);
        }
    };
    Run { sees: Box::new(sees), ..Run::default() }
}

#[test]
fn who_was_not_given_a_device_and_reaches_one_fails_its_own_claim_alone() {
    for (pod, container, claim) in [
        ("plain", "probe", "no_request_no_access"),
        ("asks", "all", "environment_gives_nothing"),
        ("asks", "number", "environment_gives_nothing"),
        ("asks", "void", "environment_gives_nothing"),
    ] {
        for errno in [ENXIO, OPENED] {
            let judged = leak(pod, container, 1, errno).judged();
            assert_eq!(judged.verdict, Verdict::Failed, "{pod} {container}: {}", judged.why);
            for judged in &judged.subjects[0].claims {
                assert_eq!(judged.outcome.is_unmet(), judged.id == claim, "{pod} {container}: {}", judged.id);
            }
        }
    }
}

#[test]
fn a_sibling_that_reaches_a_device_fails() {
    for container in ["first", "beside"] {
        let run = leak("holder-1", container, 1, ENXIO);
        assert_eq!(run.outcome("sibling_has_no_access"), "unmet", "{container}");
        assert_eq!(run.outcome("no_request_no_access"), "met", "{container}");
        assert_eq!(run.judged().verdict, Verdict::Failed);
    }
}

#[test]
fn a_node_that_the_device_cgroup_refuses_is_no_access_and_one_that_only_its_permissions_guard_is_not_known() {
    for (errno, outcome) in [(EPERM, "met"), (ENOENT, "met"), (EACCES, "unknown"), (EMFILE, "unknown")] {
        assert_eq!(leak("plain", "probe", 0, errno).outcome("no_request_no_access"), outcome, "{errno:?}");
        assert_eq!(leak("holder", "beside", 0, errno).outcome("sibling_has_no_access"), outcome, "{errno:?}");
    }
}

#[test]
fn a_device_that_every_pod_has_is_found_though_nothing_differs() {
    let sees = |_: &At<'_>, sees: &mut Sees| [0, 1].iter().for_each(|minor| add(sees, *minor, ENXIO));
    let run = Run { sees: Box::new(sees), ..Run::default() };
    assert_eq!(run.outcome("granted_opens"), "met");
    for claim in [
        "no_request_no_access",
        "environment_gives_nothing",
        "sibling_has_no_access",
        "others_device_is_denied",
    ] {
        assert_eq!(run.outcome(claim), "unmet", "{claim}");
    }
    assert_eq!(run.judged().verdict, Verdict::Failed);
}

#[test]
fn a_device_under_another_name_is_the_same_device() {
    let sees = |at: &At<'_>, sees: &mut Sees| {
        if at.pod == "plain" {
            sees.insert("/dev/other".into(), (device(1), ENXIO));
        }
    };
    let judged = Run { sees: Box::new(sees), ..Run::default() }.judged();
    // It is on the node of the pod without a request, so that it is nobody's; but it is what a holder has.
    assert_eq!(
        judged.subjects[0].outcome("no_request_no_access").map(|outcome| outcome.word()),
        Some("unmet")
    );
}

#[test]
fn the_same_name_for_another_device_in_each_pod_is_no_access() {
    // Each holder finds its own under the first name.
    let sees = |at: &At<'_>, sees: &mut Sees| {
        if at.pod == "pair" {
            return;
        }
        let own: Vec<Number> = sees.values().map(|(number, _)| *number).collect();
        sees.clear();
        sees.extend(own.into_iter().map(|number| ("/dev/accel0".to_owned(), (number, ENXIO))));
    };
    let says = |_: &At<'_>, look: &mut aiconform_model::probe::Look| {
        look.paths.retain(|tried| tried.path == "/dev/accel0");
    };
    let run = Run { sees: Box::new(sees), says: Box::new(says), ..Run::default() };
    assert_eq!(run.judged().verdict, Verdict::Passed, "{}", run.judged().why);
}

#[test]
fn two_holders_of_one_device_fail() {
    let sees = |_: &At<'_>, sees: &mut Sees| {
        if !sees.is_empty() {
            sees.clear();
            add(sees, 0, ENXIO);
        }
    };
    let run = Run { sees: Box::new(sees), ..Run::default() };
    for claim in ["others_device_is_denied", "requested_is_visible", "no_device_twice"] {
        assert_eq!(run.outcome(claim), "unmet", "{claim}");
    }
    assert_eq!(run.judged().verdict, Verdict::Failed);
}

#[test]
fn control_nodes_that_all_holders_have_are_nobodys_but_not_everyones() {
    let control = Number { block: false, major: 195, minor: 255 };
    let with = move |everyone: bool| {
        let sees = move |_: &At<'_>, sees: &mut Sees| {
            if everyone || !sees.is_empty() {
                sees.insert("/dev/control".into(), (control, OPENED));
            }
        };
        Run { sees: Box::new(sees), says: Box::new(tries_control), ..Run::default() }
    };
    let judged = with(false).judged();
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let seen = judged.subjects[0].outcome("others_device_is_denied").map(|outcome| outcome.text().to_owned());
    assert!(seen.unwrap_or_default().contains("/dev/control (c 195:255), which counts as nobody's"));
    // One that a pod without a request opens is none of an accelerator.
    assert_eq!(with(true).judged().verdict, Verdict::Passed);
}

/// Everyone tries the control node too.
fn tries_control(at: &At<'_>, look: &mut aiconform_model::probe::Look) {
    if !matches!(at.during, Mark::Try { .. }) {
        return;
    }
    let seen = look.devices.iter().find(|seen| seen.path == "/dev/control");
    let absent = aiconform_model::probe::Opening { errno: 2, name: "ENOENT".into() };
    let opening = seen.map_or(absent, |seen| seen.opening.clone());
    look.paths.push(aiconform_model::probe::TriedPath { path: "/dev/control".into(), opening });
    if let Some(made) = look.numbers.last().cloned() {
        let number = Number { block: false, major: 195, minor: 255 };
        look.numbers.push(aiconform_model::probe::TriedNumber { number, ..made });
    }
}

#[test]
fn a_sibling_with_a_control_node_fails() {
    let control = Number { block: false, major: 195, minor: 255 };
    let sees = move |at: &At<'_>, sees: &mut Sees| {
        if !sees.is_empty() || at.container == "beside" {
            sees.insert("/dev/control".into(), (control, OPENED));
        }
    };
    let run = Run { sees: Box::new(sees), says: Box::new(tries_control), ..Run::default() };
    assert_eq!(run.outcome("sibling_has_no_access"), "unmet");
    assert_eq!(run.outcome("no_request_no_access"), "met");
}

#[test]
fn what_nobody_tried_is_not_known() {
    let says = |at: &At<'_>, look: &mut aiconform_model::probe::Look| {
        if at.pod == "plain" {
            look.paths.retain(|tried| tried.path != "/dev/accel1");
        }
    };
    let run = Run { says: Box::new(says), ..Run::default() };
    assert_eq!(run.outcome("no_request_no_access"), "unknown");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_pod_without_a_request_that_is_elsewhere_shows_nothing() {
    let run = Run { strangers_on: "node-1", ..Run::default() };
    for claim in ["no_request_no_access", "environment_gives_nothing"] {
        assert_eq!(run.outcome(claim), "unknown", "{claim}");
    }
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_made_node_says_something_only_where_one_can_open() {
    let of = |made, made_null| Run { made, made_null, ..Run::default() }.outcome("made_node_is_denied");
    let null = (OPENED, Some(OPENED));
    assert_eq!(of((OPENED, Some(EPERM)), null), "met");
    assert_eq!(of((OPENED, Some(ENXIO)), null), "unmet");
    assert_eq!(of((OPENED, Some(OPENED)), null), "unmet");
    // A folder in which no device opens denies nothing by itself.
    assert_eq!(of((OPENED, Some(EACCES)), (OPENED, Some(EACCES))), "unknown");
    assert_eq!(of((OPENED, Some(EPERM)), (OPENED, Some(EPERM))), "unknown");
    // Nothing can be made at all.
    assert_eq!(of((EPERM, None), (EPERM, None)), "met");
    assert_eq!(of((ENOENT, None), (ENOENT, None)), "unknown");
}

#[test]
fn a_restart_that_gives_or_takes_fails_and_one_that_did_not_happen_says_nothing() {
    let again = |change: fn(&mut Sees)| {
        let sees = move |at: &At<'_>, sees: &mut Sees| {
            if matches!(at.during, Mark::LookAgain { .. }) && at.container == "probe" {
                change(sees);
            }
        };
        Run { sees: Box::new(sees), ..Run::default() }
    };
    assert_eq!(again(|sees| add(sees, 1, ENXIO)).outcome("restart_keeps_isolation"), "unmet");
    assert_eq!(again(|sees| sees.clear()).outcome("restart_keeps_isolation"), "unmet");
    let sibling = |at: &At<'_>, sees: &mut Sees| {
        if matches!(at.during, Mark::LookAgain { .. }) && at.container == "beside" {
            add(sees, 0, ENXIO);
        }
    };
    let run = Run { sees: Box::new(sibling), ..Run::default() };
    assert_eq!(run.outcome("restart_keeps_isolation"), "unmet");
    assert_eq!(run.outcome("sibling_has_no_access"), "met");
    let says = |_: &At<'_>, look: &mut aiconform_model::probe::Look| look.started = "1".into();
    assert_eq!(Run { says: Box::new(says), ..Run::default() }.outcome("restart_keeps_isolation"), "unknown");
}

#[test]
fn allocations_are_held_against_each_other_and_against_what_is_there() {
    let twice = Run { allocated: Box::new(|_, _| 0), ..Run::default() };
    assert_eq!(twice.outcome("no_device_twice"), "unmet");
    let swapped = Run {
        allocated: Box::new(|pod, minor| if pod == "pair" { minor } else { 1 - minor }),
        ..Run::default()
    };
    assert_eq!(swapped.outcome("allocated_device_is_given"), "unmet");
    assert_eq!(swapped.judged().verdict, Verdict::Passed, "it goes further than the requirement");
    let says = |_: &At<'_>, look: &mut aiconform_model::probe::Look| look.environment.clear();
    assert_eq!(
        Run { says: Box::new(says), ..Run::default() }.outcome("allocated_device_is_given"),
        "unknown"
    );
}

#[test]
fn what_is_let_go_and_stays_with_another_is_given_twice() {
    // The pod that waited is given what one still has whose containers were not started again.
    let sees = |at: &At<'_>, sees: &mut Sees| {
        if matches!(at.during, Mark::LookReleased { .. }) && at.container == "probe" && at.pod == "holder-3" {
            add(sees, 1, ENXIO);
        }
    };
    let run = Run { free: 3, sees: Box::new(sees), ..Run::default() };
    assert_eq!(run.outcome("no_device_twice"), "unmet");
    assert_eq!(run.outcome("others_device_is_denied"), "met");
}

#[test]
fn that_every_claim_is_given_a_device_shows_no_scarcity() {
    let run = Run { refused: None, ..Run::default() };
    assert_eq!(run.outcome("no_device_twice"), "unknown");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn with_one_free_device_what_needs_two_is_not_known_and_the_rest_is_judged() {
    let run = Run { free: 1, ..Run::default() };
    for claim in ["others_device_is_denied", "requested_is_visible"] {
        assert_eq!(run.outcome(claim), "unknown", "{claim}");
    }
    for claim in
        ["no_request_no_access", "sibling_has_no_access", "no_device_twice", "restart_keeps_isolation"]
    {
        assert_eq!(run.outcome(claim), "met", "{claim}");
    }
    let judged = run.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("only one device of node-0 was free"), "{}", judged.why);
    // A leak needs no second device.
    let sees = |at: &At<'_>, sees: &mut Sees| {
        if at.pod == "plain" {
            add(sees, 0, ENXIO);
        }
    };
    assert_eq!(Run { free: 1, sees: Box::new(sees), ..Run::default() }.judged().verdict, Verdict::Failed);
}

#[test]
fn a_device_that_its_owner_does_not_open_proves_nothing() {
    for errno in [EACCES, EPERM, EMFILE] {
        let sees =
            move |_: &At<'_>, sees: &mut Sees| sees.values_mut().for_each(|(_, opened)| *opened = errno);
        let judged = Run { sees: Box::new(sees), ..Run::default() }.judged();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{errno:?}");
        let must =
            judged.subjects[0].claims.iter().filter(|claim| matches!(claim.standing, Standing::Must { .. }));
        assert!(must.clone().count() == 8 && must.clone().all(|claim| claim.outcome.word() == "unknown"));
    }
}

#[test]
fn access_for_administrators_is_refused_for_that_reason_or_nothing_is_known() {
    let of = |status, answer, plain| {
        Run { admin: (status, answer), plain, ..Run::default() }.outcome("admin_access_is_refused")
    };
    let request = |exactly| json!({"spec": {"devices": {"requests": [{"exactly": exactly}]}}});
    assert_eq!(of(201, request(json!({"adminAccess": true})), 201), "unmet");
    assert_eq!(of(201, request(json!({})), 201), "unknown");
    assert_eq!(of(403, json!({"message": "exceeded quota"}), 201), "unknown");
    assert_eq!(of(403, json!({"message": "needs the admin-access label"}), 403), "unknown");
    assert_eq!(of(403, json!({"message": "needs the admin-access label"}), 201), "met");
}

#[test]
fn a_claim_of_another_namespace_gets_a_pod_nowhere_while_others_get_somewhere() {
    assert_eq!(Run { borrower_on: NODE, ..Run::default() }.outcome("foreign_claim_is_unusable"), "unmet");
    // Nobody who came later was given a node: the scheduler may not have looked.
    let change = |kinds: &mut Vec<EventKind>| {
        let at =
            kinds.iter().position(|kind| matches!(kind, EventKind::Phase { phase, .. } if phase == "pair"));
        kinds.truncate(at.unwrap());
    };
    assert_eq!(
        Run { change: Box::new(change), ..Run::default() }.outcome("foreign_claim_is_unusable"),
        "unknown"
    );
}

#[test]
fn no_accelerator_at_all_says_what_to_name() {
    let absent = EventKind::SubjectAbsent { why: aiconform_accelerators::NONE.into(), declared: false };
    let judged = judged("dra", vec![absent]);
    assert_eq!((judged.verdict, judged.subjects[0].state), (Verdict::Inconclusive, State::Absent));
    assert!(judged.why.contains("no node offers an accelerator"), "{}", judged.why);
}
