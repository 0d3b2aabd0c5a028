//! The only crate that names kube: recording client, shared watches, scratch namespaces with undo, preflight.
