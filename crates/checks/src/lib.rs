//! The checks: one folder per requirement, and what they all share.

mod accelerator_metrics;
mod accelerators;
mod ai_inference;
mod ai_service_metrics;
mod cluster_autoscaling;
mod cx;
mod dra_support;
mod driver_runtime_management;
mod faults;
mod foreign;
mod gang_scheduling;
mod gpu_sharing;
mod path;
mod place;
mod pod;
mod pod_autoscaling;
mod profile;
mod render;
mod robust_controller;
mod secure_accelerator_access;
mod source;
mod statistics;
mod virtualized_accelerator;

pub use ai_service_metrics::answer as monitoring;
pub use cx::{Check, Cx, Detection, GANG_SIZE, Level, Options, Preview, Progress, Reach, Stop};
pub use faults::{Expected, Fault};
pub use gang_scheduling::AdapterFile;
pub use place::FileError;
pub use profile::{Profile, SlotsOf};
pub use robust_controller::Operator;

/// Every check of the project, in the order of the checklist.
pub const CHECKS: &[&Check] = &[
    &dra_support::CHECK,
    &driver_runtime_management::CHECK,
    &gpu_sharing::CHECK,
    &virtualized_accelerator::CHECK,
    &ai_inference::CHECK,
    &gang_scheduling::CHECK,
    &cluster_autoscaling::CHECK,
    &pod_autoscaling::CHECK,
    &accelerator_metrics::CHECK,
    &ai_service_metrics::CHECK,
    &secure_accelerator_access::CHECK,
    &robust_controller::CHECK,
];

/// The check of a requirement, when there is one.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.id == id)
}
