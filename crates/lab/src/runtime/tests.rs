use super::*;
use crate::breakage::Breakage;
use serde_json::{Value, json};

/// A node with two devices of a plugin (2 and 3, of which 3 is shared), of which the driver has two more (0, claimed by
/// the pod `one`, and 1, which nobody has claimed), and a container's bundle.
fn node() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = Utf8PathBuf::from_path_buf(folder.path().into()).unwrap();
    let own = node::folder(&state);
    let sockets = own.join("kubelet/plugins/aiconform-simulator");
    for folder in [&sockets, &own.join("cdi"), &own.join("device-plugins"), &state.join("bundle")] {
        fs_err::create_dir_all(folder).unwrap();
    }
    fs_err::write(own.join("number"), "0").unwrap();
    for name in ["0.sock", "1.sock", "2.sock", "3-1.sock", "3-2.sock", "registration.tmp"] {
        fs_err::write(sockets.join(name), "").unwrap();
    }
    let edits = |minor: u64, socket: &str| {
        json!({"env": ["AICONFORM_SIMULATED=1", format!("AICONFORM_DEVICE_{minor}=GPU-{minor}")],
            "deviceNodes": [{"path": format!("/dev/accel{minor}"), "type": "c", "major": 241, "minor": minor}],
            "mounts": [{"hostPath": sockets.join(socket), "containerPath": format!("/run/accelerator/{minor}.sock")}]})
    };
    let write = |name: &str, value: &Value| fs_err::write(own.join(name), value.to_string()).unwrap();
    write(
        "cdi/devices.json",
        &json!({"kind": "simulator.aiconform.dev/device", "devices": [
            {"name": "gpu-2", "containerEdits": edits(2, "2.sock")},
            {"name": "gpu-3-share-1", "containerEdits": edits(3, "3-1.sock")},
            {"name": "gpu-3-share-2", "containerEdits": edits(3, "3-2.sock")}]}),
    );
    write(
        "cdi/claim-u.json",
        &json!({"kind": "simulator.aiconform.dev/claim", "devices": [
            {"name": "u-gpu-0", "containerEdits": edits(0, "0.sock")}]}),
    );
    fs_err::write(own.join("cdi/claim-v.json"), "{").unwrap();
    let claims = json!({"ClaimInfoStateList": [{"ClaimUID": "u", "PodUIDs": {"one": {}}, "DriverState": {"d": {
        "Devices": [{"DeviceName": "gpu-0", "CDIDeviceIDs": ["simulator.aiconform.dev/claim=u-gpu-0"]}]}}}]});
    write("kubelet/dra_manager_state", &json!({"Data": claims.to_string(), "Checksum": 1}));
    let entry = |pod: &str, id: &str| json!({"PodUID": pod, "ContainerName": "a", "DeviceIDs": {"-1": [id]}});
    write(
        "device-plugins/kubelet_internal_checkpoint",
        &json!({"Data": {"PodDeviceEntries": [entry("two", "gpu-2"), entry("three", "gpu-3::1")]}}),
    );
    (folder, state)
}

/// Makes a container of this pod, with these variables and devices, in a lab that is broken so.
fn made(state: &Utf8Path, breakage: &str, pod: &str, variables: &[&str], own: &[u64]) -> Value {
    let lab = json!({"name": "a", "state": state, "binaries": [], "port": 0, "supervisor": 0, "outlive": false,
        "holder": 0, "kubernetes": crate::version::Kubernetes::default(), "parts": ["simulator"], "fake_nodes": 0,
        "breakages": [breakage], "pose": null});
    fs_err::write(state.join("lab.json"), lab.to_string()).unwrap();
    let nodes: Vec<Value> = own
        .iter()
        .map(|minor| json!({"path": format!("/dev/accel{minor}"), "major": 241, "minor": minor}))
        .collect();
    let config = json!({"process": {"env": variables}, "mounts": [], "annotations": {
            "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-uid": pod,
            "io.kubernetes.cri.container-name": "a"},
        "linux": {"devices": nodes, "resources": {"devices": [{"allow": false, "access": "rwm"}]}}});
    let file = state.join("bundle/config.json");
    fs_err::write(&file, config.to_string()).unwrap();
    let bundle = state.join("bundle");
    let arguments = ["--root", "/r", "create", "--bundle", bundle.as_str(), "id"].map(OsString::from);
    change(state, Handler::Default, &arguments).unwrap();
    serde_json::from_str(&fs_err::read_to_string(file).unwrap()).unwrap()
}

