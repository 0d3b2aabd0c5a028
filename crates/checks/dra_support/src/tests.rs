//! The judge: on hand-made runs, which show every way to look passed without being so, and to look failed without being
//! so, and on recorded ones.

mod api;
mod guards;
mod hand;
mod recorded;
mod tape;

use aiconform_verdict::Verdict;
use hand::Seen::{BoundWithout, Got, Open, Silent, TwoOf, Unbound, Unreserved, Waits};
use hand::*;
use proptest::prelude::*;

/// The word on a claim, and the verdict.
fn of(run: &Run, claim: &str) -> (String, Verdict) {
    let judged = run.judged();
    (outcome(&judged, claim).to_owned(), judged.verdict)
}

/// That a claim is of this word in a run, and the verdict is this.
fn is(run: &Run, claim: &str, word: &str, verdict: Verdict) {
    let judged = run.judged();
    assert_eq!((outcome(&judged, claim), judged.verdict), (word, verdict), "{}", judged.why);
}

#[test]
fn a_platform_that_gives_what_is_asked_for_passes() {
    let judged = Run::default().judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, false), "{}", judged.why);
    for claim in super::CLAIMS {
        assert_eq!(outcome(&judged, claim.id), "met", "{}", claim.id);
    }
}

// What is wrong.

#[test]
fn the_wrong_device_fails_and_is_the_witness() {
    let run = Run { select: [Got("a-16"), Got("d-80"), Got("c-32")], ..Run::default() };
    is(&run, "selectors_are_followed", "unmet", Verdict::Failed);
    assert!(run.judged().why.contains("a-16"), "{}", run.judged().why);
    // It was given a device: that is another claim.
    assert_eq!(of(&run, "claim_is_allocated").0, "met");
}

#[test]
fn what_a_claim_that_nothing_matches_is_given_is_wrong_whatever_the_scheduler_says() {
    for seen in [Got("a-16"), Unbound("a-16"), BoundWithout] {
        let run = Run { unmatched: seen, ..Run::default() };
        is(&run, "unmatched_claim_waits", "unmet", Verdict::Failed);
    }
}

#[test]
fn a_device_of_two_claims_fails() {
    let run = Run { crowd: [Got("one"), Got("two"), Got("two"), Waits, Waits], ..Run::default() };
    is(&run, "device_is_given_once", "unmet", Verdict::Failed);
    // Whether the pods were bound does not matter.
    let run = Run { crowd: [Got("one"), Got("two"), Unbound("two"), Waits, Waits], ..Run::default() };
    is(&run, "device_is_given_once", "unmet", Verdict::Failed);
}

#[test]
fn more_devices_than_there_are_fails() {
    let run = Run { crowd: [Got("one"), Got("two"), Got("three"), Got("four"), Waits], ..Run::default() };
    is(&run, "device_is_given_once", "unmet", Verdict::Failed);
}

#[test]
fn two_devices_for_a_claim_on_one_fail() {
    let run = Run { select: [TwoOf("b-16", "a-16"), Got("d-80"), Got("c-32")], ..Run::default() };
    is(&run, "claim_is_allocated", "unmet", Verdict::Failed);
}

#[test]
fn a_pod_that_is_bound_without_its_device_fails() {
    for seen in [BoundWithout, Unreserved("b-16")] {
        let run = Run { select: [seen, Got("d-80"), Got("c-32")], ..Run::default() };
        is(&run, "claim_is_allocated", "unmet", Verdict::Failed);
    }
}

// What only looks wrong.

#[test]
fn slow_is_not_stuck() {
    let with = |late| Run { select: [Open, Got("d-80"), Got("c-32")], select_late: late, ..Run::default() };
    for late in 0..3 {
        is(&with(late), "claim_is_allocated", "unknown", Verdict::Inconclusive);
    }
    is(&with(3), "claim_is_allocated", "unmet", Verdict::Failed);
}

#[test]
fn a_free_device_that_waiting_claims_do_not_get_fails_only_while_others_are_bound() {
    let with = |late| Run { released: Waits, release_late: late, ..Run::default() };
    is(&with(0), "freed_device_is_given_again", "unknown", Verdict::Inconclusive);
    is(&with(3), "freed_device_is_given_again", "unmet", Verdict::Failed);
}

#[test]
fn a_device_that_does_not_come_back_fails_and_the_first_claim_says_nothing_of_that() {
    for turn in 1..4 {
        let mut run = Run { free_late: 3, ..Run::default() };
        run.turns[turn] = Waits;
        is(&run, "freed_device_is_given_again", "unmet", Verdict::Failed);
    }
    let run = Run { turns: [Waits, Got("one"), Got("one"), Got("one")], free_late: 3, ..Run::default() };
    assert_eq!(of(&run, "freed_device_is_given_again").0, "unknown");
}

