//! The kubelet's gRPC messages, written from their published field numbers (`k8s.io/kubelet`, `pkg/apis`, v0.37.2).

pub mod device_plugin;
pub mod dra;
pub mod pod_resources;
pub mod registration;

#[cfg(test)]
mod tests;
