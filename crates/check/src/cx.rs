//! A check, and the context that it is given to run.

use crate::consent::Consent;
use crate::place::FileError;
use crate::profile::Profile;
use crate::turn::Turns;
use aiconform_cluster::{Api, ClusterError, OF_EVERY_RUN, Permission, Session};
use aiconform_model::{EventKind, Kind, Scope};
use aiconform_trial::{InForce, Limit, Marks, marks};
use aiconform_verdict::Judged;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Parts of a cluster that a check touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Namespaces of its own only.
    Namespaces,
    /// Also objects of the whole cluster and node status, journaled and undone.
    Cluster,
    /// Also adds nodes to the cluster, so it begins when the checks that go side by side have ended.
    Nodes,
}

/// Finding whether a subject can be tried on this cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Detection {
    /// It can; with what identifies it.
    Present(serde_json::Value),
    /// It cannot, and why.
    Absent(String),
}

/// Something that a file of the user declares for a check: an adapter, an operator.
pub trait Declared: std::any::Any + Send + Sync {
    /// Id of its subject.
    fn id(&self) -> &str;
    /// Permissions that it needs beside those of the check.
    fn needs(&self) -> Vec<Permission>;
}

/// Contents of the user's files; they live as long as the program.
pub type Files = &'static [Box<dyn Declared>];

/// Reads the text of a file of this name; an error has its place.
pub type ReadFile = fn(&str, &str) -> Result<Box<dyn Declared>, FileError>;

/// A kind of files of the user, and how a check reads them.
#[derive(Clone, Copy)]
pub struct FileKind {
    /// Set if they are given with `--adapter-file`, and not by the profile.
    pub flag: bool,
    /// Reads one.
    pub read: ReadFile,
}

/// Subjects by id, and whether each can be tried.
pub type Detected = Vec<(String, Detection)>;

/// The ground that a check would stand on, asked for without creating anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Sentences on what it would stand on and what that can prove.
    pub ground: Vec<String>,
    /// Objects that the cluster would refuse or change, a sentence for each subject.
    pub hindrances: Vec<String>,
}

/// The code that tests one requirement.
pub struct Check {
    /// Id of the requirement.
    pub id: &'static str,
    /// Name of the programme's test, which its validator maps to the requirement.
    pub test_name: &'static str,
    /// Its claims and how they are judged.
    pub rules: &'static dyn Judged,
    /// Permissions it needs beside those of every run.
    pub needs: &'static [Permission],
    /// Permissions without which it goes another way, which `why` says.
    pub wants: &'static [Permission],
    /// Parts of the cluster that it touches.
    pub reach: Reach,
    /// Objects that it creates, in words, for `plan`.
    pub creates: &'static str,
    /// Names of its adapters, for `--adapter`.
    pub adapters: &'static [&'static str],
    /// Names of the adapters whose products a lab has quickly.
    pub quick: &'static [&'static str],
    /// Contents of the user's files.
    pub files: Files,
    /// The kind of files of the user, where it takes any.
    pub reads: Option<FileKind>,
    /// Names of what a lab must have besides the adapters' products.
    pub parts: &'static [&'static str],
    /// Names of its trials that go further than a MUST needs, for `--trial`.
    pub trials: &'static [&'static str],
    /// Longest time of the whole check, its waits for a turn not counted.
    pub limit: Duration,
    /// Longest times of what it waits for.
    pub limits: &'static [Limit],
    /// Consents for what it does only with them.
    pub consents: &'static [Consent],
    /// Text on what it does and why, for people.
    pub explain: &'static str,
    /// Effects that each breakage of the lab must have on its claims (TOML).
    pub faults: &'static str,
    /// Finds the subjects that the cluster has, by discovery only.
    pub detect: for<'a> fn(&'a Api, Files) -> BoxFuture<'a, Detected>,
    /// Tells the ground that it would stand on, and what the cluster would refuse or change of its objects, asked by
    /// reading and by dry-runs in a namespace that exists.
    pub preview: for<'a> fn(&'a Api, &'a Profile, Files) -> BoxFuture<'a, Preview>,
    /// Acts and marks phases; decides nothing.
    pub run: for<'a> fn(&'a Cx, Files) -> BoxFuture<'a, Result<(), Stop>>,
}

impl Check {
    /// All permissions that a run of it needs.
    pub fn all_needs(&self) -> Vec<Permission> {
        [OF_EVERY_RUN, self.needs].concat()
    }

    /// This check with what files of the user declare beside its own. What it is made of lives as long as the program, as
    /// that of every check does.
    pub fn with(&self, files: Vec<Box<dyn Declared>>) -> &'static Check {
        let files: Files = files.leak();
        let mut adapters = self.adapters.to_vec();
        adapters.extend(files.iter().map(|file| file.id()));
        let mut needs = self.needs.to_vec();
        needs.extend(files.iter().flat_map(|file| file.needs()));
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

/// Extent of a check: how far it goes.
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

/// Choices of the user.
#[derive(Clone, Debug)]
pub struct Options {
    /// Adapters named by the user; empty: all that are found.
    pub adapters: Vec<String>,
    /// Extent of every check.
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
    /// Adapters of a check that the user named; those of other checks say nothing about it.
    pub fn named_of(&self, known: &[&str]) -> Vec<String> {
        self.adapters.iter().filter(|named| known.contains(&named.as_str())).cloned().collect()
    }
}

/// Takes what a check tells while it works.
pub trait Progress: Send + Sync {
    /// A step of a subject began or ended.
    fn tell(&self, scope: &Scope, words: &str);
}

/// Context that a check is given to run.
pub struct Cx {
    /// The run's presence in the cluster.
    pub session: Arc<Session>,
    /// Profile: how the platform wants to be tested.
    pub profile: Profile,
    /// Choices of the user.
    pub options: Options,
    /// For people.
    pub progress: Arc<dyn Progress>,
    /// Turns of the checks that have accelerators.
    pub accelerators: Turns,
}

impl Cx {
    /// Writes an event down.
    pub fn write(&self, scope: &Scope, kind: EventKind) {
        self.session.api().sink().write(scope, kind);
    }

    /// Marks what is done next, before its first request.
    pub fn mark<M: Marks>(&self, scope: &Scope, mark: &M) {
        self.write(scope, marks::event(mark));
    }

    /// A limit, as the profile has it.
    pub fn limit(&self, limit: &Limit) -> InForce {
        self.profile.limit(limit)
    }

    /// Tells whether the user consents.
    pub fn has(&self, consent: Consent) -> bool {
        self.profile.consent.has(consent)
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

/// Name of the refuser, from the API server's sentence: webhooks and policies are named in it between quotes.
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
