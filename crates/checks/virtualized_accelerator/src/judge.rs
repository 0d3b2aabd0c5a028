//! The judge is that of all shares.

pub use aiconform_accelerators::shares::judge::*;
