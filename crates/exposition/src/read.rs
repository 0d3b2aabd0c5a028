//! A whole text: its lines, what they say together, and the bounds of reading.

use crate::grammar::{self, Line, Parts, Written};
use crate::{Cut, Exemplar, Exposition, Family, MetricType, NoExposition, Sample, Warning};
use std::collections::{BTreeSet, HashMap, HashSet};
use winnow::error::{ContextError, ErrMode, StrContext};

/// Limits of how much of a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes; what lies behind the last whole line within them is not read.
    pub bytes: usize,
    /// Lines.
    pub lines: usize,
    /// Labels of one sample; one that has more is told and left out.
    pub labels: usize,
    /// Warnings that are kept; the others are counted.
    pub warnings: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { bytes: 16 << 20, lines: 200_000, labels: 256, warnings: 100 }
    }
}

/// Reads a text of either format.
///
/// # Errors
/// When it is no exposition at all; a text that holds nothing is an exposition of nothing.
pub fn parse(text: &str, limits: &Limits) -> Result<Exposition, NoExposition> {
    refuse_other_formats(text)?;
    let (text, mut cut) = bounded(text, limits.bytes);
    let mut reader = Reader { limits, found: Exposition::default(), moments: Vec::new(), lines: 0, good: 0 };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            reader.warn(1, 1, "a byte order mark, which neither format has".into());
            rest
        }
        None => text,
    };
    for (number, line) in text.split('\n').enumerate() {
        if number >= limits.lines {
            if !line.is_empty() {
                cut = Some(Cut { lines: limits.lines, limit: limits.lines, what: "lines" });
            }
            break;
        }
        reader.line(number + 1, line.strip_suffix('\r').unwrap_or(line));
    }
    if reader.good == 0
        && let Some(first) = reader.found.warnings.first()
    {
        return Err(NoExposition::Garbage { lines: reader.lines, first: first.clone() });
    }
    reader.times();
    reader.contradictions();
    let mut found = reader.found;
    found.cut = cut;
    found.warnings.sort_by_key(|warning| (warning.line, warning.column));
    Ok(found)
}

/// HTML and JSON are told by their first letters: line by line they would be hundreds of warnings.
fn refuse_other_formats(text: &str) -> Result<(), NoExposition> {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if start.starts_with('<') {
        return Err(NoExposition::Html { title: title(start) });
    }
    // A sample may begin with a brace too, with a quoted name or a label behind it; JSON has a colon there.
    let key = start.strip_prefix('{').map(str::trim_start).and_then(|rest| rest.strip_prefix('"'));
    let is_object = key.is_some_and(|rest| {
        rest.split_once('"').is_some_and(|(_, behind)| behind.trim_start().starts_with(':'))
    });
    let is_empty = start.strip_prefix('{').is_some_and(|rest| rest.trim() == "}");
    if start.starts_with('[') || is_object || is_empty {
        return Err(NoExposition::Json);
    }
    Ok(())
}

/// The title of a web page, at most 80 letters of it.
fn title(page: &str) -> String {
    let page: String = page.chars().take(20_000).collect();
    let lower = page.to_ascii_lowercase();
    let found = lower.find("<title").and_then(|tag| {
        let begin = tag + lower[tag..].find('>')? + 1;
        let end = begin + lower[begin..].find('<')?;
        page.get(begin..end)
    });
    found.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}

/// The whole lines within so many bytes.
fn bounded(text: &str, bytes: usize) -> (&str, Option<Cut>) {
    if text.len() <= bytes {
        return (text, None);
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(0, |end| end + 1);
    let kept = &text[..end];
    (kept, Some(Cut { lines: kept.matches('\n').count(), limit: bytes, what: "bytes" }))
}

/// Identity of a sample, which makes it another than all others: name, labels that are not empty, moment.
type Series<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<u64>);

struct Reader<'a> {
    limits: &'a Limits,
    found: Exposition,
    /// Moments as they are written, of the samples and of their exemplars.
    moments: Vec<(Option<Written>, Option<Written>)>,
    /// Lines that hold something.
    lines: usize,
    /// Of them, those that say something of metrics.
    good: usize,
}

