//! The trials: what is done. What it shows is for the judge.

mod beyond;
mod contention;
mod fragmentation;
mod lone;
mod preemption;
mod scale;

pub use fragmentation::EACH;
pub use scale::spread;

use super::arena::{Arena, Queue};
use super::means::Means;
use super::stage::{Ground, Stage};
use crate::adapters::{Adapter, Can};
use crate::marks::{CONTENDED, SIZE, STUCK, Step};
use aiconform_check::cx::{Cx, Level, Options, Stop};
use aiconform_model::Kind;
use serde_json::Value;
use std::time::Duration;

/// Pods of a large gang: of so many, a scheduler that starts what is nearly whole leaves one out.
pub const LARGE: u64 = 11;
/// Canaries of one trial at most, and so the second resource's capacity.
pub const CANARIES: u64 = 8;
/// Time between two canaries, while something does not start.
const BETWEEN: Duration = Duration::from_secs(8);
/// An ample quota: far above the capacity.
pub const AMPLE: u64 = 100;
/// Shortest time that a gang that cannot fit is watched doing nothing.
const WINDOW: Duration = Duration::from_secs(15);

/// Names of the trials that go further than a MUST needs; repeated ones without the number of their round.
pub const BEYOND: &[&str] = &[
    "past-timeout",
    "placement",
    "fragmentation",
    "preemption",
    "hoarding",
    "member-loss",
    "elastic",
    "resize",
    "namespaces",
    "three",
    "scale",
];

/// Needs of a trial.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The trial.
    pub trial: Trial,
    /// Its name, unique in the subject.
    pub name: String,
    /// Slots that it is about.
    pub slots: u64,
    /// Slots at its start; fewer when they come later.
    pub start: u64,
    /// Quota at its start.
    pub quota: u64,
    /// Pods bound at once at most.
    pub pods: u32,
}

impl Plan {
    /// Numbers of slots that are free on the node, from the start to the end, without what the trial itself binds.
    pub fn steps(&self) -> Vec<u64> {
        let mut steps = vec![self.start];
        match self.trial {
            Trial::NearMiss(size) => steps.push(size),
            Trial::PastTimeout(_) => steps.push(SIZE),
            Trial::Elastic => steps.extend([SIZE - 1, SIZE]),
            Trial::Contention(..) => steps.push(self.slots),
            _ => {}
        }
        steps.dedup();
        steps
    }
}

/// The kinds of trials (the numbers are those of the battery).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// T1: a gang that fits starts and completes.
    Fitting,
    /// T2: nothing starts before all its pods exist.
    Quorum,
    /// T3: a gang of this size that misses slots waits, and starts when they come. T4: the same under an ample quota.
    NearMiss(u64),
    /// T4 over nodes: slots that would be enough together lie on several.
    Fragmentation,
    /// T5: so many gangs want the same slots, in this round.
    Contention(usize, u32),
    /// T6: what a waiting gang cannot use goes to others.
    Hoarding,
    /// T7: the gang goes on waiting when its scheduler's patience is over.
    PastTimeout(Duration),
    /// T8: a gang starts with its least number of members, and not with fewer.
    Elastic,
    /// T9: a gang of higher priority takes the place of another, or evicts nobody.
    Preemption,
    /// T10: a gang that lost a member becomes whole again, or goes.
    MemberLoss,
    /// T11: gangs of one name in two namespaces are two gangs.
    Namespaces,
    /// T12: what is deleted is gone from the scheduler's books too.
    Cleanup,
    /// T13: a waiting gang whose least number of members is changed follows it.
    Resize,
    /// A gang of so many pods over all fake nodes misses a slot, and starts when it comes.
    Scale(u64),
}

