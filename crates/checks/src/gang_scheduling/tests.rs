//! The judge on hand-made histories: every way to look passed without being so, and to look failed without being so.

use super::RULES;
use aiconform_evidence::Evidence;
use aiconform_model::{Change, Event, EventKind, Kind, Object, Scope};
use aiconform_verdict::{Judgement, State, Verdict, judge};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A run that is written by hand.
#[derive(Clone, Default)]
struct Tape {
    events: Vec<Event>,
    clock: i64,
}

struct Pod {
    subject: &'static str,
    trial: String,
    role: &'static str,
    gang: String,
    name: String,
}

impl Tape {
    fn write(&mut self, subject: &str, kind: EventKind) {
        self.clock += 10;
        self.events.push(Event {
            sequence: self.events.len() as u64,
            time: jiff::Timestamp::from_millisecond(1_800_000_000_000 + self.clock).unwrap(),
            scope: Scope::new("gang_scheduling", subject),
            kind,
        });
    }

    fn phase(&mut self, subject: &str, phase: &str, mut data: Value, trial: &str) {
        data["trial"] = json!(trial);
        self.write(subject, EventKind::Phase { phase: phase.into(), data });
    }

    fn pod(&mut self, pod: &Pod, change: Change, node: &str, phase: &str) {
        let mut object = json!({
            "metadata": {"name": pod.name, "namespace": "n", "uid": format!("{}/{}", pod.subject, pod.name),
                "labels": {"aiconform.dev/trial": pod.trial, "aiconform.dev/role": pod.role, "aiconform.dev/gang": pod.gang}},
            "spec": {"schedulingGroup": {"podGroupName": pod.gang}}, "status": {"phase": phase}});
        if !node.is_empty() {
            object["spec"]["nodeName"] = json!(node);
        }
        let kind = EventKind::Watch { kind: Kind::pod(), change, object: Object(object) };
        self.write(pod.subject, kind);
    }

    /// Pods come, and so many of them are bound.
    fn pods(
        &mut self,
        subject: &'static str,
        trial: &str,
        role: &'static str,
        gang: &str,
        count: usize,
        bound: usize,
    ) {
        let pods: Vec<Pod> = (0..count)
            .map(|number| Pod {
                subject,
                trial: trial.into(),
                role,
                gang: gang.into(),
                name: format!("{gang}-{role}-{number}"),
            })
            .collect();
        for pod in &pods {
            self.pod(pod, Change::Added, "", "Pending");
        }
        for pod in pods.iter().take(bound) {
            self.pod(pod, Change::Modified, "node-0", "Pending");
        }
    }

    fn bind(
        &mut self,
        subject: &'static str,
        trial: &str,
        gang: &str,
        numbers: std::ops::Range<usize>,
        phase: &str,
    ) {
        for number in numbers {
            let pod = Pod {
                subject,
                trial: trial.into(),
                role: "gang",
                gang: gang.into(),
                name: format!("{gang}-gang-{number}"),
            };
            self.pod(&pod, Change::Modified, "node-0", phase);
        }
    }

    fn gone(&mut self, subject: &'static str, trial: &str, role: &'static str, gang: &str, count: usize) {
        for number in 0..count {
            let pod = Pod {
                subject,
                trial: trial.into(),
                role,
                gang: gang.into(),
                name: format!("{gang}-{role}-{number}"),
            };
            self.pod(&pod, Change::Deleted, "node-0", "Pending");
        }
    }

