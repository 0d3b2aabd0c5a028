//! One line of either format.
//!
//! The grammar is the union of Prometheus 0.0.4 (blanks may stand between any two parts, a comma may follow the last
//! label) and OpenMetrics 1.0 (exemplars, units), both with quoted names in braces, which hold any UTF-8.

use crate::MetricType;
use winnow::combinator::{alt, cut_err, eof, opt, peek, preceded, repeat, terminated};
use winnow::error::{AddContext, ContextError, ErrMode, StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::stream::Stream;
use winnow::token::{none_of, one_of, rest, take_while};

/// Kinds of lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Sample(Parts),
    Help(String, String),
    Type(String, MetricType),
    Unit(String, String),
    End,
    Comment,
}

/// Labels in their order.
pub type Labels = Vec<(String, String)>;

/// A sample as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    pub name: String,
    pub labels: Labels,
    pub value: f64,
    pub timestamp: Option<Written>,
    pub exemplar: Option<(Labels, f64, Option<Written>)>,
}

/// A moment as it is written: its unit depends on the format, which is known at the end of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    pub number: f64,
    /// Written with a point or an exponent, which only OpenMetrics has.
    pub fraction: bool,
}

fn wanted(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

/// A line without its end.
pub fn line(input: &mut &str) -> ModalResult<Line> {
    blanks(input)?;
    if input.starts_with('#') {
        return comment(input);
    }
    let parts = sample(input)?;
    Ok(Line::Sample(parts))
}

fn blanks<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    take_while(0.., [' ', '\t']).parse_next(input)
}

fn comment(input: &mut &str) -> ModalResult<Line> {
    '#'.parse_next(input)?;
    let before = *input;
    blanks(input)?;
    match word(input)? {
        "HELP" => {
            let name = of_family(input)?;
            // A help may be empty.
            let text = opt(preceded(one_of([' ', '\t']), rest)).parse_next(input)?.unwrap_or_default();
            Ok(Line::Help(name, unescaped(text)))
        }
        "TYPE" => {
            let name = of_family(input)?;
            let kind = cut_err(preceded(blanks, kind)).parse_next(input)?;
            end(input)?;
            Ok(Line::Type(name, kind))
        }
        "UNIT" => {
            let name = of_family(input)?;
            let unit = preceded(blanks, word).parse_next(input)?.to_owned();
            end(input)?;
            Ok(Line::Unit(name, unit))
        }
        "EOF" if input.trim().is_empty() && before.starts_with(" EOF") => Ok(Line::End),
        _ => Ok(Line::Comment),
    }
}

/// Name of the family of a `HELP`, `TYPE` or `UNIT`.
fn of_family(input: &mut &str) -> ModalResult<String> {
    cut_err(preceded(blanks, alt((quoted, plain_name))).context(wanted("the name of a metric")))
        .parse_next(input)
}

fn kind(input: &mut &str) -> ModalResult<MetricType> {
    let known = |word: &str| match word.to_ascii_lowercase().as_str() {
        "counter" => Some(MetricType::Counter),
        "gauge" => Some(MetricType::Gauge),
        "histogram" => Some(MetricType::Histogram),
        "gaugehistogram" => Some(MetricType::GaugeHistogram),
        "summary" => Some(MetricType::Summary),
        "info" => Some(MetricType::Info),
        "stateset" => Some(MetricType::StateSet),
        "unknown" | "untyped" => Some(MetricType::Unknown),
        _ => None,
    };
    word.verify_map(known).context(wanted("a type of metric that exists")).parse_next(input)
}

fn sample(input: &mut &str) -> ModalResult<Parts> {
    let plain = opt(plain_name).parse_next(input)?;
    blanks(input)?;
    let braces = peek(opt('{')).parse_next(input)?.is_some();
    if plain.is_none() && !braces {
        return wrong(input, "the name of a metric");
    }
    let (quoted, labels) = if braces { braced(input, plain.is_none())? } else { (None, Labels::new()) };
    let name = match plain.or(quoted) {
        Some(name) => name,
        None => return wrong(input, "the name of a metric, before the braces or quoted in them"),
    };
    blanks(input)?;
    let value = number(input)?;
    blanks(input)?;
    let timestamp = opt(moment).parse_next(input)?;
    blanks(input)?;
    let exemplar = opt(exemplar).parse_next(input)?;
    end(input)?;
    Ok(Parts { name, labels, value, timestamp, exemplar })
}

