//! From evidence to outcomes: pure functions.
//!
//! One query gives all series that carry the run's own label, so that counter, gauge and histogram of a look are of one
//! moment. A look is compared only once everything of its batch was sent, and the time to show it was over or used. One that
//! tells nothing (an error, a warning that it is not whole, the page of a login) is passed over; where the last one of a step
//! is such, nothing is known of its end.

mod batches;
mod beyond;
mod counts;
mod discovery;
mod guard;
mod histogram;
mod history;
mod measures;

use crate::marks::ID;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};
use history::History;

const DISCOVERED: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"a monitoring system capable of discovering and collecting metrics from workloads\"; KAR-0061: configure the scrape, query the monitoring system",
};
const TRAFFIC: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0061: controlled requests are sent to the workload, and the values that the monitoring system returns reflect the traffic",
};
const ONCE: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "KAR-0061: the values that the monitoring system returns reflect the traffic; we take it to mean also their sum over all series, as dashboards and autoscalers build it",
};
const FORMAT: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"metrics from workloads that expose them in a standard format (e.g. Prometheus exposition format)\", \"key metrics from common AI frameworks and servers\"",
};

/// The claims, controls first.
pub static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "workload_counts_right",
        "the workload itself says exactly what was sent to it",
        Standing::Control,
        counts::workload_counts_right,
    ),
    Claim::of(
        "way_is_in_force",
        "the monitoring system goes by what is declared in this way",
        Standing::InForce,
        discovery::way_is_in_force,
    ),
    Claim::of(
        "workload_is_discovered",
        "a workload that declares its metrics is found and collected",
        DISCOVERED,
        discovery::workload_is_discovered,
    ),
    Claim::of(
        "counter_is_exact",
        "after each batch of requests the counter is exactly what was sent",
        TRAFFIC,
        counts::counter_is_exact,
    ),
    Claim::of(
        "counted_once",
        "what one pod counts is one series, so that no request counts twice",
        ONCE,
        counts::counted_once,
    ),
    Claim::of(
        "gauge_follows",
        "the gauge rises with requests that run, and falls with their end",
        TRAFFIC,
        counts::gauge_follows,
    ),
    Claim::of(
        "histogram_is_whole",
        "buckets, count and sum of the latencies are those of the workload",
        FORMAT,
        histogram::histogram_is_whole,
    ),
    Claim::of(
        "labels_name_the_pod",
        "series name the pod and the namespace that they are of",
        Standing::Additional,
        beyond::labels_name_the_pod,
    ),
    Claim::of(
        "undeclared_is_left_alone",
        "a workload that declares nothing is not collected",
        Standing::Additional,
        beyond::undeclared_is_left_alone,
    ),
    Claim::of(
        "gone_is_told_no_more",
        "series of a pod that is gone end, and those of others go on",
        Standing::Additional,
        beyond::gone_is_told_no_more,
    ),
];

/// The rules: one way of declaring is enough.
pub static RULES: Rules<History> = Rules {
    unread,
    unread_later,
    measures: measures::measures,
    ..Rules::of(
        ID,
        CLAIMS,
        History::read,
        guard::doubt,
        "install a monitoring system that speaks the API of Prometheus, or name it in the profile: [ai_service_metrics] url = \"https://…\"; the way in which workloads declare their metrics is named with --adapter",
    )
};
