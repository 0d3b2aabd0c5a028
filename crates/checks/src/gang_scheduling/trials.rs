//! The trials: what is done. What it shows is for the judge.

use super::adapters::Gang;
use super::stage::{Arena, BIND, RELEASE, Stage};
use crate::cx::Stop;
use aiconform_model::{Bin, Kind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Pods of a gang.
pub const SIZE: u64 = 4;
/// Canaries of one trial at most, and so the second resource's capacity.
pub const CANARIES: u64 = 8;
/// Canaries that must be bound one after another before something that does not start is called stuck, not slow.
pub const STUCK: usize = 3;
/// Time between two of them.
const BETWEEN: Duration = Duration::from_secs(8);
/// An ample quota: far above the capacity.
pub const AMPLE: u64 = 100;
/// Shortest time that a gang that cannot fit is watched doing nothing.
const WINDOW: Duration = Duration::from_secs(15);

/// What a trial needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which trial.
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

/// The kinds of trials (the numbers are those of the battery).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// T1: a gang that fits starts and completes.
    Fitting,
    /// T2: nothing starts before all its pods exist.
    Quorum,
    /// T3: a gang that misses one slot waits, and starts when the slot comes.
    NearMiss,
    /// T12: what is deleted is gone from the scheduler's books too.
    Cleanup,
    /// T5: two gangs want the same slots.
    Contention(u32),
}

/// The trials of a subject, the longest first.
pub fn plans(stage: &Stage, rounds: u32) -> Vec<Plan> {
    let plan = |trial, name: &str, slots: u64, quota: u64| Plan {
        trial,
        name: name.into(),
        slots,
        start: slots,
        quota,
        pods: u32::try_from(slots + 3).unwrap_or(u32::MAX),
    };
    let control = stage.adapter.control();
    let mut plans = vec![plan(Trial::NearMiss, "near-miss", SIZE - 1, SIZE - 1)];
    if !control {
        plans.push(plan(Trial::Cleanup, "cleanup", SIZE, SIZE));
        plans.push(plan(Trial::Quorum, "quorum", 2 * SIZE, 2 * SIZE));
        plans.push(plan(Trial::Fitting, "fitting", SIZE, SIZE));
    }
    let slots = 2 * SIZE - 2;
    // A quota of the platform's own cannot be set; one mode is all there is.
    let own_quota = stage.cx.profile.gang_scheduling.cluster_queue.is_none();
    let mut contention = |name: &str, quota| {
        for round in 0..rounds {
            // In every second round the slots come when both gangs wait for them already.
            let start = if round % 2 == 1 { 0 } else { slots };
            let name = format!("{name}-{round}");
            plans.push(Plan { start, ..plan(Trial::Contention(round), &name, slots, quota) });
        }
    };
    contention("round", slots);
    if stage.adapter.quota() && own_quota {
        contention("ample", AMPLE);
    }
    plans
}

/// Runs one trial.
pub async fn run(stage: &Stage<'_>, plan: &Plan) -> Result<(), Stop> {
    let contends = matches!(plan.trial, Trial::Contention(_));
    let arena = Arena::open(stage, &plan.name, plan.quota, contends).await?;
    match plan.trial {
        Trial::Fitting => fitting(&arena).await?,
        Trial::Quorum => quorum(&arena).await?,
        Trial::NearMiss => near_miss(&arena).await?,
        Trial::Cleanup => cleanup(&arena).await?,
        Trial::Contention(round) => contention(&arena, round, plan).await?,
    }
    arena.phase("trial_ended", json!({}));
    Ok(())
}

fn gang(arena: &Arena, suffix: &str) -> (String, Gang) {
    let name = arena.name(suffix);
    let gang = arena.stage.adapter.gang(&name, SIZE, &arena.template());
    (name, gang)
}

