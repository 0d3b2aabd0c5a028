//! Longest times that a verdict may hang on.

use aiconform_accelerators::limits::START;
use aiconform_trial::Limit;

/// For metrics. Simulated devices tell of the last half second, and what is more is for a busy machine; exporters of real ones
/// are often asked anew every 30 s, for which it is stretched.
pub const SHOW: Limit = Limit {
    key: "accelerator_metrics.show",
    seconds: 15.0,
    most: 10.0,
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
