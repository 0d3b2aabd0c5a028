//! Gangs that want the same slots, of which there is room for one and a half.

use super::{Plan, passed_over};
use crate::acts::arena::Arena;
use crate::adapters::Gang;
use crate::limits::{BIND, RELEASE};
use crate::marks::{Release, SIZE, Step};
use aiconform_check::cx::Stop;
use aiconform_model::Bin;
use aiconform_wait::TooLate;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// One round of so many gangs.
pub async fn contention(arena: &Arena<'_>, plan: &Plan, count: usize, round: u32) -> Result<(), Stop> {
    let gangs: Vec<(String, Gang)> = ["a", "b", "c"]
        .iter()
        .take(count)
        .map(|letter| arena.gang(letter, SIZE))
        .collect::<Result<_, Stop>>()?;
    let names: Vec<&str> = gangs.iter().map(|(name, _)| name.as_str()).collect();
    let options = &arena.stage.cx.options;
    let order = order(options.seed, round, gangs.iter().map(|(_, gang)| gang.members.len()));
    let letters: String = order.iter().filter_map(|(gang, _)| names[*gang].chars().last()).collect();
    arena.mark(Step::Contend {
        gangs: owned(&names),
        size: SIZE,
        slots: plan.slots,
        quota: plan.quota,
        round: round.into(),
        order: letters,
        late: plan.start < plan.slots,
    });
    for (_, gang) in &gangs {
        arena.create(&gang.group).await?;
    }
    for (gang, member) in &order {
        arena.create(std::slice::from_ref(&gangs[*gang].1.members[*member])).await?;
    }
    // Gangs contend when all are there: a queue is held until it has taken them in.
    let _ = arena.queued(&names).await;
    arena.mark(Step::QueueOpens {});
    arena.open_queue(plan.quota).await?;
    if plan.start < plan.slots {
        let _ = all_wait(arena, &names).await;
        arena.mark(Step::SlotsCome { slots: plan.slots });
        arena.free_slots(plan.slots).await?;
    }
    let _ = settled(arena, &names, plan.slots).await;
    arena.dwell("the settled round is watched", Duration::from_secs(4)).await;
    arena.stage.fence().await?;
    arena.mark(Step::Settled {});

    let bound: Vec<u64> = names.iter().map(|name| arena.count(&[name]).0).collect();
    let mut left: Vec<&(String, Gang)> = gangs.iter().collect();
    let mut canaries = Vec::new();
    if let Some(winner) = winner(&bound) {
        let (name, gang) = left.remove(winner);
        let losers: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        arena.mark(Step::Release(Release::Winner { winner: name.clone(), losers: owned(&losers) }));
        arena.remove_gang(gang).await?;
        if follows(arena, &losers).await.is_err() {
            canaries.extend(passed_over(arena, &losers, SIZE).await?);
        }
        arena.stage.fence().await?;
        arena.mark(Step::ReleaseEnded {});
    }
    for (_, gang) in left {
        arena.remove_gang(gang).await?;
    }
    arena.remove(&canaries, &[]).await
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Longest time in which a gang is refused when another has been.
const EQUAL: Duration = Duration::from_secs(8);

/// The gang that is bound whole while no other holds anything.
fn winner(bound: &[u64]) -> Option<usize> {
    let whole = bound.iter().position(|count| *count == SIZE)?;
    (bound.iter().sum::<u64>() == SIZE).then_some(whole)
}

/// Numbers of pods, one for each gang.
fn in_words(bound: &[u64]) -> String {
    bound.iter().map(u64::to_string).collect::<Vec<_>>().join(" and ")
}

/// Waits until one of the losers is bound whole.
async fn follows(arena: &Arena<'_>, losers: &[&str]) -> Result<(), TooLate> {
    let look = || {
        let bound: Vec<u64> = losers.iter().map(|name| arena.count(&[name]).0).collect();
        if bound.contains(&SIZE) { Ok(()) } else { Err(format!("{} of {SIZE} pods bound", in_words(&bound))) }
    };
    let condition = format!("{}: a loser to be bound", arena.trial);
    arena.stage.scratch.until(condition, Bin::Platform, arena.time(&RELEASE), look).await.map(drop)
}

/// Waits until all gangs wait: refused as gangs, or every pod refused.
async fn all_wait(arena: &Arena<'_>, gangs: &[&str]) -> Result<(), TooLate> {
    let waits = |name: &&str| arena.refused(name).is_some() || arena.refused_pods(name) >= SIZE;
    // A queue may say nothing to a gang that is equal to one which it has refused (as Kueue does).
    for (limit, wanted) in [(arena.time(&BIND), 1), (EQUAL, gangs.len())] {
        let look = || match gangs.iter().filter(|name| waits(name)).count() {
            waiting if waiting >= wanted => Ok(()),
            waiting => Err(format!("{waiting} of {} wait", gangs.len())),
        };
        let condition = format!("{}: gangs to wait for slots", arena.trial);
        arena.stage.scratch.until(condition, Bin::Platform, limit, look).await?;
    }
    Ok(())
}

/// Waits until one gang is bound whole and the others are refused or gated, or all slots are taken.
async fn settled(arena: &Arena<'_>, gangs: &[&str], slots: u64) -> Result<(), TooLate> {
    let look = || {
        let bound: Vec<u64> = gangs.iter().map(|name| arena.count(&[name]).0).collect();
        let others_wait = |winner: usize| {
            let mut others = gangs.iter().enumerate().filter(|(gang, _)| *gang != winner);
            others.all(|(_, name)| arena.refused(name).is_some())
        };
        if winner(&bound).is_some_and(others_wait) || bound.iter().sum::<u64>() >= slots {
            return Ok(());
        }
        Err(format!("{} pods bound on {slots} slots", in_words(&bound)))
    };
    let condition = format!("{}: gangs to settle", arena.trial);
    arena.stage.scratch.until(condition, Bin::Platform, arena.time(&BIND), look).await.map(drop)
}

/// The round in which gangs come by halves: the order A, C, B, D in which gangs of A with B and of C with D deadlocked
/// (Koordinator issue 872). The slots come late in it.
const BY_HALVES: u32 = 1;

/// The order in which the members of gangs are created: by halves in one round, else drawn from the seed and the round
/// (Fisher-Yates); each gang's own members in their order.
fn order(seed: u64, round: u32, sizes: impl Iterator<Item = usize> + Clone) -> Vec<(usize, usize)> {
    let gangs = sizes.enumerate();
    let halves = |second: bool| {
        gangs.clone().flat_map(move |(gang, size)| {
            std::iter::repeat_n(gang, if second { size / 2 } else { size - size / 2 })
        })
    };
    let mut turns: Vec<usize> = halves(false).chain(halves(true)).collect();
    if round != BY_HALVES {
        let digest = Sha256::digest(format!("{seed}/{round}"));
        for (last, byte) in (1..turns.len()).rev().zip(digest.iter()) {
            turns.swap(last, usize::from(*byte) % (last + 1));
        }
    }
    let mut next = vec![0; turns.iter().max().map_or(0, |last| last + 1)];
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
    use super::{BY_HALVES, order};

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

    #[test]
    fn in_one_round_gangs_come_by_halves() {
        let gangs = |sizes: &[usize]| -> Vec<usize> {
            order(7, BY_HALVES, sizes.iter().copied()).iter().map(|(gang, _)| *gang).collect()
        };
        assert_eq!(gangs(&[4, 4]), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(gangs(&[4, 4, 4]), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        // A gang that is one object comes at once.
        assert_eq!(gangs(&[1, 1]), [0, 1]);
    }
}
