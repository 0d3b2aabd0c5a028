//! Ways in which devices are given out, as subjects; and what runtimes of makers read from an environment.

use aiconform_accelerators::{Mode, Offer};

/// Ids of the ways: what subjects' ids begin with, and what `--adapter` takes.
pub const IDS: &[&str] = &["dra", "dra-by-resource", "device-plugin"];
/// Ids of those that every cluster with accelerators has one of.
pub const USUAL: &[&str] = &["dra", "device-plugin"];

/// Id of the subject of an offer.
pub fn subject(offer: &Offer) -> String {
    format!("{}/{}", offer.mode.id(), offer.way.name())
}

/// Tells whether a subject is among those that the user named, by its way or whole.
pub fn is_named(subject: &str, named: &[String]) -> bool {
    let way = subject.split('/').next().unwrap_or(subject);
    named.iter().any(|name| name == way || name == subject)
}

/// Tells whether objects named ResourceClaim stand behind what a pod of this way is given.
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

/// Variables that name the first device, by its number.
pub const FIRST: &[(&str, &str)] = &[
    ("NVIDIA_VISIBLE_DEVICES", "0"),
    ("AMD_VISIBLE_DEVICES", "0"),
    ("HABANA_VISIBLE_DEVICES", "0"),
    ("ASCEND_VISIBLE_DEVICES", "0"),
    ("MTHREADS_VISIBLE_DEVICES", "0"),
    ("METAX_VISIBLE_DEVICES", "0"),
    ("AWS_NEURON_VISIBLE_DEVICES", "0"),
];

/// Variables that name no device, as platforms set them to be safe.
pub const VOID: &[(&str, &str)] = &[("NVIDIA_VISIBLE_DEVICES", "void"), ("AMD_VISIBLE_DEVICES", "void")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_names_all_its_subjects_and_a_subject_names_itself() {
        let named = |name: &str| is_named("device-plugin/x.com/gpu", &[name.to_owned()]);
        assert!(named("device-plugin") && named("device-plugin/x.com/gpu"));
        assert!(!named("dra") && !named("device-plugin/y.com/gpu"));
    }
}
