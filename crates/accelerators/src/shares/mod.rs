//! Shares of accelerators, in whatever way they are made: found by what nodes offer, and tried by pods that have one each.
//!
//! `gpu_sharing` and `virtualized_accelerator` are this one trial under two names, so that "consistent with physical
//! fractional GPUs" is not a matter of two tests. What a maker calls shares is data; nothing is called failed whose maker's
//! devices we have not run. What can be asked for is compared with what labels of the node promise, not with what hardware
//! could do: that a cluster offers no shares does not show that its platform has no mechanism for them, so it is
//! inconclusive, while a promise that is not kept is a failure.
//!
//! Each pod but one has a share at the same time, so that by counting some of them must be on one physical device; which,
//! they ask their devices. The last asks for one more than is free, and waits by the scheduler's own word: a scheduler that
//! says nothing has not refused. Of more shares than eight it asks for all that are left and one.

mod acts;
mod find;
pub mod judge;
pub mod marks;
#[cfg(test)]
mod tests;

pub use acts::{Sharing, detect, preview, run};
pub use find::{Maker, Rule, Shares, claimable, makers, plugged};

use crate::limits::{FREED, REFUSED, START};
use aiconform_trial::Limit;

/// Longest times of a trial of shares.
pub const LIMITS: &[Limit] = &[START, REFUSED, FREED];
