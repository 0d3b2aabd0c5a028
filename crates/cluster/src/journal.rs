//! What a run is about to change outside its namespaces, written into the cluster before it is changed.

use aiconform_model::Kind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// An object is about to be created that no namespace of the run holds.
    Object {
        /// Its kind.
        kind: Kind,
        /// Its namespace, empty for objects of the whole cluster.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Objects of this kind with the run's label are about to be created in a namespace that is not the run's own.
    Labelled {
        /// Their kind.
        kind: Kind,
        /// The namespace.
        namespace: String,
    },
    /// Resources are about to be put into the status of nodes.
    NodeResources {
        /// The nodes: one entry for hundreds of them.
        nodes: Vec<String>,
        /// Names of the resources; none of them was there before.
        resources: Vec<String>,
    },
}

impl Entry {
    /// The merge patch of a node's status that takes the resources away.
    pub fn undo_patch(resources: &[String]) -> Value {
        let gone: BTreeMap<&str, Value> =
            resources.iter().map(|resource| (resource.as_str(), Value::Null)).collect();
        json!({"status": {"capacity": gone, "allocatable": gone}})
    }
}

/// The journal's entries from its ConfigMap's data, in the order in which they were written.
pub fn read(data: Option<&Value>) -> Vec<Entry> {
    let data: BTreeMap<String, String> =
        data.and_then(|data| serde_json::from_value(data.clone()).ok()).unwrap_or_default();
    data.values().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_order() {
        let entries = [
            Entry::Object { kind: Kind::namespace(), namespace: String::new(), name: "a".into() },
            Entry::NodeResources { nodes: vec!["n".into(), "m".into()], resources: vec!["x.dev/y".into()] },
            Entry::Labelled { kind: Kind::pod(), namespace: "team".into() },
        ];
        let data: BTreeMap<String, String> = entries
            .iter()
            .enumerate()
            .map(|(number, entry)| (format!("{number:06}"), serde_json::to_string(entry).unwrap()))
            .collect();
        assert_eq!(read(Some(&json!(data))), entries);
    }
}
