//! Findings of rules.

use crate::yaml::Place;
use serde::Serialize;
use std::collections::BTreeMap;

/// Weight of a finding.
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
    /// Weight.
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
    /// The claims of a run of this program by which it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Decided>,
    /// Set if nothing but our interpretation of the requirement speaks against the submission.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_interpretation_alone: bool,
}

/// A claim that decided in a run of this program, and whose words it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The subject on which it was tried.
    pub subject: String,
    /// Its id.
    pub claim: String,
    /// The sentence.
    pub says: String,
    /// Outcome: `met`, `unmet`, `unknown`.
    pub outcome: String,
    /// Sentence on what was seen, or on why nothing can be said.
    pub found: String,
    /// Standing: that it is a MUST and by whose words, or what else it is.
    pub standing: String,
    /// The words on which it stands, quoted, and where they are from; nothing where it is no MUST.
    pub cites: String,
}

impl Decided {
    /// Sentence on what was found of it.
    pub fn sentence(&self) -> String {
        format!("{}: {}: {}: {}", self.subject, self.says, self.outcome, self.found)
    }

    /// Whose words it stands on, and which these are.
    pub fn basis(&self) -> String {
        let cites = if self.cites.is_empty() { String::new() } else { format!(": {}", self.cites) };
        format!("{}{cites}", self.standing)
    }

    /// Gives it as it can be shown: what was found comes from foreign evidence.
    pub(crate) fn shown(&self) -> Decided {
        const LONGEST: usize = 500;
        let text = |text: &str| {
            let short: String = text.chars().take(LONGEST).collect();
            let more = if short.len() < text.len() { "…" } else { "" };
            format!("{}{more}", plain(&short))
        };
        Decided { subject: text(&self.subject), found: text(&self.found), ..self.clone() }
    }
}

impl Finding {
    /// Its sentence without the requirement that it concerns.
    fn apart_from_its_place(&self) -> String {
        if self.requirement.is_empty() {
            self.says.clone()
        } else {
            self.says.replace(&self.requirement, "…")
        }
    }

    /// Where it stands, beside another: the requirement, and file and line.
    fn at(&self, beside: &Finding) -> String {
        let file = if self.file == beside.file { String::new() } else { format!("{} ", self.file) };
        let line = if self.line > 0 { format!("line {}", self.line) } else { String::new() };
        let place = format!("{file}{line}").trim().to_owned();
        match (self.requirement.is_empty() || self.requirement == beside.requirement, place.is_empty()) {
            (true, _) => place,
            (false, true) => self.requirement.clone(),
            (false, false) => format!("{} ({place})", self.requirement),
        }
    }

    /// Where it stands in its file.
    pub fn place(&self) -> Place {
        Place { line: self.line, column: self.column, length: self.length }
    }
}

/// Findings of one rule that differ in nothing but their place: one to whoever reads them.
pub struct Alike<'a> {
    /// The first.
    pub first: &'a Finding,
    /// The others, in their order.
    pub others: Vec<&'a Finding>,
}

/// Places that are told of findings that are alike, the first one's included, unless somebody asks for all.
const TOLD: usize = 3;

impl<'a> Alike<'a> {
    /// Puts findings together that differ in nothing but their place, by the order of their first.
    pub fn of(findings: &'a [Finding]) -> Vec<Alike<'a>> {
        let mut all: Vec<Alike<'a>> = Vec::new();
        let mut seen: BTreeMap<(&str, Level, bool, String), usize> = BTreeMap::new();
        for finding in findings {
            let is_ours = finding.origin == Origin::Ours;
            let key = (finding.rule, finding.level, is_ours, finding.apart_from_its_place());
            match seen.get(&key) {
                Some(number) if finding.claims.is_empty() => all[*number].others.push(finding),
                _ => {
                    seen.insert(key, all.len());
                    all.push(Alike { first: finding, others: Vec::new() });
                }
            }
        }
        all
    }

    /// Number of places.
    pub fn count(&self) -> usize {
        self.others.len() + 1
    }

    /// The other places, in words: the first few, or all; nothing where there is none.
    pub fn others_in_words(&self, all: bool) -> String {
        self.told(if all { self.others.len() } else { TOLD - 1 }, " (--all)")
    }

    /// The other places for a page that shows them all below, in words: the first few.
    pub fn others_on_a_page(&self) -> String {
        self.told(TOLD - 1, "")
    }

    fn told(&self, told: usize, hint: &str) -> String {
        if self.others.is_empty() {
            return String::new();
        }
        let mut words: Vec<String> =
            self.others.iter().take(told).map(|other| other.at(self.first)).collect();
        let more = self.others.len().saturating_sub(told);
        if more > 0 {
            words.push(format!("{more} more{hint}"));
        }
        let places = if self.others.len() == 1 { "place" } else { "places" };
        format!("the same in {} other {places}: {}", self.others.len(), words.join(", "))
    }
}

impl Serialize for Alike<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            first: &'a Finding,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            also: Vec<Also<'a>>,
        }
        #[derive(Serialize)]
        struct Also<'a> {
            file: &'a str,
            line: usize,
            column: usize,
            #[serde(skip_serializing_if = "str::is_empty")]
            requirement: &'a str,
        }
        let also = self.others.iter().map(|other| Also {
            file: &other.file,
            line: other.line,
            column: other.column,
            requirement: &other.requirement,
        });
        Whole { first: self.first, also: also.collect() }.serialize(serializer)
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
