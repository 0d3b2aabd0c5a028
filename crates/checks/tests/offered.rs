//! What nodes offer, in the words of several makers.

use aiconform_accelerators::Way;
use aiconform_accelerators::shares::{Maker, Shares, claimable, plugged};
use aiconform_gpu_sharing as gpu_sharing;
use aiconform_model::Object;
use aiconform_virtualized_accelerator as virtualized_accelerator;
use serde_json::{Value, json};

fn node(labels: Value, allocatable: Value) -> Object {
    Object::new(json!({"metadata": {"name": "n", "labels": labels}, "status": {"allocatable": allocatable}}))
}

/// Every offer of a node, in a word each: strategy, resource, offered, declared, physical.
fn offers(makers: &[Maker], node: &Object) -> Vec<String> {
    let all = makers.iter().flat_map(|maker| maker.offer.iter().map(move |rule| (maker, rule)));
    all.flat_map(|(maker, rule)| plugged(maker, rule, node)).map(|offer| word(&offer)).collect()
}

fn word(offer: &Shares) -> String {
    let number = |number: Option<u64>| number.map_or("?".into(), |number| number.to_string());
    let numbers = [offer.offered, offer.declared, offer.physical].map(number).join(" ");
    format!("{} {} {numbers}", offer.strategy, offer.name())
}

#[test]
fn shares_in_time_are_told_from_whole_devices_by_labels() {
    let shared = json!({"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "2"});
    let sharing = gpu_sharing::makers();
    let found = offers(sharing, &node(shared.clone(), json!({"nvidia.com/gpu": "8"})));
    // The other name is promised as much as this one, and not there.
    assert_eq!(found, ["time-slicing nvidia.com/gpu 8 8 2", "time-slicing nvidia.com/gpu.shared 0 8 2"]);
    let whole = json!({"nvidia.com/gpu.replicas": "1", "nvidia.com/gpu.count": "2"});
    assert!(offers(sharing, &node(whole, json!({"nvidia.com/gpu": "2"}))).is_empty());
    let renamed = offers(sharing, &node(shared, json!({"nvidia.com/gpu.shared": "8"})));
    assert!(renamed.contains(&"time-slicing nvidia.com/gpu.shared 8 8 2".to_owned()), "{renamed:?}");
}

#[test]
fn partitions_go_by_their_names() {
    let sharing = gpu_sharing::makers();
    let labels = json!({"nvidia.com/mig-1g.10gb.count": "7"});
    let found = offers(sharing, &node(labels, json!({"nvidia.com/mig-1g.10gb": "6"})));
    assert_eq!(found, ["partitions nvidia.com/mig-1g.10gb 6 7 ?"]);
    let amd = json!({"amd.com/cpx_nps4": "64", "amd.com/spx_nps1": "1", "amd.com/gpu": "1"});
    assert_eq!(offers(sharing, &node(json!({}), amd)), ["partitions amd.com/cpx_nps4 64 ? ?"]);
    assert!(offers(sharing, &node(json!({}), json!({"nvidia.com/mig-1g.10gb": "0"}))).is_empty());
}

#[test]
fn devices_are_virtual_where_the_node_says_so() {
    let makers = virtualized_accelerator::makers();
    let gpu = json!({"nvidia.com/gpu": "10"});
    assert!(offers(makers, &node(json!({}), gpu.clone())).is_empty());
    let guest = json!({"nvidia.com/vgpu.present": "true", "nvidia.com/gpu.count": "10"});
    assert_eq!(offers(makers, &node(guest, gpu.clone())), ["virtual-devices nvidia.com/gpu 10 10 ?"]);
    let mut software = node(json!({}), gpu);
    software.0["metadata"]["annotations"] = json!({"hami.io/node-nvidia-register": "[…]"});
    assert_eq!(offers(makers, &software), ["virtual-devices nvidia.com/gpu 10 ? ?"]);
}

fn device(name: &str, kind: &str, parent: &str, set: &str, memory: u64) -> Value {
    json!({"name": name, "attributes": {"type": {"string": kind}, "parentUUID": {"string": parent}},
        "consumesCounters": [{"counterSet": set, "counters": {"memory": {"value": memory.to_string()}}}]})
}

fn slices(devices: &[Value]) -> Vec<Object> {
    let slice = |key: &str, content: Value| {
        Object::new(json!({"spec": {"driver": "gpu.nvidia.com", "nodeName": "n", key: content}}))
    };
    let counters = json!([{"name": "gpu-0", "counters": {"memory": {"value": "16"}}}]);
    vec![slice("devices", json!(devices)), slice("sharedCounters", counters)]
}

fn class(name: &str, expression: &str) -> Object {
    Object::new(
        json!({"metadata": {"name": name}, "spec": {"selectors": [{"cel": {"expression": expression}}]}}),
    )
}

fn claimed(devices: &[Value], classes: &[Object]) -> Vec<Shares> {
    let all =
        gpu_sharing::makers().iter().flat_map(|maker| maker.offer.iter().map(move |rule| (maker, rule)));
    all.flat_map(|(maker, rule)| claimable(maker, rule, &slices(devices), classes)).collect()
}

#[test]
fn partitions_of_a_driver_are_counted_by_what_they_share() {
    let whole = device("gpu-0", "gpu", "", "gpu-0", 16);
    let part = |name: &str, memory: u64| device(name, "mig", "GPU-a", "gpu-0", memory);
    let classes = [
        class(
            "gpu.nvidia.com",
            "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'",
        ),
        class(
            "mig.nvidia.com",
            "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'mig'",
        ),
    ];
    // Three places for parts of 8, of which two fit.
    let found = claimed(&[whole.clone(), part("a", 8), part("b", 8), part("c", 8)], &classes);
    assert_eq!(found.iter().map(word).collect::<Vec<_>>(), ["dra-partitions mig.nvidia.com 2 ? 1"]);
    assert_eq!(found[0].selector, "device.attributes[\"gpu.nvidia.com\"].type == \"mig\"");
    // Of different sizes it depends on which are taken.
    let found = claimed(&[whole.clone(), part("a", 8), part("b", 4)], &classes);
    assert_eq!(found[0].offered, None);
    // Without a class that gives them they cannot be asked for.
    assert!(claimed(&[part("a", 8), part("b", 8)], &classes[..1]).is_empty());
    let plain = class("all", "device.driver == 'gpu.nvidia.com'");
    assert_eq!(claimed(&[part("a", 8), part("b", 8)], &[plain])[0].way, Way::Class("all".into()));
    assert!(claimed(&[whole], &classes).is_empty());
}
