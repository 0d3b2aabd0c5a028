//! How each product expresses a gang.

mod declared;
mod kube_native;
mod kueue;
mod plain;

pub use declared::AdapterFile;

use super::means::Means;
use super::template::{GANG, ROLE, Template};
use crate::cx::{Cx, Detection, Files, Stop};
use aiconform_cluster::Api;
use aiconform_model::{Change, Event, EventKind, Kind, Object};
use declared::Signs;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// What a product can do beside holding gangs; trials that need it are left out where it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Can {
    /// Members are created one by one, so that one can be held back.
    HoldBack,
    /// A quota stands between the gang and the scheduler.
    Quota,
    /// A gang may start with fewer members than it has.
    Elastic,
    /// The least number of members can be changed while the gang waits.
    Resize,
    /// A gang of higher priority takes the place of one of lower priority.
    Preempt,
}

/// A gang to be written.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub size: u64,
    /// How many of them must start together.
    pub least: u64,
}

impl Wanted {
    /// A gang that starts with all its members or not at all.
    pub fn whole(name: &str, size: u64) -> Wanted {
        Wanted { name: name.into(), size, least: size }
    }
}

/// Capacity for one trial, and how much of it a quota allows.
pub struct Capacity<'a> {
    /// Name of the trial, unique in the subject.
    pub trial: &'a str,
    /// Namespace of the gangs.
    pub namespace: &'a str,
    /// What names of objects in it begin with.
    pub prefix: &'a str,
    /// What a slot is.
    pub means: Means,
    /// What slots are made of.
    pub resource: &'a str,
    /// Second private resource, for canaries.
    pub canary: &'a str,
    /// Quota of the first, where there are quotas.
    pub quota: u64,
    /// Whether the queue is held, where there is one of our own.
    pub held: bool,
    /// Whether a gang of higher priority may take the quota of one of lower priority.
    pub preempts: bool,
}

/// A gang as objects, in the order in which they must be created.
pub struct Gang {
    /// What must be there before its members.
    pub group: Vec<(Kind, Value)>,
    /// Its members: pods, or one object that makes them.
    pub members: Vec<(Kind, Value)>,
    /// What the product itself makes for it and must be deleted with it.
    pub derived: Vec<(Kind, String)>,
}

/// How one product expresses a gang.
pub trait Adapter: Send + Sync {
    /// Id of the subject.
    fn id(&self) -> &str;
    /// True for the plain scheduler, which is the control.
    fn control(&self) -> bool {
        false
    }
    /// What it can do, on what detection found.
    fn can(&self, _facts: &Value) -> Vec<Can> {
        Vec::new()
    }
    /// Whether it can be tried where slots are this.
    fn counts(&self, means: Means) -> bool {
        means != Means::Quota
    }
    /// After how long it gives up holding a gang, by its own declaration; `None` when it never does.
    fn timeout(&self) -> Option<Duration> {
        None
    }
    /// Kinds to watch beside pods, on what detection found.
    fn kinds(&self, _facts: &Value) -> Vec<Kind> {
        Vec::new()
    }
    /// Kinds of what is created in the namespace beside pods and what is watched.
    fn creates(&self) -> Vec<Kind> {
        Vec::new()
    }
    /// What in its objects says a thing about a gang, where it stands in a file; it becomes a part of the evidence. For
    /// the others it stands in [`Reading`].
    fn signs(&self) -> Option<&Signs> {
        None
    }
    /// Whether it can be tried here.
    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>>;
    /// Objects of the whole cluster that one trial needs, such as a queue.
    ///
    /// # Errors
    /// When they cannot be written as the adapter's file says.
    fn cluster_objects(&self, _capacity: &Capacity, _cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(Vec::new())
    }
    /// Objects of the namespace that one trial needs.
    ///
    /// # Errors
    /// When they cannot be written as the adapter's file says.
    fn objects(&self, _capacity: &Capacity, _cx: &Cx) -> Result<Vec<(Kind, Value)>, Stop> {
        Ok(Vec::new())
    }
    /// The patch that changes the quota of a trial and opens or holds its queue, where there is one of our own.
    ///
    /// # Errors
    /// When it cannot be written as the adapter's file says.
    fn set_quota(&self, _capacity: &Capacity, _cx: &Cx) -> Result<Option<(Kind, String, Value)>, Stop> {
        Ok(None)
    }
    /// A gang.
    ///
    /// # Errors
    /// When it cannot be written as the adapter's file says.
    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop>;
    /// The patch of a gang's object that changes how many members must start together to what is wanted.
    ///
    /// # Errors
    /// When it cannot be written as the adapter's file says.
    fn resize(&self, _wanted: &Wanted, _template: &Template) -> Result<Option<(Kind, Value)>, Stop> {
        Ok(None)
    }
    /// One pod that belongs to no gang, through the same queue and scheduler.
    ///
    /// # Errors
    /// When it cannot be written as the adapter's file says.
    fn single(&self, name: &str, template: &Template) -> Result<(Kind, Value), Stop>;
}

/// The adapters that are code, the control first.
const BUILT_IN: &[&dyn Adapter] = &[
    &plain::Plain,
    &kube_native::KubeNative,
    &kueue::Kueue(kueue::Way::Pods),
    &kueue::Kueue(kueue::Way::Job),
    &kueue::Kueue(kueue::Way::Topology),
];

/// All adapters, the control first, those of the user's files last.
pub fn adapters(files: Files) -> Vec<&'static dyn Adapter> {
    let stored = declared::shipped().iter().chain(files).map(|file| file as &dyn Adapter);
    BUILT_IN.iter().copied().chain(stored).collect()
}

