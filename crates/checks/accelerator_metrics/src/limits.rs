//! Longest times that a verdict may hang on.

use aiconform_accelerators::limits::START;
use aiconform_trial::Limit;
use std::time::Duration;

/// For metrics: three times the 30 s after which exporters usually ask their devices anew (`--collect-interval` of NVIDIA's).
/// Simulated devices tell of the last half second, and a lab waits for less.
pub const SHOW: Limit = Limit {
    key: "accelerator_metrics.show",
    seconds: 90.0,
    most: 4.0,
    what: "an endpoint to show what is done to a device: a load and its end, memory that is taken, the pod that has it",
};
/// For all of it: two ways in which a device is given, each with some ten waits that an exporter which asks its devices every 30 s
/// has need of; below the deadline of the pod.
pub const WHOLE: Duration = Duration::from_secs(3000);
/// For one scrape: Prometheus itself waits 10 s. Without an answer nothing is known.
pub const ANSWER: Limit = Limit {
    key: "accelerator_metrics.answer",
    seconds: 5.0,
    most: 4.0,
    what: "an endpoint to give all of its metrics",
};

/// All of them.
pub const LIMITS: &[Limit] = &[START, SHOW, ANSWER];
