//! Parts of pods and nodes that no judge reads.

use aiconform_model::Kind;
use serde_json::Value;

/// Under this name the facts of a subject hold the signs of an adapter that stands in a file.
pub const SIGNS: &str = "signs";

/// The large parts of pods and nodes that neither a judge nor a built-in adapter reads. Signs may read anything: where a
/// subject has them, there are none.
pub fn unread(kind: &Kind, facts: &Value) -> &'static [&'static str] {
    match kind.plural.as_str() {
        _ if facts.get(SIGNS).is_some() => &[],
        "pods" => &[
            "/metadata/annotations",
            "/spec/automountServiceAccountToken",
            "/spec/containers/0/imagePullPolicy",
            "/spec/containers/0/securityContext",
            "/spec/containers/0/terminationMessagePath",
            "/spec/containers/0/terminationMessagePolicy",
            "/spec/containers/0/volumeMounts",
            "/spec/dnsPolicy",
            "/spec/enableServiceLinks",
            "/spec/preemptionPolicy",
            "/spec/restartPolicy",
            "/spec/securityContext",
            "/spec/serviceAccount",
            "/spec/serviceAccountName",
            "/spec/tolerations",
            "/spec/volumes",
        ],
        "nodes" => &[
            "/metadata/annotations",
            "/status/addresses",
            "/status/capacity",
            "/status/daemonEndpoints",
            "/status/nodeInfo",
        ],
        _ => &[],
    }
}

/// Parts of a pod that are compared with what was sent when it comes in, and not read again.
pub fn unread_later(facts: &Value) -> &'static [&'static str] {
    if facts.get(SIGNS).is_some() { &[] } else { &["/spec/affinity"] }
}
