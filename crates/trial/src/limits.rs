//! Limits: every longest time that a verdict may hang on, as data.

use crate::moment::Moment;
use aiconform_verdict::Outcome;
use std::time::Duration;

/// A longest time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Name in the profile, such as `gang_scheduling.release`.
    pub key: &'static str,
    /// Default, in seconds.
    pub seconds: f64,
    /// Largest multiple of its default that a profile may make it.
    pub most: f64,
    /// The thing that it is the longest time for, as the end of a sentence.
    pub what: &'static str,
}

impl Limit {
    /// The limit with this many seconds, or with its default.
    pub fn in_force(&self, seconds: Option<f64>) -> InForce {
        let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0).unwrap_or(self.seconds);
        InForce { key: self.key, time: Duration::from_secs_f64(seconds) }
    }
}

/// A limit as it was in force in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its name in the profile.
    pub key: &'static str,
    /// The time.
    pub time: Duration,
}

/// Arrival of something that had a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Within the limit.
    InTime,
    /// After it, and before twice the limit: how long it took.
    Late(Duration),
    /// Not while it was watched for.
    Never,
}

impl InForce {
    /// Time for which it is watched for: twice the limit, so that late is told from never.
    pub fn watched(&self) -> Duration {
        self.time * 2
    }

    /// The arrival of something that was waited for since `begun`.
    pub fn came(&self, begun: Moment, came: Option<Moment>) -> Came {
        match came.map(|came| came.since(begun)) {
            None => Came::Never,
            Some(took) if took > self.time => Came::Late(took),
            Some(_) => Came::InTime,
        }
    }

    /// The outcome of something that came after the limit, as [`InForce::late`] has it; nothing where it came in time.
    pub fn too_late(&self, what: &str, begun: Moment, came: Moment) -> Option<Outcome> {
        match self.came(begun, Some(came)) {
            Came::Late(took) => Some(self.late(what, took)),
            Came::InTime | Came::Never => None,
        }
    }

    /// Nothing can be said of what came late: a slower limit might let it pass.
    pub fn late(&self, what: &str, took: Duration) -> Outcome {
        let why = format!(
            "{what} late: after {} s, the limit is {} s; where the platform is that slow by nature, say so in the profile: [limits] {} = {}",
            seconds(took),
            seconds(self.time),
            self.key
                .split('.')
                .map(|part| format!("{part:?}"))
                .collect::<Vec<_>>()
                .join(".")
                .replace('"', ""),
            (took.as_secs_f64() * 1.5).ceil()
        );
        Outcome::Unknown { why }
    }
}

/// Seconds without decimals that say nothing.
fn seconds(time: Duration) -> String {
    let tenths = (time.as_secs_f64() * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { key: "c.bind", seconds: 120.0, most: 10.0, what: "a pod to be bound" };

    #[test]
    fn late_is_told_from_in_time_and_from_never() {
        let limit = LIMIT.in_force(None);
        let begun = Moment(1_000);
        assert_eq!(limit.came(begun, Some(Moment(121_000))), Came::InTime);
        assert_eq!(limit.came(begun, Some(Moment(146_000))), Came::Late(Duration::from_secs(145)));
        assert_eq!(limit.came(begun, None), Came::Never);
        let Outcome::Unknown { why } = limit.late("a pod was bound", Duration::from_secs(145)) else {
            panic!()
        };
        assert!(why.contains("after 145 s, the limit is 120 s") && why.contains("c.bind = 218"), "{why}");
        assert_eq!(LIMIT.in_force(Some(360.0)).time, Duration::from_secs(360));
        assert_eq!(LIMIT.in_force(Some(f64::NAN)).time, Duration::from_secs(120));
    }
}
