//! Measures of what rounds of two gangs and a wide gang cost, for people who compare schedulers; no claim stands on them.
//!
//! Times are those at which the watch told of a thing.

use super::contention::{contenders, is_contend, release};
use super::history::{History, Life, Trial};
use super::{WHOLE, count, gang, is_gang, rounds};
use crate::marks::{Release, Step};
use aiconform_trial::Moment;
use aiconform_trial::statistics::in_words;
use aiconform_verdict::Measure;

/// The measures of a subject, rounds with ample quota apart.
pub fn measures(history: &History) -> Vec<Measure> {
    let quota = history.facts.planned("ample-").next().is_some();
    let mut found = Vec::new();
    for (prefix, more) in [("round-", ""), ("ample-", ", quota above capacity"), ("three-", ", three gangs")]
    {
        let settled = rounds(history, prefix);
        if settled.is_empty() {
            continue;
        }
        let mut tell =
            |name: &str, value: String| found.push(Measure { name: format!("{name}{more}"), value });
        let share =
            |count: usize| format!("{count} of {} ({})", settled.len(), in_words(count, settled.len()));
        let partial = settled.iter().filter(|round| round.is_partial()).count();
        tell("rounds that leave a part of a gang holding slots", share(partial));
        let deadlocks = settled.iter().filter(|round| round.is_deadlock()).count();
        tell("rounds that end in deadlock", share(deadlocks));
        let all = |pick: &dyn Fn(&Trial) -> Option<i64>| {
            let mut times: Vec<i64> =
                settled.iter().filter_map(|round| pick(history.trial(&round.trial))).collect();
            times.sort_unstable();
            times
        };
        tell("until a gang is bound whole", spread(&all(&|trial| to_whole(trial, quota))));
        tell("first to last bind of a gang", spread(&all(&bind_spread)));
        tell("until the loser is bound whole once the winner is gone", spread(&all(&release_to_bind)));
        let held: i64 = all(&held_by_parts).iter().sum();
        let per_round = seconds(held / i64::try_from(settled.len()).unwrap_or(1));
        tell("slots held by parts of gangs, slot-seconds per round", per_round);
    }
    found.extend(evictions(history.trial("preemption")));
    found.extend(wide(history.trial("scale")));
    found
}

/// Pods evicted for a gang of higher priority: in vain, and so that it starts.
fn evictions(trial: &Trial) -> Vec<Measure> {
    let tell = |name: &str, is_begin: fn(&Step) -> bool, end: &Step| {
        let (begin, end) = (trial.phase(is_begin)?, trial.end(end)?);
        let (Step::Futile { victim, size, .. } | Step::Feasible { victim, size, .. }) = &begin.mark.step
        else {
            return None;
        };
        let evicted = trial.lost(victim, begin.at, end.at).count();
        Some(Measure { name: format!("{name} (a gang of {size})"), value: format!("{evicted} of {WHOLE}") })
    };
    let futile =
        tell("pods evicted in vain", |step| matches!(step, Step::Futile { .. }), &Step::FutileClosed {});
    let needed = tell(
        "pods evicted for a gang that starts",
        |step| matches!(step, Step::Feasible { .. }),
        &Step::FeasibleEnded {},
    );
    [futile, needed].into_iter().flatten().collect()
}

/// The gang over many nodes: how long it took once nothing was missing any more, which is its last slot, or its last pod
/// where a queue has the pods made only then.
fn wide(trial: &Trial) -> Vec<Measure> {
    let (Some(begin), Some(release)) =
        (trial.phase(is_gang), trial.phase(|step| matches!(step, Step::Release(Release::Slots { .. }))))
    else {
        return Vec::new();
    };
    let Step::Gang { size, .. } = &begin.mark.step else { return Vec::new() };
    let size = count(*size);
    let pods: Vec<&Life> = trial.members(gang(begin), begin.at).collect();
    let bound: Vec<i64> = bound_when(&pods).collect();
    let (Some(first), Some(last)) = (bound.iter().min(), bound.iter().max()) else { return Vec::new() };
    if bound.len() < size {
        return Vec::new();
    }
    let made = |pick: fn(&[i64]) -> Option<&i64>| {
        let seen: Vec<i64> = pods.iter().map(|pod| pod.seen.when.0).collect();
        pick(&seen).copied().unwrap_or_default()
    };
    let (first_made, last_made) = (made(|seen| seen.iter().min()), made(|seen| seen.iter().max()));
    let complete = last_made.max(release.when.0);
    let tell = |name: &str, time: i64| Measure {
        name: format!("{name}, a gang of {size} over many nodes"),
        value: seconds(time),
    };
    vec![
        tell("first to last pod created", last_made - first_made),
        tell("until whole from the last slot or pod", (last - complete).max(0)),
        tell("first to last bind", last - first),
    ]
}

