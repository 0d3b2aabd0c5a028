//! The trials: what is done. What it shows is for the judge.

mod beyond;
mod giving;
mod kinds;
mod selection;

use super::stage::{Stage, Trial};
use crate::find::Served;
use crate::marks::{CROWD, FREE, KINDS, PLAIN, PREFER, SELECT, SHARE, Step, TAINTS};
use aiconform_check::cx::Stop;

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
pub async fn run(stage: &Stage<'_>, plan: Plan) -> Result<(), Stop> {
    let trial = Trial::new(stage, plan.name);
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
    trial.close(Step::TrialEnded {}).await
}

/// A pod that claims nothing: the scheduler is alive.
async fn plain(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.mark(Step::Plain {});
    trial.canary().await
}