#[test]
fn fewer_devices_than_there_are_fail_only_while_others_are_bound() {
    let crowd = [Got("one"), Got("two"), Waits, Waits, Waits];
    // Two pods that are bound show that a claim waits, not that a device is kept from it.
    is(&Run { crowd, ..Run::default() }, "device_is_given_once", "unknown", Verdict::Inconclusive);
    let run = Run { crowd, crowd_meanwhile: 5, ..Run::default() };
    is(&run, "device_is_given_once", "unmet", Verdict::Failed);
}

/// A run whose log lasts ten seconds from one event to the next, and whose limits are these.
fn slowly(run: &Run, limits: serde_json::Value) -> Tape {
    let mut tape = run.tape();
    for event in &mut tape.events {
        let milliseconds = 1_800_000_000_000 + 10_000 * i64::try_from(event.sequence).unwrap();
        event.time = jiff::Timestamp::from_millisecond(milliseconds).unwrap();
    }
    let mut fact = tape.events[0].clone();
    fact.scope = aiconform_model::Scope::default();
    fact.kind =
        aiconform_model::EventKind::Fact { name: aiconform_trial::story::LIMITS.into(), value: limits };
    tape.events.insert(0, fact);
    for (place, event) in tape.events.iter_mut().enumerate() {
        event.sequence = place as u64;
    }
    tape
}

#[test]
fn what_is_given_late_is_given_and_what_never_is_fails_whatever_the_limit() {
    let never = Run { select: [Open, Got("d-80"), Got("c-32")], select_late: 3, ..Run::default() };
    for seconds in [1, 20, 200] {
        let limits = serde_json::json!({super::limits::GIVE.key: seconds});
        let late = slowly(&Run::default(), limits.clone()).judged();
        assert_eq!(outcome(&late, "claim_is_allocated"), "met", "{seconds} s");
        assert_eq!(late.verdict, Verdict::Passed, "{}", late.why);
        let never = slowly(&never, limits).judged();
        assert_eq!(outcome(&never, "claim_is_allocated"), "unmet", "{seconds} s");
    }
}

#[test]
fn limits_are_those_of_the_check_and_may_be_stretched() {
    for limit in super::limits::LIMITS {
        assert!(limit.key.starts_with("dra_support.") && limit.most >= 10.0, "{}", limit.key);
    }
    assert_eq!(super::CHECK.limits, super::limits::LIMITS);
}

// What only looks right.

#[test]
fn nothing_given_is_never_enough() {
    // A scheduler that is dead says nothing and binds nobody.
    let dead = Run {
        select: [Open; 3],
        unmatched: Silent,
        remaining: Open,
        crowd: [Open; 5],
        turns: [Open; 4],
        meanwhile: 0,
        crowd_meanwhile: 0,
        plain: 0,
        ..Run::default()
    };
    assert_eq!(dead.judged().verdict, Verdict::Inconclusive);
    assert_eq!(of(&dead, "plain_pods_are_bound").0, "unknown");
    // Its control of the wait: that a device was free.
    for seen in [Open, Waits, BoundWithout] {
        let run = Run { remaining: seen, ..Run::default() };
        is(&run, "unmatched_claim_waits", "unknown", Verdict::Inconclusive);
    }
}

#[test]
fn a_claim_that_waits_is_believed_only_with_a_word_of_the_scheduler_and_others_bound_meanwhile() {
    let silent = Run { unmatched: Silent, ..Run::default() };
    is(&silent, "unmatched_claim_waits", "unknown", Verdict::Inconclusive);
    for meanwhile in 0..2 {
        let run = Run { meanwhile, ..Run::default() };
        is(&run, "unmatched_claim_waits", "unknown", Verdict::Inconclusive);
        let run = Run { crowd_meanwhile: meanwhile, ..Run::default() };
        is(&run, "device_is_given_once", "unknown", Verdict::Inconclusive);
    }
    let crowd = [Got("one"), Got("two"), Got("three"), Waits, Silent];
    is(&Run { crowd, ..Run::default() }, "device_is_given_once", "unknown", Verdict::Inconclusive);
}

#[test]
fn a_crowd_of_which_none_waits_shows_nothing() {
    let run = Run { claims: 3, ..Run::default() };
    is(&run, "device_is_given_once", "unknown", Verdict::Inconclusive);
}

#[test]
fn a_plain_pod_that_is_not_bound_leaves_nothing_to_say() {
    let run = Run { plain: 0, ..Run::default() };
    is(&run, "plain_pods_are_bound", "unknown", Verdict::Inconclusive);
}

#[test]
fn a_trial_that_did_not_come_to_its_end_is_not_met() {
    let ends = [
        ("selected", "selectors_are_followed"),
        ("selected", "claim_is_allocated"),
        ("unmatched_closed", "unmatched_claim_waits"),
        ("remaining_ended", "unmatched_claim_waits"),
        ("crowd_closed", "device_is_given_once"),
        ("release_ended", "freed_device_is_given_again"),
        ("turn_ended", "freed_device_is_given_again"),
        ("shared", "shared_claim_is_one_device"),
        ("other_closed", "shared_claim_is_one_device"),
        ("preferred", "first_available_is_first"),
        ("untainted_ended", "tainted_device_is_kept_back"),
        ("tainted_closed", "tainted_device_is_kept_back"),
        ("tolerated_ended", "tainted_device_is_kept_back"),
        ("kind_ended", "api_is_served"),
        ("trial_ended", "plain_pods_are_bound"),
    ];
    for (end, claim) in ends {
        let judged = Run::default().tape().without_phase(end).judged();
        assert_eq!(outcome(&judged, claim), "unknown", "{end}");
    }
}

