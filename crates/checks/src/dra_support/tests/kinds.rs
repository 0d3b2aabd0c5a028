//! Whether the API is served, and keeps what it is given.

use super::tape::*;
use aiconform_model::{Event, EventKind};
use aiconform_verdict::Verdict;
use serde_json::{Value, json};

/// The same in which the so-manyth request of the kind's own trial was answered otherwise.
fn answered(tape: Tape, plural: &str, number: usize, status: u16, change: impl Fn(&mut Value)) -> Tape {
    let begin = tape
        .0
        .iter()
        .position(|event| matches!(&event.kind, EventKind::Phase { phase, data } if phase == "kind" && data["plural"] == plural))
        .unwrap();
    let mut tape = tape;
    let of = |event: &Event| match &event.kind {
        EventKind::Exchange { method, path, request, .. } => {
            let own = path.contains(&format!("/{plural}")) && path.contains("kinds");
            let created = request.as_ref().and_then(|request| request.pointer("/metadata/name")?.as_str());
            own || (method == "POST"
                && path.ends_with(plural)
                && created.is_some_and(|name| name.contains("kinds")))
        }
        _ => false,
    };
    let place = (begin..tape.0.len()).filter(|place| of(&tape.0[*place])).nth(number).unwrap();
    if let EventKind::Exchange { status: was, response, .. } = &mut tape.0[place].kind {
        *was = status;
        change(response.get_or_insert_with(|| json!({})));
    }
    tape
}

const NOTHING: fn(&mut Value) = |_| {};
const ALL: [&str; 4] = ["deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"];

#[test]
fn every_kind_must_be_served_and_kept() {
    for plural in ALL {
        let word = |number, status, change: &dyn Fn(&mut Value)| {
            answered(Tape::of(MET), plural, number, status, change).found("api_is_served")
        };
        // Created, read, changed, read, deleted, read.
        let (found, why) = word(0, 404, &NOTHING);
        assert!(found == "unmet" && why.contains(plural), "{why}");
        let (found, why) = word(1, 200, &|object| object["spec"] = json!({"other": 1}));
        assert!(found == "unmet" && why.contains("not what is read"), "{plural}: {why}");
        assert_eq!(word(1, 404, &NOTHING).0, "unmet");
        assert_eq!(word(2, 405, &NOTHING).0, "unmet");
        let (found, why) = word(3, 200, &|object| {
            object["metadata"]["labels"].as_object_mut().unwrap().remove("aiconform.dev/changed");
        });
        assert!(found == "unmet" && why.contains("the change"), "{plural}: {why}");
        let (found, why) = word(5, 200, &NOTHING);
        assert!(found == "unmet" && why.contains("still there"), "{plural}: {why}");
        // What others wait for before they let it go is on its way.
        let going =
            |object: &mut Value| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(word(5, 200, &going).0, "met");
    }
}

#[test]
fn what_a_policy_refused_says_nothing_of_the_api() {
    for number in 0..5 {
        let refused = answered(Tape::of(MET), "resourceclaims", number, 403, |object| {
            object["message"] = json!("ValidatingAdmissionPolicy 'x' denied request");
        });
        let (word, why) = refused.found("api_is_served");
        assert!(word == "unknown" && why.contains("denied"), "{number}: {why}");
        assert_eq!(refused.verdict(), Verdict::Inconclusive);
    }
    assert_eq!(answered(Tape::of(MET), "resourceslices", 2, 500, NOTHING).word("api_is_served"), "unknown");
}

#[test]
fn a_kind_that_was_not_tried_to_its_end_is_not_served() {
    for plural in ALL {
        let cut = Tape::of(MET).without(|event| {
            matches!(&event.kind, EventKind::Phase { phase, data } if phase == "kind_ended" && data["plural"] == plural)
        });
        // Where a kind follows, its end could be taken for this one's; the last has none.
        assert!(cut.word("api_is_served") != "unmet", "{plural}");
    }
}

#[test]
fn an_api_server_that_is_too_old_is_not_blamed_for_its_age() {
    let old = |minor: u64, served: &[&str]| {
        let mut tape = Tape::of(ABSENT);
        for event in &mut tape.0 {
            if let EventKind::SubjectStarted { facts, .. } = &mut event.kind {
                facts["minor"] = json!(minor);
                facts["served"] = json!(served);
            }
        }
        tape
    };
    let (word, why) = old(33, &["v1beta1"]).found("api_is_served");
    assert!(word == "unknown" && why.contains("1.33"), "{why}");
    assert_eq!(old(33, &["v1beta1"]).verdict(), Verdict::Inconclusive);
    // It has none at all; or it is new enough and serves only what it had before.
    assert_eq!(old(33, &[]).word("api_is_served"), "unmet");
    let (word, why) = old(34, &["v1beta2", "v1beta1"]).found("api_is_served");
    assert!(word == "unmet" && why.contains("v1beta2, v1beta1"), "{why}");
}
