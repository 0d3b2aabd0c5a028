//! From evidence to outcomes: pure functions.

mod apart;
pub mod guard;
pub mod history;
pub mod measures;
mod metric;
pub mod picture;
mod pods;
mod steps;

pub use apart::{ignores_other_namespaces, keeps_pods_without_metric};
pub use metric::{is_of_pods, metric_is_read_as_set};
pub use pods::{new_pods_have_accelerators, plain_pod_has_no_accelerator, simulated};
pub use steps::{falls_with_the_metric, keeps_the_limits, rests_at_the_target, rises_with_the_metric};
