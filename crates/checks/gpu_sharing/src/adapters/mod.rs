//! Names that makers give to shares in time and partitions: data, one file each.

use aiconform_accelerators::shares::{self, Maker};
use std::sync::LazyLock;

const FILES: &[&str] = &[
    include_str!("simulator.toml"),
    include_str!("nvidia.toml"),
    include_str!("amd.toml"),
    include_str!("others.toml"),
];

/// The strategies, which are the subjects.
pub const IDS: &[&str] = &["time-slicing", "partitions", "dra-partitions"];

static MAKERS: LazyLock<Vec<Maker>> = LazyLock::new(|| shares::makers(FILES));

/// All makers.
pub fn makers() -> &'static [Maker] {
    &MAKERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_names_known_strategies() {
        assert_eq!(makers().len(), FILES.len());
        for rule in makers().iter().flat_map(|maker| &maker.offer) {
            assert!(IDS.contains(&rule.strategy.as_str()), "{rule:?}");
            assert!(!rule.resources.is_empty() || !rule.drivers.is_empty(), "{rule:?}");
        }
    }
}
