//! Part of a run that a subject has: its own namespace, or its part of a shared one.

use crate::error::ClusterError;
use crate::session::Session;
use aiconform_model::{Bin, Kind, Object, Scope};
use aiconform_wait::{Met, TooLate, Wait};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A namespace of the run for one subject, or the subject's part of a shared one.
pub struct Scratch {
    session: Arc<Session>,
    scope: Scope,
    namespace: String,
    prefix: String,
}

impl Scratch {
    /// One of a session, for a scope.
    pub(crate) fn new(
        session: Arc<Session>,
        scope: Scope,
        namespace: String,
        prefix: String,
    ) -> Arc<Scratch> {
        Arc::new(Scratch { session, scope, namespace, prefix })
    }

    /// The run.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// To whom the namespace belongs.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Name of the namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Prefix of objects' names, so that subjects which share a namespace do not meet; empty in one's own.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A name with that prefix.
    pub fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The object as it will be sent: in this namespace, with the run's labels.
    pub fn prepared(&self, mut object: Value) -> Object {
        object["metadata"]["namespace"] = json!(self.namespace);
        self.session.stamped(&self.scope, object)
    }

    /// Waits until an object like this one is admitted in the namespace, or refused for what it is: webhooks of the
    /// platform learn of a new namespace some time after the API server, and say until then that there is none.
    ///
    /// # Errors
    /// The refusal, no answer, or that the namespace is still not known at the limit.
    pub async fn settle(&self, kind: &Kind, object: Value, limit: Duration) -> Result<(), ClusterError> {
        let object = self.prepared(object);
        let wait = Wait {
            condition: format!("webhooks to know the namespace {}", self.namespace),
            bin: Bin::Platform,
            limit,
            sink: self.session.api().sink().as_ref(),
            scope: &self.scope,
        };
        let ask = || async {
            match self.session.api().dry_run(&self.scope, kind, &object).await {
                Err(error) if error.is_not_found() && error.to_string().contains(&self.namespace) => {
                    Err(error.to_string())
                }
                answer => Ok(answer.map(drop)),
            }
        };
        wait.asking(Duration::from_millis(200), ask).await?.value
    }

    /// Creates an object in the namespace.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn create(&self, kind: &Kind, object: Value) -> Result<Object, ClusterError> {
        self.session.api().create(&self.scope, kind, &self.prepared(object)).await
    }

    /// Deletes an object of the namespace; one that is not there is no error.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn delete(&self, kind: &Kind, name: &str) -> Result<(), ClusterError> {
        self.session.api().delete(&self.scope, kind, &self.namespace, name).await
    }

    /// Merges a patch into an object of the namespace.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn merge(&self, kind: &Kind, name: &str, patch: &Value) -> Result<(), ClusterError> {
        self.session.api().merge(&self.scope, kind, (&self.namespace, name), "", patch).await
    }

    /// The last state seen of all objects of a kind in the namespace that `pick` takes.
    pub fn all<T>(&self, kind: &Kind, pick: impl FnMut(&Object) -> Option<T>) -> Vec<T> {
        self.session.mirror().all(kind, &self.namespace, pick)
    }

    /// The last state seen of one object of the namespace.
    pub fn get(&self, kind: &Kind, name: &str) -> Option<Object> {
        self.session.mirror().get(kind, &self.namespace, name)
    }

    /// Waits until `look` gives `Ok`; its `Err` is the last thing seen.
    ///
    /// # Errors
    /// At the limit.
    pub async fn until<T>(
        &self,
        condition: impl Into<String> + Send,
        bin: Bin,
        limit: Duration,
        look: impl FnMut() -> Result<T, String> + Send,
    ) -> Result<Met<T>, TooLate> {
        self.until_unless(condition, bin, limit, look, || None).await
    }

    /// Like [`Scratch::until`], and gives up as soon as `hopeless` says why it will not come true.
    ///
    /// # Errors
    /// At the limit, or with what `hopeless` said.
    pub async fn until_unless<T>(
        &self,
        condition: impl Into<String> + Send,
        bin: Bin,
        limit: Duration,
        look: impl FnMut() -> Result<T, String> + Send,
        hopeless: impl FnMut() -> Option<String> + Send,
    ) -> Result<Met<T>, TooLate> {
        let wait = Wait {
            condition: condition.into(),
            bin,
            limit,
            sink: self.session.api().sink().as_ref(),
            scope: &self.scope,
        };
        wait.until_unless(&mut self.session.mirror().changes(), look, hopeless).await
    }
}
