//! Trials that go further than the requirement asks: what a waiting gang keeps from others, fewer members than all, members
//! that are lost, namespaces, and a changed size.

use super::{WINDOW, names, passed_over};
use crate::acts::arena::Arena;
use crate::acts::stage::{Stage, created};
use crate::adapters::{Can, Wanted};
use crate::limits::{BIND, RELEASE};
use crate::marks::{LEAST, SIZE, SMALL, Step};
use aiconform_check::cx::Stop;
use aiconform_model::{Bin, Kind};
use serde_json::json;
use std::time::Duration;

/// Longest time in which a pod of no gang comes into a slot that a lost member left; a queue may keep it out.
const TAKEN: Duration = Duration::from_secs(15);

/// T6: pods of no gang come into the slots that a waiting gang cannot use.
pub async fn hoarding(arena: &Arena<'_>) -> Result<(), Stop> {
    let (name, gang) = arena.gang("gang", SIZE)?;
    arena.mark(Step::Gang { gang: name.clone(), size: SIZE, slots: SIZE - 1, quota: None, room: None });
    arena.create_gang(&gang).await?;
    let _ = arena.refusal_or_part(&name).await;
    arena.mark(Step::Others { gang: name.clone(), count: SMALL });
    let others = arena.singles("other", SMALL).await?;
    let mut canaries = Vec::new();
    if arena.bound(&names(&others), SMALL, arena.watched(&BIND), "pods of no gang to be bound").await.is_err()
    {
        canaries = passed_over(arena, &names(&others), SMALL).await?;
    }
    arena.stage.fence().await?;
    arena.mark(Step::OthersEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&others, &[]).await?;
    arena.remove(&canaries, &[]).await
}

/// T8: with one slot nothing starts, with three at least the least number does, with four all.
pub async fn elastic(arena: &Arena<'_>) -> Result<(), Stop> {
    let name = arena.name("gang");
    let wanted = Wanted { name: name.clone(), size: SIZE, least: LEAST };
    let gang = arena.stage.adapter.gang(&wanted, &arena.template())?;
    arena.mark(Step::Below { gang: name.clone(), size: SIZE, least: LEAST, slots: LEAST - 1 });
    arena.create_gang(&gang).await?;
    let _ = arena.refusal_or_part(&name).await;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang below its least number is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::BelowClosed {});
    let gang_name = || name.clone();
    let enough = Step::Enough { gang: gang_name(), slots: SIZE - 1, wanted: LEAST };
    let more = Step::More { gang: gang_name(), slots: SIZE, wanted: SIZE };
    for (begin, end, slots, wanted) in
        [(enough, Step::EnoughEnded {}, SIZE - 1, LEAST), (more, Step::MoreEnded {}, SIZE, SIZE)]
    {
        arena.mark(begin);
        arena.free_slots(slots).await?;
        if arena.bound(&[&name], wanted, arena.watched(&RELEASE), "its members to be bound").await.is_err() {
            canaries.extend(passed_over(arena, &[&name], wanted).await?);
        }
        arena.stage.fence().await?;
        arena.mark(end);
    }
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

