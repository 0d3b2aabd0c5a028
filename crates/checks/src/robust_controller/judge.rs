//! From evidence to outcomes: pure functions.

use super::adapters::Plan;
use super::discover::Found;
use super::history::{Answer, History, Phase};
use crate::foreign::{changed_spec, gap};
use aiconform_model::{Event, EventKind};
use aiconform_verdict::{Outcome, Subject};

fn met(seen: impl Into<String>) -> Outcome {
    Outcome::Met { seen: seen.into() }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}

fn unmet(witness: impl Into<String>, events: Vec<u64>) -> Outcome {
    Outcome::Unmet { witness: witness.into(), events }
}

/// Whether the file says that something of it is made of the resource.
pub fn has_children(subject: &Subject) -> bool {
    Plan::of(&subject.facts).is_none_or(|plan| !plan.children.is_empty())
}

/// Whether the file names a child that is to be made again.
pub fn has_again(subject: &Subject) -> bool {
    Plan::of(&subject.facts).is_some_and(|plan| plan.again.is_some())
}

/// Whether the file has a change.
pub fn has_change(subject: &Subject) -> bool {
    Plan::of(&subject.facts).is_some_and(|plan| plan.changed.is_some())
}

/// Why nothing of this subject can be believed.
pub fn doubt(events: &[&Event], subject: &Subject) -> Option<String> {
    let history = History::of(events, subject);
    if history.plan.is_none() {
        return Some("the evidence does not say what was planned of this operator".into());
    }
    let ours = |event: &&&Event| event.scope.subject == subject.id;
    let first = events.iter().filter(ours).map(|event| event.sequence).min().unwrap_or(u64::MAX);
    let ended = |event: &&&Event| matches!(event.kind, EventKind::SubjectEnded {}) && ours(event);
    let last = events.iter().find(ended).map_or(u64::MAX, |event| event.sequence);
    let meanwhile = events.iter().filter(|event| event.sequence > first && event.sequence < last);
    for event in meanwhile {
        if let Some(why) = gap(&event.kind) {
            return Some(why);
        }
        if let EventKind::Exchange {
            method,
            path,
            status: 200..300,
            request: Some(sent),
            response: Some(got),
            ..
        } = &event.kind
            && method == "POST"
            && event.scope.subject == subject.id
            && !path.contains("/selfsubjectaccessreviews")
            && let Some(why) = changed_spec(sent, got)
        {
            return Some(why);
        }
    }
    let deleted = history.phase("delete").map_or(u64::MAX, |phase| phase.at);
    let by_others = |look: &&super::history::Look| {
        look.at < deleted
            && look.at < last
            && look.object.uid() == history.uid
            && (look.gone || look.object.at("/metadata/deletionTimestamp").is_some())
    };
    let kind = history.plan.as_ref().map(|plan| plan.kind.kind.clone()).unwrap_or_default();
    history.looks.iter().find(by_others).map(|look| {
        let name = look.object.called();
        format!("{kind} {name} was deleted by someone else (event {})", look.at)
    })
}

/// Control: Kubernetes' own controllers make what is to be made of an object.
pub fn plain_controller_works(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(end) = history.phase("plain_ended") else {
        return unknown(history.lack("no Deployment was made"));
    };
    match history.plain.filter(|at| *at < end.at) {
        Some(_) => met("a ReplicaSet was made of a Deployment"),
        None => unmet(
            "no ReplicaSet was made of a Deployment: Kubernetes' own controllers do not work, or not in time",
            vec![end.at],
        ),
    }
}

/// The custom resource's definition is established.
pub fn kind_is_established(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(phase), Some(found), Some(plan)) =
        (history.phase("found"), history.found("found"), &history.plan)
    else {
        return unknown(history.lack("the definition was not read"));
    };
    let name = format!("{}.{}", plan.kind.plural, plan.kind.group);
    match found.definition {
        None => unmet(format!("CustomResourceDefinition {name} is not there any more"), vec![phase.at]),
        Some(definition) if !definition.established => unmet(
            format!("CustomResourceDefinition {name} is not established: {}", definition.says),
            vec![phase.at],
        ),
        Some(definition) if !definition.served.contains(&plan.kind.version) => unknown(format!(
            "CustomResourceDefinition {name} serves {}, not {}",
            definition.served.join(", "),
            plan.kind.version
        )),
        Some(definition) => met(format!(
            "CustomResourceDefinition {name} is established; it serves {}",
            definition.served.join(", ")
        )),
    }
}

