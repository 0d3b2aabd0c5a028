//! What a rule finds.

use crate::yaml::Place;
use serde::Serialize;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// It could not be told whether all is well: neither for nor against the submission.
    Unverified,
    /// A reviewer should look at it.
    Warning,
    /// The submission is not valid.
    Error,
}

impl Level {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Unverified => "could not verify",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// Whose rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The programme's own validator checks it.
    Validator,
    /// The programme's texts ask for it, or common sense does; no program of the programme checks it.
    Ours,
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// Whose rule it is.
    pub origin: Origin,
    /// The file, from the folder of the submission.
    pub file: String,
    /// Line, from 1; 0 when it is the whole file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in bytes; 0 when it is not known.
    #[serde(skip)]
    pub length: usize,
    /// The requirement that it concerns, or nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub requirement: String,
    /// The sentence that the submitter is shown.
    pub says: String,
    /// The line of the file, when the finding has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub snippet: String,
}

impl Finding {
    /// Where it stands in its file.
    pub fn place(&self) -> Place {
        Place { line: self.line, column: self.column, length: self.length }
    }
}

/// A foreign text as it can stand in a sentence: short, on one line, without anything that a terminal obeys.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 160;
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// A text in which nothing is left that a terminal obeys, or that turns what follows around.
pub fn plain(text: &str) -> String {
    let obeyed = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(obeyed) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|letter| if obeyed(letter) { letter.escape_unicode().collect() } else { vec![letter] })
        .collect()
}
