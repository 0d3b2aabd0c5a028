//! Traces of a run that are still there after it was deleted, what keeps them, and the wait for their end.

use crate::api::Api;
use crate::cleanup::Tell;
use crate::error::ClusterError;
use crate::hold::{Fate, Held, MISSED, QUIET, Quiet, fate};
use crate::journal::Entry;
use crate::labels::{RUN_LABEL, TOUCHED_ANNOTATION};
use crate::mirror::Mirror;
use aiconform_model::{Bin, EventKind, Kind, Object, Scope};
use aiconform_wait::{TooLate, Wait};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Time between two looks at what keeps things; it grows to a tenth of the time that was waited, ...
const STEP: Duration = Duration::from_secs(10);
/// ... but no further than this.
const LONGEST_STEP: Duration = Duration::from_secs(30);
/// Longest time that things may take to go which nobody holds.
const LIMIT: Duration = Duration::from_secs(90);
/// Longest time for those that a finalizer holds: a cloud needs minutes to remove a load balancer.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Longest silence while we wait.
const SILENCE: Duration = Duration::from_secs(60);

/// Things named while we wait; at the end all are.
const SHOWN: usize = 3;

/// Things that are still there, and what keeps them.
struct Look {
    /// In words, one for each thing.
    words: Vec<String>,
    /// Somebody may still let go of one of them, or we just did.
    is_held: bool,
}

/// Traces of a run, by the entries of its journal.
pub(crate) struct Remaining<'a> {
    api: &'a Api,
    id: &'a str,
    mirror: &'a Arc<Mirror>,
    objects: Vec<(Kind, String, String)>,
    /// Kinds of which nothing of the run may be left in a namespace that is not its own.
    labelled: Vec<(Kind, String)>,
    /// Kinds that the run has in namespaces.
    inside: BTreeSet<(String, Kind)>,
    quiet: Quiet,
    /// Kinds of which an object may not be changed by us.
    untouchable: BTreeSet<Kind>,
}

impl<'a> Remaining<'a> {
    /// Traces of which these entries of the journal tell.
    pub(crate) fn of(api: &'a Api, id: &'a str, mirror: &'a Arc<Mirror>, entries: &[Entry]) -> Remaining<'a> {
        let (mut objects, mut labelled, mut inside) = (Vec::new(), Vec::new(), BTreeSet::new());
        for entry in entries {
            match entry {
                Entry::Object { kind, namespace, name } => {
                    objects.push((kind.clone(), namespace.clone(), name.clone()));
                    inside.insert((namespace.clone(), kind.clone()));
                }
                Entry::Namespace { name, kinds } => {
                    objects.push((Kind::namespace(), String::new(), name.clone()));
                    inside.extend(kinds.iter().map(|kind| (name.clone(), kind.clone())));
                }
                Entry::Labelled { kind, namespace } => {
                    labelled.push((kind.clone(), namespace.clone()));
                    inside.insert((namespace.clone(), kind.clone()));
                }
                Entry::NodeResources { .. } => {}
            }
        }
        for namespace in labelled.iter().map(|(_, namespace)| namespace).collect::<BTreeSet<_>>() {
            mirror.shares(namespace, &format!("{id}-"), &Scope::default());
        }
        Remaining {
            api,
            id,
            mirror,
            objects,
            labelled,
            inside,
            quiet: Quiet::default(),
            untouchable: BTreeSet::new(),
        }
    }

    /// Waits until nothing is left, taking the finalizers that may be taken; gives in words what is left nevertheless.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub(crate) async fn end(
        mut self,
        tell: Tell<'_>,
        stop: &mut BoxFuture<'_, ()>,
    ) -> Result<Vec<String>, ClusterError> {
        let start = Instant::now();
        let (mut last, mut told, mut held) = (Vec::new(), start, start);
        loop {
            let look = tokio::select! {
                look = self.next((start.elapsed() / 10).clamp(STEP, LONGEST_STEP)) => look?,
                () = &mut *stop => {
                    last.push("it was not waited for to the end".to_owned());
                    return Ok(last);
                }
            };
            let Some(look) = look else { return Ok(Vec::new()) };
            if look.is_held {
                held = Instant::now();
            }
            // Who has just let go of something has not made it go yet.
            let limit = if look.is_held { LONGEST } else { LONGEST.min(held.duration_since(start) + LIMIT) };
            let waited = start.elapsed();
            if waited >= limit {
                let after = |words: &String| format!("{words} (after {} s)", waited.as_secs());
                return Ok(look.words.iter().map(after).collect());
            }
            let is_new = look.words != last;
            if waited >= QUIET && (is_new || told.elapsed() >= SILENCE) {
                told = Instant::now();
                let (waited, limit) = (waited.as_secs(), limit.as_secs());
                tell(&format!(
                    "since {waited} s, and for at most {limit} s, waiting for {}",
                    brief(&look.words)
                ));
            }
            last = look.words;
        }
    }

    /// Waits for so long until none of it is left; else looks at what is.
    async fn next(&mut self, limit: Duration) -> Result<Option<Look>, ClusterError> {
        Ok(if self.gone(limit).await?.is_ok() { None } else { Some(self.look().await) })
    }

