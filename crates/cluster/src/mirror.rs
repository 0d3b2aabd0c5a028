//! One shared watch per kind: every change goes to the log, to a store, and wakes the waits.

use crate::api::{Api, encode};
use crate::error::ClusterError;
use aiconform_evidence::redact;
use aiconform_model::{Change, EventKind, Kind, Object, Scope};
use futures::TryStreamExt;
use http::Request;
use kube::core::{Status, WatchEvent};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

type Key = (String, String, String);

/// Seconds after which the server ends a watch, which then goes on from where it was.
const WATCH_SECONDS: u64 = 280;
/// Silence after which a watch is taken for dead: it would have been ended by then.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 30);

/// Last state of every object that the watches have seen, and whom it belongs to.
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

    /// Says to whom objects belong in a namespace that is not the run's own: by their label, or for those that a
    /// product makes, by the prefix in their name. All other objects of it are nobody's business.
    pub fn shares(&self, namespace: &str, prefix: &str, scope: &Scope) {
        lock(&self.shared).push((namespace.into(), prefix.into(), scope.clone()));
    }

    /// The last state seen of an object.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<Object> {
        lock(&self.objects).get(&key(kind, namespace, name)).cloned()
    }

    /// Takes an object for deleted that the server no longer has, though no watch has said so.
    pub fn forget(&self, api: &Api, kind: &Kind, namespace: &str, name: &str) {
        if let Some(object) = self.get(kind, namespace, name) {
            self.take(api, kind, Change::Deleted, object);
        }
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
        let mut feed = Feed {
            mirror: self.clone(),
            api: api.clone(),
            kind: kind.clone(),
            namespace: namespace.into(),
            query: query.into(),
            seen: BTreeSet::new(),
        };
        for object in objects {
            feed.take(Change::Listed, object);
        }
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

    /// Tells whether an object is of a namespace that is not the run's own, and nothing of the run's.
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
}

/// Why a watch ended before its time.
enum Broken {
    /// The changes after the version are not known any more: a gap, in the server's words.
    Expired(String),
    /// Anything else: the watch goes on from where it was.
    Off,
}

impl Broken {
    fn by(status: &Status) -> Broken {
        if status.code == 410 || status.reason == "Expired" {
            Broken::Expired(format!("{} {}: {}", status.code, status.reason, status.message))
        } else {
            Broken::Off
        }
    }
}

impl From<kube::Error> for Broken {
    fn from(error: kube::Error) -> Broken {
        match error {
            kube::Error::Api(status) => Broken::by(&status),
            _ => Broken::Off,
        }
    }
}

struct Feed {
    mirror: Arc<Mirror>,
    api: Api,
    kind: Kind,
    namespace: String,
    query: String,
    /// Objects that this watch has seen and not seen go: another one of the kind may look at others.
    seen: BTreeSet<Key>,
}

