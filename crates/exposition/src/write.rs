//! Back to text: OpenMetrics, which holds everything that was read.

use crate::{Exposition, MetricType, Sample};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Sample {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let own = (!is_plain(&self.name, ":")).then_some(self.name.as_str());
        if own.is_none() {
            out.write_str(&self.name)?;
        }
        braces(out, own, &self.labels)?;
        write!(out, " {}", number(self.value))?;
        if let Some(timestamp) = self.timestamp {
            write!(out, " {}", seconds(timestamp))?;
        }
        if let Some(exemplar) = &self.exemplar {
            out.write_str(" # ")?;
            if exemplar.labels.is_empty() {
                out.write_str("{}")?;
            }
            braces(out, None, &exemplar.labels)?;
            write!(out, " {}", number(exemplar.value))?;
            if let Some(timestamp) = exemplar.timestamp {
                write!(out, " {}", seconds(timestamp))?;
            }
        }
        Ok(())
    }
}

impl Display for Exposition {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for (name, family) in &self.families {
            let name = if is_plain(name, ":") { name.clone() } else { quoted(name) };
            if let Some(kind) = family.kind {
                writeln!(out, "# TYPE {name} {}", kind.word())?;
            }
            if let Some(unit) = &family.unit {
                writeln!(out, "# UNIT {name} {unit}")?;
            }
            if let Some(help) = &family.help {
                writeln!(out, "# HELP {name} {}", escaped(help))?;
            }
        }
        for sample in &self.samples {
            writeln!(out, "{sample}")?;
        }
        out.write_str("# EOF\n")
    }
}

impl Display for MetricType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

fn braces(out: &mut impl Write, own: Option<&str>, labels: &[(String, String)]) -> fmt::Result {
    let own = own.map(quoted);
    let labels = labels.iter().map(|(name, value)| {
        let name = if is_plain(name, "") { name.clone() } else { quoted(name) };
        format!("{name}={}", quoted(value))
    });
    let parts: Vec<String> = own.into_iter().chain(labels).collect();
    if parts.is_empty() { Ok(()) } else { write!(out, "{{{}}}", parts.join(",")) }
}

/// Tells whether a name may stand without quotes.
fn is_plain(name: &str, others: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || others.contains(letter))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn number(number: f64) -> String {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        number.to_string()
    }
}

/// A moment, with a point, so that it is read as seconds.
fn seconds(moment: f64) -> String {
    let text = moment.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}
