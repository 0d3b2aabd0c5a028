//! JUnit XML.

use super::{Content, Outcome, Test, Trouble, TroubleKind, written};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::BTreeMap;

/// Deepest nesting that is read; real files have five levels.
const DEEPEST: usize = 32;

/// Most attributes that an element may have; real ones have ten.
const MOST_ATTRIBUTES: usize = 64;

/// A suite that is open: what it says of itself, and what was counted in it.
#[derive(Default)]
struct Suite {
    says: [Option<u64>; 4],
    counted: [u64; 4],
    line: usize,
}

/// Names of the numbers of a suite.
const NUMBERS: [&str; 4] = ["tests", "failures", "errors", "skipped"];

/// A case that is open.
struct Case {
    class: String,
    name: String,
    line: usize,
    failed: bool,
    error: bool,
    skipped: bool,
    words: String,
}

pub(super) fn read(bytes: &[u8]) -> Content {
    let mut content = Content::default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = line_of(bytes, error.valid_up_to());
            content.unreadable = Some(Trouble::new(TroubleKind::Format, line, "it is no UTF-8"));
            return content;
        }
    };
    let mut reading = Reading {
        bytes,
        open: Vec::new(),
        suites: Vec::new(),
        case: None,
        seen: BTreeMap::new(),
        at: (0, 1),
    };
    let mut reader = Reader::from_str(text);
    loop {
        let before = offset(&reader);
        let event = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(error) => {
                let line = reading.line(offset(&reader));
                content.unreadable =
                    Some(Trouble::new(TroubleKind::Format, line, format!("it is no XML: {error}")));
                return content;
            }
        };
        let line = reading.line(before);
        let done = match event {
            Event::Start(element) => {
                reading.open.push(element.name().as_ref().to_vec());
                reading.start(&element, line, &mut content)
            }
            Event::Empty(element) => {
                reading.open.push(element.name().as_ref().to_vec());
                let done = reading.start(&element, line, &mut content);
                reading.end(&mut content);
                done
            }
            Event::End(_) => {
                reading.end(&mut content);
                Ok(())
            }
            Event::DocType(_) => Err("it has a document type, which no test report needs".to_owned()),
            _ => Ok(()),
        };
        if let Err(why) = done {
            content.unreadable = Some(Trouble::new(TroubleKind::Format, line, why));
            return content;
        }
    }
    if !reading.open.is_empty() {
        let line = line_of(bytes, bytes.len());
        content.unreadable =
            Some(Trouble::new(TroubleKind::CutOff, line, "it ends before its last element does"));
    } else if content.tests.is_empty() {
        content.unreadable = Some(Trouble::new(TroubleKind::Format, 0, "it has no test case"));
    }
    content
}

fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset.min(bytes.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

struct Reading<'a> {
    bytes: &'a [u8],
    open: Vec<Vec<u8>>,
    suites: Vec<Suite>,
    case: Option<Case>,
    seen: BTreeMap<(String, String), Outcome>,
    /// An offset with its line, so that lines are counted once.
    at: (usize, usize),
}

