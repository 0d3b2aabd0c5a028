//! Kubernetes objects as plain JSON with accessors, and kinds as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A served kind of object: group, version, kind, plural name and whether it lives in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version inside the group.
    pub version: String,
    /// Kind as written in manifests.
    pub kind: String,
    /// Plural name as written in addresses.
    pub plural: String,
    /// True if objects of this kind live in a namespace.
    pub namespaced: bool,
}

impl Kind {
    /// A kind that lives in a namespace.
    pub fn namespaced(group: &str, version: &str, kind: &str, plural: &str) -> Kind {
        Kind {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
        }
    }

    /// A kind that belongs to the whole cluster.
    pub fn cluster_wide(group: &str, version: &str, kind: &str, plural: &str) -> Kind {
        Kind { namespaced: false, ..Kind::namespaced(group, version, kind, plural) }
    }

    /// `apiVersion` as written in manifests.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Core `v1` Pod.
    pub fn pod() -> Kind {
        Kind::namespaced("", "v1", "Pod", "pods")
    }
    /// Core `v1` Node.
    pub fn node() -> Kind {
        Kind::cluster_wide("", "v1", "Node", "nodes")
    }
    /// Core `v1` Namespace.
    pub fn namespace() -> Kind {
        Kind::cluster_wide("", "v1", "Namespace", "namespaces")
    }
    /// Core `v1` ConfigMap.
    pub fn config_map() -> Kind {
        Kind::namespaced("", "v1", "ConfigMap", "configmaps")
    }
    /// Core `v1` Event (the scheduler's reasons).
    pub fn event() -> Kind {
        Kind::namespaced("", "v1", "Event", "events")
    }
    /// `batch/v1` Job.
    pub fn job() -> Kind {
        Kind::namespaced("batch", "v1", "Job", "jobs")
    }
    /// `coordination.k8s.io/v1` Lease.
    pub fn lease() -> Kind {
        Kind::namespaced("coordination.k8s.io", "v1", "Lease", "leases")
    }
    /// `scheduling.k8s.io/v1` PriorityClass.
    pub fn priority_class() -> Kind {
        Kind::cluster_wide("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
    }
    /// `apps/v1` Deployment.
    pub fn deployment() -> Kind {
        Kind::namespaced("apps", "v1", "Deployment", "deployments")
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.kind, self.api_version())
    }
}

/// One Kubernetes object as it came: plain JSON with accessors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Value);

impl Object {
    /// An object from a literal manifest.
    pub fn new(value: Value) -> Object {
        Object(value)
    }

    /// The value at a JSON pointer (RFC 6901), or `None`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }

    /// The text at a JSON pointer, or an empty text when it is absent or not a text.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).and_then(Value::as_str).unwrap_or("")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.namespace`, empty for objects of the whole cluster.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// `kind` as written in the object; absent in the items of a list.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// A label's value, empty when absent.
    pub fn label(&self, key: &str) -> &str {
        self.at("/metadata/labels").and_then(|labels| labels.get(key)).and_then(Value::as_str).unwrap_or("")
    }

    /// An annotation's value, empty when absent.
    pub fn annotation(&self, key: &str) -> &str {
        self.at("/metadata/annotations")
            .and_then(|annotations| annotations.get(key))
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    /// All labels, sorted by key.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.at("/metadata/labels")
            .and_then(|labels| serde_json::from_value(labels.clone()).ok())
            .unwrap_or_default()
    }

    /// The condition of this type in `status.conditions`.
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        self.at("/status/conditions")?
            .as_array()?
            .iter()
            .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
    }

    /// Tells whether the condition of this type has this status.
    pub fn condition_is(&self, kind: &str, status: &str) -> bool {
        self.condition(kind).and_then(|condition| condition.get("status")).and_then(Value::as_str)
            == Some(status)
    }

    /// A short name for messages: `namespace/name` or `name`.
    pub fn called(&self) -> String {
        if self.namespace().is_empty() {
            self.name().into()
        } else {
            format!("{}/{}", self.namespace(), self.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn accessors_read_what_is_there_and_nothing_else() {
        let object = Object::new(json!({
            "metadata": {"name": "a", "namespace": "n", "labels": {"x.dev/y": "z"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}
        }));
        assert_eq!(object.called(), "n/a");
        assert_eq!(object.label("x.dev/y"), "z");
        assert!(object.condition_is("Ready", "True"));
        assert!(!object.condition_is("Ready", "False"));
        assert!(!object.condition_is("Other", "True"));
        assert_eq!(object.annotation("none"), "");
    }
}
