//! What the checks of accelerators share: what the nodes offer, and pods of the probe that are given some of it.

pub mod inventory;
pub mod offers;
pub mod pod;
pub mod probe;
pub mod pulls;
pub mod shares;
pub mod warnings;

pub use inventory::{Inventory, Way, inventory};
pub use offers::{Mode, Offer, claims, offers};
pub use pod::{Container, ProbePod};
pub use probe::{Probe, START, Standing, clear};
pub use pulls::Pulls;
pub use warnings::{blamed, explained};

use aiconform_cluster::Permission;

/// What a check needs that gives devices to pods of the probe and asks them.
pub const NEEDS: &[Permission] = &[
    Permission::to("", "pods", &["create", "get", "list", "watch", "delete"], "pods that have a device"),
    Permission::to("", "pods/proxy", &["create"], "the probe's answers"),
    Permission::to("", "nodes", &["get", "list"], "what nodes offer and say of their devices"),
    Permission::to(
        "resource.k8s.io",
        "resourceslices",
        &["list"],
        "what drivers offer and say of their devices",
    ),
    Permission::to("resource.k8s.io", "deviceclasses", &["list"], "how devices are asked for"),
    Permission::to("resource.k8s.io", "resourceclaims", &["list"], "whether devices are free again"),
    Permission::to(
        "resource.k8s.io",
        "resourceclaimtemplates",
        &["create", "delete"],
        "the pods' claims on devices",
    ),
];

/// What it goes without where it may not.
pub const WANTS: &[Permission] = &[Permission::to(
    "",
    "events",
    &["list"],
    "why a pod does not come, where its status does not say so; without it the reason is missing from the verdict",
)];

/// Longest time of a check of accelerators: the turns of the others are in it.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(1200);

/// Why nothing can be tried where no node has an accelerator.
pub const NONE: &str = "no node offers an accelerator: neither a ResourceSlice nor an extended resource that is known as one; name it in the profile: [accelerators] resources = [\"…\"]";