/// The operator's pods are ready, at the beginning and at the end.
pub fn controller_is_ready(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(phase), Some(first)) = (history.phase("found"), history.found("found")) else {
        return unknown(history.lack("the operator's pods were not looked for"));
    };
    if first.pods.is_empty() {
        if first.by.is_empty() {
            return unknown(
                "its pods were not found: no webhook leads to a Service of theirs, and no pod has the labels of its file",
            );
        }
        return unmet(format!("there is no pod of it, by {}", first.by), vec![phase.at]);
    }
    if let Some(pod) = first.pods.iter().find(|pod| !pod.ready) {
        return unmet(format!("its pod {} is not ready: {}", pod.name, pod.says), vec![phase.at]);
    }
    let (Some(phase), Some(last)) = (history.phase("found_again"), history.found("found_again")) else {
        return unknown(history.lack("the operator's pods were not looked at again"));
    };
    for pod in &first.pods {
        match last.pods.iter().find(|other| other.uid == pod.uid) {
            None => {
                return unknown(format!(
                    "its pod {} was there at the beginning and not at the end",
                    pod.name
                ));
            }
            Some(now) if now.restarts > pod.restarts => {
                let times = now.restarts - pod.restarts;
                return unmet(
                    format!("its pod {} was started again {times} times meanwhile: {}", pod.name, now.says),
                    vec![phase.at],
                );
            }
            Some(now) if !now.ready => {
                return unmet(
                    format!("its pod {} is not ready any more: {}", pod.name, now.says),
                    vec![phase.at],
                );
            }
            Some(_) => {}
        }
    }
    let names: Vec<&str> = first.pods.iter().map(|pod| pod.name.as_str()).collect();
    met(format!("{} ready before and after, found by {}", names.join(", "), first.by))
}

/// Who said no to an object, from the API server's sentence.
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

/// A denial's own words come last and may hold anything, so only the beginning of the sentence counts.
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
    let told = |webhook: &&super::discover::Webhook| {
        format!(
            "{} of {} (failurePolicy {}, {} ready endpoints of {})",
            webhook.name, webhook.configuration, webhook.failure_policy, webhook.endpoints, webhook.service
        )
    };
    found.own().iter().map(told).collect::<Vec<_>>().join("; ")
}

/// An object that the schema takes and that makes no sense is denied by the operator's webhook; the same object, repaired,
/// is not.
pub fn webhook_denies(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let Some(found) = history.found("found") else {
        return unknown(history.lack("the operator's webhooks were not looked for"));
    };
    let valid = history.answers_in("ask_valid");
    let invalid = history.answers_in("ask_invalid");
    let (Some(first), Some(invalid)) = (valid.first(), invalid.first()) else {
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
                vec![answer.at],
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
                vec![invalid.at],
            );
        }
        return unmet(
            format!("an object that makes no sense was accepted, though there is {}", webhooks(&found)),
            vec![invalid.at],
        );
    }
    match no(invalid) {
        No::Denied(name) if ours(name) => {
            let words = history.plan.as_ref().and_then(|plan| plan.denial.as_deref());
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
            vec![invalid.at],
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
            vec![invalid.at],
        ),
        No::Schema => unknown(format!(
            "the object was denied by the schema or a rule in it before the operator's webhook was asked: {}",
            invalid.message
        )),
        No::Other => unknown(format!("the object was refused by something else: {}", invalid.message)),
    }
}

