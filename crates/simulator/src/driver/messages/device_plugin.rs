//! Device plugins: `deviceplugin/v1beta1`.

use std::collections::HashMap;

/// Nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}

/// Abilities of a plugin beside those that each must have.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DevicePluginOptions {
    /// Set if it wants to be called before each container starts.
    #[prost(bool, tag = "1")]
    pub pre_start_required: bool,
    /// Set if it says which devices it would rather give.
    #[prost(bool, tag = "2")]
    pub get_preferred_allocation_available: bool,
}

/// A plugin makes itself known.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RegisterRequest {
    /// Version of this API: `v1beta1`.
    #[prost(string, tag = "1")]
    pub version: String,
    /// Name of its socket in the kubelet's folder of device plugins.
    #[prost(string, tag = "2")]
    pub endpoint: String,
    /// The extended resource.
    #[prost(string, tag = "3")]
    pub resource_name: String,
    /// Abilities that it has.
    #[prost(message, optional, tag = "4")]
    pub options: Option<DevicePluginOptions>,
}

/// All devices of a plugin.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListAndWatchResponse {
    /// The devices.
    #[prost(message, repeated, tag = "1")]
    pub devices: Vec<Device>,
}

/// A device.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Device {
    /// Its id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// `Healthy` or `Unhealthy`.
    #[prost(string, tag = "2")]
    pub health: String,
}

/// The kubelet asks which of the free devices to give.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PreferredAllocationRequest {
    /// One for each container.
    #[prost(message, repeated, tag = "1")]
    pub container_requests: Vec<ContainerPreferredAllocationRequest>,
}

/// For one container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerPreferredAllocationRequest {
    /// Devices that are free.
    #[prost(string, repeated, tag = "1")]
    pub available: Vec<String>,
    /// Devices that are given in any case.
    #[prost(string, repeated, tag = "2")]
    pub must_include: Vec<String>,
    /// Number of devices in all.
    #[prost(int32, tag = "3")]
    pub allocation_size: i32,
}

/// Devices to give.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PreferredAllocationResponse {
    /// One for each container.
    #[prost(message, repeated, tag = "1")]
    pub container_responses: Vec<ContainerPreferredAllocationResponse>,
}

/// For one container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerPreferredAllocationResponse {
    /// Ids of the devices.
    #[prost(string, repeated, tag = "1")]
    pub devices: Vec<String>,
}

/// The kubelet gives devices to containers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AllocateRequest {
    /// One for each container.
    #[prost(message, repeated, tag = "1")]
    pub container_requests: Vec<ContainerAllocateRequest>,
}

/// For one container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerAllocateRequest {
    /// Ids of the devices.
    #[prost(string, repeated, tag = "1")]
    pub devices: Vec<String>,
}

/// Changes to the containers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AllocateResponse {
    /// One for each container.
    #[prost(message, repeated, tag = "1")]
    pub container_responses: Vec<ContainerAllocateResponse>,
}

/// For one container; environment, mounts, device nodes and annotations (fields 1 to 4) are left to CDI.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerAllocateResponse {
    /// Environment of the container.
    #[prost(map = "string, string", tag = "1")]
    pub environment: HashMap<String, String>,
    /// Devices that the container runtime is to inject.
    #[prost(message, repeated, tag = "5")]
    pub cdi_devices: Vec<CdiDevice>,
}

/// A device as the container runtime knows it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CdiDevice {
    /// `vendor/class=name`.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A container is about to start.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PreStartContainerRequest {
    /// Ids of its devices.
    #[prost(string, repeated, tag = "1")]
    pub devices: Vec<String>,
}

/// It may.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PreStartContainerResponse {}
