//! One shared watch per kind: every change goes to the log, to a store, and wakes the waits.

use crate::api::{Api, encode};
use crate::connect::causes;
use crate::error::ClusterError;
use aiconform_evidence::redact;
use aiconform_model::{Change, EventKind, Kind, Object, Scope};
use futures::TryStreamExt;
use http::Request;
use kube::core::WatchEvent;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

type Key = (String, String, String);

/// What the watches have seen last of every object, and whom it belongs to.
pub struct Mirror {
    objects: Mutex<BTreeMap<Key, Object>>,
    scopes: Mutex<BTreeMap<String, Scope>>,
    /// Namespaces of the platform's own, the prefix of names in them, and whose objects they are.
    shared: Mutex<Vec<(String, String, Scope)>>,
    started: tokio::sync::Mutex<BTreeSet<(Kind, String)>>,
    version: watch::Sender<u64>,
    tasks: Mutex<tokio::task::JoinSet<()>>,
}

impl Mirror {
    /// Nothing watched yet.
    pub fn new() -> Arc<Mirror> {
        Arc::new(Mirror {
            objects: Mutex::default(),
            scopes: Mutex::default(),
            shared: Mutex::default(),
            started: tokio::sync::Mutex::default(),
            version: watch::Sender::new(0),
            tasks: Mutex::default(),
        })
    }

    /// Signals every change of anything watched.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Says to whom the objects of a namespace belong.
    pub fn belongs(&self, namespace: &str, scope: &Scope) {
        lock(&self.scopes).insert(namespace.into(), scope.clone());
    }

    /// Namespaces that belong to a check, whichever its subject.
    pub fn namespaces_of(&self, check: &str) -> Vec<String> {
        let scopes = lock(&self.scopes);
        scopes.iter().filter(|(_, scope)| scope.check == check).map(|(name, _)| name.clone()).collect()
    }

    /// Says to whom the objects of a namespace belong that is not the run's own: by their label, or for those that a
    /// product makes, by the prefix in their name. All other objects of it are nobody's business.
    pub fn shares(&self, namespace: &str, prefix: &str, scope: &Scope) {
        lock(&self.shared).push((namespace.into(), prefix.into(), scope.clone()));
    }

