//! Undoing a run, by itself at its end or by another process after it was killed.

use crate::api::Api;
use crate::error::ClusterError;
use crate::journal::{self, Entry};
use crate::mirror::Mirror;
use crate::session::{CONTROL_LABEL, LEASE_SECONDS, RUN_LABEL, Session};
use crate::side_by_side::side_by_side;
use aiconform_model::{Bin, Kind, Object, Scope};
use aiconform_wait::{TooLate, Wait};
use futures::FutureExt;
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
    /// Namespace of its Lease and journal.
    pub namespace: String,
    /// Seconds since its Lease was renewed; `None` when it has none.
    pub age: Option<i64>,
}

impl Found {
    /// Whether its Lease has not expired, so that it may still run.
    pub fn is_live(&self) -> bool {
        self.age.is_some_and(|age| age <= LEASE_SECONDS)
    }
}

/// Finds the runs that left something in the cluster: by their Leases, and by namespaces whose Lease never was.
///
/// # Errors
/// When namespaces or Leases cannot be read.
pub async fn find(api: &Api) -> Result<Vec<Found>, ClusterError> {
    let scope = Scope::default();
    let renewed = |lease: &Object| lease.text("/spec/renewTime").parse::<jiff::Timestamp>().ok();
    let mut found: Vec<Found> = api
        .list(&scope, &Kind::lease(), "", CONTROL_LABEL)
        .await?
        .iter()
        .map(|lease| Found {
            id: lease.label(RUN_LABEL).to_owned(),
            namespace: lease.namespace().to_owned(),
            age: renewed(lease)
                .map(|renewed| (jiff::Timestamp::now().as_second() - renewed.as_second()).abs()),
        })
        .collect();
    for namespace in api.list(&scope, &Kind::namespace(), "", CONTROL_LABEL).await? {
        let id = namespace.label(RUN_LABEL);
        if !found.iter().any(|run| run.id == id) {
            found.push(Found { id: id.into(), namespace: namespace.name().into(), age: None });
        }
    }
    Ok(found)
}

/// Removes what a run left; gives in words what stays.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn cleanup(api: &Api, found: &Found) -> Result<Vec<String>, ClusterError> {
    undo(api, &found.id, &found.namespace).await
}

/// Takes away the Lease and the journal of a run of which nothing else is left, or their own namespace with them.
pub(crate) async fn forget(api: &Api, id: &str, namespace: &str) -> Result<(), ClusterError> {
    let scope = Scope::default();
    let name = Session::control_name(id);
    if namespace == name {
        return api.delete(&scope, &Kind::namespace(), "", &name).await;
    }
    // The Lease goes last: it is by its Lease that a killed run is found.
    api.delete(&scope, &Kind::config_map(), namespace, &name).await?;
    api.delete(&scope, &Kind::lease(), namespace, &name).await
}

