//! Journal: changes that a run is about to make outside its namespaces, written into the cluster before they are made.

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
    /// A namespace is about to be created in which everything is the run's.
    Namespace {
        /// Its name.
        name: String,
        /// Kinds of what will be in it.
        kinds: Vec<Kind>,
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
///
/// Beside them, in words, what is not understood: another version of the program may have written it, and nobody else
/// knows what it stands for.
pub fn read(data: Option<&Value>) -> (Vec<Entry>, Vec<String>) {
    let data: BTreeMap<String, String> =
        data.and_then(|data| serde_json::from_value(data.clone()).ok()).unwrap_or_default();
    let (mut entries, mut strange) = (Vec::new(), Vec::new());
    for (number, line) in &data {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(error) => strange.push(format!(
                "entry {number} of the journal is not understood ({error}): {line}; use the version of aiconform that wrote it"
            )),
        }
    }
    (entries, strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_order() {
        let entries = [
            Entry::Object { kind: Kind::namespace(), namespace: String::new(), name: "a".into() },
            Entry::Namespace { name: "b".into(), kinds: vec![Kind::pod(), Kind::job()] },
            Entry::NodeResources { nodes: vec!["n".into(), "m".into()], resources: vec!["x.dev/y".into()] },
            Entry::Labelled { kind: Kind::pod(), namespace: "team".into() },
        ];
        let mut data: BTreeMap<String, String> = entries
            .iter()
            .enumerate()
            .map(|(number, entry)| (format!("{number:06}"), serde_json::to_string(entry).unwrap()))
            .collect();
        assert_eq!(read(Some(&json!(data))), (entries.to_vec(), Vec::new()));
        data.insert("000004".into(), "{\"new\":1}".into());
        let (known, strange) = read(Some(&json!(data)));
        assert!(known == entries && strange.len() == 1 && strange[0].contains("entry 000004"), "{strange:?}");
    }
}