async fn fitting(arena: &Arena<'_>) -> Result<(), Stop> {
    let name = arena.name("gang");
    let mut template = arena.template();
    template.runs = true;
    let gang = arena.stage.adapter.gang(&name, SIZE, &template);
    arena.phase("gang", json!({"gang": name, "size": SIZE, "slots": SIZE}));
    arena.create_gang(&gang).await?;
    let look = || match arena.count(&[&name]) {
        (_, _, succeeded) if succeeded >= SIZE => Ok(()),
        (bound, there, succeeded) => {
            Err(format!("{there} pods exist, {bound} are bound, {succeeded} have completed"))
        }
    };
    let condition = format!("{}: the gang to run and complete", arena.trial);
    let met = arena.stage.scratch.until(condition, Bin::Platform, RELEASE, look).await;
    let canaries = if met.is_err() { passed_over(arena, &[&name], SIZE).await? } else { Vec::new() };
    arena.stage.fence().await?;
    arena.phase("gang_ended", json!({}));
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

async fn quorum(arena: &Arena<'_>) -> Result<(), Stop> {
    let (name, mut gang) = gang(arena, "gang");
    if gang.members.len() < 2 {
        // One object makes all the pods at once: there is nothing to hold back.
        return Ok(());
    }
    arena.phase("short", json!({"gang": name, "size": SIZE, "created": SIZE - 1, "slots": 2 * SIZE}));
    arena.create(&gang.group).await?;
    let last = gang.members.split_off(gang.members.len() - 1);
    arena.create(&gang.members).await?;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that lacks a pod is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.phase("short_closed", json!({}));
    arena.phase("whole", json!({"gang": name}));
    arena.create(&last).await?;
    gang.members.extend(last);
    if arena.bound(&[&name], SIZE, RELEASE, "the gang to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], SIZE).await?);
    }
    arena.stage.fence().await?;
    arena.phase("whole_ended", json!({}));
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

async fn near_miss(arena: &Arena<'_>) -> Result<(), Stop> {
    let slots = SIZE - 1;
    arena.phase("control_arm", json!({"count": slots}));
    let singles = arena.singles("control", slots).await?;
    let names = names(&singles);
    let latency = arena.bound(&names, slots, BIND, "pods of no gang to be bound").await;
    arena.stage.fence().await?;
    arena.phase("control_arm_ended", json!({}));
    let latency = latency.map_err(|late| Stop::NoControl(late.to_string()))?;
    arena.remove(&singles, &[]).await?;

    let (name, gang) = gang(arena, "gang");
    arena.phase("gang", json!({"gang": name, "size": SIZE, "slots": slots}));
    arena.create_gang(&gang).await?;
    arena.dwell("as long as a pod of no gang took", latency).await;
    let mut canaries = vec![arena.canary().await?];
    // No word, or a bound member, is for the judge.
    if arena.stage.adapter.control() {
        let _ = arena.bound(&[&name], slots, BIND, "all slots to be taken").await;
    } else {
        let _ = arena.refusal(&name).await;
        arena.dwell("a gang that misses a slot is watched", WINDOW.max(latency * 5)).await;
    }
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.phase("gang_window_closed", json!({}));

    arena.phase("release", json!({"gang": name, "slots": SIZE}));
    arena.set_slots(SIZE).await?;
    if arena.bound(&[&name], SIZE, RELEASE, "the same pods to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], SIZE).await?);
    }
    arena.stage.fence().await?;
    arena.phase("release_ended", json!({}));
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

async fn cleanup(arena: &Arena<'_>) -> Result<(), Stop> {
    let filler = arena.singles("filler", 1).await?;
    let _ = arena.bound(&names(&filler), 1, BIND, "the filler to be bound").await;
    let (name, waiting) = gang(arena, "gang");
    arena.phase("waiting", json!({"gang": name, "size": SIZE, "slots": SIZE - 1}));
    arena.create_gang(&waiting).await?;
    let _ = arena.refusal(&name).await;
    arena.phase("deleted_while_waiting", json!({"gang": name}));
    arena.remove_gang(&waiting).await?;
    arena.remove(&filler, &[]).await?;

    let mut canaries = Vec::new();
    for attempt in 0..3_u32 {
        arena.phase("again", json!({"gang": name, "size": SIZE, "slots": SIZE, "attempt": attempt}));
        arena.create_gang(&waiting).await?;
        let bound = arena.bound(&[&name], SIZE, BIND, "the gang of the same name to be bound").await;
        if bound.is_err() {
            canaries.extend(passed_over(arena, &[&name], SIZE).await?);
        }
        arena.stage.fence().await?;
        arena.phase("again_ended", json!({"attempt": attempt}));
        arena.remove_gang(&waiting).await?;
        if bound.is_err() {
            break;
        }
    }
    arena.phase("leak_check", json!({"count": SIZE}));
    let singles = arena.singles("leak", SIZE).await?;
    if arena.bound(&names(&singles), SIZE, BIND, "pods of no gang to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &names(&singles), SIZE).await?);
    }
    arena.stage.fence().await?;
    arena.phase("leak_check_ended", json!({}));
    arena.remove(&singles, &[]).await?;
    arena.remove(&canaries, &[]).await
}

async fn contention(arena: &Arena<'_>, round: u32, plan: &Plan) -> Result<(), Stop> {
    let gangs = [gang(arena, "a"), gang(arena, "b")];
    let order = order(arena.stage.cx.options.seed, round, gangs.iter().map(|(_, gang)| gang.members.len()));
    let letters: String = order.iter().map(|(gang, _)| if *gang == 0 { 'a' } else { 'b' }).collect();
    arena.phase(
        "contend",
        json!({"gangs": [gangs[0].0, gangs[1].0], "size": SIZE, "slots": plan.slots, "quota": plan.quota,
            "round": round, "order": letters, "late": plan.start < plan.slots,
            "rounds": arena.stage.cx.options.rounds}),
    );
    for (_, gang) in &gangs {
        arena.create(&gang.group).await?;
    }
    for (gang, member) in &order {
        arena.create(std::slice::from_ref(&gangs[*gang].1.members[*member])).await?;
    }
    // Two gangs contend when both are there: a queue is held until it has taken both in.
    let _ = arena.queued(&[&gangs[0].0, &gangs[1].0]).await;
    arena.phase("queue_opens", json!({}));
    arena.open_queue(plan.quota).await?;
    if plan.start < plan.slots {
        let _ = both_wait(arena, &gangs).await;
        arena.phase("slots_come", json!({"slots": plan.slots}));
        arena.set_node_slots(plan.slots).await?;
    }
    let _ = settled(arena, &gangs, plan.slots).await;
    arena.dwell("the settled round is watched", Duration::from_secs(4)).await;
    arena.stage.fence().await?;
    arena.phase("settled", json!({}));

    let bound = [arena.count(&[&gangs[0].0]).0, arena.count(&[&gangs[1].0]).0];
    let winner = match bound {
        [SIZE, 0] => Some(0),
        [0, SIZE] => Some(1),
        _ => None,
    };
    let mut canaries = Vec::new();
    if let Some(winner) = winner {
        let loser = &gangs[1 - winner];
        arena.phase("release", json!({"winner": gangs[winner].0, "loser": loser.0}));
        arena.remove_gang(&gangs[winner].1).await?;
        if arena.bound(&[&loser.0], SIZE, RELEASE, "the loser to be bound").await.is_err() {
            canaries.extend(passed_over(arena, &[&loser.0], SIZE).await?);
        }
        arena.stage.fence().await?;
        arena.phase("release_ended", json!({}));
        arena.remove_gang(&loser.1).await?;
    } else {
        for (_, gang) in &gangs {
            arena.remove_gang(gang).await?;
        }
    }
    arena.remove(&canaries, &[]).await
}

/// Waits until both gangs wait: refused as gangs, or every pod refused.
async fn both_wait(arena: &Arena<'_>, gangs: &[(String, Gang); 2]) -> Result<(), aiconform_wait::TooLate> {
    let look = || {
        let waiting: Vec<bool> = gangs
            .iter()
            .map(|(name, _)| arena.refused(name).is_some() || arena.refused_pods(name) >= SIZE)
            .collect();
        if waiting.iter().all(|waits| *waits) { Ok(()) } else { Err(format!("waiting: {waiting:?}")) }
    };
    let condition = format!("{}: two gangs to wait for slots", arena.trial);
    arena.stage.scratch.until(condition, Bin::Platform, BIND, look).await.map(drop)
}

/// Waits until one gang is bound whole and the other is refused or gated, or all slots are taken.
async fn settled(
    arena: &Arena<'_>,
    gangs: &[(String, Gang); 2],
    slots: u64,
) -> Result<(), aiconform_wait::TooLate> {
    let look = || {
        let bound = [arena.count(&[&gangs[0].0]).0, arena.count(&[&gangs[1].0]).0];
        let refused = |gang: usize| arena.refused(&gangs[gang].0).is_some();
        match bound {
            [SIZE, 0] if refused(1) => Ok(()),
            [0, SIZE] if refused(0) => Ok(()),
            [a, b] if a + b >= slots => Ok(()),
            [a, b] => Err(format!("{a} and {b} pods bound on {slots} slots")),
        }
    };
    let condition = format!("{}: two gangs to settle", arena.trial);
    arena.stage.scratch.until(condition, Bin::Platform, BIND, look).await.map(drop)
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

/// The order in which the members of two gangs are created: drawn from the seed and the round (Fisher-Yates), each
/// gang's own members in their order.
fn order(seed: u64, round: u32, sizes: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut turns: Vec<usize> =
        sizes.enumerate().flat_map(|(gang, size)| std::iter::repeat_n(gang, size)).collect();
    let digest = Sha256::digest(format!("{seed}/{round}"));
    for (last, byte) in (1..turns.len()).rev().zip(digest.iter()) {
        turns.swap(last, usize::from(*byte) % (last + 1));
    }
    let mut next = [0, 0];
    turns
        .into_iter()
        .map(|gang| {
            next[gang] += 1;
            (gang, next[gang] - 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn an_order_holds_every_member_once_and_repeats_with_its_seed() {
        for round in 0..50 {
            let drawn = order(7, round, [4, 4].into_iter());
            assert_eq!(drawn, order(7, round, [4, 4].into_iter()));
            for gang in 0..2 {
                let members: Vec<usize> =
                    drawn.iter().filter(|turn| turn.0 == gang).map(|turn| turn.1).collect();
                assert_eq!(members, [0, 1, 2, 3]);
            }
        }
        assert_ne!(order(7, 0, [4, 4].into_iter()), order(8, 0, [4, 4].into_iter()));
    }
}