impl Reader<'_> {
    fn warn(&mut self, line: usize, column: usize, why: String) {
        if self.found.warnings.len() < self.limits.warnings.max(1) {
            self.found.warnings.push(Warning { line, column, why });
        } else {
            self.found.more_warnings += 1;
        }
    }

    fn line(&mut self, number: usize, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.lines += 1;
        if self.found.ended {
            self.warn(number, 1, "a line behind the end of the exposition (# EOF)".into());
            return;
        }
        let mut rest = text;
        let line = match grammar::line(&mut rest) {
            Ok(line) => line,
            Err(error) => {
                let column = text[..text.len() - rest.len()].chars().count() + 1;
                self.warn(number, column, why(&error, rest));
                return;
            }
        };
        self.good += usize::from(line != Line::Comment);
        match line {
            Line::Sample(parts) => self.sample(number, parts),
            Line::Help(name, text) => {
                self.say(number, "HELP", &name, |family| &mut family.help, text);
            }
            Line::Unit(name, unit) => {
                self.say(number, "UNIT", &name, |family| &mut family.unit, unit);
            }
            Line::Type(name, kind) => self.kind(number, &name, kind),
            Line::End => self.found.ended = true,
            Line::Comment => {}
        }
    }

    /// Keeps the first word on a family, and tells of one that says otherwise.
    fn say(
        &mut self,
        number: usize,
        what: &str,
        name: &str,
        place: fn(&mut Family) -> &mut Option<String>,
        text: String,
    ) {
        let said = place(self.found.families.entry(name.to_owned()).or_default());
        match said {
            Some(before) if *before == text => {}
            Some(_) => self.warn(number, 1, format!("a second {what} of {name}, which says something else")),
            None => *said = Some(text),
        }
    }

    fn kind(&mut self, number: usize, name: &str, kind: MetricType) {
        let said = &mut self.found.families.entry(name.to_owned()).or_default().kind;
        match *said {
            Some(before) if before == kind => {}
            Some(before) => {
                let why = format!("{name} is a {} here and was a {} before", kind.word(), before.word());
                self.warn(number, 1, why);
            }
            None => *said = Some(kind),
        }
    }

    fn sample(&mut self, number: usize, parts: Parts) {
        let exemplar = parts.exemplar.as_ref().map(|(labels, ..)| labels.len()).unwrap_or_default();
        if parts.labels.len().max(exemplar) > self.limits.labels {
            let why = format!("a sample with more than {} labels", self.limits.labels);
            return self.warn(number, 1, why);
        }
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = parts.labels.iter().find(|(name, _)| !names.insert(name)) {
            let why = format!("a sample with the label {twice} twice");
            return self.warn(number, 1, why);
        }
        let (exemplar, moment) = match parts.exemplar {
            Some((labels, value, moment)) => (Some(Exemplar { labels, value, timestamp: None }), moment),
            None => (None, None),
        };
        self.moments.push((parts.timestamp, moment));
        let (name, labels, value) = (parts.name, parts.labels, parts.value);
        self.found.samples.push(Sample { line: number, name, labels, value, timestamp: None, exemplar });
    }

    /// Gives moments their unit: milliseconds in the Prometheus format, seconds in OpenMetrics, which ends with `# EOF`.
    fn times(&mut self) {
        let open = self.found.ended;
        let seconds = |written: Written| match written.fraction || open {
            true => written.number,
            false => written.number / 1000.0,
        };
        for (sample, (own, example)) in self.found.samples.iter_mut().zip(&self.moments) {
            sample.timestamp = own.map(seconds);
            if let Some(exemplar) = &mut sample.exemplar {
                // Exemplars exist in OpenMetrics only.
                exemplar.timestamp = example.map(|written| written.number);
            }
        }
    }

    /// Samples that are there twice, and samples of another type than their family.
    fn contradictions(&mut self) {
        let mut seen: HashMap<Series, usize> = HashMap::new();
        let mut told = Vec::new();
        for sample in &self.found.samples {
            let labels = sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let mut labels: Vec<(&str, &str)> = labels.filter(|(_, value)| !value.is_empty()).collect();
            labels.sort_unstable();
            let series = (sample.name.as_str(), labels, sample.timestamp.map(f64::to_bits));
            if let Some(before) = seen.get(&series) {
                told.push((sample.line, format!("the same series as in line {before}: {}", sample.name)));
            } else {
                seen.insert(series, sample.line);
            }
        }
        let families = &self.found.families;
        let kind = |name: &str| families.get(name).and_then(|family| family.kind);
        let mut clashes = HashSet::new();
        for sample in &self.found.samples {
            // Samples of these types have names that end otherwise.
            if let Some(kind @ (MetricType::Histogram | MetricType::GaugeHistogram)) = kind(&sample.name)
                && clashes.insert(&sample.name)
            {
                let why = format!("{} is a {} and has a sample of just that name", sample.name, kind.word());
                told.push((sample.line, why));
            }
            if kind(&sample.name) == Some(MetricType::Counter)
                && (sample.value < 0.0 || sample.value.is_nan())
                && clashes.insert(&sample.name)
            {
                told.push((
                    sample.line,
                    format!("{} is a counter and stands at {}", sample.name, sample.value),
                ));
            }
        }
        for (line, why) in told {
            self.warn(line, 1, why);
        }
    }
}

/// Words for a mistake: the part that was wanted, and the text that stood there instead.
fn why(error: &ErrMode<ContextError>, rest: &str) -> String {
    let context = match error {
        ErrMode::Backtrack(error) | ErrMode::Cut(error) => Some(error),
        ErrMode::Incomplete(_) => None,
    };
    // The innermost comes first.
    let wanted = context.into_iter().flat_map(ContextError::context).find_map(|context| match context {
        StrContext::Expected(wanted) => Some(wanted.to_string()),
        _ => None,
    });
    let there: String = rest.chars().take(20).collect();
    let there = if there.is_empty() { "the line ends".into() } else { format!("there is {there:?}") };
    format!("{there} where {} should be", wanted.unwrap_or_else(|| "a sample".into()))
}
