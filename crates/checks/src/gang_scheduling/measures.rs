//! What rounds of two gangs and a wide gang cost, for people who compare schedulers; no claim stands on it.
//!
//! Times are those at which the watch told of a thing.

use super::history::{History, Life, histories, planned};
use super::judge::rounds;
use super::trials::SIZE;
use crate::statistics::in_words;
use aiconform_model::Event;
use aiconform_verdict::{Measure, Subject};
use serde_json::Value;

const WHOLE: usize = SIZE as usize;

/// The measures of a subject, rounds with ample quota apart.
pub fn measures(events: &[&Event], subject: &Subject) -> Vec<Measure> {
    let histories = histories(events);
    let quota = planned(subject, "ample-").next().is_some();
    let mut found = Vec::new();
    for (prefix, more) in [("round-", ""), ("ample-", ", quota above capacity"), ("three-", ", three gangs")]
    {
        let settled = rounds(events, prefix);
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
        let of = |pick: &dyn Fn(&History) -> Option<i64>| {
            let mut times: Vec<i64> = settled
                .iter()
                .filter_map(|round| histories.iter().find(|history| history.trial == round.trial))
                .filter_map(pick)
                .collect();
            times.sort_unstable();
            times
        };
        tell("until a gang is bound whole", spread(&of(&|h| to_whole(h, quota))));
        tell("first to last bind of a gang", spread(&of(&bind_spread)));
        tell("until the loser is bound whole once the winner is gone", spread(&of(&release_to_bind)));
        let held: i64 = of(&held_by_parts).iter().sum();
        let per_round = seconds(held / i64::try_from(settled.len()).unwrap_or(1));
        tell("slots held by parts of gangs, slot-seconds per round", per_round);
    }
    let of = |trial: &str| histories.iter().find(|history| history.trial == trial);
    found.extend(of("preemption").into_iter().flat_map(evictions));
    found.extend(of("scale").into_iter().flat_map(wide));
    found
}

/// Pods evicted for a gang of higher priority: in vain, and so that it starts.
fn evictions(history: &History) -> Vec<Measure> {
    let tell = |name: &str, begin: &str, end: &str| {
        let (begin, end) = (history.phase(begin)?, history.phase(end)?);
        let victim = begin.data.get("victim")?.as_str()?;
        let size = begin.data.get("size")?.as_u64()?;
        let evicted = history.lost(victim, begin.begin, end.begin).count();
        Some(Measure { name: format!("{name} (a gang of {size})"), value: format!("{evicted} of {WHOLE}") })
    };
    let futile = tell("pods evicted in vain", "futile", "futile_closed");
    let needed = tell("pods evicted for a gang that starts", "feasible", "feasible_ended");
    [futile, needed].into_iter().flatten().collect()
}

/// The gang over many nodes: how long it took once nothing was missing any more, which is its last slot, or its last pod
/// where a queue has the pods made only then.
fn wide(history: &History) -> Vec<Measure> {
    let (Some(begin), Some(release)) = (history.phase("gang"), history.phase("release")) else {
        return Vec::new();
    };
    let gang = begin.data.get("gang").and_then(Value::as_str).unwrap_or_default();
    let pods: Vec<&Life> = history.members(gang, begin.begin).collect();
    let size = history.number("gang", "size");
    let bound: Vec<i64> = bound_at(&pods).collect();
    let (Some(first), Some(last)) = (bound.iter().min(), bound.iter().max()) else { return Vec::new() };
    if bound.len() < size {
        return Vec::new();
    }
    let made = |pick: fn(&[i64]) -> Option<&i64>| {
        let seen: Vec<i64> = pods.iter().map(|pod| pod.seen.1).collect();
        pick(&seen).copied().unwrap_or_default()
    };
    let (first_made, last_made) = (made(|seen| seen.iter().min()), made(|seen| seen.iter().max()));
    let complete = last_made.max(release.at);
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
fn winner(history: &History) -> Option<Vec<&Life>> {
    let settled = history.phase("settled")?.begin;
    let gangs = history.phase("contend")?.data.get("gangs")?.as_array()?;
    gangs.iter().filter_map(Value::as_str).find(|gang| history.held(gang, settled) == WHOLE).map(|gang| {
        let held = |pod: &&Life| pod.role == "gang" && pod.gang == gang && pod.holds(settled);
        history.pods.iter().filter(held).collect()
    })
}

fn bound_at<'a>(pods: &'a [&Life]) -> impl Iterator<Item = i64> + 'a {
    pods.iter().filter_map(|pod| pod.bound.map(|bound| bound.1))
}

fn to_whole(history: &History, quota: bool) -> Option<i64> {
    let pods = winner(history)?;
    let created =
        if quota { history.phase("queue_opens")?.at } else { pods.iter().map(|pod| pod.seen.1).max()? };
    let slots = history.phase("slots_come").map_or(created, |phase| phase.at);
    Some((bound_at(&pods).max()? - created.max(slots)).max(0))
}

