//! Signs in a product's objects that say a thing about a gang: pure readings, kept in the evidence, so that a stored run is
//! judged without the file they came from.

use aiconform_model::{Change, Kind, Object};
use aiconform_trial::labels::{GANG, ROLE};
use aiconform_trial::path::Path;
use serde::{Deserialize, Serialize};

/// A sign in objects of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sign {
    /// The kind.
    pub kind: Kind,
    /// Path that leads from the object to the gang's name.
    pub gang: Path,
    /// Path that must be found in the object; without it the object itself is the sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Path>,
}

impl Sign {
    /// The gang, and what the object shows of it: `None` when the sign is not there.
    fn read(&self, kind: &Kind, object: &Object) -> Option<(String, Option<String>)> {
        if *kind != self.kind {
            return None;
        }
        let shown = match &self.shows {
            Some(path) => path.find(object),
            None => Some(String::new()),
        };
        Some((self.gang.find(object)?, shown))
    }
}

/// All signs of one product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// It looked at the gang and said no.
    decision: Sign,
    /// It has the gang in its hands.
    in_force: Sign,
    /// Its queue has taken the gang in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queued: Option<Sign>,
    /// Prefixes of the names of scheduling gates that it puts on pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gates: Vec<String>,
}

impl Signs {
    /// The signs of a product.
    pub fn new(decision: Sign, in_force: Sign, queued: Option<Sign>, gates: Vec<String>) -> Signs {
        Signs { decision, in_force, queued, gates }
    }

    /// The gang that was refused, and the product's words.
    pub fn refusal(&self, kind: &Kind, object: &Object) -> Option<(String, String)> {
        let (gang, shown) = self.decision.read(kind, object)?;
        Some((gang, shown?))
    }

    /// The gang that a queue has taken in.
    pub fn queued(&self, kind: &Kind, object: &Object) -> Option<String> {
        let (gang, shown) = self.queued.as_ref()?.read(kind, object)?;
        shown.map(|_| gang)
    }

    /// The gang that the product has in its hands, or a member of it that came in without what it needs. In pods it is
    /// read when they come in, and must be there; in other objects it may come later.
    pub fn in_force(&self, kind: &Kind, object: &Object, change: Change) -> Option<(String, bool)> {
        if *kind == Kind::pod() {
            if *kind != self.in_force.kind || change != Change::Added || object.label(ROLE) != "gang" {
                return None;
            }
            // The pod's own label tells its gang even where the product's fields were dropped.
            let held = self.in_force.read(kind, object).is_some_and(|(_, shown)| shown.is_some());
            return Some((object.label(GANG).to_owned(), held));
        }
        let (gang, shown) = self.in_force.read(kind, object)?;
        shown.map(|_| (gang, true))
    }

    /// Tells whether the product puts this scheduling gate on pods.
    pub fn gates(&self, gate: &str) -> bool {
        self.gates.iter().any(|prefix| gate.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sign(kind: Kind, gang: &str, shows: Option<&str>) -> Sign {
        let path = |text: &str| Path::parse(text).unwrap();
        Sign { kind, gang: path(gang), shows: shows.map(path) }
    }

    fn signs() -> Signs {
        let group = Kind::namespaced("g.dev", "v1", "PodGroup", "podgroups");
        let refused = "$.status.conditions[?@.type == 'Unschedulable' && @.status == 'True'].message";
        let named = "$.spec[?@.podGroupName == $.metadata.labels['aiconform.dev/gang']]";
        Signs::new(
            sign(group.clone(), "$.metadata.name", Some(refused)),
            sign(Kind::pod(), "$.metadata.labels['aiconform.dev/gang']", Some(named)),
            Some(sign(group, "$.metadata.ownerReferences[?@.kind == 'Job'].name", None)),
            vec!["g.dev/".into()],
        )
    }

    #[test]
    fn a_no_is_a_condition_with_its_words() {
        let kind = Kind::namespaced("g.dev", "v1", "PodGroup", "podgroups");
        let group = |status: &str| {
            Object(
                json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Scheduled", "status": "True"},
                {"type": "Unschedulable", "status": status, "message": "3 of 4"}]}}),
            )
        };
        assert_eq!(signs().refusal(&kind, &group("True")), Some(("a".into(), "3 of 4".into())));
        assert_eq!(signs().refusal(&kind, &group("False")), None);
        assert_eq!(signs().refusal(&Kind::job(), &group("True")), None);
    }

    #[test]
    fn a_member_that_came_in_without_its_field_is_told_and_other_pods_say_nothing() {
        let pod = |role: &str, group: &str| {
            Object(json!({"metadata": {"labels": {"aiconform.dev/gang": "a", "aiconform.dev/role": role}},
                "spec": {"schedulingGroup": {"podGroupName": group}}}))
        };
        let read = |pod: &Object, change| signs().in_force(&Kind::pod(), pod, change);
        assert_eq!(read(&pod("gang", "a"), Change::Added), Some(("a".into(), true)));
        assert_eq!(read(&pod("gang", "b"), Change::Added), Some(("a".into(), false)));
        assert_eq!(read(&pod("gang", "b"), Change::Modified), None);
        assert_eq!(read(&pod("single", "b"), Change::Added), None);
    }

    #[test]
    fn an_object_leads_to_its_gang_or_says_nothing() {
        let kind = Kind::namespaced("g.dev", "v1", "PodGroup", "podgroups");
        let owned =
            Object(json!({"metadata": {"name": "x", "ownerReferences": [{"kind": "Job", "name": "a"}]}}));
        assert_eq!(signs().queued(&kind, &owned), Some("a".into()));
        assert_eq!(signs().queued(&kind, &Object(json!({"metadata": {"name": "x"}}))), None);
        assert!(signs().gates("g.dev/admission") && !signs().gates("other.dev/g.dev/"));
    }

    #[test]
    fn signs_are_read_from_the_evidence_as_they_were_written() {
        let written = serde_json::to_value(signs()).unwrap();
        assert_eq!(serde_json::from_value::<Signs>(written).unwrap(), signs());
    }

    #[test]
    fn what_is_no_path_says_where() {
        assert_eq!(Path::parse("$.a[?@.b ==").unwrap_err().0, 9);
        assert_eq!(Path::parse("metadata.name").unwrap_err().0, 0);
        assert!(Path::parse(&format!("$[?{}@.a", "(".repeat(80))).is_err());
        assert!(Path::parse(&"$.a".repeat(200)).is_err());
    }
}
