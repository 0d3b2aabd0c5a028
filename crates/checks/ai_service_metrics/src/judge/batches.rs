//! Counts that are expected of each batch of requests, and what was told of it last.

use super::history::{History, Look};
use crate::answer::Series;
use crate::marks::{Batch, DECLARED, WHO};
use aiconform_trial::{Marked, Moment, unknown};
use aiconform_verdict::Outcome;
use std::time::Duration;

/// Requests that must be counted of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Requests that were answered.
    pub done: u64,
    /// Requests that run.
    pub running: u64,
}

/// Requests that must be counted of a pod after a batch; none before the first.
pub fn expected(history: &History, after: Option<Batch>, who: &str) -> Expected {
    let (first, held) = (history.sent(Batch::First, who), history.sent(Batch::Held, who));
    match after {
        None => Expected::default(),
        Some(Batch::First) => Expected { done: first, running: 0 },
        Some(Batch::Held) => Expected { done: first, running: held },
        Some(Batch::Released) => Expected { done: first + held, running: 0 },
    }
}

/// Looks whether requests were sent to each declared pod until a batch: without them every count is nought, and so is that
/// of a monitoring system that counts nothing.
///
/// # Errors
/// The outcome, where the evidence does not say so.
pub fn sent_to_each(history: &History, until: Option<Batch>) -> Result<(), Outcome> {
    for (batch, word) in [(Batch::First, "first"), (Batch::Held, "held")] {
        if until.is_none_or(|until| until < batch) {
            break;
        }
        if let Some(who) = DECLARED.iter().find(|who| history.sent(batch, who) == 0) {
            return Err(unknown(history.lack(&format!(
                "the evidence does not say that requests were sent to the pod {} ({word})",
                history.pod(who)
            ))));
        }
    }
    Ok(())
}

/// Series of one metric of one pod.
pub fn of<'a>(series: &'a [Series], name: &'a str, who: &'a str) -> impl Iterator<Item = &'a Series> {
    series.iter().filter(move |series| series.name == name && series.label(WHO) == who)
}

/// The last answer about a batch, once everything of it was sent and had the time to show; and how long that took. When the
/// last answer tells nothing, an earlier one says nothing of the end.
///
/// # Errors
/// The outcome, where nothing is known.
pub fn last_of(history: &History, batch: Batch) -> Result<(&Look, &[Series], Duration), Outcome> {
    let sent = history.batch(batch);
    let marks = sent.and_then(|sent| Some((sent.whole.as_ref()?, sent.settled.as_ref()?)));
    let Some((whole, settled)) = marks else {
        return Err(unknown(history.lack("not all requests were sent and waited for")));
    };
    sent_to_each(history, Some(batch))?;
    let (look, series) = newest(history, whole, "after the requests")?;
    Ok((look, series, settled.when.since(whole.when)))
}

/// The last answer between a mark and the next, and its series.
///
/// # Errors
/// The outcome, where there is none, or it tells nothing.
pub fn newest<'a, T>(
    history: &'a History,
    mark: &Marked<T>,
    when: &str,
) -> Result<(&'a Look, &'a [Series]), Outcome> {
    let lack = || unknown(history.lack(&format!("the monitoring system gave no whole answer {when}")));
    let look = history.within(&history.looks, mark).next_back().ok_or_else(lack)?;
    match &look.answer {
        Ok(series) => Ok((look, series)),
        Err(why) => Err(unknown(format!("the monitoring system gave no whole answer at last {when}; {why}"))),
    }
}

/// The time from which on every answer between a mark and the next shows something, up to the last; answers that tell nothing
/// are passed over. Nothing where the last that tells something does not show it.
pub fn shown_since<T>(
    history: &History,
    mark: &Marked<T>,
    shows: impl Fn(&[Series]) -> bool,
) -> Option<Moment> {
    let answers = history.within(&history.looks, mark).rev();
    let whole = answers.filter_map(|look| Some((look.when, look.answer.as_deref().ok()?)));
    whole.take_while(|(_, series)| shows(series)).last().map(|(when, _)| when)
}

/// A number of requests, as a monitoring system has it.
#[allow(clippy::cast_precision_loss, reason = "requests are far below 2^53")]
pub fn number(count: u64) -> f64 {
    count as f64
}

/// A value in words.
pub fn in_words(value: Option<f64>) -> String {
    value.map_or("nothing".into(), |value| value.to_string())
}
