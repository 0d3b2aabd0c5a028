//! Every way in which a cluster looks as if it passed, or failed, and does not. Tapes are recorded on labs under the
//! breakage that a test names; where no lab makes a thing, a recorded run is changed, and the test says what is made.

use super::recorded::*;
use crate::acts::template::Template;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use aiconform_verdict::{State, Verdict};
use serde_json::{Value, json};

const STOPPED: &str = "stopped";
const REWRITTEN: &str = "rewritten";
const HOLD: &str = "hold";
const MISSING: &str = "missing";
const UNCOVERED: &str = "uncovered";
const LABELS: &str = "labels";
const MISPLACED: &str = "misplaced";
const LOWERED: &str = "lowered";
const DROPPED: &str = "dropped";

const NATIVE: &str = "kube-native";
const JOB: &str = "kueue/job";

fn state(recorded: &Recorded, subject: &str) -> State {
    let judged = recorded.judged();
    judged.subjects.iter().find(|judged| judged.id == subject).unwrap().state
}

/// The words and sentence of a claim, and the verdict.
fn of(recorded: &Recorded, subject: &str, claim: &str) -> (String, String, Verdict) {
    let judged = recorded.judged();
    let (word, text) = found(&judged, subject, claim);
    (word.to_owned(), text.to_owned(), judged.verdict)
}

/// That a claim is unknown for a reason, and nothing is decided.
fn undecided(recorded: &Recorded, subject: &str, claim: &str, why: &str) {
    let (word, text, verdict) = of(recorded, subject, claim);
    assert_eq!((word.as_str(), verdict), ("unknown", Verdict::Inconclusive), "{text}");
    assert!(text.contains(why), "{text}");
}

fn level(recorded: &Recorded, subject: &str) -> (String, String) {
    let judged = recorded.judged();
    let grade = judged.subjects.iter().find(|judged| judged.id == subject).unwrap().grade.clone().unwrap();
    (grade.level, grade.says)
}

// Nothing is bound.

#[test]
fn a_scheduler_that_is_down_binds_nothing() {
    // Breakage scheduler-stopped.
    let recorded = Recorded::of(STOPPED);
    assert_eq!(state(&recorded, "plain"), State::ControlUnmet);
    undecided(&recorded, "plain", "slots_are_real", "0 were bound on 3 free slots");
    undecided(&recorded, NATIVE, "oversized_gang_waits", "the control arm does not hold");
}

#[test]
fn a_scheduler_that_died_after_the_control_arm_binds_nothing() {
    // Made of the healthy run: from the near miss on, no pod of the trial is bound and no gang has a status.
    let healthy = Recorded::of(MET);
    let near_misses = ["near-miss", "near-miss-large", "near-miss-half"];
    let mute = |recorded: Recorded| {
        recorded.without(|event| match &event.kind {
            EventKind::Watch { kind, change, .. } => kind.kind == "PodGroup" && *change == Change::Modified,
            _ => false,
        })
    };
    let dead = near_misses.iter().fold(mute(healthy.clone()), |recorded, trial| {
        let begin = recorded.mark(NATIVE, trial, "gang");
        recorded.unbound(NATIVE, trial, "", begin)
    });
    undecided(&dead, NATIVE, "oversized_gang_waits", "nothing shows that the scheduler looked");
    undecided(&dead, NATIVE, "waiting_gang_starts", "0 of 4 pods of the waiting gang");
    // It looked, and died then: no canary is bound.
    let died = near_misses.iter().fold(healthy.clone(), |recorded, trial| {
        let begin = recorded.mark(NATIVE, trial, "gang");
        recorded.unbound(NATIVE, trial, "canary", begin)
    });
    undecided(&died, NATIVE, "oversized_gang_waits", "only 0 of 2 canaries");
    // It lives and says no, and the gang is held by something else than being a gang: the release shows it.
    let begin = healthy.mark(NATIVE, "near-miss", "release");
    let held = healthy.unbound(NATIVE, "near-miss", "gang", begin);
    assert_eq!(of(&held, NATIVE, "oversized_gang_waits").0, "met");
    undecided(&held, NATIVE, "waiting_gang_starts", "0 of 4 pods of the waiting gang");
}

#[test]
fn pods_for_a_scheduler_that_there_is_not_are_not_bound() {
    // Breakage webhook-rewrites-pods.
    let recorded = Recorded::of(REWRITTEN);
    undecided(
        &recorded,
        NATIVE,
        "oversized_gang_waits",
        "spec.schedulerName was default-scheduler, is other",
    );
}