/// Whoever refused what the operator wanted to make: a policy of the platform is not the operator's fault.
fn blamed(phase: &Phase) -> Option<String> {
    const POLICIES: &[&str] =
        &["ValidatingAdmissionPolicy '", "admission webhook \"", "exceeded quota", "violates PodSecurity"];
    if phase.data.get("said").is_some_and(serde_json::Value::is_null) {
        return Some(
            "it did not come to what it must, and the Events that may say why could not be read".into(),
        );
    }
    phase
        .texts("said")
        .into_iter()
        .find(|said| POLICIES.iter().any(|policy| said.contains(policy)))
        .map(|said| format!("a policy of the platform refused what the operator wanted to make: {said}"))
}

fn said(phase: &Phase) -> String {
    let said = phase.texts("said").join("; ");
    if said.is_empty() { said } else { format!("; its Events say: {said}") }
}

/// Why nothing can be said of what happened after the resource was created.
fn not_created(history: &History) -> Outcome {
    match history.answers_in("create").first() {
        Some(answer) if answer.status > 299 => {
            unknown(format!("the resource could not be created: {}", answer.message))
        }
        _ => unknown(history.lack("the resource was not created")),
    }
}

/// What is to be made of the resource is made, and belongs to it.
pub fn children_are_made(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(plan), Some(end)) = (&history.plan, history.phase("reconciled")) else {
        return not_created(&history);
    };
    let mut made = Vec::new();
    for kind in &plan.children {
        let seen = history.children.iter().find(|child| {
            let there = child.seen < end.at && child.gone.is_none_or(|gone| gone > end.at);
            child.kind == kind.kind && there
        });
        match seen {
            Some(child) => made.push(format!("{} {}", child.kind, child.name)),
            None if !end.listed(Some(kind)).is_empty() => {
                return unknown(format!("a {} is listed and was not seen on its watch", kind.kind));
            }
            None => {
                let witness = format!("no {} with an ownerReference to it was made{}", kind.kind, said(end));
                return blamed(end).map_or_else(|| unmet(witness, vec![end.at]), unknown);
            }
        }
    }
    met(format!("it owns {}", made.join(", ")))
}

/// The resource's status follows its last generation.
pub fn status_follows(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(plan), Some(end)) = (&history.plan, history.phase("reconciled")) else {
        return not_created(&history);
    };
    let Some(look) = history.before(end.at) else {
        return unknown("the resource was not seen on its watch");
    };
    match plan.lacks(&look.object, &plan.reconciled) {
        None => met(shown(plan, look, &plan.reconciled)),
        Some(lack) => {
            // That a pod runs is not the operator's work, and its status may say no more than is.
            if let Some(waits) = history.children.iter().find_map(|child| child.waits(end.at)) {
                return unknown(format!("{lack}, and {waits}{}", said(end)));
            }
            let witness = format!("{lack}{}", said(end));
            blamed(end).map_or_else(|| unmet(witness, vec![look.at, end.at]), unknown)
        }
    }
}

fn shown(plan: &Plan, look: &super::history::Look, shows: &crate::path::Path) -> String {
    let value = shows.find(&look.object).unwrap_or_default();
    let generation = look.object.at("/metadata/generation").map(ToString::to_string).unwrap_or_default();
    let observed = if plan.observed.is_some() {
        format!("its status is about generation {generation}, its last, and shows {value}")
    } else {
        format!("its status shows {value}; it does not say of which generation")
    };
    format!("{observed} (event {})", look.at)
}

/// A child that is deleted is made again.
pub fn child_is_made_again(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(begin), Some(end)) = (history.phase("delete_child"), history.phase("made_again")) else {
        return unknown(history.lack("no child was there to be deleted"));
    };
    let text = |key: &str| begin.data.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let kind = begin.data.pointer("/kind/kind").and_then(serde_json::Value::as_str).unwrap_or_default();
    let (name, uid) = (text("name"), text("uid"));
    let old = history.children.iter().find(|child| child.uid == uid);
    if !old.is_some_and(|old| old.gone.is_some_and(|gone| gone > begin.at && gone < end.at)) {
        return unknown(format!("{kind} {name} was deleted and did not go"));
    }
    let new = history
        .children
        .iter()
        .find(|child| child.kind == kind && child.uid != uid && child.seen > begin.at && child.seen < end.at);
    match new {
        Some(new) => met(format!("{kind} {name} was deleted, and {} was made (another UID)", new.name)),
        None => {
            let witness = format!("{kind} {name} was deleted, and no other was made{}", said(end));
            blamed(end).map_or_else(|| unmet(witness, vec![begin.at, end.at]), unknown)
        }
    }
}