    fn refused(&mut self, subject: &str, gang: &str) {
        let object = json!({"metadata": {"name": gang, "namespace": "n"}, "status": {"conditions": [
            {"type": "PodGroupInitiallyScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}]}});
        let kind = Kind::namespaced("scheduling.k8s.io", "v1beta1", "PodGroup", "podgroups");
        self.write(subject, EventKind::Watch { kind, change: Change::Modified, object: Object(object) });
    }

    fn started(&mut self, subject: &str, control: bool) {
        self.planned(subject, control, &["near-miss", "fitting", "quorum", "cleanup", "round-0"]);
    }

    fn planned(&mut self, subject: &str, control: bool, trials: &[&str]) {
        let facts = json!({"trials": trials});
        self.write(subject, EventKind::SubjectStarted { facts, control, declared: false });
    }

    fn judged(&self) -> Judgement {
        judge(&RULES, &Evidence { events: self.events.clone() })
    }
}

/// What the near miss looks like; the fields are what can go wrong in it.
#[derive(Clone)]
struct NearMiss {
    control_bound: usize,
    gang_bound: usize,
    refused: bool,
    canaries: usize,
    released: usize,
    late_canaries: usize,
}

const GOOD: NearMiss =
    NearMiss { control_bound: 3, gang_bound: 0, refused: true, canaries: 2, released: 4, late_canaries: 0 };

fn near_miss(tape: &mut Tape, subject: &'static str, seen: &NearMiss) {
    let trial = "near-miss";
    tape.phase(subject, "control_arm", json!({"count": 3}), trial);
    for number in 0..3 {
        let name = format!("near-miss-control-{number}");
        tape.pods(subject, trial, "single", &name, 1, usize::from(number < seen.control_bound));
    }
    tape.phase(subject, "control_arm_ended", json!({}), trial);
    let gang = json!({"gang": "near-miss-gang", "size": 4, "slots": 3});
    tape.phase(subject, "gang", gang.clone(), trial);
    tape.pods(subject, trial, "gang", "near-miss-gang", 4, seen.gang_bound);
    if seen.refused {
        tape.refused(subject, "near-miss-gang");
    }
    for number in 0..2 {
        let name = format!("near-miss-canary-{number}");
        tape.pods(subject, trial, "canary", &name, 1, usize::from(number < seen.canaries));
    }
    tape.phase(subject, "gang_window_closed", json!({}), trial);
    tape.phase(subject, "release", gang, trial);
    tape.bind(subject, trial, "near-miss-gang", seen.gang_bound..seen.released, "Pending");
    for number in 0..seen.late_canaries {
        tape.pods(subject, trial, "canary", &format!("near-miss-late-{number}"), 1, 1);
    }
    tape.phase(subject, "release_ended", json!({}), trial);
}

fn fitting(tape: &mut Tape, subject: &'static str, completed: usize) {
    tape.phase(subject, "gang", json!({"gang": "fitting-gang"}), "fitting");
    tape.pods(subject, "fitting", "gang", "fitting-gang", 4, 4);
    tape.bind(subject, "fitting", "fitting-gang", 0..completed, "Succeeded");
    tape.phase(subject, "gang_ended", json!({}), "fitting");
}

fn quorum(tape: &mut Tape, subject: &'static str, early: usize) {
    tape.phase(subject, "short", json!({"gang": "quorum-gang"}), "quorum");
    tape.pods(subject, "quorum", "gang", "quorum-gang", 3, early);
    for number in 0..2 {
        tape.pods(subject, "quorum", "canary", &format!("quorum-canary-{number}"), 1, 1);
    }
    tape.phase(subject, "short_closed", json!({}), "quorum");
    tape.phase(subject, "whole", json!({"gang": "quorum-gang"}), "quorum");
    let last = Pod {
        subject,
        trial: "quorum".into(),
        role: "gang",
        gang: "quorum-gang".into(),
        name: "quorum-gang-gang-3".into(),
    };
    tape.pod(&last, Change::Added, "", "Pending");
    tape.bind(subject, "quorum", "quorum-gang", early..4, "Pending");
    tape.phase(subject, "whole_ended", json!({}), "quorum");
}

fn cleanup(tape: &mut Tape, subject: &'static str, leaked: usize, canaries: usize) {
    for attempt in 0..3 {
        tape.phase(subject, "again", json!({"gang": "cleanup-gang", "attempt": attempt}), "cleanup");
        for number in 0..4 {
            let mut pod = Pod {
                subject,
                trial: "cleanup".into(),
                role: "gang",
                gang: "cleanup-gang".into(),
                name: format!("cleanup-{attempt}-{number}"),
            };
            tape.pod(&pod, Change::Added, "", "Pending");
            tape.pod(&pod, Change::Modified, "node-0", "Pending");
            pod.role = "gang";
        }
        tape.phase(subject, "again_ended", json!({}), "cleanup");
    }
    tape.phase(subject, "leak_check", json!({"count": 4}), "cleanup");
    for number in 0..4 {
        tape.pods(
            subject,
            "cleanup",
            "single",
            &format!("cleanup-leak-{number}"),
            1,
            usize::from(number < 4 - leaked),
        );
    }
    for number in 0..canaries {
        tape.pods(subject, "cleanup", "canary", &format!("cleanup-canary-{number}"), 1, 1);
    }
    tape.phase(subject, "leak_check_ended", json!({}), "cleanup");
}

/// One round: pods of each gang that are bound when it has settled, and whether the loser follows.
fn round(tape: &mut Tape, subject: &'static str, number: usize, held: (usize, usize), follows: bool) {
    let trial = format!("round-{number}");
    let (a, b) = (format!("{trial}-a"), format!("{trial}-b"));
    tape.phase(subject, "contend", json!({"gangs": [a, b], "slots": 6, "quota": 6, "round": number}), &trial);
    tape.pods(subject, &trial, "gang", &a, 4, held.0);
    tape.pods(subject, &trial, "gang", &b, 4, held.1);
    tape.phase(subject, "settled", json!({}), &trial);
    if held == (4, 0) {
        tape.phase(subject, "release", json!({"winner": a, "losers": [b]}), &trial);
        tape.gone(subject, &trial, "gang", &a, 4);
        if follows {
            tape.bind(subject, &trial, &b, 0..4, "Pending");
        }
        tape.phase(subject, "release_ended", json!({}), &trial);
    }
}

fn control(tape: &mut Tape) {
    tape.started("plain", true);
    near_miss(tape, "plain", &NearMiss { gang_bound: 3, refused: false, ..GOOD });
    round(tape, "plain", 0, (3, 3), false);
    tape.write("plain", EventKind::SubjectEnded {});
}

fn subject(tape: &mut Tape, seen: &NearMiss) {
    tape.started("kube-native", false);
    fitting(tape, "kube-native", 4);
    near_miss(tape, "kube-native", seen);
    quorum(tape, "kube-native", 0);
    cleanup(tape, "kube-native", 0, 0);
    round(tape, "kube-native", 0, (4, 0), true);
    tape.write("kube-native", EventKind::SubjectEnded {});
}

fn run_of(seen: &NearMiss) -> Judgement {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, seen);
    tape.judged()
}

fn outcome<'a>(judged: &'a Judgement, claim: &str) -> &'a str {
    let subject = judged.subjects.iter().find(|subject| subject.id == "kube-native").unwrap();
    subject.outcome(claim).unwrap().word()
}

#[test]
fn a_gang_scheduler_passes_and_its_grade_says_what_was_not_tested() {
    let judged = run_of(&GOOD);
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    let grade = judged.subjects[1].grade.clone().unwrap();
    assert_eq!(
        grade.says,
        "at least G2; not tested for more: three_gangs_are_whole, fragmented_gang_waits, waiting_gang_holds_nothing"
    );
}

#[test]
fn one_bound_member_fails_and_is_the_witness() {
    let judged = run_of(&NearMiss { gang_bound: 1, ..GOOD });
    assert_eq!(judged.verdict, Verdict::Failed, "{}", judged.why);
    assert!(judged.why.contains("near-miss-gang-gang-0"), "{}", judged.why);
}

#[test]
fn nothing_bound_is_never_enough() {
    // A dead scheduler binds nothing: no control arm, no canaries, no word.
    let dead = NearMiss { control_bound: 0, refused: false, canaries: 0, released: 0, ..GOOD };
    assert_eq!(run_of(&dead).verdict, Verdict::Inconclusive);
    // It died between the control arm and the gang.
    let died = NearMiss { refused: false, canaries: 0, released: 0, ..GOOD };
    assert_eq!(run_of(&died).verdict, Verdict::Inconclusive);
    // No word on the gang.
    assert_eq!(outcome(&run_of(&NearMiss { refused: false, ..GOOD }), "oversized_gang_waits"), "unknown");
    // It stopped looking: the second canary hangs.
    assert_eq!(outcome(&run_of(&NearMiss { canaries: 1, ..GOOD }), "oversized_gang_waits"), "unknown");
}

#[test]
fn a_gang_that_never_starts_fails_only_while_a_canary_does() {
    let slow = run_of(&NearMiss { released: 3, ..GOOD });
    assert_eq!(outcome(&slow, "waiting_gang_starts"), "unknown");
    assert_eq!(slow.verdict, Verdict::Inconclusive);
    // Slow is not stuck: one pod that came later says little.
    let slow = run_of(&NearMiss { released: 0, late_canaries: 1, ..GOOD });
    assert_eq!(slow.verdict, Verdict::Inconclusive);
    let stuck = run_of(&NearMiss { released: 0, late_canaries: 3, ..GOOD });
    assert_eq!(stuck.verdict, Verdict::Failed);
}

#[test]
fn early_quorum_and_leaks_fail() {
    let mut tape = Tape::default();
    control(&mut tape);
    tape.started("kube-native", false);
    near_miss(&mut tape, "kube-native", &GOOD);
    fitting(&mut tape, "kube-native", 4);
    quorum(&mut tape, "kube-native", 1);
    cleanup(&mut tape, "kube-native", 1, 3);
    let judged = tape.judged();
    assert_eq!(outcome(&judged, "incomplete_gang_waits"), "unmet");
    assert_eq!(outcome(&judged, "nothing_is_left"), "unmet");
    assert_eq!(judged.verdict, Verdict::Failed);
}

#[test]
fn a_gang_that_is_bound_and_does_not_complete_is_no_pass() {
    let mut tape = Tape::default();
    control(&mut tape);
    tape.started("kube-native", false);
    fitting(&mut tape, "kube-native", 3);
    assert_eq!(outcome(&tape.judged(), "fitting_gang_completes"), "unknown");
    assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_control_that_gangs_too_makes_everything_inconclusive() {
    let mut tape = Tape::default();
    tape.started("plain", true);
    near_miss(&mut tape, "plain", &NearMiss { refused: false, ..GOOD });
    round(&mut tape, "plain", 0, (3, 3), false);
    subject(&mut tape, &GOOD);
    let judged = tape.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert_eq!(judged.subjects[0].state, State::ControlUnmet);
}

#[test]
fn without_its_control_a_pass_is_none() {
    let mut tape = Tape::default();
    subject(&mut tape, &GOOD);
    assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_deadlock_is_shown_and_does_not_change_the_verdict() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &GOOD);
    round(&mut tape, "kube-native", 1, (3, 3), false);
    let judged = tape.judged();
    assert_eq!(outcome(&judged, "contention_is_whole"), "unmet");
    assert_eq!(judged.verdict, Verdict::Passed);
    assert!(judged.subjects[1].grade.clone().unwrap().says.contains("deadlock"));
}

#[test]
fn a_loser_that_does_not_follow_is_not_whole() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &GOOD);
    round(&mut tape, "kube-native", 1, (4, 0), false);
    assert_eq!(outcome(&tape.judged(), "contention_is_whole"), "unknown");
}

