//! The contract between what is done with an operator and what is judged of it.

use aiconform_model::{Kind, Object};
use aiconform_trial::Marks;
use aiconform_trial::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Id of the requirement.
pub const ID: &str = "robust_controller";

/// A mark of this check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The operator's definition, webhooks and pods are looked for.
    Look {},
    /// They were looked for, at the beginning.
    Found {
        /// The last findings; nothing where they could not be read.
        found: Option<Found>,
        /// Milliseconds until its pods were ready, where they were not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited: Option<u64>,
    },
    /// A Deployment is made, of which Kubernetes' own controllers are to make a ReplicaSet.
    Plain {
        /// Its name.
        name: String,
    },
    /// The wait for that ReplicaSet is over.
    PlainEnded {},
    /// The resource as it should be is asked for, without creating it.
    AskValid {},
    /// The resource as its webhook must refuse it is asked for, without creating it.
    AskInvalid {},
    /// Nothing more is asked.
    Asked {},
    /// The resource is created.
    Create {
        /// Its name.
        name: String,
    },
    /// It could not be created, or its kind is not there any more.
    Refused {},
    /// The wait for its children and its status is over.
    Reconciled(Closed),
    /// A child of it is deleted, to be made again.
    DeleteChild(Deleted),
    /// The wait for another one is over.
    MadeAgain(Closed),
    /// The resource is changed.
    Change {
        /// Its generation before that.
        generation: Option<u64>,
    },
    /// The wait for the change to show is over.
    Changed(Closed),
    /// The resource is deleted.
    Delete {},
    /// The wait for it to go, and all that it owns, is over.
    Gone(Closed),
    /// The operator's definition, webhooks and pods were looked for again, at the end.
    FoundAgain {
        /// The last findings; nothing where they could not be read.
        found: Option<Found>,
        /// Milliseconds until its pods were ready, where they were not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited: Option<u64>,
    },
}

impl Marks for Mark {}

/// A child that was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deleted {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// Lists at the end of a wait, to be set beside what was watched: a watch that lags behind is not an operator that does
/// nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// True if the resource is there.
    pub there: bool,
    /// Its children that are there.
    pub children: Vec<Listed>,
    /// Warnings in its Events, which say who refused what the operator wanted to make; nothing where they could not be
    /// read.
    pub said: Option<Vec<String>>,
}

impl Closed {
    /// Children of a kind that were listed; of all kinds where none is named.
    pub fn lists(&self, kind: Option<&Kind>) -> bool {
        self.children.iter().any(|child| kind.is_none_or(|kind| child.kind == kind.kind))
    }
}

/// A child that was listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The definition of a custom resource, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// True if its condition `Established` is true.
    pub established: bool,
    /// Versions that are served.
    pub served: Vec<String>,
    /// Words of its conditions that are not true.
    pub says: String,
}

/// A webhook that is called when the resource is created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its configuration.
    pub configuration: String,
    /// Its name, which a denial begins with.
    pub name: String,
    /// `Fail` or `Ignore`.
    pub failure_policy: String,
    /// Namespace and name of the Service that is called, or the address.
    pub service: String,
    /// Ready endpoints of that Service.
    pub endpoints: u64,
    /// True if pods behind it carry the labels of the operator's file.
    #[serde(default)]
    pub hinted: bool,
    /// True if its configuration is about the resource's group alone.
    #[serde(default)]
    pub exclusive: bool,
}

/// A pod of the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pod {
    /// Namespace and name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// True if its condition `Ready` is true.
    pub ready: bool,
    /// Number of times that its containers were started again.
    pub restarts: u64,
    /// Reasons for which its containers wait or have ended, else its phase.
    pub says: String,
}

/// An operator as it was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The definition, or nothing where it could not be read.
    pub definition: Option<Definition>,
    /// Its webhooks.
    pub webhooks: Vec<Webhook>,
    /// Its pods.
    pub pods: Vec<Pod>,
    /// The way in which the pods were found, in words.
    pub by: String,
    /// True if any pod carries the labels of the operator's file.
    #[serde(default)]
    pub labelled: bool,
}

impl Found {
    /// The webhooks whose denial is the operator's. Others may ask to be called for the resource too, under the same name
    /// even, as Kueue does for RayClusters: where pods behind some carry the labels of the operator's file, it is those;
    /// else those whose configuration is about nothing else.
    pub fn own(&self) -> Vec<&Webhook> {
        let those = |pick: fn(&Webhook) -> bool| -> Vec<&Webhook> {
            self.webhooks.iter().filter(|webhook| pick(webhook)).collect()
        };
        let hinted = those(|webhook| webhook.hinted);
        if !hinted.is_empty() {
            return hinted;
        }
        if self.labelled {
            // Pods that are the operator's, and no webhook that leads to them: what leads to other pods is someone else's.
            // One that leads nowhere may be its own whose pods are not there.
            return those(|webhook| webhook.exclusive && webhook.endpoints == 0);
        }
        let exclusive = those(|webhook| webhook.exclusive);
        if exclusive.is_empty() { those(|_| true) } else { exclusive }
    }

    /// Tells whether a webhook that is not the operator's goes by this name.
    pub fn is_shared(&self, name: &str) -> bool {
        let own = self.own();
        self.webhooks.iter().any(|webhook| webhook.name == name && !own.contains(&webhook))
    }
}

/// Part of an operator's file that its judge needs: the facts of the subject, so that a stored run is judged without
/// the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name, for people.
    pub product: String,
    /// True if we have run it; else nothing is called failed by it.
    pub tried: bool,
    /// Its custom resource.
    pub kind: Kind,
    /// Kinds of the objects that it makes of one.
    pub children: Vec<Kind>,
    /// One of these kinds, whose object is deleted, to be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Kind>,
    /// Words of its webhook's denial, by which it is told from that of another webhook of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<String>,
    /// Found in the resource once it is reconciled.
    pub reconciled: Path,
    /// Where the resource says which generation was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Path>,
    /// Found in the resource once the change is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Path>,
}

impl Plan {
    /// The plan in the facts of a subject.
    ///
    /// # Errors
    /// Why it does not stand there.
    pub fn of(facts: &Value) -> Result<Plan, serde_json::Error> {
        Plan::deserialize(facts)
    }

    /// Why a resource does not show yet what `shows` finds in it, and that of its last generation.
    pub fn lacks(&self, object: &Object, shows: &Path) -> Option<String> {
        let generation = object.at("/metadata/generation").map(Value::to_string).unwrap_or_default();
        if let Some(path) = &self.observed {
            let observed = path.find(object).unwrap_or_else(|| "none".into());
            if observed != generation {
                return Some(format!("its generation is {generation}, its status is about {observed}"));
            }
        }
        if shows.find(object).is_some() {
            return None;
        }
        let status = object.at("/status").map_or_else(|| "absent".into(), Value::to_string);
        Some(format!("its status is {}", status.chars().take(400).collect::<String>()))
    }
}

/// Tells whether an object belongs to the owner with this UID.
pub fn is_of(object: &Object, owner: &str) -> bool {
    let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|one| one.get("uid").and_then(Value::as_str) == Some(owner))
}