/// The trials of a subject that were chosen, the longest first.
pub fn plans(cx: &Cx, ground: &Ground, adapter: &dyn Adapter, facts: &Value) -> Vec<Plan> {
    let options = &cx.options;
    let asked = Asked {
        cx,
        adapter,
        can: adapter.can(facts),
        nodes: 1 + ground.others.len(),
        fakes: ground.fakes.len(),
        means: ground.means,
    };
    let chosen = |plan: &Plan| options.trials.contains(&kind(&plan.name));
    // What measures the platform rather than the gang scheduler is made only by its name.
    let all = |plan: &Plan| options.level == Level::All && !matches!(plan.trial, Trial::Scale(_));
    let mut plans: Vec<Plan> = asked.beyond().into_iter().filter(|plan| all(plan) || chosen(plan)).collect();
    if options.level != Level::Named {
        plans.extend(asked.must());
    }
    plans
}

/// Tells whether the user asked for the trial over all fake nodes.
pub fn wants_fakes(options: &Options) -> bool {
    options.trials.iter().any(|trial| trial == "scale")
}

/// The name of a trial without the number of its round.
fn kind(name: &str) -> String {
    name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches('-').to_owned()
}

fn plan(trial: Trial, name: &str, slots: u64, quota: u64, pods: u64) -> Plan {
    // Beside its pods a trial has canaries, and others of its own.
    let pods = u32::try_from(pods + 3).unwrap_or(u32::MAX);
    Plan { trial, name: name.into(), slots, start: slots, quota, pods }
}

/// Trials that are asked of a subject.
struct Asked<'a> {
    cx: &'a Cx,
    adapter: &'a dyn Adapter,
    can: Vec<Can>,
    /// Nodes that can carry slots.
    nodes: usize,
    /// Means of which a slot is made.
    means: Means,
    /// Fake nodes that a trial may take.
    fakes: usize,
}

impl Asked<'_> {
    /// Trials that a MUST needs, and the rounds of two gangs.
    fn must(&self) -> Vec<Plan> {
        let miss = |name: &str, size: u64, slots: u64| plan(Trial::NearMiss(size), name, slots, slots, size);
        let mut plans = vec![miss("near-miss", SIZE, SIZE - 1)];
        if !self.adapter.control() {
            plans.extend([
                miss("near-miss-large", LARGE, LARGE - 1),
                miss("near-miss-half", SIZE, SIZE / 2),
                plan(Trial::Cleanup, "cleanup", SIZE, SIZE, SIZE),
            ]);
            if self.can.contains(&Can::HoldBack) {
                plans.push(plan(Trial::Quorum, "quorum", 2 * SIZE, 2 * SIZE, SIZE));
            }
            plans.push(plan(Trial::Fitting, "fitting", SIZE, SIZE, SIZE));
        }
        plans.extend(self.rounds("round", 2, CONTENDED));
        if self.over_quota() {
            plans.extend(self.rounds("ample", 2, AMPLE));
        }
        plans
    }

    /// Trials that go further.
    fn beyond(&self) -> Vec<Plan> {
        let profile = &self.cx.profile;
        if self.adapter.control() {
            return Vec::new();
        }
        let mut plans = Vec::new();
        if let Some(timeout) = self.adapter.timeout() {
            plans.push(plan(Trial::PastTimeout(timeout), "past-timeout", SIZE - 1, SIZE - 1, SIZE));
        }
        if self.over_quota() {
            plans.push(plan(Trial::NearMiss(SIZE), "placement", SIZE - 1, AMPLE, SIZE));
        }
        // CPU and devices are one node's, and nobody may be evicted who holds the rest of it.
        let private = self.means.are_private();
        if private && self.nodes > 2 {
            let slots = fragmentation::PAIR * EACH;
            let plan = plan(Trial::Fragmentation, "fragmentation", slots, slots, fragmentation::PAIR);
            plans.push(Plan { start: EACH, ..plan });
        }
        // A priority between the profile's class and others is not known.
        if private && self.can.contains(&Can::Preempt) && profile.priority_class.is_none() {
            plans.push(plan(Trial::Preemption, "preemption", SIZE, SIZE, 2 * SIZE));
        }
        plans.push(plan(Trial::Hoarding, "hoarding", SIZE - 1, SIZE - 1, SIZE));
        plans.push(plan(Trial::MemberLoss, "member-loss", SIZE, SIZE, SIZE + 2));
        if self.can.contains(&Can::Elastic) {
            plans.push(plan(Trial::Elastic, "elastic", 1, SIZE, SIZE));
        }
        if self.can.contains(&Can::Resize) {
            plans.push(plan(Trial::Resize, "resize", SIZE - 1, SIZE, SIZE));
        }
        if self.can.contains(&Can::HoldBack) && profile.namespace.is_none() {
            plans.push(plan(Trial::Namespaces, "namespaces", 2 * SIZE, 2 * SIZE, SIZE));
        }
        plans.extend(self.rounds("three", 3, CONTENDED));
        if private && self.fakes > 0 {
            // Its pods are on no real node, but for canaries.
            let size = self.cx.options.size;
            plans.push(plan(Trial::Scale(size), "scale", size - 1, size - 1, 0));
        }
        plans
    }

    /// Rounds of so many gangs on room for one and a half.
    fn rounds(&self, name: &str, gangs: usize, quota: u64) -> impl Iterator<Item = Plan> {
        let slots = CONTENDED;
        let can_be_held = self.means.can_be_held();
        (0..self.cx.options.rounds).map(move |round| {
            let name = format!("{name}-{round}");
            let plan = plan(Trial::Contention(gangs, round), &name, slots, quota, slots);
            // In every second round the slots come when all gangs wait for them already.
            Plan { start: if can_be_held && round % 2 == 1 { 0 } else { slots }, ..plan }
        })
    }

    /// Tells whether there can be a quota above the hardware. One of the platform's own cannot be set: one mode is all there
    /// is.
    fn over_quota(&self) -> bool {
        self.can.contains(&Can::Quota)
            && self.means != Means::Quota
            && self.cx.profile.gang_scheduling.cluster_queue.is_none()
    }
}