#[test]
fn rounds_that_never_ended_or_never_began_are_not_whole() {
    let judged = |planned: &[&str], ended: bool| {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.planned("kube-native", false, planned);
        round(&mut tape, "kube-native", 0, (4, 0), true);
        if ended {
            round(&mut tape, "kube-native", 1, (4, 0), true);
        } else {
            let gangs = json!({"gangs": ["round-1-a", "round-1-b"], "slots": 6, "quota": 6, "round": 1});
            tape.phase("kube-native", "contend", gangs, "round-1");
        }
        outcome(&tape.judged(), "contention_is_whole").to_owned()
    };
    assert_eq!(judged(&["round-0", "round-1"], true), "met");
    assert_eq!(judged(&["round-0", "round-1"], false), "unknown");
    // What was planned and never began counts too.
    assert_eq!(judged(&["round-0", "round-1", "round-2"], true), "unknown");
}

#[test]
fn a_round_in_which_the_kubelet_turned_a_pod_away_is_void_and_nothing_else_is_doubted() {
    let judged = |planned: &[&str]| {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.planned("kube-native", false, planned);
        round(&mut tape, "kube-native", 0, (4, 0), true);
        round(&mut tape, "kube-native", 1, (4, 2), false);
        let turned_away = json!({
            "metadata": {"name": "round-1-b-gang-0", "namespace": "n", "uid": "kube-native/round-1-b-gang-0",
                "labels": {"aiconform.dev/trial": "round-1", "aiconform.dev/role": "gang", "aiconform.dev/gang": "round-1-b"}},
            "spec": {"schedulingGroup": {"podGroupName": "round-1-b"}, "nodeName": "node-0"},
            "status": {"phase": "Failed", "reason": "OutOfslots.aiconform.dev/x"}});
        let kind = Kind::pod();
        let change = Change::Modified;
        tape.write("kube-native", EventKind::Watch { kind, change, object: Object(turned_away) });
        outcome(&tape.judged(), "contention_is_whole").to_owned()
    };
    assert_eq!(judged(&["round-0", "round-1"]), "met");
    // Rounds that never were are still asked for.
    assert_eq!(judged(&["round-0", "round-1", "round-2"]), "unknown");
}

