//! T9: a gang of higher priority comes where one of lower priority holds all slots.

use super::{WINDOW, passed_over};
use crate::acts::arena::Arena;
use crate::adapters::{Gang, Wanted};
use crate::limits::{BIND, RELEASE};
use crate::marks::{FEASIBLE, FUTILE, SIZE, Step};
use aiconform_check::cx::Stop;

/// First a gang that would not fit if everyone were evicted, then one that does.
pub async fn preemption(arena: &Arena<'_>) -> Result<(), Stop> {
    let (victim, victims) = arena.gang("victim", SIZE)?;
    arena.mark(Step::Victims { gang: victim.clone(), size: SIZE, slots: SIZE });
    arena.create_gang(&victims).await?;
    let _ = arena.bound(&[&victim], SIZE, arena.time(&BIND), "the victims to be bound").await;
    arena.stage.fence().await?;

    let (name, futile) = higher(arena, "futile", FUTILE)?;
    arena.mark(Step::Futile { gang: name.clone(), victim: victim.clone(), size: FUTILE, slots: SIZE });
    arena.create_gang(&futile).await?;
    let _ = arena.refusal(&name).await;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that evicting cannot help is watched", WINDOW).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::FutileClosed {});
    arena.remove_gang(&futile).await?;

    let (name, feasible) = higher(arena, "feasible", FEASIBLE)?;
    arena.mark(Step::Feasible { gang: name.clone(), victim: victim.clone(), size: FEASIBLE, slots: SIZE });
    arena.create_gang(&feasible).await?;
    if arena
        .bound(&[&name], FEASIBLE, arena.watched(&RELEASE), "the gang of higher priority to be bound")
        .await
        .is_err()
    {
        canaries.extend(passed_over(arena, &[&name], FEASIBLE).await?);
    }
    arena.dwell("what became of the victims is watched", WINDOW).await;
    arena.stage.fence().await?;
    arena.mark(Step::FeasibleEnded {});
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
