//! Devices are given once, again, and to those who share a claim.

use super::tape::*;
use crate::dra_support::objects::{claim, given};
use aiconform_model::{Change, EventKind, Kind, Object};
use aiconform_verdict::Verdict;
use serde_json::json;

/// Claims of the crowd that got a device before one was let go of, and those that waited.
fn crowd(tape: &Tape) -> (Vec<String>, Vec<String>) {
    let closed = tape.mark("crowd", "crowd_closed", "");
    let names: Vec<String> = (0..5).map(|number| format!("crowd-claim-{number}")).collect();
    names.into_iter().partition(|name| {
        tape.0[..closed].iter().any(|event| match &event.kind {
            EventKind::Watch { kind, object, .. } => {
                *kind == claim() && object.label("aiconform.dev/gang") == name && !given(object).is_empty()
            }
            _ => false,
        })
    })
}

fn device_of(tape: &Tape, called: &str) -> String {
    given(&Object(tape.last(&claim(), called)))[0].name.clone()
}

#[test]
fn a_device_that_two_claims_have_at_once_fails() {
    let met = Tape::of(MET);
    let (served, _) = crowd(&met);
    let device = device_of(&met, &served[1]);
    let (word, why) = met.given(&served[2], &device).found("device_is_given_once");
    assert!(word == "unmet" && why.contains(&served[1]) && why.contains(&served[2]), "{why}");
    // For a moment is enough.
    let met = Tape::of(MET);
    let place = met.mark("crowd", "crowd_closed", "");
    let given = met.last(&claim(), &served[1]);
    let mut other = met.last(&claim(), "crowd-claim-0");
    other["metadata"]["uid"] = json!("other");
    other["status"] = given["status"].clone();
    let moment = vec![seen(claim(), Change::Added, other.clone()), seen(claim(), Change::Deleted, other)];
    assert_eq!(met.with(place, moment).word("device_is_given_once"), "unmet");
}

#[test]
fn as_many_claims_as_devices_get_one_and_no_more() {
    let (served, waiting) = crowd(&Tape::of(MET));
    assert_eq!((served.len(), waiting.len()), (3, 2));
    let claim_id = "device_is_given_once";
    // One more, a device that was not published.
    let met = Tape::of(MET);
    let place = met.mark("crowd", "crowd_closed", "");
    let uid = met.last(&Kind::pod(), &waiting[0])["metadata"]["uid"].clone();
    let mut more = met.last(&claim(), &served[1]);
    more["metadata"] = json!({"name": waiting[0], "uid": met.last(&claim(), &waiting[0])["metadata"]["uid"],
        "labels": labels("crowd", "claim", &waiting[0])});
    more["status"]["allocation"]["devices"]["results"][0]["device"] = json!("four");
    more["status"]["reservedFor"] = json!([{"uid": uid}]);
    let mut bound = met.last(&Kind::pod(), &waiting[0]);
    bound["spec"]["nodeName"] = json!("node-0");
    let kinds = vec![seen(claim(), Change::Modified, more), seen(Kind::pod(), Change::Modified, bound)];
    let (word, why) = met.with(place, kinds).found(claim_id);
    assert!(word == "unmet" && why.starts_with("4 claims"), "{why}");
    // One less: slow, or stuck.
    let less = Tape::of(MET).unserved(&served[2]);
    assert_eq!(less.word(claim_id), "unknown");
    let place = less.mark("crowd", "crowd_closed", "");
    assert_eq!(less.canaries(place, "crowd", 3).word(claim_id), "unmet");
    // Those that wait were looked at.
    assert_eq!(Tape::of(MET).unsaid(&waiting[0]).word(claim_id), "unknown");
    assert_eq!(Tape::of(MET).without_canaries("crowd").word(claim_id), "unknown");
}

#[test]
fn a_device_that_was_let_go_of_and_given_to_nobody_fails_only_while_other_pods_are_bound() {
    let claim_id = "freed_device_is_given_again";
    for called in ["free-second", "free-third", "free-fourth"] {
        let slow = Tape::of(MET).unserved(called);
        assert_eq!(slow.word(claim_id), "unknown", "{called}");
        let turn = slow.mark("free", "turn", called);
        let end =
            turn + slow.0[turn..].iter().position(|event| ends(&event.kind, "free", "turn_ended")).unwrap();
        let (word, why) = slow.canaries(end, "free", 3).found(claim_id);
        assert!(word == "unmet" && why.contains(called) && why.contains("deleted"), "{why}");
    }
    // That the first got nothing says nothing of devices that were let go of.
    let first = Tape::of(MET).unserved("free-first");
    let turn = first.mark("free", "turn", "free-first");
    let end =
        turn + first.0[turn..].iter().position(|event| ends(&event.kind, "free", "turn_ended")).unwrap();
    assert_eq!(first.canaries(end, "free", 3).word(claim_id), "unknown");
    // Of the crowd, too.
    let (_, waiting) = crowd(&Tape::of(MET));
    let slow = waiting.iter().fold(Tape::of(MET), |tape, name| tape.unserved(name));
    assert_eq!(slow.word(claim_id), "unknown");
    let end = slow.mark("crowd", "release_ended", "");
    assert_eq!(slow.canaries(end, "crowd", 3).word(claim_id), "unmet");
}

fn ends(kind: &EventKind, trial: &str, name: &str) -> bool {
    matches!(kind, EventKind::Phase { phase, data } if phase == name && data["trial"] == trial)
}

#[test]
fn not_every_way_of_letting_go_is_not_enough() {
    let met = Tape::of(MET);
    let place = met.mark("free", "trial_ended", "");
    let cut = met.without(|event| event.sequence == place as u64);
    assert_eq!(cut.word("freed_device_is_given_again"), "unknown");
}

#[test]
fn all_who_share_a_claim_get_its_device_and_nobody_else_does() {
    let claim_id = "shared_claim_is_one_device";
    let slow = Tape::of(MET).unbound("share-sharer-2");
    assert_eq!(slow.word(claim_id), "unknown");
    let place = slow.mark("share", "shared", "");
    let (word, why) = slow.canaries(place, "share", 3).found(claim_id);
    assert!(word == "unmet" && why.contains("share-sharer-2"), "{why}");
    // It is reserved for all of them.
    let unreserved = Tape::of(MET).changed(&claim(), "share-shared", |_, claim| {
        if let Some(reserved) =
            claim.pointer_mut("/status/reservedFor").and_then(|value| value.as_array_mut())
        {
            reserved.truncate(3);
        }
    });
    assert_eq!(unreserved.word(claim_id), "unmet");
    let met = Tape::of(MET);
    let place = met.mark("share", "other_closed", "");
    let other = met.with_claim(place, "share-other", "share", "two");
    assert_eq!(other.word(claim_id), "unmet");
    assert_eq!(Tape::of(MET).unsaid("share-other").word(claim_id), "unknown");
    // It goes further than the requirement.
    assert_eq!(unreserved.verdict(), Verdict::Passed);
}
