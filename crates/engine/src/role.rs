//! The permissions of a run as Role objects.

use aiconform_checks::Check;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A ClusterRole with exactly what these checks need, and its binding to a ServiceAccount of this namespace. Namespaces
/// of a run are made by it, so that no Role of a namespace can stand in for the ClusterRole.
pub fn role(checks: &[&Check], namespace: &str) -> Vec<Value> {
    let mut rules: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let of = |check: &&Check| [&check.all_needs(), check.wants].concat();
    for permission in checks.iter().flat_map(of) {
        rules.entry((permission.group, permission.resource)).or_default().extend(permission.verbs);
    }
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|((group, resource), verbs)| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs}))
        .collect();
    let name = json!({"name": "aiconform"});
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "aiconform", "namespace": namespace}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": name, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": name,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "aiconform"},
            "subjects": [{"kind": "ServiceAccount", "name": "aiconform", "namespace": namespace}]}),
    ]
}
