//! Where the time of a run went: the platform's, waiting on purpose, and ours.

use aiconform_evidence::Evidence;
use aiconform_model::{Bin, EventKind};
use serde::Serialize;
use serde_json::Value;

/// Milliseconds of wall time in each bin. Trials run side by side: a moment in which any of them waits for the platform
/// is the platform's, else dwell if any dwells, else ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bins {
    /// The platform worked.
    pub platform: u64,
    /// We waited on purpose.
    pub dwell: u64,
    /// The program itself.
    pub ours: u64,
}

/// Sorts the wall time of a run from the first event to the last.
pub fn bins(_run: &Value, evidence: &Evidence) -> Bins {
    let (Some(first), Some(last)) = (evidence.events.first(), evidence.events.last()) else {
        return Bins::default();
    };
    let mut edges: Vec<(i64, Bin, i32)> = Vec::new();
    for event in &evidence.events {
        let end = event.time.as_millisecond();
        let (bin, took) = match &event.kind {
            EventKind::Wait { bin, waited, .. } => (*bin, *waited),
            // An answer of the API server is the platform's time.
            EventKind::Exchange { milliseconds, .. } => (Bin::Platform, *milliseconds),
            _ => continue,
        };
        let begin = end - i64::try_from(took).unwrap_or_default();
        if took > 0 {
            edges.push((begin.max(first.time.as_millisecond()), bin, 1));
            edges.push((end, bin, -1));
        }
    }
    edges.sort_by_key(|edge| (edge.0, edge.2));
    let mut found = Bins::default();
    let (mut platform, mut dwell) = (0, 0);
    let mut at = first.time.as_millisecond();
    let end = (last.time.as_millisecond(), Bin::Ours, 0);
    for (moment, bin, step) in edges.into_iter().chain([end]) {
        let passed = u64::try_from(moment - at).unwrap_or_default();
        if platform > 0 {
            found.platform += passed;
        } else if dwell > 0 {
            found.dwell += passed;
        } else {
            found.ours += passed;
        }
        at = at.max(moment);
        match bin {
            Bin::Platform => platform += step,
            Bin::Dwell => dwell += step,
            Bin::Ours => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_model::{Event, Scope};

    fn wait(end: i64, bin: Bin, waited: u64) -> Event {
        Event {
            sequence: 0,
            time: jiff::Timestamp::from_millisecond(end).unwrap(),
            scope: Scope::default(),
            kind: EventKind::Wait {
                condition: "c".into(),
                bin,
                limit: 0,
                waited,
                met: true,
                last: String::new(),
            },
        }
    }

    #[test]
    fn overlapping_waits_are_counted_once_and_the_platform_first() {
        let events = vec![
            wait(1000, Bin::Ours, 0),
            wait(3000, Bin::Platform, 1000),
            wait(4000, Bin::Dwell, 2000),
            wait(5000, Bin::Ours, 0),
        ];
        let bins = bins(&Value::Null, &Evidence { events });
        assert_eq!(bins, Bins { platform: 1000, dwell: 1000, ours: 2000 });
    }
}