/// Name of the queue of a trial in its namespace.
fn local_queue_name(prefix: &str, trial: &str) -> String {
    format!("{prefix}queue-{trial}")
}

/// Name of a trial's queue of the whole cluster: unique by run, subject and trial.
fn cluster_queue_name(run: &str, subject: &str, trial: &str) -> String {
    format!("aiconform-{run}-{}-{trial}", subject.replace('/', "-"))
}

/// Under this name the facts of a subject hold the signs of an adapter that stands in a file.
const SIGNS: &str = "signs";

/// The facts of a subject with what the judge needs of its adapter, where that stands in a file.
pub fn with_signs(adapter: &dyn Adapter, mut facts: Value) -> Value {
    if let Some(signs) = adapter.signs() {
        facts[SIGNS] = json!(signs);
    }
    facts
}

/// The large parts of pods and nodes that neither a judge nor a built-in adapter reads. Signs may read anything: where a
/// subject has them, there are none.
pub fn unread(kind: &Kind, facts: &Value) -> &'static [&'static str] {
    match kind.plural.as_str() {
        _ if facts.get(SIGNS).is_some() => &[],
        "pods" => &[
            "/metadata/annotations",
            "/spec/automountServiceAccountToken",
            "/spec/containers/0/imagePullPolicy",
            "/spec/containers/0/securityContext",
            "/spec/containers/0/terminationMessagePath",
            "/spec/containers/0/terminationMessagePolicy",
            "/spec/containers/0/volumeMounts",
            "/spec/dnsPolicy",
            "/spec/enableServiceLinks",
            "/spec/preemptionPolicy",
            "/spec/restartPolicy",
            "/spec/securityContext",
            "/spec/serviceAccount",
            "/spec/serviceAccountName",
            "/spec/tolerations",
            "/spec/volumes",
        ],
        "nodes" => &[
            "/metadata/annotations",
            "/status/addresses",
            "/status/capacity",
            "/status/daemonEndpoints",
            "/status/nodeInfo",
        ],
        _ => &[],
    }
}

/// What of a pod is compared with what was sent when it comes in, and not read again.
pub fn unread_later(facts: &Value) -> &'static [&'static str] {
    if facts.get(SIGNS).is_some() { &[] } else { &["/spec/affinity"] }
}

/// How objects of one subject are read: a pure reading of each as it was watched, from what the evidence says of the
/// subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// In the way of the built-in adapters, by the subject's id.
    BuiltIn(String),
    /// By the signs in the subject's facts.
    Signs(Box<Signs>),
    /// What should be there cannot be read, so that nothing says anything.
    Nothing,
}

impl Reading {
    /// How the objects of a subject with these facts are read.
    pub fn of(subject: &str, facts: &Value) -> Reading {
        match facts.get(SIGNS) {
            None => Reading::BuiltIn(subject.into()),
            Some(signs) => {
                Signs::deserialize(signs).map_or(Reading::Nothing, |signs| Reading::Signs(Box::new(signs)))
            }
        }
    }

    /// The same from the events of one subject.
    pub fn in_events(events: &[&Event]) -> Reading {
        let started = events.iter().find_map(|event| match &event.kind {
            EventKind::SubjectStarted { facts, .. } => Some(Reading::of(&event.scope.subject, facts)),
            _ => None,
        });
        started.unwrap_or(Reading::Nothing)
    }

    /// The product looked at a gang and said no: the gang, and the reason in its words.
    pub fn refusal(&self, kind: &Kind, object: &Object) -> Option<(String, String)> {
        match self {
            Reading::BuiltIn(_) => {
                kube_native::refusal(kind, object).or_else(|| kueue::refusal(kind, object))
            }
            Reading::Signs(signs) => signs.refusal(kind, object),
            Reading::Nothing => None,
        }
    }

    /// The gang that a queue has taken in.
    pub fn queued(&self, kind: &Kind, object: &Object) -> Option<String> {
        match self {
            Reading::BuiltIn(_) => kueue::queued(kind, object),
            Reading::Signs(signs) => signs.queued(kind, object),
            Reading::Nothing => None,
        }
    }

    /// Whether an object shows that a product has a gang in its hands: the gang, and whether what it needs is there.
    /// Pods tell it when they come in.
    pub fn in_force(&self, kind: &Kind, object: &Object, change: Change) -> Option<(String, bool)> {
        let subject = match self {
            Reading::BuiltIn(subject) => subject.as_str(),
            Reading::Signs(signs) => return signs.in_force(kind, object, change),
            Reading::Nothing => return None,
        };
        let member = *kind == Kind::pod() && change == Change::Added && object.label(ROLE) == "gang";
        match subject {
            "kube-native" if member => {
                Some((object.label(GANG).to_owned(), kube_native::names_its_gang(object)))
            }
            "kueue/pods" if member => Some((object.label(GANG).to_owned(), kueue::gates(object))),
            "kueue/job" | "kueue/topology" => kueue::takes_job(kind, object).map(|job| (job, true)),
            _ => None,
        }
    }

    /// Whether the product itself puts this scheduling gate on pods.
    pub fn gates(&self, gate: &str) -> bool {
        match self {
            Reading::BuiltIn(subject) => subject.starts_with("kueue/") && gate.starts_with("kueue.x-k8s.io/"),
            Reading::Signs(signs) => signs.gates(gate),
            Reading::Nothing => false,
        }
    }
}
