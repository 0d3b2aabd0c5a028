//! Encodings on fixed bytes, made by hand from the field numbers.

use super::{device_plugin, dra, pod_resources, registration};
use prost::Message;

#[test]
fn a_plugin_registers_with_these_bytes() {
    let info = registration::PluginInfo {
        kind: "DRAPlugin".into(),
        name: "d".into(),
        endpoint: "/e".into(),
        supported_versions: vec!["v1.DRAPlugin".into()],
    };
    assert_eq!(info.encode_to_vec(), b"\x0a\x09DRAPlugin\x12\x01d\x1a\x02/e\x22\x0cv1.DRAPlugin");
    let status = registration::RegistrationStatus::decode(&b"\x08\x01"[..]).unwrap();
    assert!(status.plugin_registered && status.error.is_empty());
    let options = device_plugin::DevicePluginOptions {
        pre_start_required: false,
        get_preferred_allocation_available: true,
    };
    let request = device_plugin::RegisterRequest {
        version: "v1beta1".into(),
        endpoint: "s".into(),
        resource_name: "a.b/c".into(),
        options: Some(options),
    };
    assert_eq!(request.encode_to_vec(), b"\x0a\x07v1beta1\x12\x01s\x1a\x05a.b/c\x22\x02\x10\x01");
}

#[test]
fn claims_come_and_go_with_these_bytes() {
    let request =
        dra::NodePrepareResourcesRequest::decode(&b"\x0a\x09\x0a\x01n\x12\x01u\x1a\x01c"[..]).unwrap();
    let claim = dra::Claim { namespace: "n".into(), uid: "u".into(), name: "c".into() };
    assert_eq!(request.claims, [claim]);
    let device = dra::Device {
        request_names: vec!["r".into()],
        pool_name: "p".into(),
        device_name: "g".into(),
        cdi_device_ids: vec!["v/c=x".into()],
        share_id: None,
    };
    let prepared = dra::NodePrepareResourceResponse { devices: vec![device], error: String::new() };
    let answer = dra::NodePrepareResourcesResponse { claims: [("u".to_owned(), prepared)].into() };
    let bytes = b"\x0a\x17\x0a\x01u\x12\x12\x0a\x10\x0a\x01r\x12\x01p\x1a\x01g\x22\x05v/c=x";
    assert_eq!(answer.encode_to_vec(), bytes);
    let refused = dra::NodeUnprepareResourceResponse { error: "e".into() };
    let answer = dra::NodeUnprepareResourcesResponse { claims: [("u".to_owned(), refused)].into() };
    assert_eq!(answer.encode_to_vec(), b"\x0a\x08\x0a\x01u\x12\x03\x0a\x01e");
}

#[test]
fn devices_are_listed_and_given_with_these_bytes() {
    let device = device_plugin::Device { id: "g".into(), health: "Healthy".into() };
    let list = device_plugin::ListAndWatchResponse { devices: vec![device] };
    assert_eq!(list.encode_to_vec(), b"\x0a\x0c\x0a\x01g\x12\x07Healthy");
    let request = device_plugin::AllocateRequest::decode(&b"\x0a\x06\x0a\x01g\x0a\x01h"[..]).unwrap();
    assert_eq!(request.container_requests[0].devices, ["g", "h"]);
    let given = device_plugin::ContainerAllocateResponse {
        environment: Default::default(),
        cdi_devices: vec![device_plugin::CdiDevice { name: "v/c=g".into() }],
    };
    let answer = device_plugin::AllocateResponse { container_responses: vec![given] };
    assert_eq!(answer.encode_to_vec(), b"\x0a\x09\x2a\x07\x0a\x05v/c=g");
    let request = b"\x0a\x0b\x0a\x01a\x0a\x01b\x12\x01b\x18\x02";
    let request = device_plugin::PreferredAllocationRequest::decode(&request[..]).unwrap();
    let request = &request.container_requests[0];
    assert_eq!((request.available.len(), request.must_include.len(), request.allocation_size), (2, 1, 2));
}

#[test]
fn holders_are_read_from_these_bytes_and_what_is_not_read_is_passed_over() {
    // A pod "p" in "n"; its container "c" has device "g" of "r", CPU 0, and of claim "k" the device "d".
    let bytes = b"\x0a\x2e\x0a\x01p\x12\x01n\x1a\x26\x0a\x01c\x12\x06\x0a\x01r\x12\x01g\x1a\x01\x00\
        \x2a\x16\x12\x01k\x1a\x01n\x22\x0e\x0a\x03\x0a\x01x\x12\x01v\x1a\x01o\x22\x01d";
    let list = pod_resources::ListPodResourcesResponse::decode(&bytes[..]).unwrap();
    let container = &list.pods[0].containers[0];
    assert_eq!(container.devices[0].device_ids, ["g"]);
    let claim = &container.dynamic_resources[0];
    assert_eq!((claim.claim_name.as_str(), claim.claim_resources[0].device_name.as_str()), ("k", "d"));
    assert_eq!(claim.claim_resources[0].driver_name, "v");
}
