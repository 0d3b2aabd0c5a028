//! One run's presence in the cluster: its namespaces, its journal, its Lease, and their undoing.

use crate::api::Api;
use crate::cleanup::{self, Tell};
use crate::error::ClusterError;
use crate::journal::Entry;
use crate::labels::{CONTROL_LABEL, LEASE_SECONDS, RUN_LABEL, SUBJECT_LABEL, control_name};
use crate::mirror::Mirror;
use crate::scratch::Scratch;
use crate::side_by_side::side_by_side;
use aiconform_model::{Kind, Object, Scope};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Marks that the platform wants on everything that is made, and the place for it.
#[derive(Clone, Debug, Default)]
pub struct Stamp {
    /// A namespace that is there already, to be used instead of namespaces of the run's own.
    pub namespace: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Stamp {
    /// The object with the labels of a run, and with those that the platform wants.
    fn on(&self, id: &str, scope: &Scope, mut object: Value) -> Object {
        let metadata = &mut object["metadata"];
        let mut put = |field: &str, key: &str, value: &str| {
            if metadata[field].is_null() {
                metadata[field] = json!({});
            }
            metadata[field][key] = json!(value);
        };
        put("labels", RUN_LABEL, id);
        if !scope.subject.is_empty() {
            put("labels", SUBJECT_LABEL, &label_value(&scope.subject));
        }
        for (key, value) in &self.labels {
            put("labels", key, value);
        }
        for (key, value) in &self.annotations {
            put("annotations", key, value);
        }
        Object(object)
    }
}

/// One run's presence in the cluster.
pub struct Session {
    api: Api,
    mirror: Arc<Mirror>,
    id: String,
    token: String,
    stamp: Stamp,
    /// Number of the next journal entry; held while it is written, so that the order is that of the acts.
    journal: Mutex<u64>,
    renewal: tokio::task::JoinHandle<()>,
}

impl Session {
    /// The namespace of the run's Lease and journal.
    fn home(&self) -> String {
        self.stamp.namespace.clone().unwrap_or_else(|| control_name(&self.id))
    }

