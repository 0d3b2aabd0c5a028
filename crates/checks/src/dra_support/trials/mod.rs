//! The trials: what is done. What it shows is for the judge.

mod beyond;
mod giving;
mod kinds;
mod selection;

pub use beyond::SHARERS;
pub use kinds::{CHANGED, CHANGED_LABEL};

use super::stage::{Stage, Trial};
use crate::cx::Stop;
use serde_json::{Value, json};

/// Plain pods beside claims.
pub const PLAIN: &str = "plain";
/// The API's kinds.
pub const KINDS: &str = "kinds";
/// Selectors.
pub const SELECT: &str = "select";
/// More claims than devices.
pub const CROWD: &str = "crowd";
/// Devices that are let go of.
pub const FREE: &str = "free";
/// One claim of several pods.
pub const SHARE: &str = "share";
/// Ways of a request in the order of what is preferred.
pub const PREFER: &str = "prefer";
/// Devices with taints.
pub const TAINTS: &str = "taints";

/// What the cluster's API has, as detection found it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Served {
    /// Versions of `resource.k8s.io` that are served.
    pub versions: Vec<String>,
    /// Minor version of the API server, 0 when it does not say.
    pub minor: u64,
    /// Why a request's ways in the order of what is preferred are not tried, if so.
    pub without_ways: Option<String>,
    /// Why taints of devices are not tried, if so.
    pub without_taints: Option<String>,
}

impl Served {
    /// Whether the version that KAR-0051 asks for is served.
    pub fn stable(&self) -> bool {
        self.versions.iter().any(|version| version == super::objects::VERSION)
    }

    /// What the facts of the subject say of it.
    pub fn facts(&self) -> Value {
        let mut facts = json!({"served": self.versions, "minor": self.minor});
        let left_out = [(PREFER, &self.without_ways), (TAINTS, &self.without_taints)];
        for (trial, why) in left_out {
            if let Some(why) = why {
                facts["left_out"][trial] = json!(why);
            }
        }
        facts
    }
}

/// One trial of the subject: its name, and its pods at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: &'static str,
    /// Its pods, those included that show that others are bound while a claim gets nothing.
    pub pods: u32,
}

/// The trials that can be made: plain pods, and then the longest first.
pub fn plans(served: &Served) -> Vec<Plan> {
    let plan = |name, pods| Plan { name, pods };
    let mut plans = vec![plan(PLAIN, 1)];
    if served.stable() {
        plans.extend([plan(SELECT, 10), plan(FREE, 5), plan(CROWD, 10), plan(SHARE, 9)]);
        if served.without_taints.is_none() {
            plans.push(plan(TAINTS, 8));
        }
        if served.without_ways.is_none() {
            plans.push(plan(PREFER, 5));
        }
    }
    plans.push(plan(KINDS, 0));
    plans
}

/// Runs one trial.
pub async fn run(stage: &Stage<'_>, plan: Plan, served: &Served) -> Result<(), Stop> {
    let trial = Trial::new(stage, plan.name, served.stable());
    match plan.name {
        PLAIN => plain(&trial).await?,
        KINDS => kinds::kinds(&trial).await?,
        SELECT => selection::select(&trial).await?,
        CROWD => giving::crowd(&trial).await?,
        FREE => giving::free(&trial).await?,
        SHARE => beyond::share(&trial).await?,
        PREFER => beyond::prefer(&trial).await?,
        _ => beyond::taints(&trial).await?,
    }
    trial.close("trial_ended").await
}

/// A pod that claims nothing: the scheduler is alive.
async fn plain(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.phase("plain", json!({}));
    trial.canary().await
}
