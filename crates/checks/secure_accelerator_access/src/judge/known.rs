//! Names by which device nodes are known.

/// Tells whether a device node is known by its name as that of one accelerator, or of a part of one, and not as one that all
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
}
