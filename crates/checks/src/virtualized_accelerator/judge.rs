//! The claims are those of all shares.

pub use crate::accelerators::shares::judge::*;