#[test]
fn a_queue_that_is_on_hold_or_missing_admits_nothing() {
    // Breakage queues-on-hold; and a profile that names a ClusterQueue that there is not.
    for (tape, subject) in [(HOLD, "kueue/pods"), (MISSING, JOB)] {
        let recorded = Recorded::of(tape);
        assert_eq!(state(&recorded, subject), State::Inconclusive);
        undecided(&recorded, subject, "oversized_gang_waits", "the control arm does not hold");
    }
    // What is said of such a queue is no word on a gang.
    let recorded = Recorded::of(HOLD);
    let events: Vec<&Event> = recorded.0.iter().filter(|event| event.scope.subject == "kueue/pods").collect();
    let is_about_queues = |words: &str| words.contains("inactive") || words.contains("doesn't exist");
    let said = events.iter().filter_map(|event| match &event.kind {
        EventKind::Watch { object, .. } => object.condition("QuotaReserved")?["message"].as_str(),
        _ => None,
    });
    assert!(said.into_iter().any(is_about_queues));
    let history = recorded.history("kueue/pods");
    let mut refusals = history.trials.iter().flat_map(|trial| &trial.refusals);
    assert!(refusals.all(|refusal| !is_about_queues(&refusal.words)));
}

#[test]
fn a_queue_that_does_not_cover_the_slots_has_no_pods_made() {
    // A profile that names a ClusterQueue of CPU and memory only.
    let recorded = Recorded::of(UNCOVERED);
    undecided(&recorded, JOB, "slots_are_real", "of 0 pods of no gang 0 were bound on 3 free slots");
}

#[test]
fn a_policy_that_refuses_pods_leaves_none_to_bind() {
    // Breakage policy-demands-labels.
    let recorded = Recorded::of(LABELS);
    undecided(&recorded, NATIVE, "oversized_gang_waits", "every pod needs the label team");
    assert_eq!(recorded.judged().subjects.iter().filter(|s| s.state == State::Passed).count(), 0);
}

#[test]
fn pods_that_a_job_cannot_make_are_not_held_by_a_gang_scheduler() {
    // Made of a healthy run: of the near miss's pods, which come with its release, only some are made (a quota for pods, a
    // policy), none is bound, and canaries that came later are.
    let made = |pods: usize, admitted: bool| {
        let recorded = Recorded::of(QUOTA);
        let begin = recorded.mark(JOB, "near-miss", "release");
        let mut names: Vec<String> = Vec::new();
        for event in &recorded.0 {
            if let EventKind::Watch { object, .. } = &event.kind
                && event.scope.subject == JOB
                && is_of(object, "near-miss", "gang")
                && !names.iter().any(|name| name == object.name())
            {
                names.push(object.name().to_owned());
            }
        }
        assert_eq!(names.len(), 4);
        let recorded = recorded.without(|event| match &event.kind {
            EventKind::Watch { object, .. } if event.sequence > begin as u64 => {
                names[pods..].iter().any(|name| name == object.name())
                    || !admitted && object.name().starts_with("job-near-miss-gang")
            }
            _ => false,
        });
        let canaries = (0..3).flat_map(|number| {
            comes_and_is_bound("near-miss", "canary", &format!("late-{number}"), &format!("late-{number}"))
        });
        let end = recorded.mark(JOB, "near-miss", "release_ended");
        recorded.unbound(JOB, "near-miss", "gang", begin).with(end, JOB, canaries.collect())
    };
    undecided(&made(0, true), JOB, "waiting_gang_starts", "0 of 0 pods of the waiting gang");
    undecided(&made(2, true), JOB, "waiting_gang_starts", "0 of 2 pods of the waiting gang");
    // The queue never admits it: then it is the queue that does not let it start.
    assert_eq!(of(&made(0, false), JOB, "waiting_gang_starts").0, "unmet");
}

#[test]
fn nodes_without_room_for_one_pod_bind_none() {
    // Breakage policy-misplaces-pods.
    let recorded = Recorded::of(MISPLACED);
    undecided(&recorded, NATIVE, "oversized_gang_waits", "the control arm does not hold");
    undecided(&recorded, "plain", "slots_are_real", "0 were bound on 3 free slots");
    // The control arm shows it because its pods are those of the gang.
    let template = Template::example();
    assert_eq!(template.member("gang", 0)["spec"], template.single("single")["spec"]);
}

#[test]
fn a_quota_that_holds_gangs_is_no_gang_scheduler() {
    // No breakage: Kueue's quota, and the trial placement.
    let recorded = Recorded::of(QUOTA);
    assert_eq!(recorded.judged().verdict, Verdict::Passed);
    assert_eq!(of(&recorded, JOB, "oversized_gang_waits").0, "met");
    assert_eq!(of(&recorded, JOB, "placement_is_whole").0, "unmet");
    let (level, says) = level(&recorded, JOB);
    assert_eq!(level, "G1");
    assert!(says.starts_with("G1, not G2."), "{says}");
}

