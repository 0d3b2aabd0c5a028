//! Times beside the claims: how long each thing takes, for people who compare.

use super::history::History;
use crate::marks::Batch;
use aiconform_trial::Marked;
use aiconform_verdict::Measure;

/// Times of a subject.
pub fn measures(history: &History) -> Vec<Measure> {
    let settled = |mark: &Option<Marked<Option<u64>>>| mark.as_ref().and_then(|mark| mark.mark);
    let counted = Batch::ALL.map(|batch| history.batch(batch).and_then(|batch| settled(&batch.settled)));
    let longest = counted.into_iter().collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
    let all = [
        ("time until a workload is found, in ms", settled(&history.found)),
        ("longest time until requests are counted, in ms", longest),
        ("time until a pod that is gone is told no more, in ms", settled(&history.gone_settled)),
    ];
    let measure =
        |(name, value): (&str, Option<u64>)| Some(Measure { name: name.into(), value: value?.to_string() });
    all.into_iter().filter_map(measure).collect()
}
