//! What is tried; the acts are those of all shares.

use super::adapters::{IDS, makers};
use crate::accelerators::shares::Sharing;

/// Virtual devices.
pub const SHARING: Sharing = Sharing {
    check: "virtualized_accelerator",
    strategies: IDS,
    makers,
    absent: "no node offers virtual devices that are known as such: whether its accelerators could be virtual ones cannot be told",
};