#[test]
fn a_pod_that_the_kubelet_turned_away_in_any_other_trial_leaves_nothing_to_believe() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &GOOD);
    let turned_away = json!({
        "metadata": {"name": "cleanup-leak-0", "namespace": "n", "uid": "x", "labels": {"aiconform.dev/trial": "cleanup",
            "aiconform.dev/role": "single", "aiconform.dev/gang": "cleanup-leak-0"}},
        "spec": {"nodeName": "node-0"}, "status": {"phase": "Failed", "reason": "OutOfslots.aiconform.dev/x"}});
    let last = tape.events.pop().unwrap();
    let kind = EventKind::Watch { kind: Kind::pod(), change: Change::Modified, object: Object(turned_away) };
    tape.write("kube-native", kind);
    tape.write("kube-native", last.kind);
    assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_gap_in_the_watch_or_a_foreign_change_makes_the_subject_inconclusive() {
    let gap = EventKind::WatchGap { kind: Kind::pod(), why: "410".into() };
    let node = |object: Value| EventKind::Watch {
        kind: Kind::node(),
        change: Change::Modified,
        object: Object(object),
    };
    let unready = node(
        json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
    );
    let cordoned = node(json!({"metadata": {"name": "a"}, "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
    for kind in [gap, unready, cordoned] {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.started("kube-native", false);
        tape.events.push(Event {
            sequence: tape.events.len() as u64,
            time: jiff::Timestamp::from_millisecond(1_800_000_000_000 + tape.clock).unwrap(),
            scope: Scope::default(),
            kind,
        });
        fitting(&mut tape, "kube-native", 4);
        near_miss(&mut tape, "kube-native", &GOOD);
        assert_eq!(tape.judged().verdict, Verdict::Inconclusive);
    }
}

#[test]
fn fields_that_were_dropped_take_the_subject_out_of_those_that_count() {
    let mut tape = Tape::default();
    control(&mut tape);
    subject(&mut tape, &NearMiss { gang_bound: 3, ..GOOD });
    for event in &mut tape.events {
        if let EventKind::Watch { object, .. } = &mut event.kind
            && let Some(spec) = object.0.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.remove("schedulingGroup");
        }
    }
    let judged = tape.judged();
    assert_eq!(judged.subjects[1].state, State::NotInForce);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("nothing in force"), "{}", judged.why);
}

#[test]
fn a_pod_that_was_rewritten_on_its_way_in_is_named() {
    let mut tape = Tape::default();
    control(&mut tape);
    tape.started("kube-native", false);
    let sent = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    let got = json!({"metadata": {"name": "p"}, "spec": {"schedulerName": "other", "containers": []}});
    tape.write(
        "kube-native",
        EventKind::Exchange {
            method: "POST".into(),
            path: "/api/v1/namespaces/n/pods".into(),
            status: 201,
            request: Some(sent),
            response: Some(got),
            milliseconds: 1,
        },
    );
    near_miss(&mut tape, "kube-native", &NearMiss { gang_bound: 3, ..GOOD });
    let judged = tape.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("schedulerName") && judged.why.contains("other"), "{}", judged.why);
}

