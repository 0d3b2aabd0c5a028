//! Named conditions with a limit and the last thing seen; the only place that sleeps.

mod until;

pub use until::{Met, TooLate, Wait, dwell, pause};