fn bind_spread(history: &History) -> Option<i64> {
    let pods = winner(history)?;
    Some(bound_at(&pods).max()? - bound_at(&pods).min()?)
}

fn release_to_bind(history: &History) -> Option<i64> {
    let (release, end) = (history.phase("release")?, history.phase("release_ended")?);
    let losers: Vec<&str> =
        release.data.get("losers")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let held =
        |pod: &&Life| pod.role == "gang" && losers.contains(&pod.gang.as_str()) && pod.holds(end.begin);
    let pods: Vec<&Life> = history.pods.iter().filter(held).collect();
    (pods.len() == WHOLE).then(|| bound_at(&pods).max().map(|last| last - release.at))?
}

/// Milliseconds times slots in which a gang held some slots and not enough of them, until the round had settled.
fn held_by_parts(history: &History) -> Option<i64> {
    let end = history.phase("settled")?.at;
    let gangs = history.phase("contend")?.data.get("gangs")?.as_array()?;
    let one = |gang: &str| {
        let mut changes: Vec<(i64, i64)> = Vec::new();
        for pod in history.pods.iter().filter(|pod| pod.role == "gang" && pod.gang == gang) {
            if let Some((_, bound)) = pod.bound {
                changes.push((bound.min(end), 1));
                changes.push((pod.gone.map_or(end, |(_, gone)| gone.min(end)), -1));
            }
        }
        changes.sort_unstable();
        let (mut held, mut since, mut sum) = (0, 0, 0);
        for (at, change) in changes {
            if held > 0 && held < i64::try_from(WHOLE).unwrap_or(i64::MAX) {
                sum += held * (at - since);
            }
            held += change;
            since = at;
        }
        sum
    };
    Some(gangs.iter().filter_map(Value::as_str).map(one).sum())
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
    use crate::gang_scheduling::history::Phase;
    use serde_json::json;

    fn history(bound: &[(&str, i64)], marks: &[(&str, i64)]) -> History {
        let place = |at: i64| (u64::try_from(at).unwrap(), at);
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
        let phases = marks.iter().map(|(name, at)| Phase {
            name: (*name).into(),
            data: json!({"gangs": ["a", "b"], "losers": ["b"]}),
            begin: u64::try_from(*at).unwrap(),
            at: *at,
        });
        let (phases, pods) = (phases.collect(), pods.collect());
        History { trial: "t".into(), phases, pods, ..History::default() }
    }

    #[test]
    fn what_is_evicted_is_counted_by_the_gang_that_it_was_for() {
        let marks = [("futile", 100), ("futile_closed", 2000), ("feasible", 3000), ("feasible_ended", 5000)];
        let mut history = history(&[("v", 10), ("v", 20), ("v", 30), ("v", 40)], &marks);
        for phase in &mut history.phases {
            phase.data = json!({"victim": "v", "size": 2});
        }
        for pod in history.pods.iter_mut().take(3) {
            pod.gone = Some((4000, 4000));
        }
        let told: Vec<String> = evictions(&history).into_iter().map(|measure| measure.value).collect();
        assert_eq!(told, ["0 of 4", "3 of 4"]);
    }

    #[test]
    fn a_part_counts_until_it_is_whole_and_a_whole_gang_does_not() {
        let marks = [("contend", 0), ("queue_opens", 50), ("settled", 5000)];
        let whole = history(&[("a", 1000), ("a", 1100), ("a", 1200), ("a", 1500)], &marks);
        // One slot for 100 ms, two for 100 ms, three for 300 ms.
        assert_eq!(held_by_parts(&whole), Some(100 + 200 + 900));
        assert_eq!(bind_spread(&whole), Some(500));
        assert_eq!((to_whole(&whole, false), to_whole(&whole, true)), (Some(1499), Some(1450)));
        let deadlock = history(&[("a", 1000), ("a", 1000), ("b", 3000)], &marks);
        assert_eq!(held_by_parts(&deadlock), Some(2 * 4000 + 2000));
        assert_eq!((bind_spread(&deadlock), to_whole(&deadlock, false)), (None, None));
    }

    #[test]
    fn the_loser_is_timed_from_the_release_only_when_it_is_whole() {
        let marks = [("contend", 0), ("settled", 5000), ("release", 6000), ("release_ended", 9000)];
        let bound = [("b", 7000), ("b", 7100), ("b", 7200), ("b", 7300)];
        assert_eq!(release_to_bind(&history(&bound, &marks)), Some(1300));
        assert_eq!(release_to_bind(&history(&bound[..3], &marks)), None);
    }

    #[test]
    fn a_wide_gang_is_timed_from_what_it_missed_last() {
        let wide_of = |created: i64| {
            let marks = [("gang", 0), ("release", 2000)];
            let mut history = history(&[("a", 2300), ("a", 2500)], &marks);
            for phase in &mut history.phases {
                phase.data = json!({"gang": "a", "size": 2});
            }
            history.pods[1].seen = (10, created);
            wide(&history).into_iter().map(|measure| measure.value).collect::<Vec<_>>()
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
