//! Longest times that a verdict may hang on.

use aiconform_accelerators::limits::START;
use aiconform_trial::Limit;

/// For a metric that has never been told: adapters look for new names every minute or every ten. Without it nothing is known.
pub const APPEAR: Limit = Limit {
    key: "pod_autoscaling.appear",
    seconds: 300.0,
    most: 10.0,
    what: "the metrics API to tell a metric that it has never told",
};
/// For another value of it: what gathers metrics does so once or twice a minute. Without it nothing is known.
pub const SHOW: Limit = Limit {
    key: "pod_autoscaling.show",
    seconds: 120.0,
    most: 10.0,
    what: "the metrics API to tell another value, and the autoscaler to say that it has seen it",
};
/// For the autoscaler, which looks every 15 s by default.
pub const DECIDE: Limit = Limit {
    key: "pod_autoscaling.decide",
    seconds: 60.0,
    most: 10.0,
    what: "the autoscaler to decide on what the metrics API tells",
};

/// All of them.
pub const LIMITS: &[Limit] = &[START, APPEAR, SHOW, DECIDE];
