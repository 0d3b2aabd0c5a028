//! Kinds of objects that several checks speak of and that the model does not name.

use aiconform_model::Kind;

/// Services.
pub fn service() -> Kind {
    Kind::namespaced("", "v1", "Service", "services")
}

/// EndpointSlices.
pub fn endpoint_slice() -> Kind {
    Kind::namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
}

/// ResourceClaims.
pub fn resource_claim() -> Kind {
    Kind::namespaced("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims")
}
