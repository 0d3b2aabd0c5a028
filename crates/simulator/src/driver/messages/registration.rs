//! Registration of a plugin with the kubelet: `pluginregistration/v1`.

/// The kubelet asks who listens on a socket of its registry.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InfoRequest {}

/// Plugin that listens there.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PluginInfo {
    /// Kind of plugin: `DRAPlugin`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// Name of the driver.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Path of the socket on which it serves.
    #[prost(string, tag = "3")]
    pub endpoint: String,
    /// Services that it serves, as `v1.DRAPlugin`.
    #[prost(string, repeated, tag = "4")]
    pub supported_versions: Vec<String>,
}

/// Answer of the kubelet to the registration.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RegistrationStatus {
    /// Set if it is registered.
    #[prost(bool, tag = "1")]
    pub plugin_registered: bool,
    /// Why not.
    #[prost(string, tag = "2")]
    pub error: String,
}

/// Thanks for the status.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RegistrationStatusResponse {}