#[test]
fn a_pod_of_a_job_that_was_rewritten_on_its_way_in_is_named() {
    let template = json!({"metadata": {"labels": {"aiconform.dev/trial": "t", "aiconform.dev/role": "gang",
        "aiconform.dev/gang": "g"}}, "spec": {"priorityClassName": "low", "containers": []}});
    let judged = |scheduler: &str| {
        let mut tape = Tape::default();
        control(&mut tape);
        tape.started("kueue/job", false);
        tape.write(
            "kueue/job",
            EventKind::Exchange {
                method: "POST".into(),
                path: "/apis/batch/v1/namespaces/n/jobs".into(),
                status: 201,
                request: Some(json!({"spec": {"template": template}})),
                response: Some(json!({})),
                milliseconds: 1,
            },
        );
        let mut pod = template.clone();
        pod["metadata"]["name"] = json!("g-0");
        pod["spec"]["schedulerName"] = json!(scheduler);
        let kind = EventKind::Watch { kind: Kind::pod(), change: Change::Added, object: Object(pod) };
        tape.write("kueue/job", kind);
        tape.judged().why
    };
    assert!(judged("other").contains("g-0 was changed on its way in"), "{}", judged("other"));
    assert!(!judged("default-scheduler").contains("changed"), "{}", judged("default-scheduler"));
}