    /// Makes the run's Lease, which is renewed until the session ends, and its journal: in the namespace that the
    /// platform wants to be used, else in one of their own.
    ///
    /// # Errors
    /// When the cluster refuses one of them; nothing else was made then.
    pub async fn begin(api: Api, mirror: Arc<Mirror>, stamp: Stamp) -> Result<Arc<Session>, ClusterError> {
        let id: String = uuid::Uuid::new_v4().simple().to_string().chars().take(8).collect();
        let name = control_name(&id);
        let scope = Scope::default();
        let namespace = stamp.namespace.clone().unwrap_or_else(|| name.clone());
        let labels = json!({CONTROL_LABEL: "true"});
        if stamp.namespace.is_none() {
            let control = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
            api.create(&scope, &Kind::namespace(), &stamp.on(&id, &scope, control)).await?;
        }
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"holderIdentity": "aiconform", "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now()}});
        let journal = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace}, "data": {}});
        // The Lease first: it is by its Lease that a killed run is found.
        for (kind, object) in [(Kind::lease(), lease), (Kind::config_map(), journal)] {
            if let Err(error) = api.create(&scope, &kind, &stamp.on(&id, &scope, object)).await {
                cleanup::forget(&api, &id, &namespace).await?;
                return Err(error);
            }
        }
        let renewal = tokio::spawn(renew(api.clone(), namespace, name));
        let token = uuid::Uuid::new_v4().simple().to_string();
        Ok(Arc::new(Session { api, mirror, id, token, stamp, journal: Mutex::new(0), renewal }))
    }

    /// Id of the run, the value of [`RUN_LABEL`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A secret of the run: what its pods do only for whoever knows it. It stands in no object and in no evidence.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The client.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The mirror: objects that the watches have seen.
    pub fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// Watches all objects of a kind that carry the run's label.
    ///
    /// # Errors
    /// When the first list is refused.
    pub async fn watch_own(&self, kind: &Kind) -> Result<(), ClusterError> {
        let own = format!("{RUN_LABEL}={}", self.id);
        self.mirror.watch(&self.api, kind, "", ("labelSelector", &own)).await
    }

    /// Creates an object outside the run's namespaces, after writing it into the journal.
    ///
    /// # Errors
    /// When the journal or the object is refused.
    pub async fn create_cluster_wide(
        &self,
        scope: &Scope,
        kind: &Kind,
        object: Value,
    ) -> Result<Object, ClusterError> {
        let object = self.stamped(scope, object);
        self.record(&Entry::Object {
            kind: kind.clone(),
            namespace: object.namespace().into(),
            name: object.name().into(),
        })
        .await?;
        self.api.create(scope, kind, &object).await
    }

    /// Gives this scope its own namespace, which asks for the restricted Pod Security level, or its part of the one
    /// that the platform wants to be used. Objects of these kinds are what will be in it, those that a product makes
    /// included: of them, and of no others, finalizers may be taken at the end.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn scratch(
        self: &Arc<Session>,
        scope: &Scope,
        suffix: &str,
        kinds: &[Kind],
    ) -> Result<Arc<Scratch>, ClusterError> {
        self.scratch_at(scope, suffix, kinds, "restricted").await
    }

    /// Like [`Session::scratch`], at another Pod Security level, where it is a namespace of its own.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn scratch_at(
        self: &Arc<Session>,
        scope: &Scope,
        suffix: &str,
        kinds: &[Kind],
        level: &str,
    ) -> Result<Arc<Scratch>, ClusterError> {
        if let Some(namespace) = &self.stamp.namespace {
            let prefix = format!("{}-{suffix}-", self.id);
            self.mirror.shares(namespace, &prefix, scope);
            for kind in kinds {
                self.record(&Entry::Labelled { kind: kind.clone(), namespace: namespace.clone() }).await?;
            }
            let namespace = namespace.clone();
            return Ok(Scratch::new(self.clone(), scope.clone(), namespace, prefix));
        }
        let namespace = format!("aiconform-{}-{suffix}", self.id);
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace,
            "labels": {"pod-security.kubernetes.io/enforce": level}}});
        self.mirror.belongs(&namespace, scope);
        self.record(&Entry::Namespace { name: namespace.clone(), kinds: kinds.to_vec() }).await?;
        self.api.create(scope, &Kind::namespace(), &self.stamped(scope, object)).await?;
        Ok(Scratch::new(self.clone(), scope.clone(), namespace, String::new()))
    }

    /// Puts extended resources that nobody else wants into a node's status, after writing them into the journal.
    ///
    /// # Errors
    /// When the journal or the patch is refused.
    pub async fn add_node_resources(
        &self,
        scope: &Scope,
        node: &str,
        resources: &BTreeMap<String, u64>,
    ) -> Result<(), ClusterError> {
        let resources_of = resources.keys().cloned().collect();
        self.record(&Entry::NodeResources { nodes: vec![node.into()], resources: resources_of }).await?;
        self.set_node_resources(scope, node, resources).await
    }

    /// Puts one such resource into the status of many nodes, side by side, after writing all of it into the journal at
    /// once.
    ///
    /// # Errors
    /// When the journal or a patch is refused.
    pub async fn spread_node_resource(
        &self,
        scope: &Scope,
        resource: &str,
        amounts: &[(&str, u64)],
    ) -> Result<(), ClusterError> {
        let nodes = amounts.iter().map(|(node, _)| (*node).to_owned()).collect();
        self.record(&Entry::NodeResources { nodes, resources: vec![resource.into()] }).await?;
        let patches = amounts.iter().map(|(node, amount)| {
            async move {
                let one = BTreeMap::from([(resource.to_owned(), *amount)]);
                self.set_node_resources(scope, node, &one).await
            }
            .boxed()
        });
        side_by_side(patches.collect()).await
    }

    /// Changes resources that [`Session::add_node_resources`] has put there.
    ///
    /// # Errors
    /// When the patch is refused.
    pub async fn set_node_resources(
        &self,
        scope: &Scope,
        node: &str,
        resources: &BTreeMap<String, u64>,
    ) -> Result<(), ClusterError> {
        let amounts: Map<String, Value> =
            resources.iter().map(|(name, amount)| (name.clone(), json!(amount.to_string()))).collect();
        let patch = json!({"status": {"capacity": amounts, "allocatable": amounts}});
        self.api.merge(scope, &Kind::node(), ("", node), "status", &patch).await
    }

    async fn record(&self, entry: &Entry) -> Result<(), ClusterError> {
        let mut number = self.journal.lock().await;
        let line = serde_json::to_string(entry)
            .map_err(|error| ClusterError::Answer { what: "the journal".into(), why: error.to_string() })?;
        let patch = json!({"data": {format!("{number:06}"): line}});
        let (namespace, name) = (self.home(), control_name(&self.id));
        self.api.merge(&Scope::default(), &Kind::config_map(), (&namespace, &name), "", &patch).await?;
        *number += 1;
        Ok(())
    }

    /// The object with the run's labels and those that the platform wants.
    pub fn stamped(&self, scope: &Scope, object: Value) -> Object {
        self.stamp.on(&self.id, scope, object)
    }

    /// Has the namespaces of a check that ended go, while others are still at work: what it held is free for them, and
    /// there is less to wait for at the end. [`Session::undo`] sees to it that they are gone.
    pub async fn leave(&self, check: &str) {
        let namespaces = self.mirror.namespaces_of(check);
        let (scope, kind) = (Scope::default(), Kind::namespace());
        let gone = namespaces.iter().map(|name| self.api.delete(&scope, &kind, "", name));
        // One that is refused is tried again at the end, and told then.
        let _ = join_all(gone).await;
    }

    /// Undoes everything that the run made; gives in words what is left. What it waits for is told, and `stop` ends the
    /// wait: what is there then is left.
    ///
    /// # Errors
    /// When the cluster cannot be asked any more.
    pub async fn undo(&self, tell: Tell<'_>, stop: BoxFuture<'_, ()>) -> Result<Vec<String>, ClusterError> {
        let left = cleanup::undo(&self.api, &self.id, &self.home(), tell, stop).await;
        self.renewal.abort();
        self.mirror.stop();
        left
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(api: Api, namespace: String, name: String) {
    let quiet = Scope::default();
    loop {
        aiconform_wait::pause(Duration::from_secs(10)).await;
        // One missed renewal is made good by the next; the Lease lasts four of them.
        let _ = api
            .merge(&quiet, &Kind::lease(), (&namespace, &name), "", &json!({"spec": {"renewTime": now()}}))
            .await;
    }
}

/// A subject's id as the value of a label, which holds no slash and at most 63 letters, the last a letter or digit.
fn label_value(subject: &str) -> String {
    let short: String = subject.replace('/', "_").chars().take(63).collect();
    short.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_owned()
}

fn now() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}
