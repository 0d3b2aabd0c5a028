//! From evidence to outcomes: pure functions.

mod beyond;
mod controls;
pub mod guard;
pub mod history;
pub mod measures;
mod memory;
pub mod picture;
mod series;
mod swing;

pub use beyond::{attribution_follows_the_pod, samples_are_fresh, units_are_sane};
pub use controls::{device_was_quiet, load_was_done, simulated};
pub use memory::memory_follows_the_allocation;
pub use series::{every_accelerator_has_its_series, format_is_machine_readable};
pub use swing::utilisation_follows_the_load;

use self::history::{History, Stretch};
use aiconform_trial::{met, unknown};
use aiconform_verdict::Outcome;

/// One outcome from those of all devices that were put to work: unmet if it is of one, unknown if it is of one, else met.
fn each(history: &History, judge: fn(&Stretch) -> Outcome) -> Outcome {
    let outcomes: Vec<(&str, Outcome)> =
        history.stretches.iter().map(|stretch| (stretch.mode.as_str(), judge(stretch))).collect();
    let planned = history.planned.len();
    let many = planned.max(outcomes.len()) > 1;
    let words = |mode: &str, text: &str| if many { format!("{mode}: {text}") } else { text.into() };
    let (mut seen, mut doubts) = (Vec::new(), Vec::new());
    for (mode, outcome) in &outcomes {
        match outcome {
            Outcome::Unmet { witness, events } => {
                return Outcome::Unmet { witness: words(mode, witness), events: events.clone() };
            }
            Outcome::Unknown { why } => doubts.push(words(mode, why)),
            Outcome::Met { seen: what } => seen.push(words(mode, what)),
        }
    }
    if doubts.is_empty() && outcomes.len() < planned {
        doubts.push(history.lack("not every way in which accelerators are given was tried"));
    }
    if doubts.is_empty() { met(seen.join("; ")) } else { unknown(doubts.join("; ")) }
}

/// The lowest and the highest of some values.
fn bounds(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The mean of some values; 0 of none.
fn mean(values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "scrapes are few")]
    let count = values.len().max(1) as f64;
    values.iter().sum::<f64>() / count
}
