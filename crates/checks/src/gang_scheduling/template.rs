//! The pod of every trial of gangs.

use super::devices;
use super::means::Means;
use crate::pod::TestPod;
use crate::profile::Profile;
use serde_json::{Value, json};

pub use crate::pod::{CPU, FAKE, GANG, MEMORY, ROLE, TRIAL};

/// The pod of one trial.
#[derive(Clone)]
pub struct Template {
    /// Id of the run.
    pub run: String,
    /// Name of the trial.
    pub trial: String,
    /// What names of objects begin with in a namespace that is not the run's own.
    pub prefix: String,
    /// Role of pods that are no members: `single` or `canary`.
    pub role: &'static str,
    /// Resource that a pod takes.
    pub resource: String,
    /// How much of it.
    pub amount: u64,
    /// What a slot is.
    pub means: Means,
    /// Nodes on which the resource is; none: any fake node.
    pub nodes: Vec<String>,
    /// Image with the pause program.
    pub image: String,
    /// PriorityClass.
    pub priority_class: String,
    /// Whether the pod really runs, and ends at once with 0 ([`TestPod::runs`]).
    pub runs: bool,
    /// How the platform wants its pods.
    pub profile: Profile,
    /// What detection found of the subject.
    pub facts: Value,
}

impl Template {
    /// An example, as of a trial that there is not.
    pub fn example() -> Template {
        Template {
            run: "run".into(),
            trial: "trial".into(),
            prefix: String::new(),
            role: "single",
            resource: "slots.aiconform.dev/x".into(),
            amount: 1,
            means: Means::Slots,
            nodes: vec!["node-0".into()],
            image: "pause".into(),
            priority_class: "low".into(),
            runs: false,
            profile: Profile::default(),
            facts: Value::Null,
        }
    }

    /// Labels of an object of this trial.
    pub fn labels(&self, role: &str, gang: &str) -> Value {
        json!({TRIAL: self.trial, ROLE: role, GANG: gang})
    }

    /// A member of a gang.
    pub fn member(&self, gang: &str, number: u64) -> Value {
        self.pod(&format!("{gang}-{number}"), "gang", gang)
    }

    /// A pod that belongs to no gang.
    pub fn single(&self, name: &str) -> Value {
        self.pod(name, self.role, name)
    }

    fn pod(&self, name: &str, role: &str, gang: &str) -> Value {
        let pod = TestPod {
            name,
            labels: self.labels(role, gang),
            nodes: &self.nodes,
            image: &self.image,
            priority_class: &self.priority_class,
            resources: self.means.resources(&self.resource, self.amount, role == "canary"),
            runs: self.runs,
            profile: &self.profile,
        };
        let mut pod = pod.object();
        // What is to run cannot have a device that nobody prepares, and a fence is never scheduled.
        if self.means == Means::Devices && !self.runs && role != "fence" {
            let template = devices::template_name(&self.prefix, &self.trial, role == "canary", self.amount);
            devices::claim(&mut pod, &template);
        }
        pod
    }
}
