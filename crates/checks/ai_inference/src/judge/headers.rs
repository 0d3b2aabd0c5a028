//! Routing by headers.

use super::history::History;
use super::shares::{SERVED, hindered, not_kept, over};
use crate::marks::CASES;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Headers choose the backend.
pub fn headers_choose_the_backend(history: &History) -> Outcome {
    let (mut count, mut doubt) = (0, None);
    let mut closed = None;
    for case in CASES {
        let mut tried = 0;
        for done in history.all(case.name) {
            let tally = history.tally(&done.sent);
            let wrong = tally.by.keys().find(|role| *role != case.expects);
            if let Some(role) = wrong {
                let witness = format!(
                    "{}: {role} answered and not {}, over {}",
                    case.name,
                    case.expects,
                    over(done.keeps_alive)
                );
                return unmet(witness, [done.at]);
            }
            match hindered(&tally, done) {
                Some(Outcome::Unmet { witness, events }) => {
                    return Outcome::Unmet { witness: format!("{}: {witness}", case.name), events };
                }
                Some(outcome) => return outcome,
                None if tally.ours() < done.sent.sent || tally.ours() == 0 => {
                    doubt.get_or_insert_with(|| format!("{}: {}", case.name, tally.words()));
                }
                None => {}
            }
            closed = closed.or_else(|| not_kept(done));
            tried += 1;
            count += tally.ours();
        }
        if tried < 2 {
            return unknown(history.lack("not all of it was sent"));
        }
    }
    match (doubt, closed) {
        (Some(why), _) => unknown(why),
        (None, Some(closed)) => closed,
        (None, None) => {
            let seen = met(format!(
                "{} forms of requests, {count} in all, each answered by the backend that its header asks for",
                CASES.len()
            ));
            history.serve.judged(SERVED, seen)
        }
    }
}
