//! Parts that the checks of accelerators share: what the nodes offer, and pods of the probe that are given some of it.
//!
//! Accelerators are found by behaviour and by common names: devices of DRA drivers by their class, extended resources by
//! the last part of their name or by the profile; device nodes are learnt from a pod that was given one. The probe is asked
//! through the API server's proxy, so that nothing needs a way into the pods' network, and every answer stands in the
//! evidence as it came. Checks go side by side, but those that hold devices take turns: what one holds the others would
//! lack. Each lets go of its pods and their claims before it gives its turn away.
//!
//! Judges import `answers`, `way`, `limits`, `shares::marks` and `shares::judge`, which are pure, and nothing else of this
//! crate.

pub mod answers;
pub mod inventory;
pub mod limits;
pub mod makers;
pub mod offers;
pub mod pod;
pub mod probe;
pub mod pulls;
pub mod shares;
pub mod warnings;
pub mod way;

pub use aiconform_trial::kinds::resource_claim as claims;
pub use inventory::{Inventory, inventory};
pub use offers::{Offer, offers};
pub use pod::{Container, ProbePod};
pub use probe::{Probe, START, Standing, clear};
pub use pulls::Pulls;
pub use warnings::{blamed, explained};
pub use way::{Mode, Way};

use aiconform_cluster::Permission;

/// Permissions that a check needs which gives devices to pods of the probe and asks them.
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

/// Permissions that it goes without where it may not.
pub const WANTS: &[Permission] = &[Permission::to(
    "",
    "events",
    &["list"],
    "why a pod does not come, where its status does not say so; without it the reason is missing from the verdict",
)];

/// Longest time of a check of accelerators; its clock stands still while others have their turn.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(1200);

/// Why nothing can be tried where no node has an accelerator.
pub const NONE: &str = "no node offers an accelerator: neither a ResourceSlice nor an extended resource that is known as one; name it in the profile: [accelerators] resources = [\"…\"]";
