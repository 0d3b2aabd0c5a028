//! Finalizers that keep deleted objects of the run: whose they are, and whether they may be taken away.
//!
//! A finalizer is a promise of a controller to clean up first. It is taken only where nobody is left who could keep the
//! promise and where it is about nothing but objects of the API: a load balancer whose Service went without its controller
//! costs money for ever.

use crate::labels::RUN_LABEL;
use aiconform_model::{Kind, Object};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Time in which nothing changed at an object, and its controller did not renew its Lease, after which that controller
/// counts as gone.
pub(crate) const QUIET: Duration = Duration::from_secs(30);
/// Time in which nothing changed at an object whose controller is there, after which that may have missed its moment: some
/// look at an object when it changes and never again (Kueue's Topology, kueue issue 12572), and a change wakes them.
pub(crate) const MISSED: Duration = Duration::from_secs(60);
/// Time like [`QUIET`], for a finalizer that came with its object and of whose controller there is no sign.
pub(crate) const UNSEEN: Duration = Duration::from_secs(180);

/// Finalizers of Kubernetes' own controllers, by their domains; those without a domain are its too.
const KUBERNETES: &[&str] =
    &["", "kubernetes.io", "batch.kubernetes.io", "resource.kubernetes.io", "scheduling.k8s.io"];
/// The Lease of these.
const CONTROLLER_MANAGER: (&str, &str) = ("kube-system", "kube-controller-manager");

/// Time for which each thing has been as it is, by our own clock, since it was first looked at.
#[derive(Default)]
pub(crate) struct Quiet(BTreeMap<String, (String, Instant)>);

impl Quiet {
    /// Time since the first look that found this version of the object.
    pub(crate) fn of(&mut self, object: &Object) -> Duration {
        let (now, version) = (Instant::now(), object.resource_version().to_owned());
        let (seen, since) = self.0.entry(object.uid().to_owned()).or_insert_with(|| (version.clone(), now));
        if *seen != version {
            (*seen, *since) = (version, now);
        }
        now.duration_since(*since)
    }
}

/// A Lease, with the time in which it was not renewed.
pub(crate) struct Held {
    pub(crate) lease: Object,
    pub(crate) quiet: Duration,
}

/// Fate of a finalizer, and the reason for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It may be taken away.
    Taken(String),
    /// It is left to its controller, which is there.
    Awaited(String),
    /// It is left for now: it cannot be told that its controller is gone, or only that can do what it stands for.
    Left(String),
}

/// Decides about a finalizer of a deleted object of the run that has not changed for this time.
pub(crate) fn fate(
    kind: &Kind,
    object: &Object,
    finalizer: &str,
    quiet: Duration,
    leases: Option<&[Held]>,
) -> Fate {
    if stands_outside(kind, object) {
        return Fate::Left(
            "it stands for something outside the API, which only its controller can remove".into(),
        );
    }
    let Some(leases) = leases else {
        return Fate::Left(
            "Leases cannot be listed, so that it cannot be seen whether its controller is gone".into(),
        );
    };
    match controller(kind, object, finalizer, leases) {
        Controller::There(lease) => Fate::Awaited(format!("its controller holds the Lease {lease}")),
        Controller::Gone(lease) if quiet >= QUIET => {
            Fate::Taken(format!("its controller renews the Lease {lease} no more"))
        }
        Controller::Gone(lease) => Fate::Left(format!(
            "its controller renews the Lease {lease} no more, and the object still changes"
        )),
        Controller::Unseen if quiet >= UNSEEN && came_with(object, finalizer) => {
            let time = UNSEEN.as_secs();
            Fate::Taken(format!(
                "it came with the object, no controller of it is seen, and nothing changed for {time} s"
            ))
        }
        Controller::Unseen => Fate::Left("it cannot be seen whether its controller is gone".into()),
    }
}

/// Objects behind which there is something that the API does not hold: an address, a disk, a prepared device.
fn stands_outside(kind: &Kind, object: &Object) -> bool {
    match kind.group.as_str() {
        "" => ["services", "persistentvolumes", "persistentvolumeclaims"].contains(&kind.plural.as_str()),
        "networking.k8s.io" | "storage.k8s.io" => true,
        "resource.k8s.io" if kind.plural == "resourceclaims" => {
            let users = object.at("/status/reservedFor").and_then(Value::as_array);
            object.at("/status/allocation").is_some() || users.is_some_and(|users| !users.is_empty())
        }
        group => group == "gateway.networking.k8s.io" || group.ends_with(".gateway.networking.k8s.io"),
    }
}

/// Signs of the controller whose finalizer it is.
enum Controller {
    /// It renews a Lease, or did so a moment ago.
    There(String),
    /// It renewed a Lease while the object was there, and does so no more.
    Gone(String),
    /// It has no Lease, none that we may read, or one that had expired before the object came.
    Unseen,
}

