//! Claim that a histogram came whole.

use super::batches::{expected, in_words, last_of, number, of};
use super::history::{History, Look};
use crate::answer::{Sampled, Series};
use crate::marks::{Batch, DECLARED, HISTOGRAM};
use aiconform_model::probe::LATENCIES;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Every bucket, the count and the sum of a histogram of latencies are those of the workload, and agree.
pub fn histogram_is_whole(history: &History) -> Outcome {
    let mut buckets = 0;
    for batch in [Batch::First, Batch::Released] {
        let (look, series, _) = match last_of(history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        for who in DECLARED {
            let done = expected(history, Some(batch), who).done;
            match one(history, look, series, (batch, who), done) {
                Ok(found) => buckets = buckets.max(found),
                Err(outcome) => return outcome,
            }
        }
    }
    let form = if buckets == 0 { "as native histograms".into() } else { format!("in {buckets} buckets") };
    met(format!("latencies of two pods {form}: buckets, count and sum are those of the workload"))
}

/// Number of buckets of a pod's histogram that is right; none of a native one.
fn one(
    history: &History,
    look: &Look,
    series: &[Series],
    (batch, who): (Batch, &str),
    done: u64,
) -> Result<usize, Outcome> {
    let pod = history.pod(who);
    let wrong = |what: String| Err(unmet(format!("{HISTOGRAM} of the pod {pod}: {what}"), [look.at]));
    let cycle = (0..done).filter_map(|place| LATENCIES.get(usize::try_from(place).ok()? % LATENCIES.len()));
    let total: f64 = cycle.sum();
    if let Some((Sampled::Histogram { count, sum }, held)) =
        of(series, HISTOGRAM, who).map(|series| (series.value, series.held)).next()
    {
        if !same(count, number(done)) || !same(sum, total) {
            return wrong(format!(
                "{done} latencies with the sum {total} were told by it; it has {count} with the sum {sum}"
            ));
        }
        // Buckets that hold nothing are left out, and with them all of a histogram without latencies.
        return match held {
            Some(held) if same(held, count) => Ok(0),
            Some(held) => wrong(format!("its buckets hold {held} of {count} latencies")),
            None => wrong(format!("of {count} latencies none came in a bucket")),
        };
    }
    let value = |end: &str| of(series, &format!("{HISTOGRAM}{end}"), who).find_map(Series::number);
    let (count, sum) = (value("_count"), value("_sum"));
    if count != Some(number(done)) || !sum.is_some_and(|sum| same(sum, total)) {
        return wrong(format!(
            "{done} latencies with the sum {total} were told by it; its count is {}, its sum {}",
            in_words(count),
            in_words(sum)
        ));
    }
    let name = format!("{HISTOGRAM}_bucket");
    // Bounds may be written otherwise than they came.
    let bounds = |of_histogram: &[Series]| -> Vec<(f64, f64)> {
        let all = of(of_histogram, &name, who)
            .filter_map(|series| Some((series.label("le").parse().ok()?, series.number()?)));
        let mut all: Vec<(f64, f64)> = all.collect();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        all.dedup();
        all
    };
    let settled = history.batch(batch).and_then(|batch| batch.settled.as_ref());
    let own = settled.and_then(|settled| history.of_pod(pod, settled)?.answer.as_ref().ok());
    let Some(own) = own else {
        return Err(unknown(history.lack(&format!("the pod {pod} was not asked itself"))));
    };
    let (own, stored) = (bounds(own), bounds(series));
    if stored.is_empty() {
        return wrong(format!("none of its {} buckets came", own.len()));
    }
    if own != stored {
        let lacks = own.iter().find(|bucket| !stored.contains(bucket));
        let (bound, value) = lacks.or(stored.last()).copied().unwrap_or_default();
        return wrong(format!(
            "{} buckets came of {}; that up to {bound} should hold {value}",
            stored.len(),
            own.len()
        ));
    }
    Ok(stored.len())
}

/// Equal but for rounding in the last digits.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * other.abs().max(1.0)
}
