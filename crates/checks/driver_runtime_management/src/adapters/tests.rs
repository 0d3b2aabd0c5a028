//! Every dialect, on what its maker's tools write.

use super::*;

#[test]
fn every_file_is_read_under_its_own_id() {
    let ids: Vec<&str> = dialects().iter().map(|dialect| dialect.id.as_str()).collect();
    assert_eq!(ids, FILES.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}

#[test]
fn versions_are_the_same_whoever_writes_them() {
    for (one, other) in
        [("570.86.06", "570.86.6"), ("12.8", "12.8.0"), ("v1.2.3", "1.2.3"), ("6.12.12", "6.12.12")]
    {
        assert!(same(one, other), "{one} {other}");
    }
    for (one, other) in
        [("570.86.6", "570.86.60"), ("12.8", "12.80"), ("12.8", "12.8.1"), ("1.2-rc1", "1.2"), ("", "1")]
    {
        assert!(!same(one, other), "{one} {other}");
    }
}

#[test]
fn labels_of_older_feature_discoveries_are_read_by_their_parts() {
    let nvidia = dialect("nvidia").unwrap();
    let said = |pairs: &'static [(&str, &str)]| {
        move |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned())
    };
    let old = said(&[
        ("nvidia.com/cuda.driver.major", "525"),
        ("nvidia.com/cuda.driver.minor", "105"),
        ("nvidia.com/cuda.driver.rev", "17"),
        ("nvidia.com/cuda.runtime.major", "12"),
    ]);
    assert_eq!(nvidia.driver.on_node(old).unwrap().1, "525.105.17");
    // Half a version is none.
    assert_eq!(nvidia.runtime.on_node(old), None);
    let new = said(&[("nvidia.com/cuda.driver-version.full", "575.57.08")]);
    assert_eq!(nvidia.driver.on_node(new).unwrap().1, "575.57.08");
}

#[test]
fn a_kernel_module_says_its_version_in_a_file() {
    let nvidia = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26 01:52:40 UTC 2025\nGCC version:  gcc 12\n";
    let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build\n";
    for text in [nvidia, open] {
        let read = |path: &str| (path == "/proc/driver/nvidia/version").then(|| text.to_owned());
        assert_eq!(dialect("nvidia").unwrap().driver.in_files(read).unwrap().1, "570.124.06");
    }
    let read = |path: &str| (path == "/sys/module/amdgpu/version").then(|| "6.12.12\n".to_owned());
    assert_eq!(dialect("amd").unwrap().driver.in_files(read).unwrap().1, "6.12.12");
    assert_eq!(dialect("amd").unwrap().driver.in_files(|_| None), None);
}
