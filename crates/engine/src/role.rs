//! The permissions of a run as Role objects.

use aiconform_checks::{Check, Profile};
use aiconform_cluster::{OF_EVERY_RUN, Permission};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Verbs that change nothing.
const READING: &[&str] = &["get", "list", "watch"];

/// Verbs on namespaces where the platform names the one to be used: to tell which cluster it is, and to find what a killed
/// run has left.
const OF_NAMED_NAMESPACE: &[&str] = &["get", "list"];

/// Permissions that a run of a check needs with this profile, each verb for itself: it makes no namespaces where one is
/// named, and what needs a consent that is not given is only looked at.
pub(crate) fn needs(check: &Check, profile: &Profile) -> Vec<Permission> {
    let is_allowed = check.consents.iter().all(|consent| profile.consent.has(*consent));
    let of_run = OF_EVERY_RUN.iter().flat_map(verbs).filter(|permission| {
        let is_namespace = (permission.group, permission.resource) == ("", "namespaces");
        !is_namespace
            || profile.namespace.is_none()
            || permission.verbs.iter().all(|verb| OF_NAMED_NAMESPACE.contains(verb))
    });
    let own = check
        .needs
        .iter()
        .flat_map(verbs)
        .filter(|permission| is_allowed || permission.verbs.iter().all(|verb| READING.contains(verb)));
    of_run.chain(own).collect()
}

/// A permission as one for each of its verbs.
fn verbs(permission: &Permission) -> impl Iterator<Item = Permission> {
    let permission = *permission;
    permission.verbs.chunks(1).map(move |verbs| Permission { verbs, ..permission })
}

/// A ClusterRole with exactly what these checks need, and its binding to a ServiceAccount of this namespace: with a profile
/// what they need with it, else whatever a profile may ask for. Nodes and namespaces are read, and namespaces of a run made,
/// so that no Role of a namespace can stand in for the ClusterRole.
pub fn role(checks: &[&Check], profile: Option<&Profile>, namespace: &str) -> Vec<Value> {
    let mut rules: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let of = |check: &&Check| {
        let needs = profile.map_or_else(|| check.all_needs(), |profile| needs(check, profile));
        [&needs, check.wants].concat()
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Verbs on a resource in the role for this requirement and profile.
    fn may(id: &str, profile: Option<&str>, group: &str, resource: &str) -> String {
        let check = aiconform_checks::check(id).unwrap();
        let profile = profile.map(|text| Profile::parse(text, "profile.toml").unwrap());
        let role = role(&[check], profile.as_ref(), "default");
        let rules = role[1]["rules"].as_array().unwrap();
        let is = |rule: &&Value| rule["apiGroups"][0] == group && rule["resources"][0] == resource;
        let verbs = rules.iter().find(is).map(|rule| rule["verbs"].as_array().unwrap().clone());
        verbs.unwrap_or_default().iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn where_a_namespace_is_named_none_is_made() {
        let namespaces = |profile| may("gang_scheduling", profile, "", "namespaces");
        assert_eq!(namespaces(None), "create delete get list patch watch");
        assert_eq!(namespaces(Some("")), namespaces(None));
        assert_eq!(namespaces(Some("namespace = \"team-a\"")), "get list");
        let leases = may("gang_scheduling", Some("namespace = \"team-a\""), "coordination.k8s.io", "leases");
        assert_eq!(leases, "create delete get list patch watch");
    }

    #[test]
    fn what_needs_consent_is_only_looked_at_without_it() {
        let pods = |profile| may("cluster_autoscaling", profile, "", "pods");
        let all = "create delete get list watch";
        assert_eq!((pods(None), pods(Some("[consent]\nnodes = true"))), (all.into(), all.into()));
        assert_eq!(pods(Some("")), "get list watch");
        // Looking goes on, also for what it can do without.
        assert_eq!(may("cluster_autoscaling", Some(""), "karpenter.sh", "nodepools"), "list");
        assert_eq!(may("cluster_autoscaling", Some(""), "apps", "deployments"), "list");
        // Whatever needs no consent is as it was.
        for resource in ["pods", "nodes"] {
            let of = |profile| may("gang_scheduling", profile, "", resource);
            assert_eq!(of(Some("")), of(None), "{resource}");
        }
    }
}