// Everything is bound.

#[test]
fn a_scheduler_that_knows_nothing_of_gangs_binds_a_gang_that_fits() {
    // Breakage gang-gate-off-scheduler.
    let recorded = Recorded::of(UNMET);
    assert_eq!(of(&recorded, NATIVE, "fitting_gang_completes").0, "met");
    let (word, witness, verdict) = of(&recorded, NATIVE, "oversized_gang_waits");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Failed));
    assert!(witness.contains("near-miss-gang-0"), "{witness}");
}

#[test]
fn slots_that_bound_nothing_show_nothing() {
    // Made of the healthy run: the plain scheduler binds all four pods on three slots.
    let recorded = Recorded::of(MET);
    let recorded = recorded.pods(|_, subject, pod| {
        if subject == "plain" && is_of(pod, "near-miss", "gang") {
            pod.0["spec"]["nodeName"] = json!("node-0");
        }
    });
    assert_eq!(state(&recorded, "plain"), State::ControlUnmet);
    let (word, why, verdict) = of(&recorded, "plain", "part_is_placed");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Inconclusive));
    assert!(why.contains("the slots do not bound anything"), "{why}");
}

#[test]
fn a_gang_whose_least_was_made_one_is_no_gang() {
    // Breakage policy-lowers-least.
    let recorded = Recorded::of(LOWERED);
    let why = "spec.schedulingPolicy.gang.minCount was 2, is 1";
    undecided(&recorded, NATIVE, "fitting_gang_completes", why);
    // Made of it: the API server says what it was sent, as if a default were put in later. The near miss shows it.
    let unread = recorded.without(|event| match &event.kind {
        EventKind::Exchange { path, .. } => path.contains("/podgroups"),
        _ => false,
    });
    assert_eq!(of(&unread, NATIVE, "fitting_gang_completes").0, "met");
    let (word, witness, verdict) = of(&unread, NATIVE, "oversized_gang_waits");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Failed), "{witness}");
}

#[test]
fn pods_that_request_nothing_are_bound_anywhere() {
    // Breakage policy-drops-requests.
    let recorded = Recorded::of(DROPPED);
    undecided(&recorded, NATIVE, "oversized_gang_waits", "resources/requests was");
    // Made of it: they requested nothing from the start. The control shows that nothing bounds them.
    let mut vacuous = recorded;
    for event in &mut vacuous.0 {
        if let EventKind::Exchange { request: Some(sent), .. } = &mut event.kind
            && let Some(container) = sent.pointer_mut("/spec/containers/0").and_then(Value::as_object_mut)
        {
            container.remove("resources");
        }
    }
    let (word, why, verdict) = of(&vacuous, "plain", "part_is_placed");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Inconclusive), "{why}");
    // Ours request a slot.
    let template = Template::example();
    for pod in [template.member("gang", 0), template.single("single")] {
        assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"]["slots.aiconform.dev/x"], "1");
    }
}

// Someone else.

/// Name and amount of the slots of a trial, as they were asked for at first.
fn slots(recorded: &Recorded, trial: &str) -> String {
    let EventKind::Phase { data, .. } = &recorded.0[recorded.mark(NATIVE, trial, "gang")].kind else {
        return String::new();
    };
    data["resource"].as_str().unwrap().to_owned()
}

fn node(change: Change, spec: Value, slots: Value) -> EventKind {
    let object = json!({"metadata": {"name": "node-0"}, "spec": spec, "status": {"allocatable": slots,
        "conditions": [{"type": "Ready", "status": "True"}]}});
    EventKind::Watch { kind: Kind::node(), change, object: Object(object) }
}

