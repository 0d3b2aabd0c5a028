//! The policies that platforms usually have, enforced by Kyverno: each refuses or changes pods that Kubernetes itself takes.

use super::mechanism::Mechanism::{self, Present};
use super::mechanism::{Probe, Row, Seen};
use crate::part::Part;

/// ClusterPolicy with one rule about pods. Kyverno makes of it, as it does by default, rules about what makes pods too.
macro_rules! policy {
    ($name:literal, $($rule:tt)+) => {
        &[Present(concat!(
            r#"{"apiVersion":"kyverno.io/v1","kind":"ClusterPolicy","metadata":{"name":""#,
            $name,
            r#""},"spec":{"background":false,"rules":[{"name":"rule","match":{"any":[{"resources":{"kinds":["Pod"]}}]},"#,
            $($rule)+,
            "}]}}"
        ))]
    };
}

/// ClusterPolicy that refuses what is not like a pattern, in these words.
macro_rules! refuses {
    ($name:literal, $message:literal, $pattern:literal) => {
        policy!(
            $name,
            r#""validate":{"failureAction":"Enforce","message":""#,
            $message,
            r#"","pattern":"#,
            $pattern,
            "}"
        )
    };
}

const fn row(
    name: &'static str,
    says: &'static str,
    mechanisms: &'static [Mechanism],
    asks: &'static [&'static str],
    seen: Seen,
) -> Row {
    Row {
        name,
        says,
        part: Some(Part::of("kyverno")),
        mechanisms,
        probe: Some(Probe { asks, input: "", seen }),
    }
}

/// A pod with nothing of what is asked for, asked about and not created.
const PLAIN: &[&str] = &["run", "probe", "--image=probe:1", "--dry-run=server", "-o", "json"];
const LATEST: &[&str] = &["run", "probe", "--image=probe:latest", "--dry-run=server"];
const HOST_PATH: &[&str] = &[
    "run",
    "probe",
    "--image=probe:1",
    "--overrides={\"spec\":{\"volumes\":[{\"name\":\"host\",\"hostPath\":{\"path\":\"/\"}}]}}",
    "--dry-run=server",
];
/// The plain pod in the name of a controller, which makes pods for others and is no administrator.
const BY_CONTROLLER: &[&str] = &[
    "run",
    "probe",
    "--image=probe:1",
    "--as=system:serviceaccount:kube-system:replicaset-controller",
    "--dry-run=server",
];

/// Breakages by policies.
pub(super) const ROWS: &[Row] = &[
    row(
        "kyverno-limits",
        "Every container has to have limits of processor and memory.",
        refuses!(
            "limits",
            "every container needs limits",
            r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":"?*","memory":"?*"}}}]}}"#
        ),
        PLAIN,
        Seen::Refuses("every container needs limits"),
    ),
    row(
        "kyverno-labels",
        "Every pod has to say to which team it belongs.",
        refuses!("labels", "every pod needs the label team", r#"{"metadata":{"labels":{"team":"?*"}}}"#),
        PLAIN,
        Seen::Refuses("every pod needs the label team"),
    ),
    row(
        "kyverno-labels-but-admins",
        "Every pod has to say to which team it belongs, but those that an administrator makes himself.",
        policy!(
            "labels-but-admins",
            r#""exclude":{"any":[{"clusterRoles":["cluster-admin"]}]},"validate":{"failureAction":"Enforce","#,
            r#""message":"every pod needs the label team","pattern":{"metadata":{"labels":{"team":"?*"}}}}"#
        ),
        BY_CONTROLLER,
        Seen::Refuses("every pod needs the label team"),
    ),
    row(
        "kyverno-registries",
        "Images have to come from one registry.",
        refuses!(
            "registries",
            "images come from registry.example.com alone",
            r#"{"spec":{"=(initContainers)":[{"image":"registry.example.com/*"}],"containers":[{"image":"registry.example.com/*"}]}}"#
        ),
        PLAIN,
        Seen::Refuses("registry.example.com alone"),
    ),
    row(
        "kyverno-digests",
        "Images have to be named by their digests.",
        refuses!(
            "digests",
            "every image needs its digest",
            r#"{"spec":{"=(initContainers)":[{"image":"*@sha256:*"}],"containers":[{"image":"*@sha256:*"}]}}"#
        ),
        PLAIN,
        Seen::Refuses("every image needs its digest"),
    ),
    row(
        "kyverno-probes",
        "Every container has to have probes of its readiness and its liveness.",
        refuses!(
            "probes",
            "every container needs both probes",
            r#"{"spec":{"containers":[{"livenessProbe":{"periodSeconds":">0"},"readinessProbe":{"periodSeconds":">0"}}]}}"#
        ),
        PLAIN,
        Seen::Refuses("every container needs both probes"),
    ),
    row(
        "kyverno-no-latest",
        "Images have to have a tag, and another one than latest.",
        refuses!(
            "no-latest",
            "no image may be the latest",
            r#"{"spec":{"containers":[{"image":"!*:latest & *:*"}]}}"#
        ),
        LATEST,
        Seen::Refuses("no image may be the latest"),
    ),
    row(
        "kyverno-restricted",
        "Every pod has to pass the restricted Pod Security level, by the word of a webhook.",
        policy!(
            "restricted",
            r#""validate":{"failureAction":"Enforce","message":"every pod has to be restricted","#,
            r#""podSecurity":{"level":"restricted","version":"latest"}}"#
        ),
        PLAIN,
        Seen::Refuses("restricted"),
    ),
    row(
        "kyverno-priority-classes",
        "Pods have to have one of the priority classes of tenants.",
        refuses!(
            "priority-classes",
            "every pod needs a priority class of tenants",
            r#"{"spec":{"priorityClassName":"tenant-*"}}"#
        ),
        PLAIN,
        Seen::Refuses("needs a priority class of tenants"),
    ),
    row(
        "kyverno-no-host-paths",
        "Pods may not mount paths of the node.",
        refuses!(
            "no-host-paths",
            "no pod may mount paths of the node",
            r#"{"spec":{"=(volumes)":[{"X(hostPath)":"null"}]}}"#
        ),
        HOST_PATH,
        Seen::Refuses("no pod may mount paths of the node"),
    ),
    row(
        "kyverno-changes-requests",
        "Whatever a container requests of processor and memory, it gets other requests.",
        policy!(
            "changes-requests",
            r#""mutate":{"patchStrategicMerge":{"spec":{"containers":"#,
            r#"[{"(name)":"*","resources":{"requests":{"cpu":"50m","memory":"64Mi"}}}]}}}"#
        ),
        PLAIN,
        Seen::Says("\"64Mi\""),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_an_object_of_one_rule_and_has_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for row in ROWS {
            let [Present(object)] = row.mechanisms else { panic!("{}", row.name) };
            let object: serde_json::Value = serde_json::from_str(object).unwrap();
            assert_eq!(object["spec"]["rules"].as_array().unwrap().len(), 1, "{}", row.name);
            assert_eq!(row.name, format!("kyverno-{}", object["metadata"]["name"].as_str().unwrap()));
            assert!(names.insert(row.name));
        }
        // Ten that platforms usually have, and one of them that administrators do not meet.
        assert_eq!(names.len(), 11);
    }
}