    /// The last state seen of an object.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<Object> {
        lock(&self.objects).get(&key(kind, namespace, name)).cloned()
    }

    /// Looks at the last state of all objects of a kind in a namespace (empty: those of the whole cluster).
    pub fn all<T>(&self, kind: &Kind, namespace: &str, mut pick: impl FnMut(&Object) -> Option<T>) -> Vec<T> {
        lock(&self.objects)
            .range(key(kind, namespace, "")..)
            .take_while(|((plural, place, _), _)| *plural == plural_of(kind) && place == namespace)
            .filter_map(|(_, object)| pick(object))
            .collect()
    }

    /// Looks at the last state of all objects of a kind in all namespaces.
    pub fn everywhere<T>(&self, kind: &Kind, mut pick: impl FnMut(&Object) -> Option<T>) -> Vec<T> {
        lock(&self.objects)
            .range(key(kind, "", "")..)
            .take_while(|((plural, ..), _)| *plural == plural_of(kind))
            .filter_map(|(_, object)| pick(object))
            .collect()
    }

    /// Watches a kind (`selector`: `labelSelector=…` or `fieldSelector=…`, before encoding of its value) in a
    /// namespace, or in all when it is empty. A watch that is there already is shared.
    ///
    /// # Errors
    /// When the first list is refused.
    pub async fn watch(
        self: &Arc<Mirror>,
        api: &Api,
        kind: &Kind,
        namespace: &str,
        selector: (&str, &str),
    ) -> Result<(), ClusterError> {
        self.watch_where(api, kind, namespace, &format!("{}={}", selector.0, encode(selector.1))).await
    }

    /// Watches a kind by several selectors at once, as they stand in an address.
    ///
    /// # Errors
    /// When the first list is refused.
    pub async fn watch_where(
        self: &Arc<Mirror>,
        api: &Api,
        kind: &Kind,
        namespace: &str,
        query: &str,
    ) -> Result<(), ClusterError> {
        let mut started = self.started.lock().await;
        if !started.insert((kind.clone(), format!("{namespace}?{query}"))) {
            return Ok(());
        }
        let (objects, version) = api.pages(&Scope::default(), kind, namespace, query).await?;
        for object in objects {
            self.take(api, kind, Change::Listed, object);
        }
        let feed = Feed {
            mirror: self.clone(),
            api: api.clone(),
            kind: kind.clone(),
            namespace: namespace.into(),
            query: query.into(),
        };
        lock(&self.tasks).spawn(feed.run(version));
        Ok(())
    }

    /// Ends all watches.
    pub fn stop(&self) {
        lock(&self.tasks).abort_all();
    }

    fn scope_of(&self, object: &Object) -> Scope {
        let scopes = lock(&self.scopes);
        let namespace = match object.namespace() {
            "" if scopes.contains_key(object.name()) => object.name(),
            namespace => namespace,
        };
        let mut scope = scopes.get(namespace).cloned().unwrap_or_default();
        let subject = object.label(crate::SUBJECT_LABEL);
        if scope.subject.is_empty() && !subject.is_empty() {
            // A label's value holds no slash; a subject's id may.
            scope.subject = subject.replace('_', "/");
        }
        if let Some((.., shared)) = lock(&self.shared)
            .iter()
            .filter(|(place, prefix, _)| *place == object.namespace() && object.name().contains(prefix))
            .max_by_key(|(_, prefix, _)| prefix.len())
        {
            return shared.clone();
        }
        scope
    }

    /// Whether an object is of a namespace that is not the run's own, and nothing of the run's.
    fn is_foreign(&self, object: &Object) -> bool {
        let shared = lock(&self.shared);
        let mut prefixes = shared
            .iter()
            .filter(|(place, ..)| place == object.namespace())
            .map(|(_, prefix, _)| prefix)
            .peekable();
        prefixes.peek().is_some()
            && object.label(crate::RUN_LABEL).is_empty()
            && !prefixes.any(|prefix| object.name().contains(prefix))
    }

    fn take(&self, api: &Api, kind: &Kind, change: Change, mut object: Object) {
        redact(&mut object.0);
        let scope = self.scope_of(&object);
        if self.is_foreign(&object) {
            return;
        }
        let place = key(kind, object.namespace(), object.name());
        // The store and the log change together, so that no wait sees what the log does not hold yet.
        let mut objects = lock(&self.objects);
        if change == Change::Deleted {
            objects.remove(&place);
        } else {
            objects.insert(place, object.clone());
        }
        api.sink.write(&scope, EventKind::Watch { kind: kind.clone(), change, object });
        drop(objects);
        self.version.send_modify(|version| *version += 1);
    }

    /// After a gap: everything listed again; what is not in the list is gone, unseen.
    fn relist(&self, api: &Api, kind: &Kind, namespace: &str, objects: Vec<Object>) {
        let there: BTreeSet<Key> =
            objects.iter().map(|object| key(kind, object.namespace(), object.name())).collect();
        let gone: Vec<Object> = lock(&self.objects)
            .range((plural_of(kind), namespace.to_owned(), String::new())..)
            .take_while(|((plural, place, _), _)| {
                *plural == plural_of(kind) && (namespace.is_empty() || place == namespace)
            })
            .filter(|(place, _)| !there.contains(*place))
            .map(|(_, object)| object.clone())
            .collect();
        for object in gone {
            self.take(api, kind, Change::Deleted, object);
        }
        for object in objects {
            self.take(api, kind, Change::Listed, object);
        }
    }
}

struct Feed {
    mirror: Arc<Mirror>,
    api: Api,
    kind: Kind,
    namespace: String,
    query: String,
}

