//! Shares of the traffic: those of the weights, of weight zero, and after a change.

use super::history::{Done, History, Tally};
use crate::marks::{AFTER, BACKENDS, CANARY, CHANGED, IDLE, KEPT, SPLIT, STABLE, WEIGHTS};
use aiconform_trial::statistics::interval_at;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// A gateway that keeps the weights is called one that does not with at most this chance, for each share.
pub const CHANCE: f64 = 1e-6;
/// Fewer answers say too little of a share.
const LEAST: u32 = 500;

/// Beginning of the sentence on routes that came late.
pub const SERVED: &str = "the gateway served its routes";

/// Connections of a batch, in words.
pub fn over(keeps_alive: bool) -> &'static str {
    if keeps_alive { "connections that are used again" } else { "new connections" }
}

/// Statuses by which a gateway itself says that it has no such route, or a route without a backend (Gateway API, HTTPRoute).
/// Any other may be of something beside it: a policy of the network, a load balancer before it, a limit of requests.
const NOT_SERVED: [u16; 2] = [404, 500];
/// Where so many times the connections were made that were to be used again, they were not.
const NOT_KEPT: u32 = 3;

/// Control: why a batch does not show what is done over connections that are used again, if it was to.
pub fn not_kept(done: &Done) -> Option<Outcome> {
    (done.keeps_alive && done.sent.connections > KEPT * NOT_KEPT).then(|| {
        unknown(format!(
            "connections are not used again: for {} requests over {KEPT} that were to be kept, {} were made, as when the gateway closes each after its answer",
            done.sent.sent, done.sent.connections
        ))
    })
}

/// Why a batch says nothing of the gateway's choice, if so; or that the route is not served, which it shows.
pub fn hindered(tally: &Tally, done: &Done) -> Option<Outcome> {
    if let Some(elsewhere) = &tally.elsewhere {
        return Some(unknown(format!(
            "something before the routes answers in their place: requests were {elsewhere}; tell in the profile where pods reach the gateway without it: [ai_inference] address = \"…\""
        )));
    }
    let refused: u32 = tally.refused.values().sum();
    if tally.ours() == 0 && refused > 0 {
        let witness =
            format!("no request over {} reached a backend: {}", over(done.keeps_alive), tally.words());
        if tally.lost == 0 && tally.refused.keys().all(|status| NOT_SERVED.contains(status)) {
            return Some(unmet(witness, [done.at]));
        }
        return Some(unknown(format!(
            "{witness}; such answers may be of something between pods and backends, and not of the routes"
        )));
    }
    None
}

/// Judges whether the shares of a batch are those of the weights; shares in words, or the outcome of one that are not.
fn shares(history: &History, done: &Done, weights: [u64; 3]) -> Result<String, Outcome> {
    let tally = history.tally(&done.sent);
    if let Some(outcome) = hindered(&tally, done) {
        return Err(outcome);
    }
    let of = tally.ours();
    if of < LEAST {
        let slow = if done.sent.sent < done.asked {
            format!(
                "; not all {} could be sent in {} s: where the way to the gateway is that slow by nature, say so in the profile: [limits] {}",
                done.asked,
                history.batch.time.as_secs(),
                history.batch.key
            )
        } else {
            String::new()
        };
        return Err(unknown(format!(
            "{of} of {} requests over {} were answered by a backend, too few: {}{slow}",
            done.sent.sent,
            over(done.keeps_alive),
            tally.words()
        )));
    }
    let mut words = Vec::new();
    for (role, weight) in BACKENDS.iter().zip(weights).filter(|(_, weight)| *weight > 0) {
        let count = tally.of(role);
        let (low, high) = interval_at(count as usize, of as usize, CHANCE);
        #[allow(clippy::cast_precision_loss, reason = "weights and counts are small")]
        let (weight, share) = (weight as f64, f64::from(count) / f64::from(of) * 100.0);
        if weight < low || weight > high {
            return Err(unmet(
                format!(
                    "{role} has weight {weight} of 100 and answered {count} of {of} requests over {} ({share:.1} %; what that can come of lies between {low:.1} and {high:.1} %)",
                    over(done.keeps_alive)
                ),
                [done.at],
            ));
        }
        words.push(format!("{role} {share:.1} % ({low:.1} to {high:.1})"));
    }
    if let Some(outcome) = not_kept(done) {
        return Err(outcome);
    }
    Ok(format!("of {of} requests over {}: {}", over(done.keeps_alive), words.join(", ")))
}

/// Traffic is split as the weights say.
pub fn weights_split_the_traffic(history: &History) -> Outcome {
    let mut words = Vec::new();
    for done in history.all(SPLIT) {
        match shares(history, done, WEIGHTS) {
            Ok(seen) => words.push(seen),
            Err(outcome) => return outcome,
        }
    }
    // Over new connections, and over those that are used again.
    if words.len() < 2 {
        return unknown(history.lack("not all of it was sent"));
    }
    history.serve.judged(SERVED, met(format!("weights 80 and 20: {}", words.join("; "))))
}

/// Weight zero gets nothing.
pub fn weight_zero_gets_nothing(history: &History) -> Outcome {
    let mut of = 0;
    for done in history.done.iter().filter(|done| [SPLIT, AFTER].contains(&done.case.as_str())) {
        let tally = history.tally(&done.sent);
        if tally.of(IDLE) > 0 {
            let witness = format!(
                "the backend with weight 0 answered {} of {} requests over {}",
                tally.of(IDLE),
                tally.ours(),
                over(done.keeps_alive)
            );
            return unmet(witness, [done.at]);
        }
        if let Some(outcome) = hindered(&tally, done) {
            return outcome;
        }
        of += tally.ours();
    }
    let seen = history.seen_by_idle();
    if seen > 0 {
        return unmet(format!("the backend with weight 0 says that {seen} requests came"), []);
    }
    if of < LEAST || !history.counted.contains_key(IDLE) {
        return unknown(history.lack(&format!("{of} requests were answered, too few")));
    }
    met(format!("of {of} requests none came to the backend with weight 0, which answers when it is asked"))
}

/// A change of weights takes effect.
pub fn change_of_weights_takes_effect(history: &History) -> Outcome {
    let Some(change) = &history.changed else {
        return unknown(history.lack("the weights were not changed"));
    };
    let (requests, took) = (change.requests, change.milliseconds);
    if !change.seen {
        let last = &change.last;
        let tally = history.tally(last);
        let words = format!(
            "{} s and {requests} requests after the weights became {} for {STABLE} and {} for {CANARY}: {}",
            took / 1000,
            CHANGED[0],
            CHANGED[1],
            tally.words()
        );
        // What is not answered by backends says nothing of their shares.
        if tally.ours() * 2 < last.sent || last.sent == 0 {
            return unknown(words);
        }
        let (low, high) = interval_at(tally.of(CANARY) as usize, tally.ours() as usize, CHANCE);
        #[allow(clippy::cast_precision_loss, reason = "weights are small")]
        let asked = CHANGED[1] as f64;
        if (low..=high).contains(&asked) {
            return unknown(format!("{words}, which can come of the changed weights too"));
        }
        return unmet(words, [change.at]);
    }
    match history.all(AFTER).next().map(|done| shares(history, done, CHANGED)) {
        Some(Ok(seen)) => {
            let seen = met(format!("after {took} ms and {requests} requests; {seen}"));
            history.change.judged("the changed weights took effect", seen)
        }
        Some(Err(outcome)) => outcome,
        None => unknown(history.lack("nothing was sent after the change")),
    }
}