fn controller(kind: &Kind, object: &Object, finalizer: &str, leases: &[Held]) -> Controller {
    let domain = domain(finalizer);
    let own: Vec<&Held> = leases.iter().filter(|held| is_of(&held.lease, kind, domain)).collect();
    let expires = |lease: &Object| {
        let seconds = lease.at("/spec/leaseDurationSeconds").and_then(Value::as_u64).unwrap_or_default();
        Duration::from_secs(seconds)
    };
    if let Some(held) = own.iter().find(|held| held.quiet < QUIET.max(expires(&held.lease))) {
        return Controller::There(held.lease.called());
    }
    // A Lease that nobody held any more when the object came is not that of who put a finalizer on it.
    let time = |object: &Object, pointer: &str| object.text(pointer).parse::<jiff::Timestamp>().ok();
    let came = time(object, "/metadata/creationTimestamp");
    let last = own.iter().find(|held| {
        let renewed = time(&held.lease, "/spec/renewTime");
        let until = renewed.and_then(|renewed| renewed.checked_add(expires(&held.lease)).ok());
        matches!((until, came), (Some(until), Some(came)) if until >= came)
    });
    last.map_or(Controller::Unseen, |held| Controller::Gone(held.lease.called()))
}

/// The part of a finalizer that says whose it is.
fn domain(finalizer: &str) -> &str {
    match finalizer.split_once('/') {
        Some((domain, _)) => domain,
        None if finalizer.contains('.') => finalizer,
        None => "",
    }
}

/// Tells whether a Lease is that of the controller of a domain: its name holds the domain, or its first label as a word. A
/// finalizer in the group of its own kind goes by that group.
fn is_of(lease: &Object, kind: &Kind, domain: &str) -> bool {
    if KUBERNETES.contains(&domain) {
        return (lease.namespace(), lease.name()) == CONTROLLER_MANAGER;
    }
    let is_own = domain == kind.group || domain.ends_with(&format!(".{}", kind.group));
    let domain = if is_own && !kind.group.is_empty() { &kind.group } else { domain };
    let word = domain.split('.').next().unwrap_or_default();
    lease.name().contains(domain)
        || lease.name().split(|letter: char| !letter.is_ascii_alphanumeric()).any(|part| part == word)
}

