//! Adapters: how each product expresses a gang.

mod declared;
mod kube_native;
mod kueue;
mod plain;

pub use declared::AdapterFile;

use crate::acts::means::Means;
use crate::acts::template::Template;
use crate::reading::Signs;
use aiconform_check::cx::{Cx, Detection, Files, Stop};
use aiconform_cluster::Api;
use aiconform_model::Kind;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::any::Any;
use std::time::Duration;

/// Ability of a product beside holding gangs; trials that need it are left out where it is missing.
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
    /// Number of its members.
    pub size: u64,
    /// Number of them that must start together.
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
    /// Prefix of the names of objects in it.
    pub prefix: &'a str,
    /// Means of which a slot is made.
    pub means: Means,
    /// Resource of which slots are made.
    pub resource: &'a str,
    /// Second private resource, for canaries.
    pub canary: &'a str,
    /// Quota of the first, where there are quotas.
    pub quota: u64,
    /// Set if the queue is held, where there is one of our own.
    pub held: bool,
    /// Set if a gang of higher priority may take the quota of one of lower priority.
    pub preempts: bool,
}

/// A gang as objects, in the order in which they must be created.
pub struct Gang {
    /// Objects that must be there before its members.
    pub group: Vec<(Kind, Value)>,
    /// Its members: pods, or one object that makes them.
    pub members: Vec<(Kind, Value)>,
    /// Objects that the product itself makes for it and that must be deleted with it.
    pub derived: Vec<(Kind, String)>,
}

/// Adapter: how one product expresses a gang.
pub trait Adapter: Send + Sync {
    /// Id of the subject.
    fn id(&self) -> &str;
    /// True for the plain scheduler, which is the control.
    fn control(&self) -> bool {
        false
    }
    /// Abilities that it has, on what detection found.
    fn can(&self, _facts: &Value) -> Vec<Can> {
        Vec::new()
    }
    /// Tells whether it can be tried where slots are this.
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
    /// Signs in its objects that say a thing about a gang, where they stand in a file; they become a part of the evidence. For
    /// the others they stand in [`Reading`](crate::reading::Reading).
    fn signs(&self) -> Option<&Signs> {
        None
    }
    /// Looks whether it can be tried here.
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
    let own = files.iter().filter_map(|file| (file.as_ref() as &dyn Any).downcast_ref::<AdapterFile>());
    let stored = declared::shipped().iter().chain(own).map(|file| file as &dyn Adapter);
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
