//! One gang at a time: it fits, it lacks a pod, it misses slots, it is deleted.

use super::{Plan, WINDOW, names, passed_over};
use crate::acts::arena::Arena;
use crate::acts::means::Means;
use crate::adapters::Wanted;
use crate::limits::{BIND, RELEASE};
use crate::marks::{Release, SIZE, Step};
use aiconform_check::cx::Stop;
use aiconform_model::Bin;
use std::time::Duration;

pub async fn fitting(arena: &Arena<'_>) -> Result<(), Stop> {
    let name = arena.name("gang");
    let mut template = arena.template();
    template.runs = true;
    let gang = arena.stage.adapter.gang(&Wanted::whole(&name, SIZE), &template)?;
    arena.mark(Step::Gang { gang: name.clone(), size: SIZE, slots: SIZE, quota: None, room: None });
    arena.create_gang(&gang).await?;
    let look = || match arena.count(&[&name]) {
        (_, _, succeeded) if succeeded >= SIZE => Ok(()),
        (bound, there, succeeded) => {
            Err(format!("{there} pods exist, {bound} are bound, {succeeded} have completed"))
        }
    };
    let condition = format!("{}: the gang to run and complete", arena.trial);
    let met = arena.stage.scratch.until(condition, Bin::Platform, arena.watched(&RELEASE), look).await;
    let canaries = if met.is_err() { passed_over(arena, &[&name], SIZE).await? } else { Vec::new() };
    arena.stage.fence().await?;
    arena.mark(Step::GangEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

pub async fn quorum(arena: &Arena<'_>) -> Result<(), Stop> {
    let (name, mut gang) = arena.gang("gang", SIZE)?;
    arena.mark(Step::Short { gang: name.clone(), size: SIZE, created: SIZE - 1, slots: 2 * SIZE });
    arena.create(&gang.group).await?;
    let last = gang.members.split_off(gang.members.len() - 1);
    arena.create(&gang.members).await?;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that lacks a pod is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::ShortClosed {});
    arena.mark(Step::Whole { gang: name.clone() });
    arena.create(&last).await?;
    gang.members.extend(last);
    if arena.bound(&[&name], SIZE, arena.watched(&RELEASE), "the gang to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], SIZE).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::WholeEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

/// Time for which a pod of no gang beyond a quota is watched waiting.
const BEYOND: Duration = Duration::from_secs(4);

/// A gang of `size` that misses slots is watched for `window`, then they come.
pub async fn near_miss(arena: &Arena<'_>, plan: &Plan, size: u64, window: Duration) -> Result<(), Stop> {
    let slots = plan.slots;
    // Where nothing but a quota is short, the plain scheduler cannot show that a part is placed: the queue does.
    let count = slots + u64::from(arena.stage.ground.means == Means::Quota);
    arena.mark(Step::ControlArm { count: slots, of: Some(count) });
    let singles = arena.singles("control", count).await?;
    let names = names(&singles);
    let latency = arena.bound(&names, slots, arena.time(&BIND), "pods of no gang to be bound").await;
    if count > slots {
        arena.dwell("a pod of no gang beyond the quota is watched", BEYOND).await;
    }
    arena.stage.fence().await?;
    arena.mark(Step::ControlArmEnded {});
    let latency = latency.map_err(|late| Stop::NoControl(late.to_string()))?;
    arena.remove(&singles, &[]).await?;

    let (name, gang) = arena.gang("gang", size)?;
    let quota = Some(plan.quota);
    arena.mark(Step::Gang { gang: name.clone(), size, slots, quota, room: None });
    arena.create_gang(&gang).await?;
    arena.dwell("as long as a pod of no gang took", latency).await;
    let mut canaries = vec![arena.canary().await?];
    // No word, or a bound member, is for the judge.
    if arena.stage.adapter.control() {
        let _ = arena.bound(&[&name], slots, arena.time(&BIND), "all slots to be taken").await;
    } else {
        let _ = arena.refusal_or_part(&name).await;
        arena.dwell("a gang that misses a slot is watched", window.max(latency * 5)).await;
    }
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::GangWindowClosed {});

    arena.mark(Step::Release(Release::Slots { gang: name.clone(), slots: Some(size) }));
    if plan.quota < size {
        arena.open_queue(size).await?;
    }
    arena.free_slots(size).await?;
    if arena.bound(&[&name], size, arena.watched(&RELEASE), "the same pods to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], size).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::ReleaseEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

pub async fn cleanup(arena: &Arena<'_>) -> Result<(), Stop> {
    let filler = arena.singles("filler", 1).await?;
    let _ = arena.bound(&names(&filler), 1, arena.time(&BIND), "the filler to be bound").await;
    let (name, waiting) = arena.gang("gang", SIZE)?;
    arena.mark(Step::Waiting { gang: name.clone(), size: SIZE, slots: SIZE - 1 });
    arena.create_gang(&waiting).await?;
    let _ = arena.refusal(&name).await;
    arena.mark(Step::DeletedWhileWaiting { gang: name.clone() });
    arena.remove_gang(&waiting).await?;
    arena.remove(&filler, &[]).await?;

    let mut canaries = Vec::new();
    for attempt in 0..3 {
        arena.mark(Step::Again { gang: name.clone(), size: SIZE, slots: SIZE, attempt });
        arena.create_gang(&waiting).await?;
        let bound =
            arena.bound(&[&name], SIZE, arena.watched(&BIND), "the gang of the same name to be bound").await;
        if bound.is_err() {
            canaries.extend(passed_over(arena, &[&name], SIZE).await?);
        }
        arena.stage.fence().await?;
        arena.mark(Step::AgainEnded { attempt });
        arena.remove_gang(&waiting).await?;
        if bound.is_err() {
            break;
        }
    }
    arena.mark(Step::LeakCheck { count: SIZE });
    let singles = arena.singles("leak", SIZE).await?;
    if arena.bound(&names(&singles), SIZE, arena.watched(&BIND), "pods of no gang to be bound").await.is_err()
    {
        canaries.extend(passed_over(arena, &names(&singles), SIZE).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::LeakCheckEnded {});
    arena.remove(&singles, &[]).await?;
    arena.remove(&canaries, &[]).await
}
