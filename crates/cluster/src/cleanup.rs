//! Undoing a run, by itself at its end or by another process after it was killed.

use crate::api::Api;
use crate::error::ClusterError;
use crate::journal::{self, Entry};
use crate::labels::{CONTROL_LABEL, LEASE_SECONDS, RUN_LABEL, control_name};
use crate::mirror::Mirror;
use crate::remaining::Remaining;
use crate::side_by_side::side_by_side;
use aiconform_model::{Kind, Object, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Takes what is said while clean-up waits.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

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
    /// Tells whether its Lease has not expired, so that it may still run.
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

/// Removes what a run left; gives in words what stays, and tells what it waits for.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn cleanup(api: &Api, found: &Found, tell: Tell<'_>) -> Result<Vec<String>, ClusterError> {
    undo(api, &found.id, &found.namespace, tell, std::future::pending().boxed()).await
}

/// Takes away the Lease and the journal of a run of which nothing else is left, or their own namespace with them.
pub(crate) async fn forget(api: &Api, id: &str, namespace: &str) -> Result<(), ClusterError> {
    let scope = Scope::default();
    let name = control_name(id);
    if namespace == name {
        return api.delete(&scope, &Kind::namespace(), "", &name).await;
    }
    // The Lease goes last: it is by its Lease that a killed run is found.
    api.delete(&scope, &Kind::config_map(), namespace, &name).await?;
    api.delete(&scope, &Kind::lease(), namespace, &name).await
}

/// Undoes what the journal of a run tells of; gives in words what stays.
///
/// # Errors
/// When the cluster cannot be asked.
pub(crate) async fn undo(
    api: &Api,
    id: &str,
    namespace: &str,
    tell: Tell<'_>,
    mut stop: BoxFuture<'_, ()>,
) -> Result<Vec<String>, ClusterError> {
    let scope = Scope::default();
    let control = control_name(id);
    let (entries, mut left) = match api.get(&scope, &Kind::config_map(), namespace, &control).await {
        Ok(journal) => journal::read(journal.at("/data")),
        Err(error) if error.is_not_found() => (Vec::new(), Vec::new()),
        Err(error) => return Err(error),
    };
    for entry in entries.iter().rev() {
        let done = match entry {
            Entry::Object { kind, namespace, name } => api.delete(&scope, kind, namespace, name).await,
            Entry::Namespace { name, .. } => api.delete(&scope, &Kind::namespace(), "", name).await,
            Entry::Labelled { kind, namespace } => delete_labelled(api, id, kind, namespace).await,
            Entry::NodeResources { nodes, resources } => take_away(api, nodes, resources).await,
        };
        match (entry, done) {
            (_, Ok(())) => {}
            // Tried again until it is gone.
            (Entry::Object { .. } | Entry::Namespace { .. }, Err(_)) => {}
            (Entry::Labelled { .. } | Entry::NodeResources { .. }, Err(error)) => {
                left.push(error.to_string())
            }
        }
    }
    let mirror = Mirror::new();
    let end = async {
        left.extend(Remaining::of(api, id, &mirror, &entries).end(tell, &mut stop).await?);
        if !left.is_empty() {
            return Ok(left);
        }
        forget(api, id, namespace).await?;
        let last = if namespace == control {
            Entry::Namespace { name: control, kinds: vec![Kind::config_map(), Kind::lease()] }
        } else {
            Entry::Labelled { kind: Kind::lease(), namespace: namespace.into() }
        };
        Remaining::of(api, id, &mirror, &[last]).end(tell, &mut stop).await
    };
    let left = end.await;
    // Also where the cluster cannot be asked any more: what watches it holds the run's evidence open.
    mirror.stop();
    left
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
