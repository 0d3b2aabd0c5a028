//! The text formats in which metrics are exposed: Prometheus 0.0.4 and OpenMetrics 1.0, read by one grammar.
//!
//! Exporters in the field break their own format in single lines. Such a line costs itself, with its line and column
//! said, and never its neighbours; what is no exposition at all is one error. Reading is bounded, and says what it cut.

mod grammar;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Limits, parse};

use std::collections::BTreeMap;

/// Samples of a text, its families, and warnings about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// Samples in the order of the text.
    pub samples: Vec<Sample>,
    /// Type, unit and help of families, by name.
    pub families: BTreeMap<String, Family>,
    /// Lines that could not be used as they are, or contradict others.
    pub warnings: Vec<Warning>,
    /// Warnings that were not kept, because there were too many.
    pub more_warnings: usize,
    /// Where reading stopped before the end, if it did.
    pub cut: Option<Cut>,
    /// Set if the text ends with `# EOF`, which makes it OpenMetrics.
    pub ended: bool,
}

impl Exposition {
    /// Samples of one name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Line of the text, from 1.
    pub line: usize,
    /// Name of the metric; any UTF-8.
    pub name: String,
    /// Labels in the order of the text.
    pub labels: Vec<(String, String)>,
    /// Value.
    pub value: f64,
    /// When it was taken, in seconds since the epoch, where the text says so.
    pub timestamp: Option<f64>,
    /// Its exemplar (OpenMetrics).
    pub exemplar: Option<Exemplar>,
}

impl Sample {
    /// The value of a label; empty where there is none, which means the same (Prometheus data model).
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }
}

/// An example of what a sample counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Value.
    pub value: f64,
    /// When, in seconds since the epoch.
    pub timestamp: Option<f64>,
}

/// Type, unit and help of a family of metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    /// Its help.
    pub help: Option<String>,
    /// Its type.
    pub kind: Option<MetricType>,
    /// Its unit (OpenMetrics).
    pub unit: Option<String>,
}

/// Type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
    /// A histogram that goes up and down (OpenMetrics).
    GaugeHistogram,
    /// Quantiles.
    Summary,
    /// Says something of a target (OpenMetrics).
    Info,
    /// One of several states (OpenMetrics).
    StateSet,
    /// Not known; `untyped` in the older format.
    Unknown,
}

impl MetricType {
    /// Its word in the formats.
    pub fn word(self) -> &'static str {
        match self {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::GaugeHistogram => "gaugehistogram",
            MetricType::Summary => "summary",
            MetricType::Info => "info",
            MetricType::StateSet => "stateset",
            MetricType::Unknown => "unknown",
        }
    }
}

/// A line that could not be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct Warning {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Reason, in words.
    pub why: String,
}

/// Where reading stopped before the end of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only the first {lines} lines were read: the text has more than {limit} {what}")]
pub struct Cut {
    /// Lines that were read.
    pub lines: usize,
    /// The limit that was reached.
    pub limit: usize,
    /// Of what.
    pub what: &'static str,
}

/// A text that is no exposition at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoExposition {
    /// A web page, such as a login page.
    #[error("this is HTML and no metrics{}", titled(.title))]
    Html {
        /// The page's title, where it has one.
        title: String,
    },
    /// JSON.
    #[error("this is JSON and not the text format of Prometheus or OpenMetrics")]
    Json,
    /// Nothing in it is a sample or says something of one.
    #[error("none of {lines} lines is of the text format of Prometheus or OpenMetrics; the first: {first}")]
    Garbage {
        /// Lines that hold something.
        lines: usize,
        /// Reason that the first of them is wrong.
        first: Warning,
    },
}

fn titled(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(" (\"{title}\")") }
}
