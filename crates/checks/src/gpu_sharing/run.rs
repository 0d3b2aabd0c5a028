//! What is tried; the acts are those of all shares.

use super::adapters::{IDS, makers};
use crate::accelerators::shares::Sharing;

/// Shares in time and partitions.
pub const SHARING: Sharing = Sharing {
    check: "gpu_sharing",
    strategies: IDS,
    makers,
    absent: "no node offers shares that are known as such",
};
