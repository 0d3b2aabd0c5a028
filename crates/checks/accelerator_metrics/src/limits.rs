//! Longest times that a verdict may hang on.

use aiconform_accelerators::limits::START;
use aiconform_trial::Limit;

/// For metrics: three times the 30 s after which exporters usually ask their devices anew (`--collect-interval` of NVIDIA's).
/// Simulated devices tell of the last half second, and a lab waits for less.
pub const SHOW: Limit = Limit {
    key: "accelerator_metrics.show",
    seconds: 90.0,
    most: 4.0,
    what: "an endpoint to show what is done to a device: a load and its end, memory that is taken, the pod that has it",
};
/// For one scrape: Prometheus itself waits 10 s. Without an answer nothing is known.
pub const ANSWER: Limit = Limit {
    key: "accelerator_metrics.answer",
    seconds: 5.0,
    most: 4.0,
    what: "an endpoint to give all of its metrics",
};

/// All of them.
pub const LIMITS: &[Limit] = &[START, SHOW, ANSWER];