fn minors(config: &Value) -> Vec<u64> {
    config["linux"]["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["minor"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_sibling_gets_what_the_kubelet_gave_its_pod_and_a_stranger_nothing() {
    let (_folder, state) = node();
    let of = |pod: &str| minors(&made(&state, "runtime-leaks-to-sibling", pod, &[], &[]));
    assert_eq!((of("one"), of("two"), of("three"), of("four")), (vec![0], vec![2], vec![3], vec![]));
    // The holder has it once.
    assert_eq!(minors(&made(&state, "runtime-leaks-to-sibling", "one", &[], &[0])), [0]);
}

#[test]
fn what_is_given_has_node_rule_socket_and_variables() {
    let (_folder, state) = node();
    let config = made(&state, "runtime-leaks-to-sibling", "two", &["A=1"], &[]);
    let node = json!({"path": "/dev/accel2", "type": "c", "major": 241, "minor": 2, "fileMode": 0o666});
    assert_eq!(config["linux"]["devices"], json!([node]));
    let rule = json!({"allow": true, "type": "c", "major": 241, "minor": 2, "access": "rw"});
    assert_eq!(config["linux"]["resources"]["devices"], json!([{"allow": false, "access": "rwm"}, rule]));
    assert_eq!(config["mounts"][0]["destination"], "/run/accelerator/2.sock");
    assert_eq!(config["process"]["env"], json!(["A=1", "AICONFORM_SIMULATED=1", "AICONFORM_DEVICE_2=GPU-2"]));
}

#[test]
fn the_environment_gives_all_or_what_it_lists() {
    let (_folder, state) = node();
    let of = |value: &str| {
        let variable = format!("NVIDIA_VISIBLE_DEVICES={value}");
        minors(&made(&state, "runtime-gives-by-environment", "one", &[&variable], &[]))
    };
    assert_eq!(
        (of("all"), of("1,GPU-3"), of("void"), of("")),
        (vec![0, 1, 2, 3], vec![1, 3], vec![], vec![])
    );
    assert_eq!(minors(&made(&state, "runtime-gives-by-environment", "one", &[], &[])), [] as [u64; 0]);
}

#[test]
fn all_means_devices_that_nobody_has_claimed_too() {
    let (_folder, state) = node();
    let config = made(&state, "runtime-gives-to-all", "four", &[], &[]);
    assert_eq!(minors(&config), [0, 1, 2, 3]);
    assert_eq!(config["linux"]["devices"][1]["path"], "/dev/accel1");
    assert_eq!(config["mounts"][1]["destination"], "/run/accelerator/1.sock");
}

#[test]
fn without_the_device_cgroup_everything_may_be_opened() {
    let (_folder, state) = node();
    let config = made(&state, "runtime-without-device-cgroup", "four", &[], &[]);
    assert_eq!(config["linux"]["resources"]["devices"], json!([{"allow": true, "access": "rwm"}]));
    assert!(minors(&config).is_empty());
}

#[test]
fn only_a_restart_brings_the_neighbours_device() {
    let (_folder, state) = node();
    let of = |pod: &str, own: &[u64]| minors(&made(&state, "runtime-loses-on-restart", pod, &[], own));
    assert_eq!((of("one", &[0]), of("one", &[0])), (vec![0], vec![0, 1]));
    assert_eq!((of("three", &[3]), of("three", &[3])), (vec![3], vec![3, 0]));
    assert_eq!((of("four", &[]), of("four", &[])), (vec![], vec![]));
}

#[test]
fn a_pods_sandbox_and_an_unbroken_lab_are_left_alone() {
    let (_folder, state) = node();
    assert!(
        minors(&made(&state, "scheduler-stopped", "one", &["NVIDIA_VISIBLE_DEVICES=all"], &[])).is_empty()
    );
    let bundle = state.join("bundle");
    let sandbox = json!({"annotations": {"io.kubernetes.cri.container-type": "sandbox"}});
    fs_err::write(bundle.join("config.json"), sandbox.to_string()).unwrap();
    assert!(Bundle::read(&bundle).unwrap().is_none());
    let lab = Status::read(&state).unwrap().unwrap();
    // The link of an unbroken lab leads to `runc` itself, and does so again when it is healed.
    let first = lab.first();
    fs_err::create_dir_all(first.folder(&lab)).unwrap();
    let link = || fs_err::read_link(first.folder(&lab).join("runtime")).unwrap();
    let healthy = || {
        point(&lab, first).unwrap();
        link()
    };
    let before = healthy();
    assert!(before.ends_with("runc"), "{before:?}");
    let broken = Status { breakages: vec![Breakage::named("runtime-gives-to-all").unwrap()], ..lab.clone() };
    point(&broken, first).unwrap();
    assert_eq!(link(), node::folder(&state).join("runtime.sh"));
    let script = fs_err::read_to_string(first.folder(&lab).join("runtime.sh")).unwrap();
    assert_eq!(healthy(), before);
    // One node can be broken alone.
    let mut alone = Node::plain(1);
    alone.breakages = broken.breakages.clone();
    fs_err::create_dir_all(alone.folder(&lab)).unwrap();
    point(&lab, &alone).unwrap();
    assert_eq!(
        fs_err::read_link(alone.folder(&lab).join("runtime")).unwrap(),
        node::folder(&state).join("runtime.sh")
    );
    assert_eq!(healthy(), before);
    assert!(script.contains("lab-runtime") && script.ends_with("exec runc \"$@\"\n"), "{script}");
}
