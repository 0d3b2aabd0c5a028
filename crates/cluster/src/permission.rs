//! Permissions that a run must have, and whether it has them.

use crate::api::Api;
use crate::error::ClusterError;
use aiconform_model::{Object, Scope};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::json;

/// Verbs on one resource, as an RBAC rule has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Plural name, with the subresource after a slash.
    pub resource: &'static str,
    /// Verbs.
    pub verbs: &'static [&'static str],
    /// Purpose, in words.
    pub why: &'static str,
}

impl Permission {
    /// These verbs on a resource of a group, and what for.
    pub const fn to(
        group: &'static str,
        resource: &'static str,
        verbs: &'static [&'static str],
        why: &'static str,
    ) -> Permission {
        Permission { group, resource, verbs, why }
    }
}

/// Permissions that every run needs, whatever it tries: namespaces of its own, the journal and the Lease in them.
pub const OF_EVERY_RUN: &[Permission] = &[
    Permission::to(
        "",
        "namespaces",
        &["create", "get", "list", "watch", "patch", "delete"],
        "namespaces of the run",
    ),
    Permission::to("", "configmaps", &["create", "get", "patch", "delete"], "the run's journal"),
    Permission::to(
        "coordination.k8s.io",
        "leases",
        &["create", "get", "list", "watch", "patch", "delete"],
        "the run's Lease",
    ),
];

/// Asks the cluster which of these permissions the user lacks, as `verb resource.group`. What the cluster does not
/// serve needs no permission.
///
/// # Errors
/// When access reviews cannot be made.
pub async fn missing(
    api: &Api,
    scope: &Scope,
    permissions: &[Permission],
) -> Result<Vec<String>, ClusterError> {
    let groups = Object(api.send(scope, "GET", "/apis", None).await?);
    let groups: Vec<&str> = groups
        .at("/groups")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|group| group.get("name")?.as_str())
        .collect();
    let asked: Vec<(Permission, &str)> = permissions
        .iter()
        .filter(|permission| permission.group.is_empty() || groups.contains(&permission.group))
        .flat_map(|permission| permission.verbs.iter().map(move |verb| (*permission, *verb)))
        .collect();
    let answers: Vec<Option<String>> = futures::stream::iter(asked)
        .map(|(permission, verb)| async move {
            let (resource, subresource) =
                permission.resource.split_once('/').unwrap_or((permission.resource, ""));
            let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"group": permission.group, "resource": resource,
                    "subresource": subresource, "verb": verb}}});
            let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
            let answer = Object(api.send(scope, "POST", path, Some(&review)).await?);
            let allowed = answer.at("/status/allowed").and_then(serde_json::Value::as_bool) == Some(true);
            let group =
                if permission.group.is_empty() { String::new() } else { format!(".{}", permission.group) };
            let name = format!("{verb} {}{group} ({})", permission.resource, permission.why);
            Ok::<_, ClusterError>((!allowed).then_some(name))
        })
        .buffered(8)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}
