//! Whether a histogram came whole.

use super::super::answer::{Sampled, Series};
use super::super::history::{DECLARED, HISTOGRAM, History, Look};
use super::{expected, last_of, met, number, of, unknown, unmet, words};
use aiconform_model::Event;
use aiconform_model::probe::LATENCIES;
use aiconform_verdict::{Outcome, Subject};

/// Every bucket, the count and the sum of a histogram of latencies are those of the workload, and agree.
pub fn histogram_is_whole(events: &[&Event], _: &Subject) -> Outcome {
    let history = History::of(events);
    let mut buckets = 0;
    for batch in ["first", "released"] {
        let (look, told, _) = match last_of(&history, batch) {
            Ok(last) => last,
            Err(outcome) => return outcome,
        };
        for who in DECLARED {
            let done = expected(&history, batch, who).done;
            match one(&history, look, told, (batch, who), done) {
                Ok(found) => buckets = buckets.max(found),
                Err(outcome) => return outcome,
            }
        }
    }
    let told = if buckets == 0 { "as native histograms".into() } else { format!("in {buckets} buckets") };
    met(format!("latencies of two pods {told}: buckets, count and sum are those of the workload"))
}

/// How many buckets a pod's histogram has that is right.
fn one(
    history: &History,
    look: &Look,
    told: &[Series],
    (batch, who): (&str, &str),
    done: u64,
) -> Result<usize, Outcome> {
    let pod = history.pod(who);
    let wrong =
        |what: String| Err(unmet(format!("{HISTOGRAM} of the pod {pod}: {what}"), vec![look.sequence]));
    let cycle = (0..done).filter_map(|place| LATENCIES.get(usize::try_from(place).ok()? % LATENCIES.len()));
    let total: f64 = cycle.sum();
    if let Some((Sampled::Histogram { count, sum }, held)) =
        of(told, HISTOGRAM, who).map(|series| (series.value, series.held)).next()
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
    let value = |end: &str| of(told, &format!("{HISTOGRAM}{end}"), who).find_map(Series::number);
    let (count, sum) = (value("_count"), value("_sum"));
    if count != Some(number(done)) || !sum.is_some_and(|sum| same(sum, total)) {
        return wrong(format!(
            "{done} latencies with the sum {total} were told by it; its count is {}, its sum {}",
            words(count),
            words(sum)
        ));
    }
    let name = format!("{HISTOGRAM}_bucket");
    // Bounds may be written otherwise than they came.
    let bounds = |series: &[Series]| -> Vec<(f64, f64)> {
        let all = of(series, &name, who)
            .filter_map(|series| Some((series.label("le").parse().ok()?, series.number()?)));
        let mut all: Vec<(f64, f64)> = all.collect();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        all.dedup();
        all
    };
    let here = format!("/pods/{pod}:");
    let settled = history.phase(&format!("{batch}_settled"));
    let own = settled.and_then(|settled| {
        history
            .within(&history.direct, settled)
            .rev()
            .find(|look| look.place.contains(&here))?
            .told
            .as_ref()
            .ok()
    });
    let Some(own) = own else {
        return Err(unknown(history.lack(&format!("the pod {pod} was not asked itself"))));
    };
    let (own, stored) = (bounds(own), bounds(told));
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
