//! Undoing a run, by itself at its end or by another process after it was killed.

use crate::api::Api;
use crate::error::ClusterError;
use crate::journal::{self, Entry};
use crate::mirror::Mirror;
use crate::session::{CONTROL, CONTROL_LABEL, LEASE_SECONDS, RUN_LABEL, Session};
use aiconform_model::{Bin, Kind, Object, Scope};
use aiconform_wait::{TooLate, Wait};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long the platform's own controllers have to take their finalizers away.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long everything may take to go after that.
const LIMIT: Duration = Duration::from_secs(60);

/// A run whose traces are in the cluster.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Seconds since its Lease was renewed; `None` when it has none.
    pub age: Option<i64>,
}

impl Found {
    /// Whether its Lease has not expired, so that it may still run.
    pub fn is_live(&self) -> bool {
        self.age.is_some_and(|age| age <= LEASE_SECONDS)
    }
}

/// Finds the runs that left something in the cluster.
///
/// # Errors
/// When namespaces or Leases cannot be read.
pub async fn find(api: &Api) -> Result<Vec<Found>, ClusterError> {
    let scope = Scope::default();
    let mut found = Vec::new();
    for namespace in api.list(&scope, &Kind::namespace(), "", CONTROL_LABEL).await? {
        let id = namespace.label(RUN_LABEL).to_owned();
        let age = match api.get(&scope, &Kind::lease(), namespace.name(), CONTROL).await {
            Ok(lease) => lease
                .text("/spec/renewTime")
                .parse::<jiff::Timestamp>()
                .ok()
                .map(|renewed| (jiff::Timestamp::now().as_second() - renewed.as_second()).abs()),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        found.push(Found { id, age });
    }
    Ok(found)
}

/// Removes what a run left; gives in words what stays.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn cleanup(api: &Api, id: &str) -> Result<Vec<String>, ClusterError> {
    undo(api, id).await
}

pub(crate) async fn undo(api: &Api, id: &str) -> Result<Vec<String>, ClusterError> {
    let scope = Scope::default();
    let control = Session::control_namespace(id);
    let entries = match api.get(&scope, &Kind::config_map(), &control, CONTROL).await {
        Ok(journal) => journal::read(journal.at("/data")),
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut left = Vec::new();
    for entry in entries.iter().rev() {
        let done = match entry {
            Entry::Object { kind, namespace, name } => api.delete(&scope, kind, namespace, name).await,
            Entry::NodeResources { node, resources } => take_away(api, node, resources).await,
        };
        if let Err(error) = done {
            left.push(error.to_string());
        }
    }
    let mirror = Mirror::new();
    let remaining = Remaining { api, id, mirror: &mirror, entries: &entries };
    if let Err(error) = remaining.gone(PATIENCE).await? {
        remaining.drop_finalizers().await?;
        if let Err(again) = remaining.gone(LIMIT).await? {
            left.push(format!("{again} (before the finalizers were taken away: {})", error.last));
        }
    }
    if left.is_empty() {
        api.delete(&scope, &Kind::namespace(), "", &control).await?;
        let everything = [Entry::Object { kind: Kind::namespace(), namespace: String::new(), name: control }];
        let last = Remaining { api, id, mirror: &mirror, entries: &everything };
        if let Err(error) = last.gone(LIMIT).await? {
            left.push(error.to_string());
        }
    }
    mirror.stop();
    Ok(left)
}

/// Takes resources from a node's status. They may never have been put there: the journal is written first, and the
/// patch may have been refused.
async fn take_away(api: &Api, node: &str, resources: &[String]) -> Result<(), ClusterError> {
    let scope = Scope::default();
    let there = match api.get(&scope, &Kind::node(), "", node).await {
        // The node went, and its status with it.
        Err(error) if error.is_not_found() => return Ok(()),
        there => there?,
    };
    let has = |name: &String| {
        ["/status/capacity", "/status/allocatable"]
            .iter()
            .any(|pointer| there.at(pointer).is_some_and(|amounts| amounts.get(name).is_some()))
    };
    let present: Vec<String> = resources.iter().filter(|name| has(name)).cloned().collect();
    if present.is_empty() {
        return Ok(());
    }
    api.merge(&scope, &Kind::node(), ("", node), "status", &Entry::undo_patch(&present)).await.map(drop)
}

struct Remaining<'a> {
    api: &'a Api,
    id: &'a str,
    mirror: &'a Arc<Mirror>,
    entries: &'a [Entry],
}

impl Remaining<'_> {
    fn objects(&self) -> impl Iterator<Item = (&Kind, &str, &str)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Object { kind, namespace, name } => Some((kind, namespace.as_str(), name.as_str())),
            Entry::NodeResources { .. } => None,
        })
    }

    /// Waits until none of the journal's objects is left.
    async fn gone(&self, limit: Duration) -> Result<Result<(), TooLate>, ClusterError> {
        let own = format!("{RUN_LABEL}={}", self.id);
        let kinds: BTreeSet<&Kind> = self.objects().map(|(kind, ..)| kind).collect();
        for kind in kinds {
            match self.mirror.watch(self.api, kind, "", ("labelSelector", &own)).await {
                // The kind itself went, and its objects with it.
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        let scope = Scope::default();
        let wait = Wait {
            condition: "everything of the run to be gone".into(),
            bin: Bin::Platform,
            limit,
            sink: self.api.sink().as_ref(),
            scope: &scope,
        };
        let met = wait
            .until(&mut self.mirror.changes(), || {
                let there: Vec<String> = self
                    .objects()
                    .filter(|(kind, namespace, name)| self.mirror.get(kind, namespace, name).is_some())
                    .map(|(kind, _, name)| format!("{} {name}", kind.kind))
                    .collect();
                if there.is_empty() { Ok(()) } else { Err(format!("still there: {}", there.join(", "))) }
            })
            .await;
        Ok(met.map(drop))
    }

    /// Takes the finalizers from what is ours and will not go, because its controller does not answer.
    async fn drop_finalizers(&self) -> Result<(), ClusterError> {
        let scope = Scope::default();
        let none = json!({"metadata": {"finalizers": null}});
        let inside = [
            Kind::namespaced("kueue.x-k8s.io", "v1beta2", "Workload", "workloads"),
            Kind::namespaced("scheduling.k8s.io", "v1beta1", "PodGroup", "podgroups"),
            Kind::job(),
            Kind::pod(),
        ];
        for (kind, namespace, name) in self.objects() {
            if *kind == Kind::namespace() {
                for kind in &inside {
                    // A kind that is not served, or may not be listed, holds nothing that we could free.
                    let Ok((objects, _)) = self.api.pages(&scope, kind, name, "").await else { continue };
                    for object in objects.iter().filter(|object| finalized(object)) {
                        self.free(kind, name, object.name(), &none).await?;
                    }
                }
            } else if self.mirror.get(kind, namespace, name).is_some_and(|object| finalized(&object)) {
                self.free(kind, namespace, name, &none).await?;
            }
        }
        Ok(())
    }

    async fn free(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        none: &serde_json::Value,
    ) -> Result<(), ClusterError> {
        match self.api.merge(&Scope::default(), kind, (namespace, name), "", none).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

fn finalized(object: &Object) -> bool {
    object
        .at("/metadata/finalizers")
        .and_then(serde_json::Value::as_array)
        .is_some_and(|finalizers| !finalizers.is_empty())
}
