//! T9: a gang of higher priority comes where one of lower priority holds all slots.

use super::{SIZE, WINDOW, passed_over};
use crate::cx::Stop;
use crate::gang_scheduling::adapters::{Gang, Wanted};
use crate::gang_scheduling::arena::{Arena, BIND, RELEASE};
use serde_json::json;

/// Members of the gang that fits once another is evicted.
pub const FEASIBLE: u64 = 2;
/// Members of the gang that does not fit, whoever is evicted.
pub const FUTILE: u64 = 6;

/// First a gang that would not fit if everyone were evicted, then one that does.
pub async fn preemption(arena: &Arena<'_>) -> Result<(), Stop> {
    let (victim, victims) = arena.gang("victim", SIZE)?;
    arena.phase("victims", json!({"gang": victim, "size": SIZE, "slots": SIZE}));
    arena.create_gang(&victims).await?;
    let _ = arena.bound(&[&victim], SIZE, BIND, "the victims to be bound").await;
    arena.stage.fence().await?;

    let (name, futile) = higher(arena, "futile", FUTILE)?;
    arena.phase("futile", json!({"gang": name, "victim": victim, "size": FUTILE, "slots": SIZE}));
    arena.create_gang(&futile).await?;
    let _ = arena.refusal(&name).await;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that evicting cannot help is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.phase("futile_closed", json!({}));
    arena.remove_gang(&futile).await?;

    let (name, feasible) = higher(arena, "feasible", FEASIBLE)?;
    arena.phase("feasible", json!({"gang": name, "victim": victim, "size": FEASIBLE, "slots": SIZE}));
    arena.create_gang(&feasible).await?;
    if arena.bound(&[&name], FEASIBLE, RELEASE, "the gang of higher priority to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], FEASIBLE).await?);
    }
    arena.dwell("what became of the victims is watched", WINDOW).await;
    arena.stage.fence().await?;
    arena.phase("feasible_ended", json!({}));
    arena.remove_gang(&feasible).await?;
    arena.remove_gang(&victims).await?;
    arena.remove(&canaries, &[]).await
}

/// A gang of the higher of the run's two priorities.
fn higher(arena: &Arena, suffix: &str, size: u64) -> Result<(String, Gang), Stop> {
    let name = arena.name(suffix);
    let mut template = arena.template();
    template.priority_class = arena.stage.ground.higher_class.clone();
    let gang = arena.stage.adapter.gang(&Wanted::whole(&name, size), &template)?;
    Ok((name, gang))
}