impl Reading<'_> {
    fn line(&mut self, offset: usize) -> usize {
        let offset = offset.min(self.bytes.len());
        if offset < self.at.0 {
            self.at = (0, 1);
        }
        let more = self.bytes[self.at.0..offset].iter().filter(|byte| **byte == b'\n').count();
        self.at = (offset, self.at.1 + more);
        self.at.1
    }

    fn start(&mut self, element: &BytesStart<'_>, line: usize, content: &mut Content) -> Result<(), String> {
        if self.open.len() > DEEPEST {
            return Err(format!("its elements are nested more than {DEEPEST} deep"));
        }
        let name = |depth: usize| self.open.get(depth).map_or(&b""[..], Vec::as_slice);
        let (this, parent) = (name(self.open.len() - 1), name(self.open.len().wrapping_sub(2)));
        match this {
            b"testsuites" | b"testsuite" => {
                let mut suite = Suite { line, ..Suite::default() };
                for (number, says) in NUMBERS.iter().zip(&mut suite.says) {
                    *says = attribute(element, number)?.and_then(|value| value.trim().parse().ok());
                }
                self.suites.push(suite);
            }
            // The outer one would be forgotten, and with it that it failed.
            b"testcase" if self.case.is_some() => {
                if let Some(outer) = self.case.take().filter(|outer| outer.failed || outer.error) {
                    content.tests.push(Test {
                        name: outer.name,
                        outcome: Outcome::Fail,
                        line: outer.line,
                        words: String::new(),
                    });
                }
                return Err("a test case begins inside another".to_owned());
            }
            b"testcase" => {
                let name = attribute(element, "name")?.unwrap_or_default();
                let class = attribute(element, "classname")?.unwrap_or_default();
                self.case = Some(Case {
                    class,
                    name,
                    line,
                    failed: false,
                    error: false,
                    skipped: false,
                    words: String::new(),
                });
            }
            b"failure" | b"error" | b"skipped" if parent == b"testcase" => {
                if let Some(case) = &mut self.case {
                    case.failed |= this == b"failure";
                    case.error |= this == b"error";
                    case.skipped |= this == b"skipped";
                    if this == b"skipped" {
                        let words = attribute(element, "message")?.unwrap_or_default();
                        // Where the tool gives the test's whole output, its last words are meant.
                        let last = words.lines().filter_map(written).next_back().map(str::to_owned);
                        case.words = last.unwrap_or_else(|| words.trim().to_owned());
                    }
                }
            }
            _ if self.open.len() == 1 => {
                let why = format!(
                    "its outermost element is {}, not testsuites or testsuite",
                    crate::finding::quoted(&String::from_utf8_lossy(this))
                );
                content.troubles.push(Trouble::new(TroubleKind::Format, line, why));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, content: &mut Content) {
        match self.open.pop().as_deref() {
            Some(b"testcase") => {
                let Some(case) = self.case.take() else { return };
                if let Some(suite) = self.suites.last_mut() {
                    suite.counted[0] += 1;
                    suite.counted[1] += u64::from(case.failed);
                    suite.counted[2] += u64::from(case.error);
                    suite.counted[3] += u64::from(case.skipped);
                }
                let outcome = if case.failed || case.error {
                    Outcome::Fail
                } else if case.skipped {
                    Outcome::Skip
                } else {
                    Outcome::Pass
                };
                // Suites of many thousand tests have the same name for several that are skipped.
                let before = self.seen.insert((case.class, case.name.clone()), outcome);
                if before.is_some_and(|before| (before, outcome) != (Outcome::Skip, Outcome::Skip)) {
                    let name = crate::finding::quoted(&case.name);
                    let why = format!(
                        "the test {name} stands there more than once, so that several runs are in one file"
                    );
                    content.troubles.push(Trouble::new(TroubleKind::Joined, case.line, why));
                }
                content.tests.push(Test { name: case.name, outcome, line: case.line, words: case.words });
            }
            Some(b"testsuite" | b"testsuites") => {
                let Some(suite) = self.suites.pop() else { return };
                for ((says, counted), number) in suite.says.iter().zip(suite.counted).zip(NUMBERS) {
                    if let Some(says) = says.filter(|says| *says != counted) {
                        let why = format!("it says {number}=\"{says}\", and has {counted}");
                        content.troubles.push(Trouble::new(TroubleKind::Contradiction, suite.line, why));
                    }
                }
                if let Some(outer) = self.suites.last_mut() {
                    for (outer, inner) in outer.counted.iter_mut().zip(suite.counted) {
                        *outer += inner;
                    }
                }
            }
            _ => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    // Looking for one that stands there twice would take as long as their number squared.
    for (number, attribute) in element.attributes().with_checks(false).enumerate() {
        if number == MOST_ATTRIBUTES {
            return Err(format!("an element has more than {MOST_ATTRIBUTES} attributes"));
        }
        let attribute = attribute.map_err(|error| format!("an attribute cannot be read: {error}"))?;
        if attribute.key.as_ref() == name.as_bytes() {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("{name} cannot be read: {error}"))?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}
