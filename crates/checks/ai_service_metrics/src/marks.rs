//! The contract between what is done with a monitoring system and what is judged of it.

use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "ai_service_metrics";
/// Label of every series of the workload: which run and subject it is of.
pub const RUN: &str = "aiconform_run";
/// Label of every series of the workload: which of its pods it is of.
pub const WHO: &str = "aiconform_who";
/// The two pods that declare themselves.
pub const DECLARED: [&str; 2] = ["one", "other"];
/// The pod that does not.
pub const UNDECLARED: &str = "undeclared";
/// All three pods.
pub const PODS: [&str; 3] = [DECLARED[0], DECLARED[1], UNDECLARED];
/// The counter of requests.
pub const COUNTER: &str = "vllm:request_success_total";
/// The gauge of requests that run.
pub const GAUGE: &str = "vllm:num_requests_running";
/// The histogram of latencies.
pub const HISTOGRAM: &str = "vllm:time_to_first_token_seconds";
/// Path of a query, and what stands before it where it is asked.
pub const QUERY: &str = "/api/v1/query?query=";

/// A batch of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Batch {
    /// Requests that are answered at once.
    First,
    /// Requests that run until they are released.
    Held,
    /// The release of those; nothing more is sent.
    Released,
}

impl Batch {
    /// All, in their order.
    pub const ALL: [Batch; 3] = [Batch::First, Batch::Held, Batch::Released];
}

/// Requests by pod, or pods' names, or parts of pods: by [`PODS`].
pub type ByPod<T> = BTreeMap<String, T>;

/// A mark of this check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The workload runs.
    Made(Made),
    /// The monitoring system is asked until it shows the workload.
    Look {},
    /// The wait for it is over.
    Found {
        /// Milliseconds that it took; nothing where it was not found.
        settled: Option<u64>,
        /// The monitoring system that showed it, and is asked from here on.
        backend: Option<String>,
    },
    /// [`Batch::First`] is sent.
    First {
        /// Requests to each pod.
        sent: ByPod<u64>,
    },
    /// All of it was answered.
    FirstSent {},
    /// The wait for it to be counted is over.
    FirstSettled {
        /// Milliseconds that it took; nothing where it was not counted.
        settled: Option<u64>,
    },
    /// [`Batch::Held`] is sent.
    Held {
        /// Requests to each pod.
        sent: ByPod<u64>,
    },
    /// All of it runs.
    HeldSent {},
    /// The wait for it to be counted is over.
    HeldSettled {
        /// Milliseconds that it took; nothing where it was not counted.
        settled: Option<u64>,
    },
    /// [`Batch::Released`]: what is held is answered.
    Released {
        /// Requests to each pod: none.
        sent: ByPod<u64>,
    },
    /// All of it was answered.
    ReleasedSent {},
    /// The wait for it to be counted is over.
    ReleasedSettled {
        /// Milliseconds that it took; nothing where it was not counted.
        settled: Option<u64>,
    },
    /// A pod is deleted.
    Deleted {
        /// Its name.
        pod: String,
    },
    /// It is gone.
    Gone {},
    /// The wait for its series to end is over.
    GoneSettled {
        /// Milliseconds that it took; nothing where they did not end.
        settled: Option<u64>,
    },
    /// Our acts are over: what is deleted from here on, we delete.
    Over {},
}

impl Marks for Mark {}

impl Mark {
    /// The mark with which a batch begins.
    pub fn of_batch(batch: Batch, sent: ByPod<u64>) -> Mark {
        match batch {
            Batch::First => Mark::First { sent },
            Batch::Held => Mark::Held { sent },
            Batch::Released => Mark::Released { sent },
        }
    }

    /// The mark of a batch that was sent.
    pub fn sent(batch: Batch) -> Mark {
        match batch {
            Batch::First => Mark::FirstSent {},
            Batch::Held => Mark::HeldSent {},
            Batch::Released => Mark::ReleasedSent {},
        }
    }

    /// The mark of a batch whose time to be counted is over.
    pub fn settled(batch: Batch, settled: Option<u64>) -> Mark {
        match batch {
            Batch::First => Mark::FirstSettled { settled },
            Batch::Held => Mark::HeldSettled { settled },
            Batch::Released => Mark::ReleasedSettled { settled },
        }
    }
}

/// The workload as it was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Its namespace.
    pub namespace: String,
    /// Names of its pods.
    pub pods: ByPod<String>,
    /// Labels and annotations of its pods as they were sent.
    pub sent: ByPod<Value>,
    /// Labels and annotations of its pods as they were admitted: what is kept of a pod for judging has no annotations.
    pub admitted: ByPod<Value>,
}

/// Facts of a subject: a way in which a workload declares its metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Versions of the monitoring systems that are asked, by their names.
    #[serde(default)]
    pub monitoring: BTreeMap<String, String>,
    /// True if an object of the platform selects what the run declares.
    #[serde(default)]
    pub selected: bool,
}