pub(crate) async fn undo(api: &Api, id: &str, namespace: &str) -> Result<Vec<String>, ClusterError> {
    let scope = Scope::default();
    let control = Session::control_name(id);
    let (entries, mut left) = match api.get(&scope, &Kind::config_map(), namespace, &control).await {
        Ok(journal) => journal::read(journal.at("/data")),
        Err(error) if error.is_not_found() => (Vec::new(), Vec::new()),
        Err(error) => return Err(error),
    };
    for entry in entries.iter().rev() {
        let done = match entry {
            Entry::Object { kind, namespace, name } => api.delete(&scope, kind, namespace, name).await,
            Entry::Labelled { kind, namespace } => delete_labelled(api, id, kind, namespace).await,
            Entry::NodeResources { nodes, resources } => take_away(api, nodes, resources).await,
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
        forget(api, id, namespace).await?;
        let last = if namespace == control {
            Entry::Object { kind: Kind::namespace(), namespace: String::new(), name: control }
        } else {
            Entry::Labelled { kind: Kind::lease(), namespace: namespace.into() }
        };
        let everything = [last];
        let last = Remaining { api, id, mirror: &mirror, entries: &everything };
        if let Err(error) = last.gone(LIMIT).await? {
            left.push(error.to_string());
        }
    }
    mirror.stop();
    Ok(left)
}

/// Deletes what the run made of a kind in a namespace that is not its own.
async fn delete_labelled(api: &Api, id: &str, kind: &Kind, namespace: &str) -> Result<(), ClusterError> {
    let scope = Scope::default();
    let objects = match api.list(&scope, kind, namespace, &format!("{RUN_LABEL}={id}")).await {
        // The kind itself went, and its objects with it.
        Err(error) if error.is_not_found() => return Ok(()),
        objects => objects?,
    };
    for object in objects {
        api.delete(&scope, kind, namespace, object.name()).await?;
    }
    Ok(())
}

/// Takes resources from the status of nodes, side by side. They may never have been put there: the journal is written
/// first, and the patch may have been refused.
async fn take_away(api: &Api, nodes: &[String], resources: &[String]) -> Result<(), ClusterError> {
    let scope = &Scope::default();
    // A node that went is in no answer, and its status went with it.
    let there = match nodes {
        [node] => match api.get(scope, &Kind::node(), "", node).await {
            Err(error) if error.is_not_found() => Vec::new(),
            there => vec![there?],
        },
        // Of hundreds, one list says what each has.
        _ => api.list(scope, &Kind::node(), "", "").await?,
    };
    let ours = there.iter().filter(|node| nodes.iter().any(|name| name == node.name()));
    let patches = ours.filter_map(|node| {
        let has = |name: &&String| {
            ["/status/capacity", "/status/allocatable"]
                .iter()
                .any(|pointer| node.at(pointer).is_some_and(|amounts| amounts.get(name.as_str()).is_some()))
        };
        let present: Vec<String> = resources.iter().filter(has).cloned().collect();
        let patch = Entry::undo_patch(&present);
        let take =
            async move { api.merge(scope, &Kind::node(), ("", node.name()), "status", &patch).await }.boxed();
        (!present.is_empty()).then_some(take)
    });
    side_by_side(patches.collect()).await
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
            Entry::Labelled { .. } | Entry::NodeResources { .. } => None,
        })
    }

    /// Kinds of which nothing with the run's label may be left in a namespace.
    fn labelled(&self) -> impl Iterator<Item = (&Kind, &str)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Labelled { kind, namespace } => Some((kind, namespace.as_str())),
            Entry::Object { .. } | Entry::NodeResources { .. } => None,
        })
    }

    /// Waits until none of the journal's objects is left.
    async fn gone(&self, limit: Duration) -> Result<Result<(), TooLate>, ClusterError> {
        let own = format!("{RUN_LABEL}={}", self.id);
        let everywhere = self.objects().map(|(kind, ..)| (kind, "", own.as_str()));
        // What a product made of ours has no label of ours, but our id in its name: it must be gone too.
        let shared = self.labelled().map(|(kind, namespace)| (kind, namespace, ""));
        for (_, namespace) in self.labelled() {
            self.mirror.shares(namespace, &format!("{}-", self.id), &Scope::default());
        }
        let kinds: BTreeSet<(&Kind, &str, &str)> = everywhere.chain(shared).collect();
        for (kind, namespace, selector) in kinds {
            match self.mirror.watch(self.api, kind, namespace, ("labelSelector", selector)).await {
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
                let labelled = self.labelled().flat_map(|(kind, namespace)| {
                    let named = |object: &Object| {
                        let ours = object.label(RUN_LABEL);
                        (ours.is_empty() || ours == self.id)
                            .then(|| format!("{} {}", kind.kind, object.name()))
                    };
                    self.mirror.all(kind, namespace, named)
                });
                let there: Vec<String> = self
                    .objects()
                    .filter(|(kind, namespace, name)| self.mirror.get(kind, namespace, name).is_some())
                    .map(|(kind, _, name)| format!("{} {name}", kind.kind))
                    .chain(labelled)
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
            Kind::namespaced("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
            Kind::job(),
            Kind::pod(),
        ];
        let shared: BTreeSet<&str> = self.labelled().map(|(_, namespace)| namespace).collect();
        for namespace in shared {
            for kind in inside.iter().chain(self.labelled().map(|(kind, _)| kind)) {
                let Ok((objects, _)) = self.api.pages(&scope, kind, namespace, "").await else { continue };
                // What a product made of ours has our id in its name, and no label.
                let ours = |object: &&Object| {
                    object.label(RUN_LABEL) == self.id || object.name().contains(&format!("{}-", self.id))
                };
                for object in objects.iter().filter(ours).filter(|object| finalized(object)) {
                    self.free(kind, namespace, object.name(), &none).await?;
                }
            }
        }
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
