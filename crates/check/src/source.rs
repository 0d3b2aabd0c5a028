//! A file of an adapter, with the place of everything that is wrong in it.

use crate::place::FileError;
use crate::render::{self, Flaw};
use toml::Spanned;

/// A text of a file.
pub type Text = Spanned<String>;

/// The file, for errors.
pub struct Source<'a> {
    /// Its name.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Source<'_> {
    /// An error at this many bytes from its start.
    pub fn error(&self, offset: usize, why: impl Into<String>) -> FileError {
        FileError::at(self.file, self.text, offset, why)
    }

    /// An error inside a text of the file.
    pub fn inside(&self, part: &Text, flaw: &Flaw) -> FileError {
        // The text stands in the file as it is, between its quotes, unless something in it is escaped.
        let written = self.text.get(part.span()).unwrap_or_default();
        let start = part.span().start;
        let offset = written.find(part.as_ref().as_str()).map_or(start, |quotes| start + quotes + flaw.at);
        self.error(offset, flaw.why.clone())
    }

    /// A template that uses no other values than these.
    ///
    /// # Errors
    /// When it is no template, or uses another value.
    pub fn template(&self, part: &Text, known: &[&str]) -> Result<String, FileError> {
        let names = render::names(part.as_ref()).map_err(|flaw| self.inside(part, &flaw))?;
        let mut unknown: Vec<&String> = names.iter().filter(|name| !known.contains(&name.as_str())).collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            let why = format!("there is no value {name:?} here; there are: {}", known.join(", "));
            return Err(self.inside(part, &Flaw { at: word(part.as_ref(), name), why }));
        }
        Ok(part.as_ref().clone())
    }
}

/// Where a word stands in a template, after the first brace.
fn word(template: &str, word: &str) -> usize {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let braces = template.find('{').unwrap_or_default();
    template
        .match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| *at > braces)
        .find(|at| {
            let after = template[at + word.len()..].chars().next();
            !template[..*at].ends_with(part) && !after.is_some_and(part)
        })
        .unwrap_or_default()
}
