//! T4 over nodes: slots that would be enough together lie on nodes that hold no two pods.

use super::{WINDOW, names};
use crate::acts::arena::Arena;
use crate::adapters::Wanted;
use crate::limits::{BIND, RELEASE};
use crate::marks::{Release, Step};
use aiconform_check::cx::Stop;

/// Members of the gang.
pub const PAIR: u64 = 2;
/// Slots that each of them takes.
pub const EACH: u64 = 2;

/// A gang of two pods that take two slots each, on nodes with two, one and one free; then the second node has two as well.
pub async fn fragmentation(arena: &Arena<'_>, slots: u64) -> Result<(), Stop> {
    let ground = arena.stage.ground;
    let mut template = arena.template();
    template.amount = EACH;
    template.nodes.extend(ground.others.iter().cloned());

    if let Some(other) = ground.others.first() {
        arena.take_slot_of(other).await?;
    }
    arena.mark(Step::ControlArm { count: 1, of: None });
    let single = arena.singles_of("control", 1, &template).await?;
    let latency = arena.bound(&names(&single), 1, arena.time(&BIND), "a pod of no gang to be bound").await;
    arena.stage.fence().await?;
    arena.mark(Step::ControlArmEnded {});
    latency.map_err(|late| Stop::NoControl(late.to_string()))?;
    arena.remove(&single, &[]).await?;

    let name = arena.name("gang");
    let gang = arena.stage.adapter.gang(&Wanted::whole(&name, PAIR), &template)?;
    let room = "slots of which each pod takes two, two on one node and one on each of two others".to_owned();
    arena.mark(Step::Gang { gang: name.clone(), size: PAIR, slots, quota: None, room: Some(room) });
    arena.create_gang(&gang).await?;
    let _ = arena.refusal_or_part(&name).await;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that fits on no nodes is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::GangWindowClosed {});

    arena.mark(Step::Release(Release::Slots { gang: name.clone(), slots: None }));
    if let Some(other) = ground.others.first() {
        arena.free_slot_of(other).await?;
    }
    if arena.bound(&[&name], PAIR, arena.watched(&RELEASE), "the same pods to be bound").await.is_err() {
        canaries.extend(super::passed_over(arena, &[&name], PAIR).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::ReleaseEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}