impl Feed {
    async fn run(self, mut version: String) {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.follow(&mut version).await {
                // The server ends every watch after a while; nothing is lost, the version goes on.
                Ok(()) => pause = Duration::from_millis(100),
                Err(why) => {
                    if why.starts_with("410")
                        || why.contains("too old resource version")
                        || why.contains("Expired")
                    {
                        self.gap(&why);
                        let again =
                            self.api.pages(&Scope::default(), &self.kind, &self.namespace, &self.query).await;
                        if let Ok((objects, now)) = again {
                            version = now;
                            self.mirror.relist(&self.api, &self.kind, &self.namespace, objects);
                            continue;
                        }
                    }
                    aiconform_wait::pause(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    fn gap(&self, why: &str) {
        let event = EventKind::WatchGap { kind: self.kind.clone(), why: why.into() };
        self.api.sink.write(&Scope::default(), event);
    }

    async fn follow(&self, version: &mut String) -> Result<(), String> {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds=280&{}&resourceVersion={version}",
            Api::path(&self.kind, &self.namespace, ""),
            self.query
        );
        let request = Request::get(&path).body(Vec::new()).map_err(|error| error.to_string())?;
        self.api.count_one();
        let stream = self
            .api
            .connection
            .client
            .request_events::<Value>(request)
            .await
            .map_err(|error| causes(&error))?;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.try_next().await.map_err(|error| causes(&error))? {
            let (change, object) = match event {
                WatchEvent::Added(object) => (Change::Added, object),
                WatchEvent::Modified(object) => (Change::Modified, object),
                WatchEvent::Deleted(object) => (Change::Deleted, object),
                WatchEvent::Bookmark(bookmark) => {
                    *version = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) => {
                    return Err(format!("{} {}: {}", status.code, status.reason, status.message));
                }
            };
            let object = Object(object);
            *version = object.resource_version().to_owned();
            self.mirror.take(&self.api, &self.kind, change, object);
        }
        Ok(())
    }
}

fn plural_of(kind: &Kind) -> String {
    format!("{}.{}", kind.plural, kind.group)
}

fn key(kind: &Kind, namespace: &str, name: &str) -> Key {
    (plural_of(kind), namespace.into(), name.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scripted;

    const FIRST: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[
        {"metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"3"}},
        {"metadata":{"name":"b","namespace":"n","uid":"2","resourceVersion":"4"}}]}"#;
    const EXPIRED: &str = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}"#;
    const SECOND: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[
        {"metadata":{"name":"b","namespace":"n","uid":"2","resourceVersion":"8"},"spec":{"nodeName":"node"}}]}"#;
    const ADDED: &str = r#"{"type":"ADDED","object":{"metadata":{"name":"c","namespace":"n","uid":"3","resourceVersion":"10"}}}"#;

    #[tokio::test]
    async fn a_gap_is_written_down_and_what_vanished_in_it_is_gone() {
        let (api, kept, asked) = scripted(&[(200, FIRST), (200, EXPIRED), (200, SECOND), (200, ADDED)]);
        let mirror = Mirror::new();
        mirror.watch(&api, &Kind::pod(), "", ("labelSelector", "x=y")).await.unwrap();
        let mut changes = mirror.changes();
        while mirror.get(&Kind::pod(), "n", "c").is_none() {
            changes.changed().await.unwrap();
        }
        assert!(mirror.get(&Kind::pod(), "n", "a").is_none());
        assert_eq!(mirror.get(&Kind::pod(), "n", "b").unwrap().text("/spec/nodeName"), "node");
        let seen: Vec<String> = kept
            .0
            .lock()
            .unwrap()
            .iter()
            .filter_map(|event| match event {
                EventKind::Watch { change, object, .. } => Some(format!("{change:?} {}", object.name())),
                EventKind::WatchGap { .. } => Some("gap".into()),
                _ => None,
            })
            .collect();
        assert_eq!(seen, ["Listed a", "Listed b", "gap", "Deleted a", "Listed b", "Added c"]);
        let asked = asked.lock().unwrap();
        assert!(
            asked[1].contains("resourceVersion=5") && asked[3].contains("resourceVersion=9"),
            "{asked:?}"
        );
        assert!(asked.iter().all(|request| request.contains("labelSelector=x%3Dy")), "{asked:?}");
    }
}