    /// Waits until none of it is left.
    async fn gone(&self, limit: Duration) -> Result<Result<(), TooLate>, ClusterError> {
        let own = format!("{RUN_LABEL}={}", self.id);
        let everywhere = self.objects.iter().map(|(kind, ..)| (kind, "", own.as_str()));
        // What a product made of ours has no label of ours, but our id in its name: it must be gone too.
        let shared = self.labelled.iter().map(|(kind, namespace)| (kind, namespace.as_str(), ""));
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
                let there: Vec<String> =
                    self.there().into_iter().map(|(kind, _, name)| format!("{} {name}", kind.kind)).collect();
                if there.is_empty() { Ok(()) } else { Err(format!("still there: {}", there.join(", "))) }
            })
            .await;
        Ok(met.map(drop))
    }

    /// Kind, namespace and name of everything that the watches still see.
    fn there(&self) -> Vec<(&Kind, &str, String)> {
        let labelled = self.labelled.iter().flat_map(|(kind, namespace)| {
            let own = |object: &Object| {
                let run = object.label(RUN_LABEL);
                (run.is_empty() || run == self.id)
                    .then(|| (kind, namespace.as_str(), object.name().to_owned()))
            };
            self.mirror.all(kind, namespace, own)
        });
        self.objects
            .iter()
            .filter(|(kind, namespace, name)| self.mirror.get(kind, namespace, name).is_some())
            .map(|(kind, namespace, name)| (kind, namespace.as_str(), name.clone()))
            .chain(labelled)
            .collect()
    }

    /// Looks at what keeps things, deletes again what was not deleted yet (a webhook that was away may be back), and takes
    /// the finalizers that may be taken.
    async fn look(&mut self) -> Look {
        let there: Vec<(Kind, String, String)> = self
            .there()
            .into_iter()
            .map(|(kind, namespace, name)| (kind.clone(), namespace.to_owned(), name))
            .collect();
        let leases = match self.leases().await {
            Ok(leases) => leases,
            // Nobody can be waited for who is not seen.
            Err(error) => {
                let thing =
                    |(kind, _, name): &(Kind, String, String)| format!("{} {name}: {error}", kind.kind);
                return Look { words: there.iter().map(thing).collect(), is_held: false };
            }
        };
        let (mut look, mut seen) = (Look { words: Vec::new(), is_held: false }, BTreeSet::new());
        for (kind, namespace, name) in there {
            let (mut keeps, mut objects) = (Vec::new(), Vec::new());
            // Not by the watch alone, which may have died without a word.
            match self.api.get(&Scope::default(), &kind, &namespace, &name).await {
                Ok(own) => {
                    if kind == Kind::namespace() {
                        keeps = conditions(&own);
                        objects = self.inside(&name).await;
                        // What else has finalizers is of kinds that are none of our business.
                        look.is_held |=
                            own.condition_is("NamespaceFinalizersRemaining", "True") && objects.is_empty();
                    }
                    objects.push((kind.clone(), own));
                }
                Err(error) if error.refusal().is_some_and(|refusal| refusal.reason == "NotFound") => {
                    self.mirror.forget(self.api, &kind, &namespace, &name);
                    continue;
                }
                // Whoever knows no such path says nothing of what is stored.
                Err(error) if error.is_not_found() => keeps.push("its kind is not served any more".into()),
                Err(error) => keeps.push(error.to_string()),
            }
            let again = objects.last().filter(|(_, own)| {
                own.at("/metadata/deletionTimestamp").is_none() && own.label(RUN_LABEL) == self.id
            });
            if let Some((kind, own)) = again
                && let Err(error) =
                    self.api.delete(&Scope::default(), kind, own.namespace(), own.name()).await
            {
                keeps.push(error.to_string());
            }
            let mut held: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
            for (kind, object) in objects {
                if seen.insert(object.uid().to_owned()) {
                    let stays = self.free(&kind, &object, leases.as_deref()).await;
                    look.is_held |= stays.is_held;
                    for words in stays.words {
                        held.entry((kind.kind.clone(), words)).or_default().push(object.called());
                    }
                }
            }
            keeps.extend(held.into_iter().map(|((kind, words), names)| match names.as_slice() {
                [one] => format!("{kind} {one} {words}"),
                all => format!("{kind} {} and {} more: each {words}", all[0], all.len() - 1),
            }));
            let thing = format!("{} {name}", kind.kind);
            look.words.push(if keeps.is_empty() { thing } else { format!("{thing}: {}", keeps.join("; ")) });
        }
        look
    }

    /// Deleted objects with finalizers in a namespace of the run, of the kinds in the journal. Others of these kinds are
    /// deleted: who deletes namespaces begins with pods and comes to the rest when they are gone, while pods may wait for
    /// the rest; and where an API is gone, it does not come to everything. What the namespace then says of what remains in
    /// it is not true.
    async fn inside(&self, namespace: &str) -> Vec<(Kind, Object)> {
        let (mut found, scope) = (Vec::new(), Scope::default());
        for (_, kind) in self.inside.iter().filter(|(place, _)| place == namespace) {
            // A kind that is not served, or may not be listed, holds nothing that we could free.
            let (objects, _) = self.api.pages(&scope, kind, namespace, "").await.unwrap_or_default();
            for object in objects {
                if object.at("/metadata/deletionTimestamp").is_none() {
                    // One that is refused is tried again at the next look.
                    let _ = self.api.delete(&scope, kind, namespace, object.name()).await;
                } else if !finalizers(&object).is_empty() {
                    found.push((kind.clone(), object));
                }
            }
        }
        found
    }

    /// Leases of controllers, if they may be listed. Those of nodes are many, and tell nothing here.
    async fn leases(&mut self) -> Result<Option<Vec<Held>>, ClusterError> {
        let elsewhere = "fieldSelector=metadata.namespace%21%3Dkube-node-lease";
        match self.api.pages(&Scope::default(), &Kind::lease(), "", elsewhere).await {
            Ok((leases, _)) => {
                let held = |lease| Held { quiet: self.quiet.of(&lease), lease };
                Ok(Some(leases.into_iter().map(held).collect()))
            }
            Err(ClusterError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes from a deleted object the finalizers that may be taken.
    async fn free(&mut self, kind: &Kind, object: &Object, leases: Option<&[Held]>) -> Stays {
        let mut stays = Stays::default();
        let finalizers = finalizers(object);
        if finalizers.is_empty() || object.at("/metadata/deletionTimestamp").is_none() {
            return stays;
        }
        let quiet = self.quiet.of(object);
        // A change of the object would begin anew the time that others have to be quiet for.
        let (mut keep, mut taken, mut is_missed) = (Vec::new(), Vec::new(), quiet >= MISSED);
        for finalizer in finalizers {
            let fate = fate(kind, object, finalizer, quiet, leases);
            is_missed &= matches!(fate, Fate::Awaited(_));
            match fate {
                Fate::Taken(why) => taken.push(json!({"finalizer": finalizer, "why": why})),
                Fate::Awaited(why) | Fate::Left(why) => {
                    keep.push(finalizer);
                    stays.is_held = true;
                    stays.words.push(format!("is held by the finalizer {finalizer}: {why}"));
                }
            }
        }
        if taken.is_empty() {
            if is_missed {
                self.touch(kind, object, quiet).await;
            }
            return stays;
        }
        // With the version that was looked at: whoever changed it since is not overruled.
        let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": keep}});
        let place = (object.namespace(), object.name());
        match self.api.merge(&Scope::default(), kind, place, "", &patch).await {
            Ok(()) => {
                stays.is_held = true;
                let value = json!({"kind": kind.kind, "object": object.called(), "taken": taken});
                let fact = EventKind::Fact { name: "finalizers_taken".into(), value };
                self.api.sink().write(&Scope::default(), fact);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                // Without the address: what differs in nothing else is said once.
                let why =
                    error.refusal().map_or_else(|| error.to_string(), |refusal| refusal.message.clone());
                stays.words.push(format!(
                    "has finalizers that nobody is there for, and they cannot be taken: {why}"
                ));
            }
        }
        stays
    }

    /// Changes a mark of ours at an object, so that whoever holds it looks at it again.
    async fn touch(&mut self, kind: &Kind, object: &Object, quiet: Duration) {
        if self.untouchable.contains(kind) {
            return;
        }
        let patch = json!({"metadata": {"resourceVersion": object.resource_version(),
            "annotations": {TOUCHED_ANNOTATION: jiff::Timestamp::now().to_string()}}});
        let place = (object.namespace(), object.name());
        let touched = self.api.merge(&Scope::default(), kind, place, "", &patch).await;
        if touched.as_ref().is_err_and(|error| error.refusal().is_some_and(|refusal| refusal.status == 403)) {
            self.untouchable.insert(kind.clone());
        }
        // One that fails otherwise is tried again at the next look.
        if touched.is_ok() {
            let value = json!({"kind": kind.kind, "object": object.called(), "finalizers": finalizers(object),
                "unchanged_s": quiet.as_secs()});
            self.api
                .sink()
                .write(&Scope::default(), EventKind::Fact { name: "held_object_touched".into(), value });
        }
    }
}

/// Reasons that keep one object.
#[derive(Default)]
struct Stays {
    words: Vec<String>,
    /// Somebody may still let go of it, or we just did.
    is_held: bool,
}

fn finalizers(object: &Object) -> Vec<&str> {
    let all = object.at("/metadata/finalizers").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The first of many things, and how many there are more.
fn brief(words: &[String]) -> String {
    let shown = words.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match words.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// Reasons that keep a namespace, by its own words.
fn conditions(namespace: &Object) -> Vec<String> {
    let all = namespace.at("/status/conditions").and_then(Value::as_array);
    let holds = |condition: &&Value| condition.get("status").and_then(Value::as_str) == Some("True");
    let words = |condition: &Value| {
        let text = |key| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{}: {}", text("type"), text("message"))
    };
    all.into_iter().flatten().filter(holds).map(words).collect()
}

#[cfg(test)]
mod tests;