/// Runs one trial.
pub async fn run(stage: &Stage<'_>, plan: &Plan) -> Result<(), Stop> {
    let queue = Queue {
        quota: plan.quota,
        held: matches!(plan.trial, Trial::Contention(..)),
        preempts: plan.trial == Trial::Preemption,
    };
    let arena = Arena::open(stage, &plan.name, &queue, plan.steps()).await?;
    let tried = tried(&arena, plan).await;
    let closed = arena.close().await;
    tried?;
    closed?;
    arena.mark(Step::TrialEnded {});
    Ok(())
}

async fn tried(arena: &Arena<'_>, plan: &Plan) -> Result<(), Stop> {
    match plan.trial {
        Trial::Fitting => lone::fitting(arena).await?,
        Trial::Quorum => lone::quorum(arena).await?,
        Trial::NearMiss(size) => lone::near_miss(arena, plan, size, WINDOW).await?,
        Trial::PastTimeout(timeout) => lone::near_miss(arena, plan, SIZE, timeout + timeout / 5).await?,
        Trial::Cleanup => lone::cleanup(arena).await?,
        Trial::Contention(gangs, round) => contention::contention(arena, plan, gangs, round).await?,
        Trial::Hoarding => beyond::hoarding(arena).await?,
        Trial::Elastic => beyond::elastic(arena).await?,
        Trial::Resize => beyond::resize(arena).await?,
        Trial::Namespaces => beyond::namespaces(arena).await?,
        Trial::MemberLoss => beyond::member_loss(arena).await?,
        Trial::Fragmentation => fragmentation::fragmentation(arena, plan.slots).await?,
        Trial::Preemption => preemption::preemption(arena).await?,
        Trial::Scale(size) => scale::scale(arena, size).await?,
    }
    Ok(())
}

/// Starts canaries one after another while something does not start: slow is not stuck. Ends early when it starts.
async fn passed_over(arena: &Arena<'_>, gangs: &[&str], wanted: u64) -> Result<Vec<(Kind, Value)>, Stop> {
    let mut canaries = Vec::new();
    for _ in 0..STUCK {
        canaries.push(arena.canary().await?);
        if arena.bound(gangs, wanted, BETWEEN, "what did not start to start after all").await.is_ok() {
            break;
        }
    }
    Ok(canaries)
}

fn names(objects: &[(Kind, Value)]) -> Vec<&str> {
    objects.iter().map(|(_, object)| object["metadata"]["name"].as_str().unwrap_or_default()).collect()
}
