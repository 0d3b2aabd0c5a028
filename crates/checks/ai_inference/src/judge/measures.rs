//! Measures beside the claims.

use super::history::History;
use super::shares::over;
use crate::marks::SPLIT;
use aiconform_verdict::Measure;

/// Measures of a subject.
pub fn measures(history: &History) -> Vec<Measure> {
    let mut measures = Vec::new();
    let mut tell = |name: String, value: String| measures.push(Measure { name, value });
    if let Some(features) = history.facts.features {
        tell("features that the class says it has".into(), features.to_string());
    }
    for done in history.all(SPLIT) {
        let rate = u64::from(done.sent.sent) * 1000 / done.sent.milliseconds.max(1);
        tell(format!("requests per second over {}", over(done.keeps_alive)), rate.to_string());
    }
    if let Some(change) = history.changed.as_ref().filter(|change| change.seen) {
        tell(
            "time until changed weights were seen to take effect, in ms".into(),
            change.milliseconds.to_string(),
        );
    }
    measures
}
