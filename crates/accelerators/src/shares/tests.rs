//! The judge on hand-made histories, and the reading of what nodes offer.

mod hand;

use self::hand::Run;
use super::judge;
use aiconform_verdict::Outcome;

fn word(run: &Run, claim: hand::Judge) -> &'static str {
    run.outcome(claim).word()
}

#[test]
fn healthy_shares_and_parts_meet_every_claim() {
    for run in [Run::shares(), Run::parts()] {
        let mut claims: Vec<hand::Judge> = vec![
            judge::share_works_alone,
            judge::share_is_schedulable,
            judge::pods_share_one_device,
            judge::shares_work_at_once,
            judge::one_more_waits,
            judge::freed_share_is_given_again,
        ];
        if judge::makes_parts(&run.subject()) {
            claims.push(judge::parts_are_apart);
        }
        for claim in claims {
            let outcome = run.outcome(claim);
            assert!(outcome.is_met(), "{}: {}", run.strategy, outcome.text());
        }
        assert!(run.simulated());
    }
}

#[test]
fn what_labels_promise_must_be_there() {
    let none = Run { offered: Some(0), ..Run::shares() }.until("offered");
    assert_eq!(word(&none, judge::share_is_schedulable), "unmet");
    // Nothing else can be known; the control must not hide what is.
    assert_eq!(word(&none, judge::share_works_alone), "met");
    assert_eq!(word(&none, judge::pods_share_one_device), "unknown");
    let fewer = Run { offered: Some(2), ..Run::shares() };
    assert_eq!(word(&fewer, judge::share_is_schedulable), "unmet");
    // Where labels promise nothing, one device under the name of a share says nothing.
    let single = Run { offered: Some(1), declared: None, physical: None, ..Run::shares() }.until("offered");
    assert_eq!(word(&single, judge::share_is_schedulable), "unknown");
}

#[test]
fn as_many_as_devices_are_no_shares() {
    let run = Run { physical: Some(3), ..Run::shares() };
    assert_eq!(word(&run, judge::share_is_schedulable), "unmet");
}

#[test]
fn shares_on_devices_of_their_own_share_nothing() {
    let devices = ["GPU-a", "GPU-b", "GPU-c"];
    let apart = Run { devices: devices.into(), ..Run::shares() };
    assert_eq!(word(&apart, judge::pods_share_one_device), "unmet");
    // More devices than pods, and not every share was given: nothing had to meet.
    let sparse = Run { offered: Some(32), declared: Some(32), physical: Some(8), ..apart.clone() };
    assert_eq!(word(&sparse, judge::pods_share_one_device), "unknown");
    let mute = Run { mute: true, ..Run::shares() };
    assert_eq!(word(&mute, judge::pods_share_one_device), "unknown");
    assert_eq!(word(&mute, judge::share_works_alone), "unknown");
}

#[test]
fn loads_that_may_have_begun_one_after_the_other_show_nothing_of_at_once() {
    let run = Run { by_load: true, ..Run::shares() };
    assert_eq!(word(&run, judge::shares_work_at_once), "unknown");
    let refused = Run { refused_at_once: Some(1), ..run.clone() };
    assert_eq!(word(&refused, judge::shares_work_at_once), "unmet");
    let together = Run { together: true, ..run };
    assert_eq!(word(&together, judge::shares_work_at_once), "met");
    // By its own count a program of a share has a part of the device; a device that counts itself has done what it was asked.
    assert_eq!(word(&Run { part: 34, ..together.clone() }, judge::shares_work_at_once), "met");
    assert_eq!(word(&Run { part: 0, ..together.clone() }, judge::shares_work_at_once), "unmet");
    // A program that stumbled may have done so by itself.
    assert_eq!(word(&Run { stumbled: true, ..together.clone() }, judge::shares_work_at_once), "unknown");
    assert_eq!(word(&Run { part: 34, by_load: false, ..together }, judge::shares_work_at_once), "unmet");
}