/// A recorded run, cut to what a judge reads.
fn recorded(tape: &str) -> Judgement {
    let events = tape.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    judge(&RULES, &Evidence { events })
}

/// Claims of a subject by outcome.
fn claims(judged: &Judgement, id: &str, word: &str) -> Vec<&'static str> {
    let subject = judged.subjects.iter().find(|subject| subject.id == id).unwrap();
    subject.claims.iter().filter(|claim| claim.outcome.word() == word).map(|claim| claim.id).collect()
}

#[test]
fn recorded_runs_are_judged_as_they_were() {
    let met = recorded(include_str!("tapes/met.ndjson"));
    assert_eq!(met.verdict, Verdict::Passed, "{}", met.why);
    assert_eq!(claims(&met, "kube-native", "met").len(), 17);
    let grade = |judged: &Judgement| {
        judged.subjects.iter().map(|s| s.grade.clone().map(|grade| grade.level)).collect::<Vec<_>>()
    };
    assert_eq!(grade(&met), [Some("G0".to_owned()), Some("G4".to_owned())]);
    assert_eq!(claims(&met, "plain", "met").len(), 3);

    let unmet = recorded(include_str!("tapes/unmet.ndjson"));
    assert_eq!(unmet.verdict, Verdict::Failed, "{}", unmet.why);
    assert_eq!(
        claims(&unmet, "kube-native", "unmet"),
        ["oversized_gang_waits", "incomplete_gang_waits", "contention_is_whole"]
    );

    assert_eq!(grade(&unmet), [Some("G0".to_owned()), Some("G0".to_owned())]);

    let absent = recorded(include_str!("tapes/absent.ndjson"));
    assert_eq!(absent.verdict, Verdict::Inconclusive, "{}", absent.why);
    assert!(absent.why.contains("GenericWorkload"), "{}", absent.why);
}

proptest! {
    /// The verdict depends on the order of events of a subject, not on the clock nor on what others do in between.
    #[test]
    fn time_and_interleaving_change_nothing(
        scale in 1_i64..1000,
        picks in proptest::collection::vec(any::<bool>(), 0..400),
        gang_bound in 0_usize..=4,
        canaries in 0_usize..=2,
    ) {
        let seen = NearMiss { gang_bound, canaries, ..GOOD };
        let (mut first, mut second) = (Tape::default(), Tape::default());
        control(&mut first);
        subject(&mut second, &seen);
        let mut mixed = Tape::default();
        let (mut a, mut b) = (first.events.into_iter().peekable(), second.events.into_iter().peekable());
        let mut picks = picks.into_iter();
        while a.peek().is_some() || b.peek().is_some() {
            let from_first = b.peek().is_none() || (a.peek().is_some() && picks.next().unwrap_or(true));
            let event = if from_first { a.next() } else { b.next() };
            if let Some(mut event) = event {
                event.sequence = mixed.events.len() as u64;
                mixed.clock += scale;
                event.time = jiff::Timestamp::from_millisecond(1_800_000_000_000 + mixed.clock).unwrap();
                mixed.events.push(event);
            }
        }
        let (one, other) = (mixed.judged(), run_of(&seen));
        prop_assert_eq!(one.verdict, other.verdict);
        prop_assert_eq!(outcome(&one, "oversized_gang_waits"), outcome(&other, "oversized_gang_waits"));
    }

    /// However many members were bound, and whatever else was seen: one bound member is never passed.
    #[test]
    fn a_bound_member_never_passes(gang_bound in 1_usize..=4, refused: bool, canaries in 0_usize..=2, control_bound in 0_usize..=3) {
        let judged = run_of(&NearMiss { gang_bound, refused, canaries, control_bound, ..GOOD });
        prop_assert_ne!(judged.verdict, Verdict::Passed);
    }
}
