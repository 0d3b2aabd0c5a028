//! What a check is, and what it is given to run.

use crate::gang_scheduling::AdapterFile;
use crate::profile::Profile;
use aiconform_cluster::{Api, ClusterError, OF_EVERY_RUN, Permission, Session};
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_verdict::Rules;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What a check touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Namespaces of its own only.
    Namespaces,
    /// Also objects of the whole cluster and node status, journaled and undone.
    Cluster,
    /// Also adds nodes to the cluster, so it begins when the checks that go side by side have ended.
    Nodes,
}

/// Whether a subject can be tried on this cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Detection {
    /// It can; with what identifies it.
    Present(serde_json::Value),
    /// It cannot, and why.
    Absent(String),
}

/// Adapters that were read from files of the user; they live as long as the program.
pub type Files = &'static [AdapterFile];

/// Subjects by id, and whether each can be tried.
pub type Detected = Vec<(String, Detection)>;

/// What a check would stand on, asked without creating anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// What it would stand on and what that can prove, in sentences.
    pub ground: Vec<String>,
    /// What the cluster would refuse or change, a sentence for each subject.
    pub hindrances: Vec<String>,
}

/// The code that tests one requirement.
pub struct Check {
    /// Id of the requirement.
    pub id: &'static str,
    /// Name of the programme's test, which its validator maps to the requirement.
    pub test_name: &'static str,
    /// Its claims and how they are judged.
    pub rules: &'static Rules,
    /// Permissions it needs beside those of every run.
    pub needs: &'static [Permission],
    /// Permissions without which it goes another way, which `why` says.
    pub wants: &'static [Permission],
    /// What it touches.
    pub reach: Reach,
    /// What it creates, in words, for `plan`.
    pub creates: &'static str,
    /// Names of its adapters, for `--adapter`.
    pub adapters: &'static [&'static str],
    /// Adapters that were read from files of the user.
    pub files: Files,
    /// Those of them whose products a lab has quickly.
    pub quick: &'static [&'static str],
    /// Names of what a lab must have besides the adapters' products.
    pub parts: &'static [&'static str],
    /// Names of its trials that go further than a MUST needs, for `--trial`.
    pub trials: &'static [&'static str],
    /// Longest time of a run.
    pub limit: Duration,
    /// What it does and why, for people.
    pub explain: &'static str,
    /// What each breakage of the lab must do to its claims.
    pub faults: &'static str,
    /// Which subjects the cluster has, by discovery only.
    pub detect: for<'a> fn(&'a Api, Files) -> BoxFuture<'a, Detected>,
    /// What it would stand on, and what the cluster would refuse or change of its objects, asked by reading and by
    /// dry-runs in a namespace that exists.
    pub preview: for<'a> fn(&'a Api, &'a Profile, Files) -> BoxFuture<'a, Preview>,
    /// Acts and marks phases; decides nothing.
    pub run: for<'a> fn(&'a Cx, Files) -> BoxFuture<'a, Result<(), Stop>>,
}

impl Check {
    /// All permissions that a run of it needs.
    pub fn all_needs(&self) -> Vec<Permission> {
        [OF_EVERY_RUN, self.needs].concat()
    }

    /// The same check with adapters of files beside its own. What it is made of lives as long as the program, as that of
    /// every check does.
    pub fn with(&self, files: Vec<AdapterFile>) -> &'static Check {
        let files: Files = files.leak();
        let mut adapters = self.adapters.to_vec();
        adapters.extend(files.iter().map(AdapterFile::id));
        let mut needs = self.needs.to_vec();
        needs.extend(files.iter().flat_map(AdapterFile::needs));
        Box::leak(Box::new(Check { adapters: adapters.leak(), needs: needs.leak(), files, ..*self }))
    }
}

/// Why a check stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The cluster could not be used as asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A control does not hold, so nothing else of the subject could be judged.
    #[error("{0}")]
    NoControl(String),
    /// Something on the platform does not allow to go on.
    #[error("{0}")]
    Hindered(String),
}

impl From<aiconform_wait::TooLate> for Stop {
    fn from(error: aiconform_wait::TooLate) -> Stop {
        Stop::Cluster(error.into())
    }
}

