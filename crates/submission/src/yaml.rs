//! YAML as a tree in which everything has its place; the only file that knows the YAML library.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1; 0 when it is the whole file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in bytes on that line and those after it; 0 when it is not known.
    pub length: usize,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// Value.
    pub value: Value,
}

/// Value of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// A text.
    Text(String),
    /// A number, a truth value: what is no text, as it is written.
    Other(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in their order.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value and the key's node, of a map.
    pub fn get(&self, key: &str) -> Option<(&Node, &Node)> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(name, value)| (name, value))
    }

    /// Kind of it, in words.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::Other(_) => "a number or truth value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// A text is not the YAML that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {why}", place.line, place.column)]
pub struct YamlError {
    /// Where.
    pub place: Place,
    /// Why, in words.
    pub why: String,
}

/// Offset and line, from 1, of what begins another document; nothing where there is one alone. A marker at the beginning of a
/// line ends whatever is open (YAML 1.2.2, section 9.1).
pub fn next_document(text: &str) -> Option<(usize, usize)> {
    let (mut offset, mut has_begun, mut has_ended) = (0, false, None);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_marker = |marker: &str| {
            line.strip_prefix(marker)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        };
        let words = line.trim();
        let is_something = !words.is_empty() && !words.starts_with('#');
        match has_ended {
            Some(end) if is_something => return Some((end, number + 1)),
            Some(_) => {}
            None if is_marker("---") && has_begun => return Some((offset, number + 1)),
            None if is_marker("...") => has_ended = Some(offset),
            None => has_begun |= is_something && !line.starts_with('%'),
        }
        offset += line.len();
    }
    None
}

/// Reads the first document of a text, as the programme's reader does (`yaml.Unmarshal` of `gopkg.in/yaml.v3`, tried with
/// 3.0.1: it leaves the others unread, and does not mind what is in them). Hostile ones (nested without end, aliases that multiply) end in an error, in bounded memory and time.
///
/// # Errors
/// [`YamlError`] with the place of the first thing that is wrong: duplicate keys are.
pub fn read(text: &str) -> Result<Node, YamlError> {
    let text = next_document(text).map_or(text, |(end, _)| &text[..end]);
    let mut options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    options.budget = serde_saphyr::budget! {
        max_events: 100_000,
        max_nodes: 50_000,
        max_aliases: 200,
        max_anchors: 200,
        max_recorded_anchor_events: 20_000,
        max_depth: 32,
        max_documents: 1,
    };
    options.alias_limits.max_total_replayed_events = 20_000;
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw, text)),
        Err(error) => {
            let place = error.location().map_or_else(Place::default, |location| Place {
                line: usize::try_from(location.line()).unwrap_or(0),
                column: usize::try_from(location.column()).unwrap_or(0),
                length: 0,
            });
            let beyond =
                "there is more in it than is read: it is nested, repeated or long as no product file is";
            let said = match error.without_snippet() {
                serde_saphyr::Error::Budget { .. } => beyond.to_owned(),
                error => error.to_string(),
            };
            // The library ends its sentence with the place, which stands beside it here.
            let why = said.rsplit_once(" at line ").map_or(said.as_str(), |(why, _)| why).to_owned();
            Err(YamlError { place, why })
        }
    }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let span = raw.referenced.span();
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let place = Place {
        line: number(raw.referenced.line()),
        column: number(raw.referenced.column()),
        length: span.byte_len().map_or(0, number),
    };
    let written = || {
        let span = raw.defined.span();
        let start = span.byte_offset().map(number)?;
        text.get(start..start.checked_add(span.byte_len().map(number)?)?).map(str::to_owned)
    };
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Text(text),
        Raw::Other(other) => Value::Other(written().unwrap_or(other)),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (node(key, text), node(value, text))).collect())
        }
    };
    Node { place, value }
}

enum Raw {
    Null,
    Text(String),
    Other(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Other(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn everything_has_its_place_and_numbers_stay_as_they_are_written() {
        let tree = read("a: 1.0\nb:\n  - 'x'\n  - no\n").unwrap();
        let (key, value) = tree.get("a").unwrap();
        assert_eq!((key.place.line, key.place.column), (1, 1));
        assert_eq!(value.value, Value::Other("1.0".into()));
        let Value::List(items) = &tree.get("b").unwrap().1.value else { panic!("{tree:?}") };
        assert_eq!((items[0].place.line, items[0].place.column, items[0].place.length), (3, 5, 3));
        assert_eq!(items[1].text(), Some("no"));
    }

    #[test]
    fn a_key_that_comes_twice_is_an_error_at_the_second() {
        let error = read("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.place.line, error.place.column), (3, 1));
        assert!(error.why.contains("duplicate mapping key: a") && !error.why.contains("at line"), "{error}");
    }

    #[test]
    fn bombs_end_in_an_error() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..30 {
            let last = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(",")));
        }
        assert!(read(&bomb).is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("a: {}", "[x,".repeat(60_000))).is_err());
        assert!(read(&"- x\n".repeat(200_000)).is_err());
        let deep: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(read(&deep).is_err());
    }

    #[test]
    fn of_several_documents_the_first_is_read_as_the_programmes_reader_does() {
        for (text, next) in [
            ("a: 1\n---\nb: 2\n", Some(2)),
            ("# c\n---\na: 1\n...\n# c\n---\nb: 2\n", Some(6)),
            ("a: 1\n--- [broken\n", Some(2)),
            ("---\na: |\n  x\n  ---\n", None),
            ("a: 1\n...\n\n", None),
            ("--- {a: 1}\n", None),
            ("a: 1\n---a: 2\n", None),
        ] {
            assert_eq!(next_document(text).map(|(_, line)| line), next, "{text:?}");
            if !text.contains("---a") {
                assert!(read(text).unwrap().get("a").is_some(), "{text:?}");
            }
        }
        // An empty one is the first too.
        assert_eq!(read("---\n---\na: 1\n").unwrap().value, Value::Null);
    }

    #[test]
    fn what_is_beyond_every_product_file_is_said_in_words() {
        let error = read(&"- x\n".repeat(200_000)).unwrap_err();
        assert!(error.why.starts_with("there is more in it than is read"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_tree_or_an_error_with_a_place_in_the_text(text in "[a-c:\\-\\[\\]{}&*!|>'\" \n#0-9]{0,60}") {
            if let Err(error) = read(&text) {
                prop_assert!(error.place.line <= text.matches('\n').count() + 1, "{error}");
            }
        }
    }
}
