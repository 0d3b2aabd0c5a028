//! Shares of accelerators, in whatever way they are made: found by what nodes offer, and tried by pods that have one each.
//! What `gpu_sharing` and `virtualized_accelerator` have in common, so that both mean the same by it.

mod acts;
mod history;
pub mod judge;
mod offers;
#[cfg(test)]
mod tests;

pub use acts::{Sharing, detect, preview, run};
pub use offers::{Maker, makers};