/// `# {labels} value moment`.
fn exemplar(input: &mut &str) -> ModalResult<(Labels, f64, Option<Written>)> {
    '#'.parse_next(input)?;
    blanks(input)?;
    cut_err(peek('{').context(wanted("the labels of an exemplar"))).parse_next(input)?;
    let (_, labels) = braced(input, false)?;
    blanks(input)?;
    let value = number(input)?;
    blanks(input)?;
    Ok((labels, value, opt(moment).parse_next(input)?))
}

/// Labels in braces; the first may be the metric's own name.
fn braced(input: &mut &str, named: bool) -> ModalResult<(Option<String>, Labels)> {
    '{'.parse_next(input)?;
    let (mut name, mut labels) = (None, Labels::new());
    loop {
        blanks(input)?;
        if opt('}').parse_next(input)?.is_some() {
            return Ok((name, labels));
        }
        let before = *input;
        let label = alt((quoted, label_name)).context(wanted("the name of a label, or a closing brace"));
        let label = cut_err(label).parse_next(input)?;
        blanks(input)?;
        if opt('=').parse_next(input)?.is_some() {
            blanks(input)?;
            let value =
                cut_err(quoted.context(wanted("the value of a label between quotes"))).parse_next(input)?;
            labels.push((label, value));
        } else if named && name.is_none() && before.starts_with('"') {
            name = Some(label);
        } else {
            return wrong(input, "an equals sign");
        }
        blanks(input)?;
        cut_err(alt((peek('}'), ',')).context(wanted("a comma or a closing brace"))).parse_next(input)?;
    }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
fn plain_name(input: &mut &str) -> ModalResult<String> {
    let first = one_of(|letter: char| letter.is_ascii_alphabetic() || "_:".contains(letter));
    let others = take_while(0.., |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter));
    (first, others).take().map(str::to_owned).parse_next(input)
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
fn label_name(input: &mut &str) -> ModalResult<String> {
    let first = one_of(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let others = take_while(0.., |letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    (first, others).take().map(str::to_owned).parse_next(input)
}

enum Piece<'a> {
    Run(&'a str),
    Letter(char),
}

fn quoted(input: &mut &str) -> ModalResult<String> {
    '"'.parse_next(input)?;
    let escaped = alt(('\\'.value('\\'), '"'.value('"'), 'n'.value('\n')));
    let escaped = escaped.context(wanted("one of \\, \" and n behind a backslash"));
    // Whole runs at once: nearly all that a label's value holds is plain.
    let plain = take_while(1.., |letter: char| letter != '"' && letter != '\\');
    let mut parts = repeat(
        0..,
        alt((plain.map(Piece::Run), preceded('\\', cut_err(escaped)).map(Piece::Letter))),
    )
    .fold(String::new, |mut text, piece| {
        match piece {
            Piece::Run(run) => text.push_str(run),
            Piece::Letter(letter) => text.push(letter),
        }
        text
    });
    let text = parts.parse_next(input)?;
    cut_err('"'.context(wanted("a closing quote"))).parse_next(input)?;
    Ok(text)
}

fn word<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    take_while(0.., |letter: char| !letter.is_whitespace()).parse_next(input)
}

/// A number as both formats have it: decimal, `NaN`, and infinity in any case. An underscore or a hexadecimal number,
/// which some programming languages also read, is none.
fn number(input: &mut &str) -> ModalResult<f64> {
    let number = take_while(1.., |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
    let number = number.verify_map(|text: &str| text.parse::<f64>().ok());
    cut_err(
        terminated(number, peek(alt((one_of([' ', '\t', '#']).void(), eof.void()))))
            .context(wanted("a number")),
    )
    .parse_next(input)
}

fn moment(input: &mut &str) -> ModalResult<Written> {
    peek(none_of('#')).parse_next(input)?;
    let text = *input;
    let number = number(input)?;
    let written = &text[..text.len() - input.len()];
    if !number.is_finite() {
        return wrong(input, "a moment that is a number");
    }
    Ok(Written { number, fraction: written.contains(['.', 'e', 'E']) })
}

fn end(input: &mut &str) -> ModalResult<()> {
    blanks(input)?;
    cut_err(eof.context(wanted("the end of the line"))).void().parse_next(input)
}

/// Fails for good where the input stands.
fn wrong<T>(input: &mut &str, what: &'static str) -> ModalResult<T> {
    let error = ContextError::new().add_context(input, &input.checkpoint(), wanted(what));
    Err(ErrMode::Cut(error))
}

/// A help's text: a backslash before a letter that is no escape stands for itself.
fn unescaped(text: &str) -> String {
    let (mut out, mut letters) = (String::new(), text.chars().peekable());
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(&next @ ('\\' | '"'))) => out.push(next),
            _ => {
                out.push(letter);
                continue;
            }
        }
        letters.next();
    }
    out
}
