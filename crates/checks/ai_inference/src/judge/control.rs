//! About the class being in force, and about the test itself.

use super::history::History;
use super::shares::over;
use crate::marks::{BACKENDS, NOWHERE};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// The class is accepted by a controller.
pub fn class_is_accepted(history: &History) -> Outcome {
    let controller = &history.facts.controller;
    let accepted = history.facts.accepted.clone().unwrap_or_default();
    if accepted.status == "True" {
        return met(format!("{controller} accepts it"));
    }
    let witness = format!(
        "no controller {controller:?} has accepted it (Accepted={}: {})",
        accepted.status,
        accepted.words()
    );
    unmet(witness, [])
}

/// Control: without a gateway, every backend answers, and says who it is.
pub fn backends_answer_directly(history: &History) -> Outcome {
    let Some((at, directly)) = &history.directly else {
        return unknown(history.lack("the backends were not asked"));
    };
    let mut count = 0;
    for role in BACKENDS {
        let sent = directly.get(*role).cloned().unwrap_or_default();
        let own = sent.answers.iter().filter(|it| {
            it.answer.status == 200 && it.answer.is_own && history.role(&it.answer.backend) == Some(role)
        });
        let own: u32 = own.map(|it| it.count).sum();
        if sent.sent == 0 || own < sent.sent {
            let why = sent.errors.keys().next().cloned().unwrap_or_else(|| "another answered".into());
            let witness =
                format!("{role} answered {own} of {} requests of a pod beside it: {why}", sent.sent);
            return unmet(witness, [*at]);
        }
        count += own;
    }
    met(format!("{} backends answered {count} requests of a pod beside them", BACKENDS.len()))
}

/// Control: what backends answered has come through a proxy, and backends and sender count the same.
pub fn requests_pass_the_gateway(history: &History) -> Outcome {
    let (mut ours, mut elsewhere) = (0, None);
    for done in &history.done {
        let at = [done.at];
        for answered in &done.sent.answers {
            let answer = &answered.answer;
            if answer.backend.is_empty() {
                continue;
            }
            if !answer.is_own || history.role(&answer.backend).is_none() {
                return unmet(
                    format!(
                        "{} of {} requests over {} were answered with the answer to another one, or by a backend of somebody else ({}): something on the way answers from memory",
                        answered.count,
                        done.sent.sent,
                        over(done.keeps_alive),
                        answer.backend
                    ),
                    at,
                );
            }
            if answer.peer == history.sender && answer.proxied.is_empty() {
                let witness = format!(
                    "requests reached {} from the sender's own address {} and without a header of a proxy: they went around the gateway",
                    answer.backend, answer.peer
                );
                return unmet(witness, at);
            }
        }
        let tally = history.tally(&done.sent);
        if done.case == NOWHERE && tally.ours() > 0 {
            return unmet(format!("a host of no route was answered: {}", tally.words()), at);
        }
        for (role, count) in &tally.by {
            let Some(batches) = history.counted.get(role) else {
                return unknown(history.lack("the backends were not asked what came"));
            };
            let seen = batches.get(&done.batch).map_or(0, |counted| counted.different);
            if seen < *count {
                return unmet(
                    format!("{count} answers to {} came from {role}, which saw {seen} requests", done.batch),
                    at,
                );
            }
        }
        ours += tally.ours();
        elsewhere = elsewhere.or(tally.elsewhere);
    }
    if let Some(elsewhere) = elsewhere.filter(|_| ours == 0) {
        return unknown(format!("nothing passed it: requests were {elsewhere}"));
    }
    let Some(nowhere) = history.all(NOWHERE).next() else {
        return unknown(history.lack("nothing was sent"));
    };
    let nowhere = history.tally(&nowhere.sent).words();
    met(format!(
        "{ours} answers came through a proxy, each to its own request, and as many were seen by the backends; a host of no route: {nowhere}"
    ))
}
