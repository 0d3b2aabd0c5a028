//! Longest times.

use aiconform_trial::Limit;

/// For a workload that declares itself in its pods: many monitoring systems scrape once a minute.
pub const FIND: Limit = Limit {
    key: "ai_service_metrics.find",
    seconds: 150.0,
    most: 10.0,
    what: "the monitoring system to find a workload that declares itself in its pods",
};
/// For a workload that an object of prometheus-operator selects: the reloader that it puts beside Prometheus misses changes
/// of its configuration, and then reads it again every three minutes (its `--watch-interval`).
pub const FIND_SELECTED: Limit = Limit {
    key: "ai_service_metrics.find_selected",
    seconds: 300.0,
    most: 10.0,
    what: "the monitoring system to find a workload that a monitor selects",
};
/// For what changes of a workload that was found.
pub const SHOW: Limit = Limit {
    key: "ai_service_metrics.show",
    seconds: 150.0,
    most: 10.0,
    what: "the monitoring system to show requests that were counted, or that a pod is gone",
};

/// All of them.
pub const LIMITS: &[Limit] = &[FIND, FIND_SELECTED, SHOW];
