//! Whether the API is served.

use super::hand::*;
use crate::reading::kinds;
use aiconform_verdict::Verdict;
use serde_json::json;

/// A run of which one kind is answered like this.
fn of(plural: &str, statuses: [u16; 6], label: &str) -> Tape {
    let mut tape = Tape::default();
    let whole = Run::default().tape();
    let first = &whole.events[0];
    tape.write(first.kind.clone());
    for kind in kinds() {
        if kind.plural == plural {
            tape.kind(&kind, statuses, label);
        } else {
            tape.kind(&kind, [201, 200, 200, 200, 200, 404], "yes");
        }
    }
    let end = whole.events.iter().position(|event| {
        matches!(&event.kind, aiconform_model::EventKind::Phase { phase, .. } if phase == "trial_ended")
    });
    for event in &whole.events[end.unwrap()..] {
        tape.write(event.kind.clone());
    }
    tape
}

fn word(plural: &str, statuses: [u16; 6], label: &str) -> (String, String, Verdict) {
    let judged = of(plural, statuses, label).judged();
    (outcome(&judged, "api_is_served").to_owned(), judged.why.clone(), judged.verdict)
}

#[test]
fn each_kind_must_be_served_and_kept() {
    for kind in kinds() {
        let plural = &kind.plural;
        for (statuses, label) in [
            // Not served; not kept; not changed; still there when it was deleted.
            ([404, 0, 0, 0, 0, 0], "yes"),
            ([201, 404, 0, 0, 0, 0], "yes"),
            ([201, 200, 405, 0, 0, 0], "yes"),
            ([201, 200, 200, 200, 200, 404], "no"),
            ([201, 200, 200, 200, 405, 0], "yes"),
            ([201, 200, 200, 200, 200, 200], "yes"),
        ] {
            let (word, why, verdict) = word(plural, statuses, label);
            assert_eq!((word.as_str(), verdict), ("unmet", Verdict::Failed), "{plural} {statuses:?}: {why}");
        }
    }
}

#[test]
fn a_refusal_and_an_answer_that_is_missing_say_nothing_of_the_api() {
    for kind in kinds() {
        for statuses in [
            [403, 0, 0, 0, 0, 0],
            [201, 403, 0, 0, 0, 0],
            [201, 200, 503, 0, 0, 0],
            [201, 200, 200, 200, 403, 0],
            [201, 200, 200, 200, 200, 500],
            [201, 200, 200, 0, 0, 0],
            [201, 200, 200, 200, 200, 0],
            [0; 6],
        ] {
            let (word, why, verdict) = word(&kind.plural, statuses, "yes");
            assert_eq!((word.as_str(), verdict), ("unknown", Verdict::Inconclusive), "{statuses:?}: {why}");
        }
    }
}

#[test]
fn an_object_that_is_on_its_way_out_was_deleted() {
    let mut tape = of("deviceclasses", [201, 200, 200, 200, 200, 200], "yes");
    assert_eq!(outcome(&tape.judged(), "api_is_served"), "unmet");
    for event in &mut tape.events {
        if let aiconform_model::EventKind::Exchange { method, response: Some(response), .. } = &mut event.kind
            && method == "GET"
        {
            response["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
    }
    assert_eq!(outcome(&tape.judged(), "api_is_served"), "met");
}

#[test]
fn what_others_list_meanwhile_is_no_step() {
    let mut tape = Run::default().tape();
    for kind in kinds() {
        let last = tape.events.iter().rposition(|event| {
            matches!(&event.kind, aiconform_model::EventKind::Exchange { method, path, .. }
                if method == "DELETE" && path.contains(&kind.plural))
        });
        let mut list = tape.events[last.unwrap()].clone();
        if let aiconform_model::EventKind::Exchange { method, path, response, .. } = &mut list.kind {
            *method = "GET".into();
            *path = format!("/apis/resource.k8s.io/v1/namespaces/other/{}?limit=500", kind.plural);
            *response = Some(json!({"items": []}));
        }
        list.scope = aiconform_model::Scope::default();
        tape.events.insert(last.unwrap() + 1, list);
    }
    for (number, event) in tape.events.iter_mut().enumerate() {
        event.sequence = number as u64;
    }
    assert_eq!(outcome(&tape.judged(), "api_is_served"), "met");
}

#[test]
fn what_is_read_must_be_what_was_created() {
    let mut tape = Run::default().tape();
    for event in &mut tape.events {
        if let aiconform_model::EventKind::Exchange { method, response: Some(response), .. } = &mut event.kind
            && method == "GET"
        {
            response["metadata"]["uid"] = json!("another");
        }
    }
    assert_eq!(outcome(&tape.judged(), "api_is_served"), "unmet");
}

#[test]
fn an_earlier_version_on_an_api_server_that_can_have_no_other_says_nothing() {
    let judged = |minor: u64, served: &[&str]| {
        let mut tape = of("deviceclasses", [404, 0, 0, 0, 0, 0], "yes");
        tape.facts(|facts| {
            facts["minor"] = json!(minor);
            facts["served"] = json!(served);
        });
        let judged = tape.judged();
        (outcome(&judged, "api_is_served").to_owned(), judged.why)
    };
    let (word, why) = judged(33, &["v1beta2"]);
    assert!(word == "unknown" && why.contains("v1beta2"), "{word}: {why}");
    // It could have it; or it has nothing at all.
    for (minor, served) in [(34, &["v1beta2"] as &[&str]), (0, &["v1beta2"]), (33, &[])] {
        let (word, why) = judged(minor, served);
        assert!(word == "unmet" && why.contains("does not serve resource.k8s.io/v1"), "{word}: {why}");
    }
}
