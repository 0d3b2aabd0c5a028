//! Operators: how each expresses what is asked of it. Data, one file each; a user's own file says the same.

mod file;
#[cfg(test)]
mod tests;

use crate::path::Path;
use crate::place::FileError;
use crate::render::{self, Flaw};
use aiconform_model::{Kind, Object};
use aiconform_verdict::OWN_CONTROL;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::LazyLock;

const FILES: [(&str, &str); 6] = [
    ("kuberay.toml", include_str!("kuberay.toml")),
    ("kueue.toml", include_str!("kueue.toml")),
    ("jobset.toml", include_str!("jobset.toml")),
    ("lws.toml", include_str!("lws.toml")),
    ("trainer.toml", include_str!("trainer.toml")),
    ("kserve.toml", include_str!("kserve.toml")),
];

/// Ids of the operators that come with the program.
pub const IDS: &[&str] = &[
    "kuberay/raycluster",
    "kueue/clusterqueue",
    "jobset/jobset",
    "lws/leaderworkerset",
    "trainer/trainjob",
    "kserve/inferenceservice",
];

static SHIPPED: LazyLock<Vec<Operator>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(file, text)| file::read(text, file, &[]).expect("a unit test reads what is shipped"))
        .collect()
});

/// Operators that come with the program.
pub fn shipped() -> &'static [Operator] {
    &SHIPPED
}

/// What templates may use.
const VALUES: &[&str] = &["run", "name", "namespace", "image", "pod", "held_pod", "held_job_pod"];

/// An operator, as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// What the judge needs of it.
    plan: Plan,
    id: String,
    install: String,
    controller: String,
    before: Vec<(Kind, String)>,
    valid: String,
    invalid: String,
    change: Option<String>,
}

/// What the judge needs of an operator; it stands in the facts of the subject, so that a stored run is judged without the
/// file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name, for people.
    pub product: String,
    /// Whether we have run it; else nothing is called failed by it.
    pub tried: bool,
    /// Its custom resource.
    pub kind: Kind,
    /// What it makes of one.
    pub children: Vec<Kind>,
    /// That one of them which is deleted, to be made again.
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
    pub fn of(facts: &Value) -> Option<Plan> {
        serde_json::from_value(facts.clone()).ok()
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

impl Operator {
    /// Reads an operator; `file` is for the error. Every template is rendered with examples.
    ///
    /// # Errors
    /// With line and column of what is not TOML, not known, missing, or does not give what it must.
    pub fn read(text: &str, file: &str) -> Result<Operator, FileError> {
        file::read(text, file, IDS)
    }

    /// Id of its subject.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the judge needs of it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What to do where it is not installed.
    pub fn install(&self) -> &str {
        &self.install
    }

    /// Labels of its pods, as a selector; a hint.
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// Facts of its subject.
    pub fn facts(&self) -> Value {
        let mut facts = serde_json::to_value(&self.plan).unwrap_or_default();
        // The Deployment of Kubernetes' own controllers beside its resource.
        facts[OWN_CONTROL] = json!(true);
        facts
    }

    /// Objects that must be there before its resource.
    ///
    /// # Errors
    /// When a template gives none.
    pub fn before(&self, values: &Value) -> Result<Vec<(Kind, Value)>, Flaw> {
        self.before
            .iter()
            .map(|(kind, template)| render::object(template, values, std::slice::from_ref(kind)))
            .collect()
    }

    /// Its resource as it should be.
    ///
    /// # Errors
    /// When the template gives none.
    pub fn valid(&self, values: &Value) -> Result<Value, Flaw> {
        render::object(&self.valid, values, std::slice::from_ref(&self.plan.kind)).map(|(_, object)| object)
    }

    /// The same with what its webhook must refuse.
    ///
    /// # Errors
    /// When a template does not give what it must.
    pub fn invalid(&self, values: &Value) -> Result<Value, Flaw> {
        let mut object = self.valid(values)?;
        render::merge(&mut object, &render::patch(&self.invalid, values)?);
        Ok(object)
    }

    /// What is merged into the resource to change it.
    ///
    /// # Errors
    /// When the template does not give what it must.
    pub fn change(&self, values: &Value) -> Result<Option<Value>, Flaw> {
        self.change.as_ref().map(|change| render::patch(change, values)).transpose()
    }
}