#[test]
fn whoever_is_refused_while_others_work_is_the_witness() {
    let run = Run { refused_at_once: Some(1), ..Run::shares() };
    let Outcome::Unmet { witness, .. } = run.outcome(judge::shares_work_at_once) else { panic!("not unmet") };
    assert!(witness.contains("holder-1") && witness.contains("busy"), "{witness}");
    assert_eq!(word(&run, judge::share_works_alone), "met");
    // Whoever cannot work alone shows nothing of sharing.
    let dead = Run { refused_alone: true, ..Run::shares() };
    assert_eq!(word(&dead, judge::share_works_alone), "unmet");
}

#[test]
fn parts_are_their_own_and_smaller() {
    let unmet = |run: Run| assert_eq!(word(&run, judge::parts_are_apart), "unmet");
    unmet(Run { same_part: true, ..Run::parts() });
    unmet(Run { memory: 16, ..Run::parts() });
    // Each smaller, and together more than there is.
    unmet(Run { memory: 9, ..Run::parts() });
    unmet(Run { nodes: |_| vec!["c 240:7"], ..Run::parts() });
    // Nodes that all have, such as one for control, are beside the point.
    let control = |place: usize| vec!["c 195:255", ["c 240:1", "c 240:2"][place]];
    assert_eq!(word(&Run { nodes: control, ..Run::parts() }, judge::parts_are_apart), "met");
}

#[test]
fn one_more_waits_only_when_the_scheduler_said_so() {
    let bound = Run { one_more: hand::More::Bound, ..Run::shares() };
    assert_eq!(word(&bound, judge::one_more_waits), "unmet");
    // Nobody looked at it: a scheduler that is dead binds nothing either.
    let silent = Run { one_more: hand::More::Silent, ..Run::shares() };
    assert_eq!(word(&silent, judge::one_more_waits), "unknown");
    // What was bound after a share was given back is as it should be: the healthy run has that.
    assert_eq!(word(&Run::shares(), judge::one_more_waits), "met");
    let early = Run::shares().until("one_more");
    assert_eq!(word(&early, judge::one_more_waits), "unknown");
}

#[test]
fn a_freed_share_is_seen_again() {
    let kept = Run { freed: "it waits", ..Run::shares() };
    assert_eq!(word(&kept, judge::freed_share_is_given_again), "unmet");
    let many = Run { asks: 4, ..Run::shares() };
    assert_eq!(word(&many, judge::freed_share_is_given_again), "unknown");
}

#[test]
fn a_share_that_is_given_again_late_is_neither_met_nor_unmet_and_a_longer_limit_lets_it_pass() {
    let late = Run { freed_after: 45_000, ..Run::shares() };
    let Outcome::Unknown { why } = late.outcome(judge::freed_share_is_given_again) else {
        panic!("{:?}", late.outcome(judge::freed_share_is_given_again))
    };
    assert!(why.contains("the limit is 30 s") && why.contains("accelerators.freed = "), "{why}");
    let stretched = Run { limit: Some(90.0), ..late.clone() };
    assert_eq!(word(&stretched, judge::freed_share_is_given_again), "met");
    // What does not come while it is watched for, which is twice as long, never came.
    let never = Run { freed: "it waits", freed_after: 61_000, ..late };
    assert_eq!(word(&never, judge::freed_share_is_given_again), "unmet");
}

#[test]
fn what_others_did_makes_it_doubtful() {
    assert_eq!(Run::shares().doubt(), None);
    let evicted = Run { evicted: true, ..Run::shares() }.doubt().unwrap();
    assert!(evicted.contains("holder-1") && evicted.contains("someone else"), "{evicted}");
    let rewritten = Run { scheduler: "other", ..Run::shares() }.doubt().unwrap();
    assert!(rewritten.contains("schedulerName"), "{rewritten}");
    assert!(Run { gap: true, ..Run::shares() }.doubt().unwrap().contains("interrupted"));
}

#[test]
fn a_run_that_ends_anywhere_meets_nothing_that_it_did_not_see_and_fails_nobody() {
    let whole = Run::parts().events();
    let subject = Run::parts().subject();
    let claims: [hand::Judge; 5] = [
        judge::pods_share_one_device,
        judge::shares_work_at_once,
        judge::parts_are_apart,
        judge::one_more_waits,
        judge::freed_share_is_given_again,
    ];
    for end in 0..whole.len() {
        for claim in claims {
            let outcome = hand::judged(&whole[..end], &subject, |_, history| claim(history));
            assert!(!outcome.is_unmet(), "{end}");
        }
    }
}
