//! The judge: on hand-made histories, which show every way to look passed without being so, and to look failed without
//! being so, and on recorded ones.

mod catalogue;
mod episodes;
mod guards;
mod hand;
mod quota_alone;
mod recorded;
mod undoing;

use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_verdict::{State, Verdict};
use hand::*;
use proptest::prelude::*;
use serde_json::json;

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
fn what_starts_late_has_started_and_no_limit_makes_a_verdict() {
    let slow = |seen: &NearMiss| {
        let mut tape = Tape::default();
        control(&mut tape);
        subject(&mut tape, seen);
        let release = |kind: &EventKind| matches!(kind, EventKind::Phase { phase, .. } if phase == "release");
        let place = tape.events.iter().rposition(|event| release(&event.kind)).unwrap();
        // Ten times the limit, from the release on.
        for event in &mut tape.events[place + 1..] {
            event.time = event.time.checked_add(jiff::SignedDuration::from_secs(1200)).unwrap();
        }
        tape.judged()
    };
    assert_eq!(outcome(&slow(&GOOD), "waiting_gang_starts"), "met");
    // It never started, in twice the limit and after it: only canaries that came later tell stuck from slow.
    let never = NearMiss { released: 0, ..GOOD };
    assert_eq!(outcome(&slow(&never), "waiting_gang_starts"), "unknown");
    assert_eq!(outcome(&slow(&NearMiss { late_canaries: 3, ..never }), "waiting_gang_starts"), "unmet");
    // One pod of it, bound in its window, is seen however late.
    assert_eq!(outcome(&slow(&NearMiss { gang_bound: 1, ..GOOD }), "oversized_gang_waits"), "unmet");
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
            tape.mark("kube-native", "round-1", contend(1, &["round-1-a", "round-1-b"]));
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