/// The gang that was bound whole when the round had settled: its members.
fn winner(trial: &Trial) -> Option<Vec<&Life>> {
    let settled = trial.end(&Step::Settled {})?.at;
    let gangs = contenders(trial.phase(is_contend)?);
    let winner = gangs.iter().find(|gang| trial.held(gang, settled) == WHOLE)?;
    Some(trial.all(winner).filter(|pod| pod.holds(settled)).collect())
}

/// Times at which these pods were bound, in milliseconds.
fn bound_when<'a>(pods: &'a [&Life]) -> impl Iterator<Item = i64> + 'a {
    pods.iter().filter_map(|pod| pod.bound.map(|bound| bound.when.0))
}

fn to_whole(trial: &Trial, quota: bool) -> Option<i64> {
    let pods = winner(trial)?;
    let created = if quota {
        trial.end(&Step::QueueOpens {})?.when.0
    } else {
        pods.iter().map(|pod| pod.seen.when.0).max()?
    };
    let come = trial.phase(|step| matches!(step, Step::SlotsCome { .. }));
    let slots = come.map_or(created, |phase| phase.when.0);
    Some((bound_when(&pods).max()? - created.max(slots)).max(0))
}

fn bind_spread(trial: &Trial) -> Option<i64> {
    let pods = winner(trial)?;
    Some(bound_when(&pods).max()? - bound_when(&pods).min()?)
}

fn release_to_bind(trial: &Trial) -> Option<i64> {
    let ((begin, _, losers), end) = (release(trial)?, trial.end(&Step::ReleaseEnded {})?);
    let held = losers.iter().flat_map(|gang| trial.all(gang)).filter(|pod| pod.holds(end.at));
    let pods: Vec<&Life> = held.collect();
    (pods.len() == WHOLE).then(|| bound_when(&pods).max().map(|last| last - begin.when.0))?
}

/// Milliseconds times slots in which a gang held some slots and not enough of them, until the round had settled.
fn held_by_parts(trial: &Trial) -> Option<i64> {
    let end = trial.end(&Step::Settled {})?.when;
    let until = |when: Moment| when.min(end).0;
    let gangs = contenders(trial.phase(is_contend)?);
    let one = |gang: &String| {
        let mut changes: Vec<(i64, i64)> = Vec::new();
        for pod in trial.all(gang) {
            if let Some(bound) = pod.bound {
                changes.push((until(bound.when), 1));
                changes.push((pod.gone.map_or(end.0, |gone| until(gone.when)), -1));
            }
        }
        changes.sort_unstable();
        let (mut held, mut since, mut sum) = (0, 0, 0);
        for (when, change) in changes {
            if held > 0 && held < i64::try_from(WHOLE).unwrap_or(i64::MAX) {
                sum += held * (when - since);
            }
            held += change;
            since = when;
        }
        sum
    };
    Some(gangs.iter().map(one).sum())
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10)
}

