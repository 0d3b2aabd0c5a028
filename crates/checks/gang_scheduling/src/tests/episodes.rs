//! What is on its way: parts that are seen while a gang is bound, gangs that are slow, that starve, or are made again.

use super::recorded::*;
use crate::judge::history::Trial;
use crate::judge::{Round, rounds};
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_trial::Position;
use aiconform_verdict::{State, Verdict};
use serde_json::json;

/// Breakage scheduler-never-retries.
const RETRIES: &str = "retries";
const NATIVE: &str = "kube-native";

fn trial(recorded: &Recorded, name: &str) -> Trial {
    recorded.history(NATIVE).trial(name).clone()
}

/// The position of an event of a recorded run.
fn position(place: usize) -> Position {
    Position(place as u64)
}

fn settled(recorded: &Recorded) -> Vec<Round> {
    rounds(&recorded.history(NATIVE), "round-")
}

/// Word, sentence, verdict.
fn of(recorded: &Recorded, claim: &str) -> (String, String, Verdict) {
    let judged = recorded.judged();
    let (word, text) = found(&judged, NATIVE, claim);
    (word.to_owned(), text.to_owned(), judged.verdict)
}

fn grade(recorded: &Recorded) -> (String, String) {
    let judged = recorded.judged();
    let grade = judged.subjects.iter().find(|judged| judged.id == NATIVE).unwrap().grade.clone().unwrap();
    (grade.level, grade.says)
}

#[test]
fn a_part_that_is_seen_while_a_gang_is_bound_is_none() {
    // The healthy run, whose scheduler binds a gang pod by pod.
    let recorded = Recorded::of(MET);
    for (name, begin, end, claim) in [
        ("fitting", "gang", "gang_ended", "fitting_gang_completes"),
        ("near-miss", "release", "release_ended", "waiting_gang_starts"),
        ("round-0", "contend", "settled", "contention_is_whole"),
        ("round-1", "contend", "settled", "contention_is_whole"),
    ] {
        let trial = trial(&recorded, name);
        let (begin, end) = (recorded.mark(NATIVE, name, begin), recorded.mark(NATIVE, name, end));
        let gangs = recorded.gangs(NATIVE, name, if name.starts_with("round") { "contend" } else { "gang" });
        let parts = (begin..end)
            .filter(|at| gangs.iter().any(|gang| (1..4).contains(&trial.held(gang, position(*at)))));
        assert!(parts.count() > 0, "{name}");
        assert_eq!(of(&recorded, claim).0, "met", "{name}");
    }
    // However long it takes: an hour from one bind to the next (made of it; `recorded` tries all tapes at all speeds).
    let mut slow = recorded.clone();
    for (place, event) in slow.0.iter_mut().enumerate() {
        let hours = i64::try_from(place).unwrap() * 3_600_000;
        event.time = jiff::Timestamp::from_millisecond(event.time.as_millisecond() + hours).unwrap();
    }
    assert_eq!(slow.judged().verdict, Verdict::Passed);
}

#[test]
fn a_part_that_is_undone_ends_whole_and_was_placed_all_the_same() {
    // Made of the healthy run: a pod of the loser is bound for a moment, goes, and comes again.
    let recorded = Recorded::of(MET);
    let (level, _) = grade(&recorded);
    assert_eq!(level, "G4");
    let gangs = recorded.gangs(NATIVE, "round-0", "contend");
    let winner = recorded.gangs(NATIVE, "round-0", "release");
    let end = recorded.mark(NATIVE, "round-0", "settled");
    let round = trial(&recorded, "round-0");
    let loser = gangs.iter().find(|gang| round.held(gang, position(end)) == 0).unwrap();
    assert!(winner.len() < 2);
    let mut kinds = comes_and_is_bound("round-0", "gang", loser, "for-a-moment");
    let Some(EventKind::Watch { object, .. }) = kinds.last() else { return };
    kinds.push(seen(Change::Deleted, object.0.clone()));
    let undone = recorded.with(end, NATIVE, kinds);
    assert_eq!(of(&undone, "contention_is_whole").0, "met");
    assert_eq!(undone.judged().verdict, Verdict::Passed);
    let (level, says) = grade(&undone);
    assert_eq!(level, "G2", "{says}");
    assert!(says.contains("in round-0 a gang was placed in part, which was undone"), "{says}");
}

#[test]
fn a_gang_that_starves_is_in_no_deadlock_and_one_round_without_a_winner_is_not_whole() {
    // In the healthy run a loser holds nothing until the winner is gone.
    let recorded = Recorded::of(MET);
    let all = settled(&recorded);
    assert!(!all.is_empty() && all.iter().all(|round| round.held.contains(&4) && round.held.contains(&0)));
    assert!(all.iter().all(|round| round.is_whole() && !round.is_partial() && !round.is_deadlock()));
    // Made of it: it never starts.
    let release = recorded.mark(NATIVE, "round-0", "release");
    let starved = recorded.clone().unbound(NATIVE, "round-0", "gang", release);
    let (word, why, verdict) = of(&starved, "contention_is_whole");
    assert_eq!((word.as_str(), verdict), ("unknown", Verdict::Passed), "{why}");
    assert!(grade(&starved).1.starts_with("at least G1"), "{}", grade(&starved).1);
    // Made of it: nobody starts, which is no part, and no round that counts.
    let begin = recorded.mark(NATIVE, "round-0", "contend");
    let nobody = recorded.unbound(NATIVE, "round-0", "gang", begin).without(|event| match &event.kind {
        // Without a winner there is no release.
        EventKind::Phase { phase, data } => data["trial"] == "round-0" && phase.starts_with("release"),
        _ => false,
    });
    let first = settled(&nobody).remove(0);
    assert_eq!(
        (first.held.as_slice(), first.is_partial(), first.is_whole()),
        ([0, 0].as_slice(), false, false)
    );
    assert_eq!(of(&nobody, "contention_is_whole").0, "unknown");
    // Breakage gang-gate-off-scheduler: both hold a part, which is a deadlock.
    let deadlocks = settled(&Recorded::of(UNMET)).into_iter().filter(Round::is_deadlock).count();
    assert_eq!(deadlocks, 1);
    assert_eq!(of(&Recorded::of(UNMET), "contention_is_whole").0, "unmet");
}

