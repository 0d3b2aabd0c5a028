//! From the text of a scrape to what it says of devices.

use super::{Dialect, Reading, readings};
use aiconform_exposition::{Limits, parse};
use std::sync::Arc;

/// Metrics of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Readings of devices.
    pub readings: Vec<Reading>,
    /// Number of lines that could not be read, and the first of them.
    pub warnings: (usize, String),
    /// Number of samples in all.
    pub samples: usize,
    /// Names of some of its metrics, for people.
    pub some: String,
    /// Set if it says of itself that its devices are simulated.
    pub simulated: bool,
}

/// Reason for which a scrape says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No whole answer came: nothing is known.
    Answer(String),
    /// The answer is no metrics.
    Metrics(String),
}

impl Lack {
    /// The reason in words.
    pub fn words(&self) -> &str {
        match self {
            Lack::Answer(why) | Lack::Metrics(why) => why,
        }
    }
}

/// Reads the text of a scrape.
///
/// # Errors
/// When it is no metrics, or not all of them.
pub fn read(dialect: Option<&Dialect>, text: &str) -> Result<Arc<Metrics>, Lack> {
    let found = parse(text, &Limits::default()).map_err(|error| Lack::Metrics(error.to_string()))?;
    if let Some(cut) = found.cut {
        return Err(Lack::Answer(cut.to_string()));
    }
    let mut names: Vec<&str> = found.samples.iter().map(|sample| sample.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let first = found.warnings.first().map(ToString::to_string).unwrap_or_default();
    let is_simulated =
        |help: &Option<String>| help.as_deref().is_some_and(|help| help.contains("simulated device"));
    Ok(Arc::new(Metrics {
        readings: dialect.map(|dialect| readings(dialect, &found)).unwrap_or_default(),
        warnings: (found.warnings.len() + found.more_warnings, first),
        samples: found.samples.len(),
        some: names.into_iter().take(6).collect::<Vec<_>>().join(", "),
        simulated: found.families.values().any(|family| is_simulated(&family.help)),
    }))
}
