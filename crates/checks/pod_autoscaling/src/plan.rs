//! Steps of the metric, and how many pods must come of each.
//!
//! One pod carries the whole value and the others say 0, so that each step changes what one pod says: what several pods
//! say is gathered at different times. The sum decides: `ceil(current · average / target) = ceil(sum / target)`.

use serde::{Deserialize, Serialize};

/// The fewest replicas.
pub const LEAST: u64 = 1;
/// Two steps up need as many accelerators.
pub const NEEDED: u64 = 3;
/// More are not made use of.
pub const ENOUGH: u64 = 4;

/// Names of the steps, by what each is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// One pod at its target: the autoscaler begins.
    Begin,
    /// The first rise.
    FirstUp,
    /// The value moves below the target, and nothing else may.
    Rest,
    /// The second rise.
    SecondUp,
    /// More is asked for than there may be.
    Most,
    /// The value falls.
    Down,
    /// Pods of another namespace say much under the same name.
    Decoy,
    /// Nobody says anything.
    Missing,
    /// Less is asked for than there must be.
    Least,
}

impl Name {
    /// The name as it stands in the evidence.
    pub fn word(self) -> &'static str {
        match self {
            Name::Begin => "begin",
            Name::FirstUp => "first_up",
            Name::Rest => "rest",
            Name::SecondUp => "second_up",
            Name::Most => "most",
            Name::Down => "down",
            Name::Decoy => "decoy",
            Name::Missing => "missing",
            Name::Least => "least",
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    #[serde(rename = "step")]
    pub name: Name,
    /// Value that the carrying pod says; `None`: no pod says anything.
    pub value: Option<f64>,
    /// Number of replicas that must come of it.
    pub replicas: u64,
    /// Value that the pod of another namespace says from here on.
    pub decoy: f64,
}

/// The steps for a target and the most replicas. Every ratio by which something must change is 1.5 or more, or two thirds
/// or less, and where nothing may change the result is the same with any tolerance.
pub fn steps(target: f64, most: u64) -> Vec<Step> {
    #[allow(clippy::cast_precision_loss, reason = "pods are few")]
    let all = target * most as f64;
    let step = |name, value, replicas| Step { name, value, replicas, decoy: 0.0 };
    vec![
        step(Name::Begin, Some(target), 1),
        step(Name::FirstUp, Some(2.0 * target), 2),
        step(Name::Rest, Some(1.9 * target), 2),
        step(Name::SecondUp, Some(all), most),
        step(Name::Most, Some(2.0 * all), most),
        step(Name::Down, Some(1.5 * target), 2),
        Step { decoy: 100.0 * target, ..step(Name::Decoy, Some(1.6 * target), 2) },
        step(Name::Missing, None, 2),
        step(Name::Least, Some(0.0), LEAST),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a test"
    )]
    fn what_must_come_is_what_the_sum_says_within_the_limits_with_any_tolerance() {
        for (target, most) in [(10.0, 3), (70.0, 4)] {
            let mut current = 1;
            for step in steps(target, most) {
                let Some(sum) = step.value else {
                    assert_eq!(step.replicas, current);
                    continue;
                };
                let wanted = ((sum / target).ceil() as u64).clamp(LEAST, most);
                assert_eq!(step.replicas, wanted, "{step:?}");
                let ratio = sum / current as f64 / target;
                let stays = step.replicas == current;
                assert!(stays || ratio >= 1.5 || ratio <= 2.0 / 3.0, "{step:?}: {ratio}");
                current = step.replicas;
            }
        }
    }
}
