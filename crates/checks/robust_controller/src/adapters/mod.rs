//! Operators: how each expresses what is asked of it. Data, one file each; a user's own file says the same.

mod file;
#[cfg(test)]
mod tests;

use crate::marks::Plan;
use aiconform_check::cx::Declared;
use aiconform_check::place::FileError;
use aiconform_check::render::{self, Flaw};
use aiconform_cluster::Permission;
use aiconform_model::Kind;
use aiconform_verdict::OWN_CONTROL;
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

/// Verbs for an operator's resource.
pub const WRITTEN: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];
/// Verbs for what an operator makes.
pub const MADE: &[&str] = &["get", "list", "watch", "delete"];
/// Reasons for which each is needed.
pub const WRITTEN_WHY: &str = "an operator's custom resource";
pub const MADE_WHY: &str = "what an operator makes of its resource";

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

/// Names of the values that templates may use.
const VALUES: &[&str] = &["run", "name", "namespace", "image", "node", "pod", "held_pod", "held_job_pod"];

/// An operator, as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    plan: Plan,
    id: String,
    install: String,
    controller: String,
    before: Vec<(Kind, String)>,
    valid: String,
    invalid: String,
    change: Option<String>,
}

impl Declared for Operator {
    fn id(&self) -> &str {
        &self.id
    }

    fn needs(&self) -> Vec<Permission> {
        // Its words live as long as the program, as those of the operators that come with it do.
        let word = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let permission = |kind: &Kind, verbs, why| Permission {
            group: word(&kind.group),
            resource: word(&kind.plural),
            verbs,
            why,
        };
        let before = self.before.iter().map(|(kind, _)| kind);
        let written = before.chain([&self.plan.kind]).map(|kind| permission(kind, WRITTEN, WRITTEN_WHY));
        let made = self.plan.children.iter().map(|kind| permission(kind, MADE, MADE_WHY));
        written.chain(made).collect()
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

    /// The part of its file that the judge needs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Words for people where it is not installed.
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

    /// Its resource with what its webhook must refuse.
    ///
    /// # Errors
    /// When a template does not give what it must.
    pub fn invalid(&self, values: &Value) -> Result<Value, Flaw> {
        let mut object = self.valid(values)?;
        render::merge(&mut object, &render::patch(&self.invalid, values)?);
        Ok(object)
    }

    /// The patch that changes its resource.
    ///
    /// # Errors
    /// When the template does not give what it must.
    pub fn change(&self, values: &Value) -> Result<Option<Value>, Flaw> {
        self.change.as_ref().map(|change| render::patch(change, values)).transpose()
    }
}
