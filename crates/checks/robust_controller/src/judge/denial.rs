//! Denial of what makes no sense, and by whom.

use super::history::{Answer, History};
use crate::marks::{Found, Webhook};
use aiconform_trial::{Marked, met, unknown, unmet};
use aiconform_verdict::Outcome;

/// The one who said no to an object, by the API server's sentence.
#[derive(Debug, PartialEq)]
enum No<'a> {
    /// A webhook denied it.
    Denied(&'a str),
    /// A webhook was called and did not answer.
    Silent(&'a str),
    /// A policy denied it.
    Policy(&'a str),
    /// The API server itself, by the schema or its rules.
    Schema,
    /// Something else.
    Other,
}

/// Reads who said no. A denial's own words come last and may hold anything, so only the beginning of the sentence counts.
fn no(answer: &Answer) -> No<'_> {
    let quoted = |rest: &'_ str, end: char| rest.find(end);
    let message = answer.message.as_str();
    if let Some(rest) = message.strip_prefix("admission webhook \"")
        && let Some(end) = quoted(rest, '"')
    {
        return if rest[end..].starts_with("\" denied the request") {
            No::Denied(&rest[..end])
        } else {
            No::Other
        };
    }
    let internal = message.strip_prefix("Internal error occurred: ").unwrap_or(message);
    for before in ["failed calling webhook \"", "failed to call webhook \""] {
        if let Some(rest) = internal.strip_prefix(before)
            && let Some(end) = quoted(rest, '"')
        {
            return No::Silent(&rest[..end]);
        }
    }
    let policy = "is forbidden: ValidatingAdmissionPolicy '";
    if let Some(place) = message.find(policy) {
        let rest = &message[place + policy.len()..];
        return No::Policy(rest.split('\'').next().unwrap_or_default());
    }
    if answer.status == 422 || answer.status == 400 { No::Schema } else { No::Other }
}

fn webhooks(found: &Found) -> String {
    let in_words = |webhook: &&Webhook| {
        format!(
            "{} of {} (failurePolicy {}, {} ready endpoints of {})",
            webhook.name, webhook.configuration, webhook.failure_policy, webhook.endpoints, webhook.service
        )
    };
    found.own().iter().map(in_words).collect::<Vec<_>>().join("; ")
}

/// An object that the schema takes and that makes no sense is denied by the operator's webhook; the same object, repaired,
/// is not.
pub fn webhook_denies(history: &History) -> Outcome {
    let Some(Marked { mark: found, .. }) = &history.found else {
        return unknown(history.lack("the operator's webhooks were not looked for"));
    };
    let valid = &history.valid;
    let (Some(first), Some(invalid)) = (valid.first(), &history.invalid) else {
        return unknown(history.lack("nothing was asked of the API server"));
    };
    let own = found.own();
    let ours = |name: &str| own.iter().any(|webhook| webhook.name == name);
    // A webhook that does not answer refuses everything.
    for answer in valid.iter().chain([invalid]) {
        if let No::Silent(name) = no(answer)
            && ours(name)
        {
            return unmet(
                format!("its webhook was called and did not answer: {}", answer.message),
                [answer.at],
            );
        }
    }
    if let Some(refused) = valid.iter().find(|answer| answer.status > 299) {
        return unknown(format!(
            "an object that is right was refused, so that a refusal of one that is not says nothing: {}",
            refused.message
        ));
    }
    if invalid.status < 300 {
        if own.is_empty() {
            return unmet(
                "an object that makes no sense was accepted: no webhook is called when one is created",
                [invalid.at],
            );
        }
        return unmet(
            format!("an object that makes no sense was accepted, though there is {}", webhooks(found)),
            [invalid.at],
        );
    }
    match no(invalid) {
        No::Denied(name) if ours(name) => {
            let words = history.plan.denial.as_deref();
            if found.is_shared(name) && !words.is_some_and(|words| invalid.message.contains(words)) {
                return unknown(format!(
                    "another's webhook goes by the name {name} too, and the denial does not say whose it is: {}",
                    invalid.message
                ));
            }
            if valid.len() < 2 {
                return unknown("the object that is right was not asked about again".to_owned());
            }
            let (before, after) = (first.at, valid[1].at);
            met(format!(
                "{} (the same object, repaired, was accepted before and after, events {before} and {after})",
                invalid.message
            ))
        }
        No::Denied(name) => unknown(format!(
            "the object was denied by webhook {name}, which is not the operator's, before its own could be seen: {}",
            invalid.message
        )),
        No::Silent(name) => unknown(format!(
            "the object was refused because webhook {name}, which is not the operator's, did not answer: {}",
            invalid.message
        )),
        No::Policy(name) if own.is_empty() => unmet(
            format!("no webhook is called when one is created; what denied the object is the policy {name}"),
            [invalid.at],
        ),
        No::Policy(name) => unknown(format!(
            "the object was denied by the policy {name} before the operator's webhook was asked, so that nothing is known of it: {}",
            invalid.message
        )),
        No::Schema if own.is_empty() => unmet(
            format!(
                "no webhook is called when one is created; what denied the object is the schema or a rule in it: {}",
                invalid.message
            ),
            [invalid.at],
        ),
        No::Schema => unknown(format!(
            "the object was denied by the schema or a rule in it before the operator's webhook was asked: {}",
            invalid.message
        )),
        No::Other => unknown(format!("the object was refused by something else: {}", invalid.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_model::Object;
    use aiconform_trial::Position;

    #[test]
    fn who_said_no_is_read_from_the_beginning_of_the_sentence() {
        let answer = |status: u16, message: &str| Answer {
            status,
            message: message.into(),
            object: Object(serde_json::Value::Null),
            at: Position(0),
        };
        let denied = answer(422, "admission webhook \"vraycluster.kb.io\" denied the request: no");
        assert_eq!(no(&denied), No::Denied("vraycluster.kb.io"));
        // A policy's words are its author's.
        let policy = answer(
            422,
            "rayclusters.ray.io \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: admission webhook \"vraycluster.kb.io\" denied the request: no",
        );
        assert_eq!(no(&policy), No::Policy("p"));
        let silent = answer(
            500,
            "Internal error occurred: failed calling webhook \"vraycluster.kb.io\": failed to call webhook: no endpoints available",
        );
        assert_eq!(no(&silent), No::Silent("vraycluster.kb.io"));
        let schema = answer(422, "RayCluster.ray.io \"a\" is invalid: spec.headGroupSpec: Required value");
        assert_eq!(no(&schema), No::Schema);
        let rights = answer(403, "rayclusters.ray.io is forbidden: User \"u\" cannot create resource");
        assert_eq!(no(&rights), No::Other);
    }
}
