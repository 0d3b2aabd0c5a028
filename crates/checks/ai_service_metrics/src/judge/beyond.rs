//! Claims that go further than the requirement: whose series they are, who is left alone, and what becomes of who is gone.

use super::batches::{last_of, newest, of, shown_since};
use super::history::History;
use crate::answer::Series;
use crate::marks::{Batch, COUNTER, DECLARED, UNDECLARED, WHO};
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Labels that say which pod a series is of, under the names that monitoring systems use.
const POD_LABELS: [&str; 5] = ["pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name", "exported_pod"];

/// Series name the pod and the namespace that they are of.
pub fn labels_name_the_pod(history: &History) -> Outcome {
    let (look, answer, _) = match last_of(history, Batch::Released) {
        Ok(last) => last,
        Err(outcome) => return outcome,
    };
    let mut named = Vec::new();
    for who in DECLARED {
        let pod = history.pod(who);
        let mut any = false;
        for series in of(answer, COUNTER, who) {
            any = true;
            let holds = |value: &str| series.labels.values().any(|label| label == value);
            let other =
                POD_LABELS.iter().find(|name| !series.label(name).is_empty() && series.label(name) != pod);
            if let Some(name) = other {
                let witness =
                    format!("what the pod {pod} counts is said to be of {name}={:?}", series.label(name));
                return unmet(witness, [look.at]);
            }
            for (what, value) in [("pod", pod), ("namespace", history.namespace())] {
                if !holds(value) {
                    let witness = format!(
                        "no label of what the pod {pod} counts names its {what} {value}: {}",
                        shown(series)
                    );
                    return unmet(witness, [look.at]);
                }
            }
            named.extend(
                series.labels.iter().filter(|(_, value)| *value == pod).map(|(name, _)| name.clone()),
            );
        }
        if !any {
            return unknown(history.lack(&format!("no counter of {pod} is told")));
        }
    }
    named.sort();
    named.dedup();
    met(format!("the label {} of each names its own pod, and one its namespace", named.join(", ")))
}

fn shown(series: &Series) -> String {
    let labels = series.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
    labels.collect::<Vec<_>>().join(", ")
}

/// A pod of the same kind that declares nothing is not collected.
pub fn undeclared_is_left_alone(history: &History) -> Outcome {
    let (look, answer, _) = match last_of(history, Batch::Released) {
        Ok(last) => last,
        Err(outcome) => return outcome,
    };
    let of_who = |who: &str| answer.iter().filter(|series| series.label(WHO) == who).count();
    let found = of_who(UNDECLARED);
    if found > 0 {
        let witness = format!(
            "the pod {} declares nothing, and {found} of its series are there",
            history.pod(UNDECLARED)
        );
        return unmet(witness, [look.at]);
    }
    // Both have been there for as long.
    if DECLARED.iter().any(|who| of_who(who) == 0) {
        return unknown(history.lack("what is declared is not there either"));
    }
    met(format!("no series of the pod {}, which ran as long as the others", history.pod(UNDECLARED)))
}

/// The series of a pod that is gone are not told any more, while those of another are.
pub fn gone_is_told_no_more(history: &History) -> Outcome {
    let (Some(gone), Some(_)) = (&history.gone, &history.gone_settled) else {
        return unknown(history.lack("no pod was deleted and waited for"));
    };
    let (look, series) = match newest(history, gone, "after the pod was gone") {
        Ok(newest) => newest,
        Err(outcome) => return outcome,
    };
    let [first, second] = DECLARED;
    let after = look.when.since(gone.when);
    if of(series, COUNTER, first).next().is_some() {
        let witness = format!(
            "{} s after the pod {} was gone, its series are still told",
            after.as_secs(),
            history.pod(first)
        );
        return unmet(witness, [look.at]);
    }
    if of(series, COUNTER, second).next().is_none() {
        return unknown(history.lack("nothing is told of the pod that stays either"));
    }
    let ended = shown_since(history, gone, |series| of(series, COUNTER, first).next().is_none());
    let what = format!("series of the pod {} ended", history.pod(first));
    if let Some(late) = ended.and_then(|ended| history.show.too_late(&what, gone.when, ended)) {
        return late;
    }
    met(format!(
        "{} ms after the pod {} was gone it is told no more, and {} still is",
        after.as_millis(),
        history.pod(first),
        history.pod(second)
    ))
}