#[test]
fn what_comes_after_a_window_is_not_of_it() {
    // The pod is bound, and its claim given a device, once the window has closed.
    let mut tape = Run { select: [Open, Got("d-80"), Got("c-32")], ..Run::default() }.tape();
    tape.claim("select", "by-attribute", &["b-16"], &["by-attribute"]);
    tape.pod("select", "claimant", "by-attribute", Bound);
    let judged = tape.judged();
    assert_eq!(outcome(&judged, "claim_is_allocated"), "unknown");
    assert_eq!(outcome(&judged, "selectors_are_followed"), "unknown");
}

// What goes further: shown, and no part of the verdict.

#[test]
fn sharers_of_a_claim_have_its_device_and_nobody_else_does() {
    let mut run = Run { share_late: 3, ..Run::default() };
    run.sharers = 3;
    is(&run, "shared_claim_is_one_device", "unmet", Verdict::Passed);
    let run = Run { sharers: 3, ..Run::default() };
    is(&run, "shared_claim_is_one_device", "unknown", Verdict::Passed);
    let run = Run { other: Unbound("another"), ..Run::default() };
    is(&run, "shared_claim_is_one_device", "unmet", Verdict::Passed);
    let run = Run { moved: true, ..Run::default() };
    is(&run, "shared_claim_is_one_device", "unmet", Verdict::Passed);
}

#[test]
fn the_first_way_that_is_free_is_taken() {
    for prefer in [
        [("less", "small"), ("more", "large")],
        // The right device in the wrong way, and the other way round.
        [("more", "small"), ("less", "small")],
        [("less", "large"), ("less", "small")],
    ] {
        is(&Run { prefer, ..Run::default() }, "first_available_is_first", "unmet", Verdict::Passed);
    }
}

#[test]
fn a_taint_keeps_back_who_does_not_tolerate_it_and_nobody_else() {
    let claim = "tainted_device_is_kept_back";
    is(&Run { tainted: Got("worn"), ..Run::default() }, claim, "unmet", Verdict::Passed);
    is(&Run { untainted: Got("worn"), ..Run::default() }, claim, "unmet", Verdict::Passed);
    // Kept back from everyone: broken only while others are bound.
    is(&Run { tolerated: Waits, ..Run::default() }, claim, "unknown", Verdict::Passed);
    is(&Run { tolerated: Waits, tolerated_late: 3, ..Run::default() }, claim, "unmet", Verdict::Passed);
    is(&Run { untainted: Waits, ..Run::default() }, claim, "unknown", Verdict::Passed);
}

#[test]
fn what_was_not_planned_is_not_claimed_and_what_was_planned_and_never_began_is_unknown() {
    let mut tape = Run::default().tape();
    tape.plan(&["select", "crowd", "free", "share", "plain", "kinds"]);
    let judged = tape.judged();
    let words = |claim| judged.subjects[0].outcome(claim).map(|outcome| outcome.word().to_owned());
    assert_eq!(judged.verdict, Verdict::Passed, "{}", judged.why);
    assert!(
        ["tainted_device_is_kept_back", "first_available_is_first"]
            .iter()
            .all(|id| { words(id).is_none_or(|word| word == "not tried") })
    );
    let mut tape = Run::default().tape();
    tape.plan(&["select", "crowd", "free", "share", "taints", "prefer", "plain", "kinds", "more"]);
    assert_eq!(outcome(&tape.judged(), "plain_pods_are_bound"), "unknown");
}

proptest! {
    /// Who is given something that nothing matches never passes, whatever else was seen.
    #[test]
    fn a_device_for_nobody_never_passes(meanwhile in 0_usize..4, plain in 0_usize..=1, late in 0_usize..4, bound: bool) {
        let unmatched = if bound { Got("a-16") } else { Unbound("a-16") };
        let run = Run { unmatched, meanwhile, plain, select_late: late, ..Run::default() };
        prop_assert_ne!(run.judged().verdict, Verdict::Passed);
    }

    /// The clock says nothing.
    #[test]
    fn time_changes_nothing(scale in 1_i64..100_000, meanwhile in 0_usize..3, crowd in 0_usize..5) {
        let run = Run { meanwhile, crowd_meanwhile: crowd, ..Run::default() };
        let mut other = run.tape();
        for event in &mut other.events {
            let milliseconds = 1_700_000_000_000 + scale * i64::try_from(event.sequence).unwrap();
            event.time = jiff::Timestamp::from_millisecond(milliseconds).unwrap();
        }
        prop_assert_eq!(run.judged().verdict, other.judged().verdict);
    }
}
