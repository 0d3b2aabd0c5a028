//! Ways in which devices are given out, as subjects; and what makers of devices read from an environment.

use crate::accelerators::{Mode, Offer, Way};

/// Ids of the ways: what subjects' ids begin with, and what `--adapter` takes.
pub const IDS: &[&str] = &["dra", "dra-by-resource", "device-plugin"];
/// Ids of those that every cluster with accelerators has one of.
pub const USUAL: &[&str] = &["dra", "device-plugin"];

/// Id of the subject of an offer.
pub fn subject(offer: &Offer) -> String {
    let (Way::Class(name) | Way::Resource(name)) = &offer.way;
    format!("{}/{name}", offer.mode.id())
}

/// Whether a subject is among those that the user named, by its way or whole.
pub fn is_named(subject: &str, named: &[String]) -> bool {
    let way = subject.split('/').next().unwrap_or(subject);
    named.iter().any(|name| name == way || name == subject)
}

/// Whether objects named ResourceClaim stand behind what a pod of this way is given.
pub fn has_claims(mode: Mode) -> bool {
    matches!(mode, Mode::Dra | Mode::DraByResource)
}

/// Variables by which container runtimes of makers were told which devices to give; everything at once, because each
/// runtime reads its own: NVIDIA (container toolkit), AMD, Intel Gaudi, Ascend, Moore Threads, MetaX, AWS Neuron.
pub const ALL: &[(&str, &str)] = &[
    ("NVIDIA_VISIBLE_DEVICES", "all"),
    ("NVIDIA_DRIVER_CAPABILITIES", "all"),
    ("AMD_VISIBLE_DEVICES", "all"),
    ("HABANA_VISIBLE_DEVICES", "all"),
    ("ASCEND_VISIBLE_DEVICES", "0-7"),
    ("MTHREADS_VISIBLE_DEVICES", "all"),
    ("METAX_VISIBLE_DEVICES", "all"),
    ("AWS_NEURON_VISIBLE_DEVICES", "all"),
];

/// The same for the first device, by its number.
pub const FIRST: &[(&str, &str)] = &[
    ("NVIDIA_VISIBLE_DEVICES", "0"),
    ("AMD_VISIBLE_DEVICES", "0"),
    ("HABANA_VISIBLE_DEVICES", "0"),
    ("ASCEND_VISIBLE_DEVICES", "0"),
    ("MTHREADS_VISIBLE_DEVICES", "0"),
    ("METAX_VISIBLE_DEVICES", "0"),
    ("AWS_NEURON_VISIBLE_DEVICES", "0"),
];

/// The same for none, as platforms set it to be safe.
pub const VOID: &[(&str, &str)] = &[("NVIDIA_VISIBLE_DEVICES", "void"), ("AMD_VISIBLE_DEVICES", "void")];

/// Whether a device node is known by its name as that of one accelerator, or of a part of one, and not as one that all
/// accelerators of a maker share: NVIDIA, AMD and Intel (DRM render and card nodes), the kernel's `accel` subsystem
/// (TPU, Gaudi, Qualcomm), VFIO groups, Neuron, Gaudi, Ascend, Coral.
pub fn is_one_device(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "/dev/nvidia",
        "/dev/dri/card",
        "/dev/dri/renderD",
        "/dev/accel",
        "/dev/accel/accel",
        "/dev/vfio/",
        "/dev/neuron",
        "/dev/hl",
        "/dev/davinci",
        "/dev/apex_",
    ];
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    NAMES.iter().any(|name| path.strip_prefix(name).is_some_and(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_one_device_are_told_from_those_of_all() {
        for path in ["/dev/nvidia0", "/dev/nvidia12", "/dev/dri/renderD128", "/dev/accel3", "/dev/vfio/7"] {
            assert!(is_one_device(path), "{path}");
        }
        for path in
            ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/vfio/vfio", "/dev/kfd", "/dev/fuse", "/dev/nvidia"]
        {
            assert!(!is_one_device(path), "{path}");
        }
    }

    #[test]
    fn a_way_names_all_its_subjects_and_a_subject_names_itself() {
        let named = |name: &str| is_named("device-plugin/x.com/gpu", &[name.to_owned()]);
        assert!(named("device-plugin") && named("device-plugin/x.com/gpu"));
        assert!(!named("dra") && !named("device-plugin/y.com/gpu"));
    }
}