/// Tells whether a finalizer came with its object: nobody but who put the run's label on the object has written it since.
fn came_with(object: &Object, finalizer: &str) -> bool {
    let Some(entries) = object.at("/metadata/managedFields").and_then(Value::as_array) else { return false };
    let holds = |entry: &Value, field: &str, key: &str| {
        let fields = entry.pointer("/fieldsV1/f:metadata").and_then(|fields| fields.get(field));
        fields.is_some_and(|fields| fields.get(key).is_some())
    };
    let ours = |entry: &Value| holds(entry, "f:labels", &format!("f:{RUN_LABEL}"));
    let name = |entry: &Value| entry.get("manager").cloned();
    let own: Vec<Option<Value>> = entries.iter().filter(|entry| ours(entry)).map(name).collect();
    let key = format!("v:{}", Value::from(finalizer));
    let writers = entries.iter().filter(|entry| holds(entry, "f:finalizers", &key));
    !own.is_empty() && writers.map(name).all(|writer| own.contains(&writer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WIDGETS: (&str, &str) = ("widgets.example.com", "widgets.example.com/in-use");

    fn widgets() -> Kind {
        Kind::namespaced(WIDGETS.0, "v1", "Widget", "widgets")
    }

    /// A deleted object; the finalizer is written by this manager, or came with it.
    fn widget(finalizer: &str, writer: Option<&str>) -> Object {
        let labels = json!({"f:metadata": {"f:labels": {".": {}, format!("f:{RUN_LABEL}"): {}}}});
        let mut managed = vec![json!({"manager": "unknown", "fieldsV1": labels})];
        if let Some(writer) = writer {
            let key = format!("v:{}", Value::from(finalizer));
            managed.push(
                json!({"manager": writer, "fieldsV1": {"f:metadata": {"f:finalizers": {".": {}, key: {}}}}}),
            );
        }
        Object(json!({"metadata": {"name": "w", "uid": "1", "creationTimestamp": "2026-01-01T10:00:00Z",
            "deletionTimestamp": "2026-01-01T10:05:00Z", "finalizers": [finalizer], "managedFields": managed}}))
    }

    fn lease(namespace: &str, name: &str, renewed: &str, quiet: u64) -> Held {
        let lease = Object(json!({"metadata": {"name": name, "namespace": namespace, "uid": name},
            "spec": {"leaseDurationSeconds": 15, "renewTime": renewed}}));
        Held { lease, quiet: Duration::from_secs(quiet) }
    }

    const DURING: &str = "2026-01-01T10:03:00.000000Z";
    const BEFORE: &str = "2026-01-01T09:00:00.000000Z";

    /// Tells whether the finalizer is removed after this time without a change.
    fn taken(kind: &Kind, object: &Object, seconds: u64, leases: &[Held]) -> bool {
        let finalizer = object.text("/metadata/finalizers/0");
        matches!(fate(kind, object, finalizer, Duration::from_secs(seconds), Some(leases)), Fate::Taken(_))
    }

    #[test]
    fn a_finalizer_goes_when_its_controller_ceased_while_the_object_was_there() {
        let object = widget(WIDGETS.1, Some("widgets"));
        let ceased = [lease("w", "c1f6bfd2.widgets.example.com", DURING, 30)];
        assert!(taken(&widgets(), &object, 30, &ceased));
        assert!(!taken(&widgets(), &object, 29, &ceased), "the object still changes");
        let alive = [lease("w", "c1f6bfd2.widgets.example.com", DURING, 29)];
        assert!(!taken(&widgets(), &object, 900, &alive));
        // One that was over before the object came is another's; so is one of another name.
        let older = [lease("w", "c1f6bfd2.widgets.example.com", BEFORE, 900)];
        assert!(!taken(&widgets(), &object, 900, &older));
        assert!(!taken(&widgets(), &object, 900, &[lease("w", "gadgets", DURING, 900)]));
        assert!(!taken(&widgets(), &object, 900, &[]));
        // Of two, the one that is renewed counts.
        let both = [
            lease("old", "widgets-leader", DURING, 900),
            lease("new", "c1f6bfd2.widgets.example.com", DURING, 0),
        ];
        assert!(!taken(&widgets(), &object, 900, &both));
    }

    #[test]
    fn a_lease_is_known_by_the_domain_or_by_its_first_label_as_a_word() {
        let kinds = [
            (WIDGETS.1, "widgets-operator-leader", true),
            ("finalizer.widgets.example.com", "operator.widgets.example.com", true),
            ("finalizer.widgets.example.com", "finalizer-leader", false),
            (WIDGETS.1, "mywidgets-leader", false),
            ("lab.example.org/never", "widgets-operator-leader", false),
            ("lab.example.org/never", "lab-leader", true),
        ];
        for (finalizer, name, known) in kinds {
            let object = widget(finalizer, Some("manager"));
            let ceased = [lease("w", name, DURING, 60)];
            assert_eq!(taken(&widgets(), &object, 60, &ceased), known, "{finalizer} {name}");
        }
        // Finalizers of Kubernetes itself are those of its controller manager.
        let object = widget("batch.kubernetes.io/job-tracking", Some("kube-controller-manager"));
        assert!(taken(
            &Kind::pod(),
            &object,
            60,
            &[lease(CONTROLLER_MANAGER.0, CONTROLLER_MANAGER.1, DURING, 60)]
        ));
        assert!(!taken(&Kind::pod(), &object, 60, &[lease("team", CONTROLLER_MANAGER.1, DURING, 60)]));
    }

    #[test]
    fn one_that_came_with_its_object_goes_later_where_nobody_is_seen() {
        let never = widget("lab.example.org/never", None);
        let other = [lease("w", "widgets-operator-leader", DURING, 0)];
        assert!(taken(&widgets(), &never, 180, &other));
        assert!(!taken(&widgets(), &never, 179, &other));
        // Whoever wrote it after the object had come may be at work without a Lease.
        assert!(!taken(&widgets(), &widget("lab.example.org/never", Some("widgets")), 900, &other));
        let long = Duration::from_secs(900);
        assert!(matches!(fate(&widgets(), &never, "lab.example.org/never", long, None), Fate::Left(_)));
        let mut unknown = never;
        unknown.0["metadata"]["managedFields"] = json!(null);
        assert!(!taken(&widgets(), &unknown, 900, &other), "who wrote it is not known");
    }

    #[test]
    fn what_stands_for_something_outside_the_api_is_never_taken() {
        let ceased = |domain: &str| {
            [lease("w", domain, DURING, 900), lease(CONTROLLER_MANAGER.0, CONTROLLER_MANAGER.1, DURING, 900)]
        };
        let kinds = [
            (
                Kind::namespaced("", "v1", "Service", "services"),
                "service.kubernetes.io/load-balancer-cleanup",
            ),
            (Kind::namespaced("", "v1", "Service", "services"), "cloud.example.com/address"),
            (
                Kind::namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
                "kubernetes.io/pvc-protection",
            ),
            (
                Kind::cluster_wide("", "v1", "PersistentVolume", "persistentvolumes"),
                "kubernetes.io/pv-protection",
            ),
            (
                Kind::namespaced("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
                "cloud.example.com/address",
            ),
            (
                Kind::namespaced("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
                "cloud.example.com/route",
            ),
            (
                Kind::namespaced("networking.k8s.io", "v1", "Ingress", "ingresses"),
                "cloud.example.com/address",
            ),
        ];
        for (kind, finalizer) in kinds {
            for writer in [None, Some("cloud")] {
                let object = widget(finalizer, writer);
                assert!(!taken(&kind, &object, 9000, &ceased(domain(finalizer))), "{finalizer}");
            }
        }
        let claims = Kind::namespaced("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims");
        let mut claim = widget("resource.kubernetes.io/delete-protection", Some("kube-controller-manager"));
        assert!(taken(&claims, &claim, 60, &ceased("x")));
        claim.0["status"] = json!({"allocation": {"devices": {}}});
        assert!(!taken(&claims, &claim, 9000, &ceased("x")));
        claim.0["status"] = json!({"reservedFor": [{"name": "pod"}]});
        assert!(!taken(&claims, &claim, 9000, &ceased("x")));
    }
}