/// A change of the resource is followed.
pub fn change_is_followed(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(plan), Some(begin)) = (&history.plan, history.phase("change")) else {
        return unknown(history.lack("the resource was not changed"));
    };
    if let Some(answer) = history.answers_in("change").first().filter(|answer| answer.status > 299) {
        return unknown(format!("the change was refused: {}", answer.message));
    }
    let (Some(shows), Some(end)) = (&plan.changed, history.phase("changed")) else {
        return unknown(history.lack("the resource was not changed"));
    };
    let (Some(before), Some(after)) = (history.before(begin.at), history.before(end.at)) else {
        return unknown("the resource was not seen on its watch");
    };
    if before.object.at("/metadata/generation") == after.object.at("/metadata/generation") {
        return unknown("the change did not make another generation");
    }
    if plan.lacks(&before.object, shows).is_none() {
        return unknown("what is to show the change was there before it");
    }
    match plan.lacks(&after.object, shows) {
        None => met(shown(plan, after, shows)),
        Some(lack) => {
            let witness = format!("{lack}{}", said(end));
            blamed(end).map_or_else(|| unmet(witness, vec![begin.at, end.at]), unknown)
        }
    }
}

/// A deleted resource goes, and what was made of it goes with it.
pub fn deletion_completes(events: &[&Event], subject: &Subject) -> Outcome {
    let history = History::of(events, subject);
    let (Some(plan), Some(begin), Some(end)) =
        (&history.plan, history.phase("delete"), history.phase("gone"))
    else {
        return not_created(&history);
    };
    if !plan.children.is_empty() && !history.children.iter().any(|child| child.seen < begin.at) {
        return unknown("nothing was made of it, so that nothing could go with it");
    }
    let there = end.data.get("there").and_then(serde_json::Value::as_bool) != Some(false);
    let look = history.before(end.at);
    if !look.is_some_and(|look| look.gone) {
        let finalizers = look.and_then(|look| look.object.at("/metadata/finalizers"));
        let held = finalizers.map_or_else(|| "no finalizers".into(), ToString::to_string);
        if !there {
            return unknown("that it went was not seen on its watch");
        }
        return unmet(
            format!("it was deleted and is still there, with finalizers {held}"),
            vec![begin.at, end.at],
        );
    }
    let (leaving, left): (Vec<_>, Vec<_>) = history
        .children
        .iter()
        .filter(|child| child.gone.is_none_or(|gone| gone > end.at))
        .partition(|child| child.is_leaving(end.at));
    let names = |children: Vec<&super::history::Child>| -> Vec<String> {
        children.iter().map(|child| format!("{} {}", child.kind, child.name)).collect()
    };
    let (leaving, left) = (names(leaving), names(left));
    if left.is_empty() && !leaving.is_empty() {
        // Who ends a pod is its kubelet.
        return unknown(format!("it is gone, and {} are being deleted and still there", leaving.join(", ")));
    }
    if left.is_empty() {
        let count = history.children.iter().filter(|child| child.seen < end.at).count();
        return met(if plan.children.is_empty() {
            "it is gone, finalizers and all".to_owned()
        } else {
            format!("it is gone, and all {count} objects that it owned")
        });
    }
    if end.listed(None).is_empty() {
        return unknown(format!("that {} went was not seen on its watch", left.join(", ")));
    }
    unmet(format!("it is gone, and left {}", left.join(", ")), vec![begin.at, end.at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_model::Object;

    #[test]
    fn who_said_no_is_read_from_the_beginning_of_the_sentence() {
        let answer = |status: u16, message: &str| Answer {
            status,
            message: message.into(),
            object: Object(serde_json::Value::Null),
            at: 0,
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
