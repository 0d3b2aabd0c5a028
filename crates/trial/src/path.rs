//! JSONPaths that files of adapters hold: what they find in an object.

use aiconform_model::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

/// Longest JSONPath: what one reads in an object is short.
const LONGEST: usize = 300;
/// Deepest parentheses and brackets in it.
const DEEPEST: usize = 6;

/// A JSONPath (RFC 9535).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    text: String,
    path: JsonPath,
}

/// Why a text is no path: where in it, in bytes from its start, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{1}")]
pub struct NoPath(pub usize, pub String);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Where in the text it is none, and why.
    pub fn parse(text: &str) -> Result<Path, NoPath> {
        let mut depth = 0_usize;
        for (at, letter) in text.char_indices() {
            match letter {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if at >= LONGEST || depth > DEEPEST {
                return Err(NoPath(at, "the JSONPath is too long or too deep".into()));
            }
        }
        match JsonPath::parse(text) {
            Ok(path) => Ok(Path { text: text.into(), path }),
            Err(error) => Err(NoPath(error.position(), format!("no JSONPath: {}", error.message()))),
        }
    }

    /// The first thing that it finds in an object, as text; an empty text is nothing.
    pub fn find(&self, object: &Object) -> Option<String> {
        let found = match self.path.query(&object.0).first()? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (!found.is_empty()).then_some(found)
    }
}

impl TryFrom<String> for Path {
    type Error = NoPath;

    fn try_from(text: String) -> Result<Path, NoPath> {
        Path::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> String {
        path.text
    }
}
