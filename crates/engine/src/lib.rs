//! Plans a run, and runs it. Prints nothing.

mod plan;
mod role;
mod run;

pub use plan::{Plan, Planned, Present, plan};
pub use role::role;
pub use run::{End, Request, run};
