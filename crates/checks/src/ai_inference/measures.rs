//! What is told beside the claims.

use super::history::{History, SPLIT};
use super::judge::over;
use aiconform_model::Event;
use aiconform_verdict::{Measure, Subject};

/// What was measured of a subject.
pub fn measures(events: &[&Event], subject: &Subject) -> Vec<Measure> {
    let history = History::of(events);
    let mut measures = Vec::new();
    let mut tell = |name: String, value: String| measures.push(Measure { name, value });
    if let Some(features) = subject.facts["features"].as_u64() {
        tell("features that the class says it has".into(), features.to_string());
    }
    for done in history.all(SPLIT) {
        let rate = u64::from(done.sent.sent) * 1000 / done.sent.milliseconds.max(1);
        tell(format!("requests per second over {}", over(done.keeps_alive)), rate.to_string());
    }
    if let Some((_, changed)) = &history.changed
        && let (Some(took), Some(true)) = (changed["milliseconds"].as_u64(), changed["changed"].as_bool())
    {
        tell("time until changed weights were seen to take effect, in ms".into(), took.to_string());
    }
    measures
}
