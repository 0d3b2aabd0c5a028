//! Controls: the device did what was asked of it, and nobody else used it.

use super::history::{History, Stretch};
use super::{bounds, each};
use crate::adapters::Quantity;
use aiconform_accelerators::answers::Device;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;

/// Part of its full scale by which a device that is quiet may still sway.
const SWAY: f64 = 0.2;
/// Part of the time that was asked for which must have been worked.
const DONE: f64 = 0.9;

/// Tells whether it stands on simulated devices: they, or their metrics, say so.
pub fn simulated(history: &History) -> bool {
    let given = |stretch: &Stretch| stretch.given.as_ref().is_some_and(|(_, given)| given.simulated);
    history.stretches.iter().any(given)
        || history.scrapes.iter().any(|scrape| scrape.read.as_ref().is_ok_and(|read| read.simulated))
}

/// Control: what was asked of the device was done by it.
pub fn load_was_done(history: &History) -> Outcome {
    each(history, done)
}

fn done(stretch: &Stretch) -> Outcome {
    if let Some((at, given)) = &stretch.given
        && let Some(told) = Device(given.device.clone()).belied()
    {
        let (names, told) = (given.names.join(", "), told.join(", "));
        let witness = format!("the load says that it has {names}, and the container was given {told}");
        return unmet(witness, [*at]);
    }
    for (phase, rest) in &stretch.rests {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a load are few")]
        let (worked, asked) = (rest.done as f64, rest.asked as f64);
        if rest.asked == 0 || worked < asked * DONE || !rest.why.is_empty() {
            let why = if rest.why.is_empty() { "it did not say that it did more" } else { &rest.why };
            return unmet(
                format!("the device worked {} ms of {} ms: {why}", rest.done, rest.asked),
                [phase.at],
            );
        }
    }
    if stretch.rests.is_empty() {
        return unknown(stretch.lack("no load came to its end"));
    }
    let rests = || stretch.rests.iter().map(|(_, rest)| rest);
    let (done, asked): (u64, u64) =
        (rests().map(|rest| rest.done).sum(), rests().map(|rest| rest.asked).sum());
    met(format!(
        "the device says that it worked {done} ms of {asked} ms in {} load phases",
        stretch.rests.len()
    ))
}

/// Control: nobody else uses the device.
pub fn device_was_quiet(history: &History) -> Outcome {
    each(history, quiet)
}

fn quiet(stretch: &Stretch) -> Outcome {
    let Some((at, given)) = &stretch.given else {
        return unknown(stretch.lack("no pod was given a device"));
    };
    if let Some(share) = &given.share {
        let witness = format!("the pod was given a share of a device ({share}), whose others may be in use");
        return unmet(witness, [*at]);
    }
    let (Some(device), Some(quiet)) = (stretch.device(), stretch.quiet) else {
        return met("the device was given to this pod alone");
    };
    let values = stretch.values(quiet, Quantity::Utilisation);
    let Some((_, values)) = values.iter().find(|(other, _)| *other == device) else {
        return met("the device was given to this pod alone");
    };
    let (low, high) = bounds(values);
    // In a wrong unit, the sway is not to be told from that unit; then it says nothing of use.
    if high <= 1.0 && high - low > SWAY {
        let witness = format!("before any load its utilisation sways between {low:.2} and {high:.2}");
        return unmet(witness, stretch.within(quiet).map(|scrape| scrape.at));
    }
    met(format!(
        "given to this pod alone; before any load its utilisation stays between {low:.2} and {high:.2}"
    ))
}