impl Feed {
    async fn run(mut self, mut version: String) {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.follow(&mut version).await {
                // The server ends every watch after a while; nothing is lost, the version goes on.
                Ok(()) => pause = Duration::from_millis(100),
                Err(broken) => {
                    if let Broken::Expired(why) = broken {
                        self.gap(&why);
                        let again =
                            self.api.pages(&Scope::default(), &self.kind, &self.namespace, &self.query).await;
                        if let Ok((objects, now)) = again {
                            version = now;
                            self.relist(objects);
                            continue;
                        }
                    }
                    aiconform_wait::pause(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    fn take(&mut self, change: Change, object: Object) {
        let place = key(&self.kind, object.namespace(), object.name());
        if change == Change::Deleted {
            self.seen.remove(&place);
        } else {
            self.seen.insert(place);
        }
        self.mirror.take(&self.api, &self.kind, change, object);
    }

    /// After a gap: everything listed again; what this watch had seen and is not in the list is gone, unseen.
    fn relist(&mut self, objects: Vec<Object>) {
        let place = |object: &Object| key(&self.kind, object.namespace(), object.name());
        let there: BTreeSet<Key> = objects.iter().map(place).collect();
        let gone: Vec<Object> = {
            let all = lock(&self.mirror.objects);
            self.seen.difference(&there).filter_map(|place| all.get(place).cloned()).collect()
        };
        for object in gone {
            self.take(Change::Deleted, object);
        }
        for object in objects {
            self.take(Change::Listed, object);
        }
    }

    fn gap(&self, why: &str) {
        let event = EventKind::WatchGap { kind: self.kind.clone(), why: why.into() };
        self.api.sink.write(&Scope::default(), event);
    }

    async fn follow(&mut self, version: &mut String) -> Result<(), Broken> {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&{}&resourceVersion={version}",
            Api::path(&self.kind, &self.namespace, ""),
            self.query
        );
        let request = Request::get(&path).body(Vec::new()).map_err(kube::Error::HttpError)?;
        self.api.count_one();
        let asked = self.api.connection.client.request_events::<Value>(request);
        let stream = tokio::time::timeout(SILENCE, asked).await.map_err(|_| Broken::Off)??;
        let mut stream = std::pin::pin!(stream);
        // A connection that died without a word would be waited for without end.
        while let Some(event) =
            tokio::time::timeout(SILENCE, stream.try_next()).await.map_err(|_| Broken::Off)??
        {
            let (change, object) = match event {
                WatchEvent::Added(object) => (Change::Added, object),
                WatchEvent::Modified(object) => (Change::Modified, object),
                WatchEvent::Deleted(object) => (Change::Deleted, object),
                WatchEvent::Bookmark(bookmark) => {
                    *version = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) => return Err(Broken::by(&status)),
            };
            let object = Object(object);
            *version = object.resource_version().to_owned();
            self.take(change, object);
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
    use crate::testing::{Server, scripted};

    const FIRST: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[
        {"metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"3"}},
        {"metadata":{"name":"b","namespace":"n","uid":"2","resourceVersion":"4"}}]}"#;
    const EXPIRED: &str = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}"#;
    const SECOND: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[
        {"metadata":{"name":"b","namespace":"n","uid":"2","resourceVersion":"8"},"spec":{"nodeName":"node"}}]}"#;
    const ADDED: &str = r#"{"type":"ADDED","object":{"metadata":{"name":"c","namespace":"n","uid":"3","resourceVersion":"10"}}}"#;

    /// As the watch's own answer, before any event.
    const REFUSED: &str = r#"{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}"#;

    #[tokio::test]
    async fn a_gap_is_written_down_and_what_vanished_in_it_is_gone() {
        for expired in [(200, EXPIRED), (410, REFUSED)] {
            after_a_gap(expired).await;
        }
    }

    #[tokio::test]
    async fn a_gap_of_one_watch_takes_nothing_from_another_of_the_kind() {
        let (api, ..) = scripted(&[]);
        let mirror = Mirror::new();
        let feed = |query: &str| Feed {
            mirror: mirror.clone(),
            api: api.clone(),
            kind: Kind::node(),
            namespace: String::new(),
            query: query.into(),
            seen: BTreeSet::new(),
        };
        let node = |name: &str| Object::new(serde_json::json!({"metadata": {"name": name}}));
        let (mut one, mut other) =
            (feed("fieldSelector=metadata.name=a"), feed("fieldSelector=metadata.name=b"));
        one.take(Change::Listed, node("a"));
        other.take(Change::Listed, node("b"));
        one.relist(Vec::new());
        let there = |name: &str| mirror.get(&Kind::node(), "", name).is_some();
        assert_eq!((there("a"), there("b")), (false, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_silent_for_longer_than_any_is_left_is_asked_for_again() {
        let server = Arc::new(Server::default());
        let (api, _) = server.client();
        let mirror = Mirror::new();
        mirror.watch(&api, &Kind::pod(), "", ("labelSelector", "x=y")).await.unwrap();
        tokio::time::sleep(SILENCE - Duration::from_secs(1)).await;
        assert_eq!(server.watched(), 1);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(server.watched(), 2);
        mirror.stop();
    }

    async fn after_a_gap(expired: (u16, &str)) {
        let (api, kept, asked) = scripted(&[(200, FIRST), expired, (200, SECOND), (200, ADDED)]);
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
                EventKind::WatchGap { why, .. } => Some(format!("gap: {why}")),
                _ => None,
            })
            .collect();
        assert_eq!(
            seen,
            [
                "Listed a",
                "Listed b",
                "gap: 410 Expired: too old resource version",
                "Deleted a",
                "Listed b",
                "Added c"
            ]
        );
        let asked = asked.lock().unwrap();
        assert!(
            asked[1].contains("resourceVersion=5") && asked[3].contains("resourceVersion=9"),
            "{asked:?}"
        );
        assert!(asked.iter().all(|request| request.contains("labelSelector=x%3Dy")), "{asked:?}");
    }
}
