//! The probe as an inference server: it answers as one that speaks OpenAI's protocol, and counts as vLLM does (names, types
//! and labels of its documentation, "Production Metrics").

use aiconform_exposition::{Exposition, Family, MetricType, Sample};
use aiconform_model::probe::{LABELS, LATENCIES};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper bounds of the buckets of latencies in seconds, some of vLLM's own.
const BUCKETS: [f64; 8] = [0.01, 0.04, 0.1, 0.25, 0.75, 1.0, 2.5, 7.5];

static COUNTS: Mutex<Counts> = Mutex::new(Counts { done: 0, running: 0 });

/// Counts of requests.
#[derive(Clone, Copy)]
struct Counts {
    /// Requests that were answered.
    done: u64,
    /// Requests that were taken and not answered yet.
    running: u64,
}

fn counts() -> MutexGuard<'static, Counts> {
    COUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fields of a request that it reads.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Request {
    model: String,
    /// Not of the protocol: the request runs until `/release` is asked.
    hold: bool,
}

/// Labels of all its samples, from the environment; without any it is no inference server.
pub fn labels() -> Option<Vec<(String, String)>> {
    let text = std::env::var(LABELS).ok()?;
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Answers a request for a completion.
pub fn complete(request: &Request) -> Value {
    let mut counts = counts();
    if request.hold {
        counts.running += 1;
        return json!({"object": "chat.completion", "model": request.model, "running": counts.running});
    }
    counts.done += 1;
    json!({"id": format!("chatcmpl-{}", counts.done), "object": "chat.completion", "model": request.model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
}

/// Answers all requests that still run.
pub fn release() -> Value {
    let mut counts = counts();
    let released = std::mem::take(&mut counts.running);
    counts.done += released;
    json!({"released": released})
}

/// Its metrics as OpenMetrics, all samples with these labels.
pub fn metrics(labels: &[(String, String)]) -> String {
    exposed(*counts(), labels).to_string()
}

#[allow(clippy::cast_precision_loss, reason = "requests are far below 2^53")]
fn exposed(counts: Counts, labels: &[(String, String)]) -> Exposition {
    let mut found = Exposition::default();
    let mut family = |name: &str, kind, help: &str| {
        let family = Family { help: Some(help.into()), kind: Some(kind), unit: None };
        found.families.insert(name.into(), family);
    };
    family("vllm:request_success", MetricType::Counter, "Count of successfully processed requests.");
    family("vllm:num_requests_running", MetricType::Gauge, "Number of requests that run.");
    family("vllm:time_to_first_token_seconds", MetricType::Histogram, "Time to first token in seconds.");
    let mut add = |name: &str, own: &[(&str, &str)], value: f64| {
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let labels = labels.iter().cloned().chain(own).collect();
        found.samples.push(Sample {
            line: 0,
            name: name.into(),
            labels,
            value,
            timestamp: None,
            exemplar: None,
        });
    };
    add("vllm:request_success_total", &[("finished_reason", "stop")], counts.done as f64);
    add("vllm:num_requests_running", &[], counts.running as f64);
    let latency = |number: u64| {
        let place = usize::try_from(number).unwrap_or_default() % LATENCIES.len();
        LATENCIES.get(place).copied().unwrap_or_default()
    };
    let below = |bound: f64| (0..counts.done).filter(|number| latency(*number) <= bound).count() as f64;
    for bound in BUCKETS {
        add("vllm:time_to_first_token_seconds_bucket", &[("le", &format!("{bound:?}"))], below(bound));
    }
    add("vllm:time_to_first_token_seconds_bucket", &[("le", "+Inf")], counts.done as f64);
    add("vllm:time_to_first_token_seconds_count", &[], counts.done as f64);
    add("vllm:time_to_first_token_seconds_sum", &[], (0..counts.done).map(latency).sum());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_exposition::{Limits, parse};

    #[test]
    fn what_is_exposed_is_read_again_and_its_histogram_agrees_with_itself() {
        let labels = [("who".to_owned(), "one".to_owned())];
        let text = exposed(Counts { done: 6, running: 2 }, &labels).to_string();
        let found = parse(&text, &Limits::default()).unwrap();
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        assert!(found.samples.iter().all(|sample| sample.label("who") == "one"));
        let value = |name: &str| found.named(name).last().unwrap().value;
        assert_eq!((value("vllm:request_success_total"), value("vllm:num_requests_running")), (6.0, 2.0));
        let buckets: Vec<f64> =
            found.named("vllm:time_to_first_token_seconds_bucket").map(|sample| sample.value).collect();
        assert!(buckets.is_sorted() && buckets[0] == 0.0, "{buckets:?}");
        assert_eq!(buckets.last(), Some(&value("vllm:time_to_first_token_seconds_count")));
        let sum: f64 = [0, 1, 2, 3, 0, 1].map(|place: usize| LATENCIES[place]).iter().sum();
        assert_eq!(value("vllm:time_to_first_token_seconds_sum").to_bits(), sum.to_bits());
    }

    #[test]
    fn held_requests_are_counted_when_they_are_released() {
        for _ in 0..3 {
            complete(&Request { hold: true, ..Request::default() });
        }
        complete(&Request::default());
        // Two guards in one expression would wait for each other.
        let now = || *counts();
        assert_eq!((now().running, now().done), (3, 1));
        assert_eq!(release(), json!({"released": 3}));
        assert_eq!((now().running, now().done), (0, 4));
    }
}
