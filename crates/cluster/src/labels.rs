//! Labels by which the objects that a run makes are known in the cluster, and the name of its Lease and journal.

/// Carried by everything that a run creates; its value is the run's id.
pub const RUN_LABEL: &str = "aiconform.dev/run";
/// Names the subject an object belongs to, with `_` for `/`.
pub const SUBJECT_LABEL: &str = "aiconform.dev/subject";
/// Marks the Lease of a run, and the namespace that was made for it.
pub const CONTROL_LABEL: &str = "aiconform.dev/control";
/// Annotation of an object that was to go and stayed: the time at which we last changed it, to wake who holds it.
pub const TOUCHED_ANNOTATION: &str = "aiconform.dev/touched";
/// Seconds after which a Lease that was not renewed has expired.
pub const LEASE_SECONDS: i64 = 40;

/// Name of a run's Lease and of its journal, and of the namespace that is made for them.
pub fn control_name(id: &str) -> String {
    format!("aiconform-{id}")
}