/// Median and longest of sorted times.
fn spread(times: &[i64]) -> String {
    match (times.get(times.len() / 2), times.last()) {
        (Some(median), Some(longest)) => {
            format!("median {}, longest {}", seconds(*median), seconds(*longest))
        }
        _ => "never seen".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::history::{Phase, Place};
    use crate::marks::Mark;
    use aiconform_trial::Position;

    fn place(at: i64) -> Place {
        Place { at: Position(u64::try_from(at).unwrap()), when: Moment(at) }
    }

    fn contend() -> Step {
        Step::Contend {
            gangs: vec!["a".into(), "b".into()],
            size: 4,
            slots: 6,
            quota: 6,
            round: 0,
            order: String::new(),
            late: false,
        }
    }

    fn release_of_winner() -> Step {
        Step::Release(Release::Winner { winner: "a".into(), losers: vec!["b".into()] })
    }

    fn trial(bound: &[(&str, i64)], steps: &[(Step, i64)]) -> Trial {
        let pods = bound.iter().enumerate().map(|(number, (gang, at))| Life {
            uid: number.to_string(),
            name: number.to_string(),
            role: "gang".into(),
            gang: (*gang).into(),
            seen: place(1),
            bound: Some(place(*at)),
            succeeded: None,
            turned_away: false,
            gone: None,
        });
        let phases = steps.iter().map(|(step, at)| {
            let mark = Mark { trial: "t".into(), resource: None, step: step.clone() };
            Phase { at: place(*at).at, when: place(*at).when, own: true, mark }
        });
        let (phases, pods) = (phases.collect(), pods.collect());
        Trial { name: "t".into(), phases, pods, ..Trial::default() }
    }

    #[test]
    fn what_is_evicted_is_counted_by_the_gang_that_it_was_for() {
        let (gang, victim) = (String::new(), "v".to_owned());
        let futile = Step::Futile { gang: gang.clone(), victim: victim.clone(), size: 2, slots: 4 };
        let feasible = Step::Feasible { gang, victim, size: 2, slots: 4 };
        let steps =
            [(futile, 100), (Step::FutileClosed {}, 2000), (feasible, 3000), (Step::FeasibleEnded {}, 5000)];
        let mut trial = trial(&[("v", 10), ("v", 20), ("v", 30), ("v", 40)], &steps);
        for pod in trial.pods.iter_mut().take(3) {
            pod.gone = Some(place(4000));
        }
        let values: Vec<String> = evictions(&trial).into_iter().map(|measure| measure.value).collect();
        assert_eq!(values, ["0 of 4", "3 of 4"]);
    }

    #[test]
    fn a_part_counts_until_it_is_whole_and_a_whole_gang_does_not() {
        let steps = [(contend(), 0), (Step::QueueOpens {}, 50), (Step::Settled {}, 5000)];
        let whole = trial(&[("a", 1000), ("a", 1100), ("a", 1200), ("a", 1500)], &steps);
        // One slot for 100 ms, two for 100 ms, three for 300 ms.
        assert_eq!(held_by_parts(&whole), Some(100 + 200 + 900));
        assert_eq!(bind_spread(&whole), Some(500));
        assert_eq!((to_whole(&whole, false), to_whole(&whole, true)), (Some(1499), Some(1450)));
        let deadlock = trial(&[("a", 1000), ("a", 1000), ("b", 3000)], &steps);
        assert_eq!(held_by_parts(&deadlock), Some(2 * 4000 + 2000));
        assert_eq!((bind_spread(&deadlock), to_whole(&deadlock, false)), (None, None));
    }

    #[test]
    fn the_loser_is_timed_from_the_release_only_when_it_is_whole() {
        let steps = [
            (contend(), 0),
            (Step::Settled {}, 5000),
            (release_of_winner(), 6000),
            (Step::ReleaseEnded {}, 9000),
        ];
        let bound = [("b", 7000), ("b", 7100), ("b", 7200), ("b", 7300)];
        assert_eq!(release_to_bind(&trial(&bound, &steps)), Some(1300));
        assert_eq!(release_to_bind(&trial(&bound[..3], &steps)), None);
    }

    #[test]
    fn a_wide_gang_is_timed_from_what_it_missed_last() {
        let wide_of = |created: i64| {
            let gang = Step::Gang { gang: "a".into(), size: 2, slots: 1, quota: None, room: None };
            let slot = Step::Release(Release::Slots { gang: "a".into(), slots: Some(2) });
            let mut trial = trial(&[("a", 2300), ("a", 2500)], &[(gang, 0), (slot, 2000)]);
            trial.pods[1].seen = Place { at: Position(10), when: Moment(created) };
            wide(&trial).into_iter().map(|measure| measure.value).collect::<Vec<_>>()
        };
        // Its pods waited for the slot, or came after it.
        assert_eq!(wide_of(100), ["0.09 s", "0.50 s", "0.20 s"]);
        assert_eq!(wide_of(2100), ["2.09 s", "0.40 s", "0.20 s"]);
    }

    #[test]
    fn times_are_told_with_median_and_longest() {
        assert_eq!(spread(&[10, 20, 1234]), "median 0.02 s, longest 1.23 s");
        assert_eq!(spread(&[]), "never seen");
    }
}
