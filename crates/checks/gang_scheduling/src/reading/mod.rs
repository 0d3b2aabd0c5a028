//! Readings of a product's objects: pure functions of each as it was watched. Trials wait by them, and the judge goes by
//! them, so that both halves see one thing.

pub mod kube_native;
pub mod kueue;
mod signs;

pub use signs::{Sign, Signs};

use aiconform_model::{Change, Kind, Object};
use aiconform_trial::foreign;
use aiconform_trial::labels::{GANG, ROLE};

/// The way in which objects of one subject are read.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// In the way of the built-in adapters, by the subject's id.
    BuiltIn(String),
    /// By the signs in the subject's facts.
    Signs(Box<Signs>),
}

impl Reading {
    /// The way of a subject, by its signs where it has any.
    pub fn of(subject: &str, signs: Option<&Signs>) -> Reading {
        match signs {
            None => Reading::BuiltIn(subject.into()),
            Some(signs) => Reading::Signs(Box::new(signs.clone())),
        }
    }

    /// The gang that the product looked at and said no to, and the reason in its words.
    pub fn refusal(&self, kind: &Kind, object: &Object) -> Option<(String, String)> {
        match self {
            Reading::BuiltIn(_) => {
                kube_native::refusal(kind, object).or_else(|| kueue::refusal(kind, object))
            }
            Reading::Signs(signs) => signs.refusal(kind, object),
        }
    }

    /// The gang that a queue has taken in.
    pub fn queued(&self, kind: &Kind, object: &Object) -> Option<String> {
        match self {
            Reading::BuiltIn(_) => kueue::queued(kind, object),
            Reading::Signs(signs) => signs.queued(kind, object),
        }
    }

    /// The gang that a product has in its hands as an object shows, and whether what it needs is there. Pods tell it when
    /// they come in.
    pub fn in_force(&self, kind: &Kind, object: &Object, change: Change) -> Option<(String, bool)> {
        let subject = match self {
            Reading::BuiltIn(subject) => subject.as_str(),
            Reading::Signs(signs) => return signs.in_force(kind, object, change),
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

    /// Tells whether the product itself puts this scheduling gate on pods.
    pub fn gates(&self, gate: &str) -> bool {
        match self {
            Reading::BuiltIn(subject) => subject.starts_with("kueue/") && gate.starts_with("kueue.x-k8s.io/"),
            Reading::Signs(signs) => signs.gates(gate),
        }
    }

    /// The first difference of an admitted pod in what the trial stands on.
    pub fn changed(&self, sent: &Object, got: &Object) -> Option<String> {
        foreign::changed(sent, got, |gate| self.gates(gate))
    }
}
