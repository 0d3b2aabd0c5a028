//! How each product expresses a gang.

mod kube_native;
mod kueue;
mod plain;

use super::means::Means;
use super::template::{GANG, ROLE, Template};
use crate::cx::{Cx, Detection, Stop};
use aiconform_cluster::Api;
use aiconform_model::{Change, Kind, Object};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    fn id(&self) -> &'static str;
    /// True for the plain scheduler, which is the control.
    fn control(&self) -> bool {
        false
    }
    /// What it can do, on what detection found.
    fn can(&self, _facts: &Value) -> Vec<Can> {
        Vec::new()
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
    /// Whether it can be tried here.
    fn detect<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>>;
    /// Objects of the whole cluster that one trial needs, such as a queue.
    fn cluster_objects(&self, _capacity: &Capacity, _cx: &Cx) -> Vec<(Kind, Value)> {
        Vec::new()
    }
    /// Objects of the namespace that one trial needs.
    fn objects(&self, _capacity: &Capacity, _cx: &Cx) -> Vec<(Kind, Value)> {
        Vec::new()
    }
    /// The patch that changes the quota of a trial and opens or holds its queue, where there is one of our own.
    fn set_quota(&self, _capacity: &Capacity, _cx: &Cx) -> Option<(Kind, String, Value)> {
        None
    }
    /// A gang.
    fn gang(&self, wanted: &Wanted, template: &Template) -> Gang;
    /// The patch of a gang's object that changes how many members must start together.
    fn resize(&self, _least: u64, _facts: &Value) -> Option<(Kind, Value)> {
        None
    }
    /// One pod that belongs to no gang, through the same queue and scheduler.
    fn single(&self, name: &str, template: &Template) -> (Kind, Value);
}

/// All adapters, the control first.
pub const ADAPTERS: &[&dyn Adapter] = &[
    &plain::Plain,
    &kube_native::KubeNative,
    &kueue::Kueue(kueue::Way::Pods),
    &kueue::Kueue(kueue::Way::Job),
    &kueue::Kueue(kueue::Way::Topology),
];

/// What the evidence says of a gang: the product looked at it and said no.
///
/// A pure reading of one object as it was watched; gives the reason in the product's words.
pub fn refusal(kind: &Kind, object: &Object) -> Option<(String, String)> {
    kube_native::refusal(kind, object).or_else(|| kueue::refusal(kind, object))
}

/// The gang that a queue has taken in, as its object says.
pub fn queued(kind: &Kind, object: &Object) -> Option<String> {
    kueue::queued(kind, object)
}

/// Whether an object shows that a product has a gang in its hands: the gang, and whether what it needs is there.
///
/// A pure reading of one object as it was watched; pods tell it when they come in.
pub fn in_force(subject: &str, kind: &Kind, object: &Object, change: Change) -> Option<(String, bool)> {
    let member = *kind == Kind::pod() && change == Change::Added && object.label(ROLE) == "gang";
    match subject {
        "kube-native" if member => Some((object.label(GANG).to_owned(), kube_native::names_its_gang(object))),
        "kueue/pods" if member => Some((object.label(GANG).to_owned(), kueue::gates(object))),
        "kueue/job" | "kueue/topology" => kueue::takes_job(kind, object).map(|job| (job, true)),
        _ => None,
    }
}
