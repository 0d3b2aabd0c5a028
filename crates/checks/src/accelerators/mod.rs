//! What the checks of accelerators share: what the nodes offer, and pods of the probe that are given some of it.

pub mod inventory;
pub mod pod;
pub mod probe;

pub use inventory::{Inventory, Way, inventory};
pub use pod::{Container, ProbePod};
pub use probe::Probe;
