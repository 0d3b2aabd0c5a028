//! What the checks of accelerators share: what the nodes offer, and pods of the probe that are given some of it.

pub mod inventory;
pub mod offers;
pub mod pod;
pub mod probe;

pub use inventory::{Inventory, Way, inventory};
pub use offers::{Mode, Offer, claims, offers};
pub use pod::{Container, ProbePod};
pub use probe::{Probe, START, Standing};

/// Why nothing can be tried where no node has an accelerator.
pub const NONE: &str = "no node offers an accelerator: neither a ResourceSlice nor an extended resource that is known as one; name it in the profile: [accelerators] resources = [\"…\"]";