#[test]
fn what_others_change_while_a_gang_is_tried_leaves_nothing_to_believe() {
    // Made of the run that passes and of the one that fails.
    for tape in [MET, UNMET] {
        let recorded = Recorded::of(tape);
        let slot = slots(&recorded, "near-miss");
        let amount = |amount: &str| node(Change::Modified, json!({}), json!({&slot: amount}));
        let mut unready = node(Change::Modified, json!({}), json!({}));
        if let EventKind::Watch { object, .. } = &mut unready {
            object.0["status"]["conditions"][0]["status"] = json!("Unknown");
        }
        let foreign = json!({"metadata": {"name": "foreign", "uid": "f"}, "spec": {"containers": [{"resources":
            {"requests": {&slot: "1"}}}]}, "status": {"phase": "Pending"}});
        let evicted = json!({"metadata": {"name": "evicted", "uid": "e", "labels": {"aiconform.dev/trial": "near-miss",
            "aiconform.dev/role": "gang", "aiconform.dev/gang": "near-miss-gang"}}, "status": {"phase": "Running",
            "conditions": [{"type": "DisruptionTarget", "status": "True"}]}});
        let (gang, release) =
            (recorded.mark(NATIVE, "near-miss", "gang"), recorded.mark(NATIVE, "near-miss", "release_ended"));
        for (place, subject, kinds, why) in [
            (gang, "", vec![unready], "node node-0 was not ready for a while"),
            (
                gang,
                "",
                vec![node(Change::Modified, json!({"unschedulable": true}), json!({}))],
                "was cordoned",
            ),
            (gang, "", vec![node(Change::Deleted, json!({}), json!({}))], "node node-0 went away"),
            (gang, "", vec![amount("9")], "of node node-0 to 9"),
            // Four are asked for, but only with the release.
            (gang, "", vec![amount("3"), amount("4")], "of node node-0 to 4"),
            // They were four, and are three again; or none at all.
            (release, "", vec![amount("3"), amount("4"), amount("3")], "of node node-0 to 3"),
            (release, "", vec![amount("4"), node(Change::Modified, json!({}), json!({}))], "to nothing"),
            (gang, NATIVE, vec![seen(Change::Added, foreign)], "is not ours and takes a private slot"),
            (gang, NATIVE, vec![seen(Change::Modified, evicted)], "was evicted by someone"),
        ] {
            let changed = recorded.clone().with(place + 1, subject, kinds);
            undecided(&changed, NATIVE, "oversized_gang_waits", why);
        }
        // What we asked for, when we asked for it, is no doubt.
        let ours = recorded.clone().with(gang + 1, "", vec![amount("3")]);
        assert_eq!(ours.judged().verdict, recorded.judged().verdict);
    }
}

#[test]
fn ballast_that_goes_before_we_let_go_of_it_leaves_nothing_to_believe() {
    // Made of the healthy run: a pod holds the slot that is missing, until the release.
    let recorded = Recorded::of(MET);
    let ballast = json!({"metadata": {"name": "near-miss-ballast-3", "uid": "b", "labels": {"aiconform.dev/trial":
        "near-miss", "aiconform.dev/role": "ballast", "aiconform.dev/gang": "near-miss-ballast-3"}},
        "spec": {"nodeName": "node-0"}, "status": {"phase": "Pending"}});
    let delete = EventKind::Exchange {
        method: "DELETE".into(),
        path: "/api/v1/namespaces/n/pods/near-miss-ballast-3?propagationPolicy=Background".into(),
        status: 200,
        request: None,
        response: None,
        milliseconds: 1,
    };
    let (gang, release) =
        (recorded.mark(NATIVE, "near-miss", "gang") + 1, recorded.mark(NATIVE, "near-miss", "release") + 1);
    let gone = || vec![seen(Change::Deleted, ballast.clone())];
    let let_go = recorded.with(release, NATIVE, vec![delete]);
    // The watch may tell it before the answer comes.
    assert_eq!(let_go.clone().with(release, NATIVE, gone()).judged().verdict, Verdict::Passed);
    assert_eq!(let_go.clone().with(release + 1, NATIVE, gone()).judged().verdict, Verdict::Passed);
    let early = let_go.with(gang, NATIVE, gone());
    undecided(&early, NATIVE, "oversized_gang_waits", "near-miss-ballast-3, which holds slots");
    let never = Recorded::of(MET).with(release, NATIVE, gone());
    undecided(&never, NATIVE, "waiting_gang_starts", "was deleted by someone");
}

#[test]
fn a_placeholder_is_no_member_and_what_takes_no_slot_disturbs_nobody() {
    // Made of the healthy run: a pod of the product's own stands in for a member while the gang waits.
    let recorded = Recorded::of(MET);
    let slot = slots(&recorded, "near-miss");
    let place = recorded.mark(NATIVE, "near-miss", "gang") + 1;
    let placeholder = |requests: Value| {
        json!({"metadata": {"name": "tg-near-miss-gang-0", "uid": "p"}, "spec": {"nodeName": "node-0", "containers":
            [{"resources": {"requests": requests}}]}, "status": {"phase": "Running"}})
    };
    let with = |requests: Value| {
        recorded.clone().with(place, NATIVE, vec![seen(Change::Added, placeholder(requests))])
    };
    undecided(&with(json!({slot: "1"})), NATIVE, "oversized_gang_waits", "tg-near-miss-gang-0");
    assert_eq!(with(json!({"cpu": "5m"})).judged().verdict, Verdict::Passed);
}
