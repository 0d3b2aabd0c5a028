//! The pod of every trial of gangs.

use super::devices;
use super::means::Means;
use crate::limits::WHOLE;
use aiconform_check::pod::TestPod;
use aiconform_check::profile::Profile;
use serde_json::{Value, json};

pub use aiconform_check::pod::{CPU, MEMORY};
pub use aiconform_trial::labels::{FAKE, GANG, ROLE, TRIAL};

/// Seconds after which a node ends a pod that nobody deleted: twice what the whole check may take.
const DEADLINE: u64 = 2 * WHOLE.as_secs();

/// The pod of one trial.
#[derive(Clone)]
pub struct Template {
    /// Id of the run.
    pub run: String,
    /// Name of the trial.
    pub trial: String,
    /// Prefix of objects' names in a namespace that is not the run's own.
    pub prefix: String,
    /// Role of pods that are no members: `single` or `canary`.
    pub role: &'static str,
    /// Resource that a pod takes.
    pub resource: String,
    /// Amount of it.
    pub amount: u64,
    /// Means of which a slot is made.
    pub means: Means,
    /// Nodes on which the resource is; none: any fake node.
    pub nodes: Vec<String>,
    /// Image with the pause program.
    pub image: String,
    /// PriorityClass.
    pub priority_class: String,
    /// Set if the pod really runs, and ends at once with 0 ([`TestPod::runs`]).
    pub runs: bool,
    /// Profile: how the platform wants its pods.
    pub profile: Profile,
    /// Facts of the subject that detection found.
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
            deadline: Some(DEADLINE),
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
