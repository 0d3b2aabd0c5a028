//! A load that comes and goes, and the utilisation that follows it.
//!
//! No threshold is absolute: a device follows when its mean in every load phase stands out from the phases beside it by
//! more than it sways within them.

use super::history::{History, Stretch};
use super::{each, mean};
use crate::adapters::Quantity;
use aiconform_trial::{Position, met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::BTreeMap;

/// A step stands out when it is so many times what the values sway by.
const CLEAR: f64 = 3.0;
/// Another device follows too when it rises by at least this part of what the loaded one does.
const TOO: f64 = 0.5;

/// Values of a device in a load phase and in the rests beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swing {
    /// Steps up and down, as differences of means; rising is positive in both.
    pub steps: Vec<f64>,
    /// Standard deviation by which its values sway within phases.
    pub sway: f64,
}

impl Swing {
    /// Steps that stand out.
    fn clear(&self) -> usize {
        self.steps.iter().filter(|step| **step > 0.0 && **step > CLEAR * self.sway).count()
    }

    /// Tells whether it moves with the load, every time and by more than it sways, though nothing stands out.
    fn moves(&self) -> bool {
        self.steps.iter().all(|step| *step > 0.0) && self.height() > self.sway
    }

    /// The mean step.
    pub fn height(&self) -> f64 {
        mean(&self.steps)
    }
}

/// The swing of every device when the load came and went.
pub fn swings(stretch: &Stretch) -> BTreeMap<String, Swing> {
    let utilisations: Vec<BTreeMap<String, Vec<f64>>> = stretch
        .steady
        .iter()
        .map(|steady| stretch.values(steady.phase, Quantity::Utilisation).into_iter().collect())
        .collect();
    let mut swings: BTreeMap<String, Swing> = BTreeMap::new();
    let mut squares: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for values in &utilisations {
        for (device, values) in values {
            let middle = mean(values);
            let (sum, count) = squares.entry(device.clone()).or_default();
            for value in values {
                *sum += (value - middle).powi(2);
                *count += 1.0;
            }
        }
    }
    for pair in stretch.steady.iter().zip(&utilisations).collect::<Vec<_>>().windows(2) {
        let [(before, earlier), (after, later)] = pair else { continue };
        if after.loaded == before.loaded {
            continue;
        }
        for (device, values) in *later {
            let Some(others) = earlier.get(device) else { continue };
            let step = mean(values) - mean(others);
            swings.entry(device.clone()).or_default().steps.push(if after.loaded { step } else { -step });
        }
    }
    for (device, swing) in &mut swings {
        let (sum, count) = squares.get(device).copied().unwrap_or_default();
        swing.sway = (sum / f64::max(count, 1.0)).sqrt();
    }
    swings
}

/// The load moves the utilisation of the device that has it, and of no other.
pub fn utilisation_follows_the_load(history: &History) -> Outcome {
    each(history, follows)
}

/// Outcome of one device.
pub(super) fn follows(stretch: &Stretch) -> Outcome {
    let loaded = || stretch.steady.iter().filter(|steady| steady.loaded);
    if loaded().next().is_none() {
        return unknown(stretch.lack("no load was begun"));
    }
    let Some(own) = stretch.device() else {
        return unknown(stretch.lack("no series is of the device that the pod was given"));
    };
    let swings = swings(stretch);
    let Some(swing) = swings.get(&own).filter(|swing| swing.steps.len() >= 2) else {
        return unknown(stretch.lack(&format!("too little is told of the utilisation of {own}")));
    };
    let scrapes: Vec<Position> =
        loaded().flat_map(|steady| stretch.within(steady.phase)).map(|scrape| scrape.at).collect();
    let (clear, all, height) = (swing.clear(), swing.steps.len(), swing.height());
    let points = |height: f64| format!("{:.1} percentage points", height * 100.0);
    if clear == 0 && swing.moves() {
        // A device that was put to work by fits and starts, as on a busy machine, says nothing of its metrics.
        return unknown(format!(
            "the utilisation of {own} moves with its load, by {} on average, and sways by {}: too much to tell",
            points(height),
            points(swing.sway)
        ));
    }
    let late = stretch.steady.iter().find(|steady| steady.late.is_some()).and_then(|steady| {
        let what = if steady.loaded { "the load" } else { "the end of the load" };
        stretch.late(&format!("{what} on {own} was shown"), steady.late)
    });
    if clear == 0 {
        if let Some(late) = late {
            return late;
        }
        let witness = format!(
            "the load on {own} came and went, and its utilisation changes by {} on average and sways by {}",
            points(height),
            points(swing.sway)
        );
        return unmet(witness, scrapes);
    }
    if clear < all {
        return unknown(format!("the utilisation of {own} follows {clear} of {all} changes of its load"));
    }
    let too = swings.iter().find(|(device, other)| {
        **device != own && other.clear() == other.steps.len() && other.height() >= height * TOO
    });
    if let Some((device, other)) = too {
        return unmet(
            format!("{device} follows the load on {own} too, by {}", points(other.height())),
            scrapes,
        );
    }
    if let Some(late) = late {
        return late;
    }
    met(format!(
        "the utilisation of {own} follows all {all} changes of its load, by {} on average; none of {} others does",
        points(height),
        swings.len() - 1
    ))
}

#[cfg(test)]
mod tests {
    use super::Swing;
    use proptest::prelude::*;

    #[test]
    fn what_moves_with_the_load_and_sways_as_well_is_not_called_still() {
        let swing = |steps: &[f64], sway| Swing { steps: steps.to_vec(), sway };
        assert!(swing(&[0.6, 0.5, 0.7], 0.3).moves());
        assert!(!swing(&[0.6, -0.1, 0.7], 0.3).moves());
        assert!(!swing(&[0.1, 0.1, 0.1], 0.3).moves());
        assert!(!swing(&[0.0, 0.0], 0.0).moves());
    }

    proptest! {
        /// In which unit utilisation is told makes no difference.
        #[test]
        fn steps_are_judged_without_a_scale(steps in proptest::collection::vec(-1.0_f64..1.0, 1..6), sway in 0.0_f64..0.5) {
            let scaled = |by: f64| Swing { steps: steps.iter().map(|step| step * by).collect(), sway: sway * by };
            prop_assert_eq!(scaled(1.0).clear(), scaled(1024.0).clear());
        }
    }
}
