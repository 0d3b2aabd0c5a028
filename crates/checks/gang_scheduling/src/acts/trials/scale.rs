//! A gang of any size, spread over all fake nodes: whether it is still whole, and what it costs.

use super::{WINDOW, names, passed_over};
use crate::acts::arena::Arena;
use crate::limits::SCALE;
use crate::marks::{Release, Step};
use aiconform_check::cx::Stop;

/// Pods of no gang that show that slots are real: some of them do, however many there are.
const SAMPLE: u64 = 16;

/// A gang of `size` on one slot less than that, then on as many.
pub async fn scale(arena: &Arena<'_>, size: u64) -> Result<(), Stop> {
    let nodes = &arena.stage.ground.fakes;
    let mut template = arena.template();
    // Any fake node: where its slot is says which.
    template.nodes.clear();
    arena.spread_slots(size - 1).await?;

    let sample = SAMPLE.min(size - 1);
    arena.mark(Step::ControlArm { count: sample, of: None });
    let singles = arena.singles_of("control", sample, &template).await?;
    let latency =
        arena.bound(&names(&singles), sample, arena.time(&SCALE), "pods of no gang to be bound").await;
    arena.stage.fence().await?;
    arena.mark(Step::ControlArmEnded {});
    let latency = latency.map_err(|late| Stop::NoControl(late.to_string()))?;
    arena.remove(&singles, &[]).await?;

    let (name, gang) = arena.gang_of("gang", size, &template)?;
    let room = Some(format!("slots over {} nodes", nodes.len()));
    arena.mark(Step::Gang { gang: name.clone(), size, slots: size - 1, quota: None, room });
    arena.create(&gang.group).await?;
    arena.create_side_by_side(&gang.members).await?;
    let _ = arena.refusal_or_part(&name).await;
    let mut canaries = vec![arena.canary().await?];
    arena.dwell("a gang that misses a slot is watched", WINDOW.max(latency * 5)).await;
    canaries.push(arena.canary().await?);
    arena.stage.fence().await?;
    arena.mark(Step::GangWindowClosed {});

    arena.mark(Step::Release(Release::Slots { gang: name.clone(), slots: Some(size) }));
    arena.open_queue(size).await?;
    arena.add_last_slot(size).await?;
    if arena.bound(&[&name], size, arena.watched(&SCALE), "the same pods to be bound").await.is_err() {
        canaries.extend(passed_over(arena, &[&name], size).await?);
    }
    arena.stage.fence().await?;
    arena.mark(Step::ReleaseEnded {});
    arena.remove_gang(&gang).await?;
    arena.remove(&canaries, &[]).await
}

/// So many slots over so many nodes, as evenly as can be: how many each has.
pub fn spread(slots: u64, nodes: usize) -> Vec<u64> {
    let count = u64::try_from(nodes).unwrap_or(u64::MAX).max(1);
    (0..count).map(|node| slots / count + u64::from(node < slots % count)).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn slots_are_spread_evenly_and_the_last_one_changes_one_node() {
        assert_eq!(spread(3, 3), [1, 1, 1]);
        assert_eq!(spread(4, 3), [2, 1, 1]);
        for (slots, nodes) in [(4_u64, 3_usize), (64, 100), (512, 500), (500, 500)] {
            let (less, all) = (spread(slots - 1, nodes), spread(slots, nodes));
            assert_eq!(all.iter().sum::<u64>(), slots);
            let changed: Vec<usize> = (0..nodes).filter(|node| less[*node] != all[*node]).collect();
            assert_eq!(changed.len(), 1);
        }
    }
}