/// How far a check goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything that a MUST needs, and what is told beside it on every run.
    #[default]
    Must,
    /// Also what goes further and takes its time.
    All,
    /// Only the trials that are named: for measuring. No verdict comes of it.
    Named,
}

/// Pods of the gang of the trial `scale` when nobody says how many.
pub const GANG_SIZE: u64 = 64;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// Adapters named by the user; empty: all that are found.
    pub adapters: Vec<String>,
    /// How far to go.
    pub level: Level,
    /// Trials beyond that level, by name.
    pub trials: Vec<String>,
    /// Rounds of every repeated trial.
    pub rounds: u32,
    /// Pods of the gang of the trial `scale`.
    pub size: u64,
    /// Seed of every order that is drawn.
    pub seed: u64,
}

impl Options {
    /// Which of a check's adapters the user named; those of other checks say nothing about it.
    pub fn named_of(&self, known: &[&str]) -> Vec<String> {
        self.adapters.iter().filter(|named| known.contains(&named.as_str())).cloned().collect()
    }
}

/// Takes what a check tells while it works.
pub trait Progress: Send + Sync {
    /// A step of a subject began or ended.
    fn tell(&self, scope: &Scope, words: &str);
}

/// What a check is given to run.
pub struct Cx {
    /// The run's presence in the cluster.
    pub session: Arc<Session>,
    /// How the platform wants to be tested.
    pub profile: Profile,
    /// What the user chose.
    pub options: Options,
    /// For people.
    pub progress: Arc<dyn Progress>,
    /// Held by the check that has accelerators: checks go side by side, and what one has the others would lack.
    pub accelerators: tokio::sync::Mutex<()>,
}

impl Cx {
    /// Writes an event down.
    pub fn write(&self, scope: &Scope, kind: EventKind) {
        self.session.api().sink().write(scope, kind);
    }

    /// Name of the PriorityClass of test pods: the profile's, or one of the run's own, which is made. Checks go side by
    /// side, so each has a `suffix` of its own.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn priority_class(&self, scope: &Scope, suffix: &str) -> Result<String, Stop> {
        if let Some(name) = &self.profile.priority_class {
            return Ok(name.clone());
        }
        let name = format!("aiconform-{}{suffix}", self.session.id());
        // Below what cluster-autoscaler scales up for, and never evicting anyone.
        let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": name}, "value": -1000, "preemptionPolicy": "Never",
            "description": "Test pods of aiconform; removed with the run."});
        self.session.create_cluster_wide(scope, &Kind::priority_class(), class).await?;
        Ok(name)
    }

    /// Writes down why a subject (or, with an empty subject, the check) stopped, and who refused what.
    pub fn stopped(&self, scope: &Scope, stop: &Stop) {
        if let Stop::Cluster(error) = stop
            && let Some(refusal) = error.refusal()
        {
            let hindrance = EventKind::Hindrance {
                who: who(&refusal.message),
                what: format!("{} {}", refusal.method, refusal.path),
                why: refusal.message.clone(),
            };
            self.write(scope, hindrance);
        }
        self.write(scope, EventKind::Stopped { why: stop.to_string() });
    }
}

/// Who refused, from the API server's sentence: webhooks and policies are named in it between quotes.
fn who(message: &str) -> String {
    for (before, kind) in [
        ("admission webhook \"", "webhook"),
        ("ValidatingAdmissionPolicy '", "policy"),
        ("MutatingAdmissionPolicy '", "policy"),
    ] {
        if let Some(rest) = message.split(before).nth(1)
            && let Some(name) = rest.split(['"', '\'']).next()
        {
            return format!("{kind} {name}");
        }
    }
    if message.contains("exceeded quota") { "a ResourceQuota".into() } else { "the API server".into() }
}

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn the_policy_or_webhook_that_refused_is_named() {
        assert_eq!(who("admission webhook \"mpod.kb.io\" denied the request: no"), "webhook mpod.kb.io");
        let policy = "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'labels' with binding 'labels' denied request: no";
        assert_eq!(who(policy), "policy labels");
        assert_eq!(who("nodes \"a\" is forbidden: User cannot patch"), "the API server");
    }
}