#[test]
fn a_gang_that_does_not_start_is_stuck_when_three_canaries_passed_it_and_slow_before() {
    let stuck = Recorded::of(RETRIES);
    let (word, witness, verdict) = of(&stuck, "waiting_gang_starts");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Failed));
    assert!(witness.contains("while canaries that came later were"), "{witness}");
    // Made of it: of the canaries that came later one less was bound, in each of the near misses.
    let late = |recorded: Recorded, name: &str| {
        let begin = position(recorded.mark(NATIVE, name, "release"));
        let trial = trial(&recorded, name);
        let mut canaries = trial.pods.iter().filter(|pod| pod.role == "canary" && pod.seen.at > begin);
        let last = canaries.next_back().unwrap().name.clone();
        recorded.pods(|_, _, pod| {
            if pod.name() == last {
                unbind(pod);
            }
        })
    };
    let slow = ["near-miss", "near-miss-large", "near-miss-half"].into_iter().fold(stuck, late);
    let (word, why, verdict) = of(&slow, "waiting_gang_starts");
    assert_eq!((word.as_str(), verdict), ("unknown", Verdict::Inconclusive), "{why}");
}

/// Pods of the waiting gang of the near miss are made again under their names, by another actor or the product.
fn made_again(bound: bool) -> Recorded {
    let recorded = Recorded::of(MET);
    let close = recorded.mark(NATIVE, "near-miss", "gang_window_closed");
    let trial = trial(&recorded, "near-miss");
    let first = trial.all("near-miss-gang").next().unwrap();
    let object = |uid: &str| {
        json!({"metadata": {"name": first.name, "uid": uid, "labels": {"aiconform.dev/trial": "near-miss",
            "aiconform.dev/role": "gang", "aiconform.dev/gang": "near-miss-gang"}},
            "spec": {"schedulerName": "default-scheduler", "schedulingGroup": {"podGroupName": "near-miss-gang"}},
            "status": {"phase": "Pending"}})
    };
    let mut old = object(&first.uid);
    if bound {
        old["spec"]["nodeName"] = json!("node-0");
    }
    let kinds = vec![
        seen(Change::Modified, old.clone()),
        seen(Change::Deleted, old),
        seen(Change::Added, object("another")),
    ];
    let (uid, release) = (first.uid.clone(), recorded.mark(NATIVE, "near-miss", "release") as u64);
    let mut recorded = recorded;
    for event in &mut recorded.0 {
        if let EventKind::Watch { kind, object, .. } = &mut event.kind
            && *kind == Kind::pod()
            && object.uid() == uid
            && event.sequence > release
        {
            object.0["metadata"]["uid"] = json!("another");
        }
    }
    recorded.with(close, NATIVE, kinds)
}

#[test]
fn a_gang_that_is_made_again_is_another_gang_and_what_was_bound_of_it_was() {
    // Made of the healthy run. That other pods start does not show that those which waited would have.
    let again = made_again(false);
    assert_eq!(of(&again, "oversized_gang_waits").0, "met");
    let (word, why, verdict) = of(&again, "waiting_gang_starts");
    assert_eq!((word.as_str(), verdict), ("unknown", Verdict::Inconclusive), "{why}");
    assert!(why.contains("4 of 5 pods"), "{why}");
    // One of them was bound before: nothing of it is left at the end, and it is the witness.
    let hidden = made_again(true);
    let (word, witness, verdict) = of(&hidden, "oversized_gang_waits");
    assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Failed), "{witness}");
    assert!(witness.contains("1 of 4 pods"), "{witness}");
    let judged = hidden.judged();
    assert_eq!(judged.subjects.iter().find(|subject| subject.id == NATIVE).unwrap().state, State::Failed);
}

#[test]
fn objects_that_are_not_pods_bind_nothing() {
    // A node or a gang may carry any name; only pods are members.
    let recorded = Recorded::of(MET);
    let object =
        Object(json!({"metadata": {"name": "near-miss-gang-0", "uid": "g", "labels": {"aiconform.dev/trial":
        "near-miss", "aiconform.dev/role": "gang", "aiconform.dev/gang": "near-miss-gang"}},
        "spec": {"nodeName": "node-0"}}));
    let kind = Kind::namespaced("example.dev", "v1", "Placeholder", "placeholders");
    let place = recorded.mark(NATIVE, "near-miss", "gang") + 1;
    let watched = EventKind::Watch { kind, change: Change::Added, object };
    assert_eq!(recorded.with(place, NATIVE, vec![watched]).judged().verdict, Verdict::Passed);
}
