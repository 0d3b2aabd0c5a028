//! Names are replaced wherever they stand in a text, the longest first.

use super::collect::{Edge, Entry};
use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Names and their pseudonyms, ready to be looked for.
pub(super) struct Replacer {
    finder: AhoCorasick,
    names: Vec<(String, Edge)>,
    pseudonyms: Vec<String>,
    images: BTreeSet<String>,
}

/// Stands where a certificate stood, which has names in it that nobody sees.
const REMOVED: &str = "cmVtb3ZlZA==";

impl Replacer {
    /// Fails when there are more names than can be looked for.
    pub fn new(entries: &BTreeMap<String, Entry>) -> Result<Replacer, String> {
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(entries.keys())
            .map_err(|error| error.to_string())?;
        let pseudonyms: Vec<String> = entries.values().map(|entry| entry.pseudonym.clone()).collect();
        let images = pseudonyms.iter().cloned().collect();
        Ok(Replacer {
            finder,
            names: entries.iter().map(|(name, entry)| (name.clone(), entry.edge)).collect(),
            pseudonyms,
            images,
        })
    }

    /// The text with pseudonyms.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut put = String::with_capacity(text.len());
        let mut at = 0;
        for (range, number) in found {
            put.push_str(&text[at..range.start]);
            put.push_str(&self.pseudonyms[number]);
            at = range.end;
        }
        put.push_str(&text[at..]);
        Cow::Owned(put)
    }

    /// Every text and every key of a value with pseudonyms.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if text.contains("-----BEGIN ") {
                    REMOVED.clone_into(text);
                } else if let Cow::Owned(replaced) = self.text(text) {
                    *text = replaced;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => {
                let old = std::mem::take(map);
                for (key, mut item) in old {
                    if key == "caBundle" && item.is_string() {
                        item = Value::String(REMOVED.into());
                    } else {
                        self.value(&mut item);
                    }
                    map.insert(self.text(&key).into_owned(), item);
                }
            }
            _ => {}
        }
    }

    /// A name that is still in a text and is no pseudonym of another.
    pub fn left(&self, text: &str) -> Option<&str> {
        let found = self.find(text);
        found
            .into_iter()
            .map(|(_, number)| self.names[number].0.as_str())
            .find(|name| !self.images.contains(*name))
    }

    /// Where names stand, which do not overlap: the first, and of those that begin there the longest.
    fn find(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let all = self.finder.find_overlapping_iter(text);
        let mut found: Vec<(Range<usize>, usize)> = all
            .map(|found| (found.range(), found.pattern().as_usize()))
            .filter(|(range, number)| stands(text, range, self.names[*number].1))
            .collect();
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        found.retain(|(range, _)| {
            let free = range.start >= end;
            end = if free { range.end } else { end };
            free
        });
        found
    }
}

/// Tells whether what stands there is a name and no part of another word.
fn stands(text: &str, range: &Range<usize>, edge: Edge) -> bool {
    let (before, after) = (&text[..range.start], &text[range.end..]);
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match edge {
        Edge::Hexadecimal => !after.starts_with(|letter: char| letter.is_ascii_hexdigit()),
        Edge::Word => !after.starts_with(word) && (!before.ends_with(word) || ends_with_escape(before)),
        Edge::Address => {
            let number = |letter: char| letter.is_ascii_digit();
            let further = |text: &str| text.strip_prefix('.').is_some_and(|rest| rest.starts_with(number));
            !after.starts_with(word)
                && !further(after)
                && (!before.ends_with(word) || ends_with_escape(before))
                && !before.strip_suffix('.').is_some_and(|rest| rest.ends_with(number))
        }
    }
}

/// Tells whether a text ends with a letter that is written by others: `\n`, `\u003c`, `%2F`, `~1`.
fn ends_with_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let back = |from_end: usize| bytes.len().checked_sub(from_end).map(|at| bytes[at]);
    let hexadecimal =
        |count: usize| (1..=count).all(|at| back(at).is_some_and(|byte| byte.is_ascii_hexdigit()));
    (back(2) == Some(b'\\') && matches!(back(1), Some(b'n' | b'r' | b't' | b'b' | b'f')))
        || (back(2) == Some(b'~') && matches!(back(1), Some(b'0' | b'1')))
        || (back(3) == Some(b'%') && hexadecimal(2))
        || (back(6) == Some(b'\\') && back(5) == Some(b'u') && hexadecimal(4))
}