/// T13: a gang that misses one slot is made one smaller; another one lacks a pod and is made one larger.
pub async fn resize(arena: &Arena<'_>) -> Result<(), Stop> {
    let (name, gang) = arena.gang("shrinks", SIZE)?;
    arena.mark(Step::Shrinks { gang: name.clone(), size: SIZE, slots: SIZE - 1 });
    arena.create_gang(&gang).await?;
    let _ = arena.refusal_or_part(&name).await;
    arena.stage.fence().await?;
    arena.mark(Step::Smaller { gang: name.clone(), least: SIZE - 1 });
    arena.resize(&Wanted { name: name.clone(), size: SIZE, least: SIZE - 1 }).await?;
    let mut canaries = Vec::new();
    if arena.bound(&[&name], SIZE - 1, arena.watched(&RELEASE), "the smaller gang to be bound").await.is_err()
    {
        canaries.extend(passed_over(arena, &[&name], SIZE - 1).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::SmallerEnded {});
    arena.remove_gang(&gang).await?;

    let name = arena.name("grows");
    let wanted = Wanted { name: name.clone(), size: SIZE - 1, least: LEAST };
    let mut gang = arena.stage.adapter.gang(&wanted, &arena.template())?;
    let late = gang.members.split_off(1);
    arena.mark(Step::Larger { gang: name.clone(), least: SIZE - 1, slots: SIZE - 1 });
    arena.create(&gang.group).await?;
    arena.create(&gang.members).await?;
    arena.resize(&Wanted { least: SIZE - 1, ..wanted }).await?;
    // One member is missing of the new number, and none of the old one.
    arena.create(&late[..1]).await?;
    canaries.push(arena.canary().await?);
    arena.dwell("a gang that was made larger is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::LargerClosed {});
    arena.create(&late[1..]).await?;
    if arena.bound(&[&name], SIZE - 1, arena.watched(&RELEASE), "the larger gang to be bound").await.is_err()
    {
        canaries.extend(passed_over(arena, &[&name], SIZE - 1).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::LargerEnded {});
    gang.members.extend(late);
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

/// T11: two halves of a gang of one name in two namespaces are no gang; one of them becomes one with its other half.
pub async fn namespaces(arena: &Arena<'_>) -> Result<(), Stop> {
    let stage = arena.stage;
    let suffix = format!("{}-other", stage.adapter.id().replace('/', "-"));
    let kinds = created(stage.ground, stage.adapter, &stage.facts);
    let scratch = stage.cx.session.scratch(stage.scratch.scope(), &suffix, &kinds).await?;
    let facts = stage.facts.clone();
    let elsewhere = Stage::open(stage.cx, stage.ground, stage.adapter, scratch, facts).await?;
    let other = arena.beside(&elsewhere, 2 * SIZE).await?;
    let half = usize::try_from(SIZE / 2).unwrap_or_default();

    let (name, mut gang) = arena.gang("gang", SIZE)?;
    let (_, mut namesake) = other.gang("gang", SIZE)?;
    let late = gang.members.split_off(half);
    namesake.members.truncate(half);
    arena.mark(Step::Halves { gang: name.clone(), size: SIZE, slots: 2 * SIZE });
    for (arena, gang) in [(arena, &gang), (&other, &namesake)] {
        arena.create_gang(gang).await?;
    }
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("two halves in two namespaces are watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    stage.fence().await?;
    arena.mark(Step::HalvesClosed {});
    arena.mark(Step::Whole { gang: name.clone() });
    arena.create(&late).await?;
    gang.members.extend(late);
    if arena.bound(&[&name], SIZE, arena.watched(&RELEASE), "the gang to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], SIZE).await?);
    }
    stage.fence().await?;
    arena.mark(Step::WholeEnded {});
    arena.remove_gang(&gang).await?;
    other.remove_gang(&namesake).await?;
    arena.remove(&canaries, &[]).await
}

/// T10: a member of a bound gang is deleted, another pod waits for its slot; then that pod goes, and the gang has what
/// it needs again.
pub async fn member_loss(arena: &Arena<'_>) -> Result<(), Stop> {
    let (name, mut gang) = arena.gang("gang", SIZE)?;
    arena.mark(Step::Gang { gang: name.clone(), size: SIZE, slots: SIZE, quota: None, room: None });
    arena.create_gang(&gang).await?;
    let _ = arena.bound(&[&name], SIZE, arena.time(&BIND), "the gang to be bound").await;
    arena.stage.fence().await?;
    arena.mark(Step::Bound { gang: name.clone() });
    let filler = arena.singles("filler", 1).await?;
    let _ = waits(arena, names(&filler)[0]).await;

    arena.mark(Step::MemberLost { gang: name.clone() });
    let lost = arena.members(&name).pop();
    if let Some(lost) = lost {
        arena.stage.scratch.delete(&Kind::pod(), &lost).await?;
    }
    let _ = arena.bound(&names(&filler), 1, TAKEN, "a pod of no gang to come into its slot").await;
    if arena.stage.can(Can::HoldBack)
        && let Some((kind, mut member)) = gang.members.last().cloned()
    {
        // As its owner would: a new pod in the lost one's place.
        member["metadata"]["name"] = json!(format!("{name}-again"));
        let member = (kind, member);
        arena.create(std::slice::from_ref(&member)).await?;
        gang.members.push(member);
    }
    arena.mark(Step::SlotFree { gang: name.clone() });
    arena.remove(&filler, &[]).await?;
    let condition = format!("{}: the gang to be whole again, or gone", arena.trial);
    let look = || match arena.count(&[&name]).0 {
        0 | SIZE => Ok(()),
        bound => Err(format!("{bound} of {SIZE} pods bound")),
    };
    let mut canaries = Vec::new();
    if arena.stage.scratch.until(condition, Bin::Platform, arena.watched(&RELEASE), look).await.is_err() {
        canaries = passed_over(arena, &[&name], SIZE).await?;
    }
    arena.stage.fence().await?;
    arena.mark(Step::SlotFreeEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

/// Waits until a pod of no gang has been refused.
async fn waits(arena: &Arena<'_>, name: &str) -> Result<(), aiconform_wait::TooLate> {
    let look = || {
        let waits = arena.refused(name).is_some() || arena.refused_pods(name) > 0;
        if waits { Ok(()) } else { Err("no word".to_owned()) }
    };
    let condition = format!("{}: a pod of no gang to wait", arena.trial);
    arena.stage.scratch.until(condition, Bin::Platform, TAKEN, look).await.map(drop)
}
