//! Annotations of GitHub's workflows.

use crate::finding::plain;
use crate::{Alike, Level, Review};
use std::fmt::Write;

/// One workflow command for each finding, with its file and line; of those that differ in nothing but their place, one with all
/// places.
pub fn github(review: &Review) -> String {
    let mut out = String::new();
    for reviewed in &review.submissions {
        for alike in Alike::of(&reviewed.findings) {
            let finding = alike.first;
            let command = match finding.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note | Level::Unverified => "notice",
            };
            let says = match finding.level {
                Level::Unverified => format!("{}: {}", Level::Unverified.word(), finding.says),
                _ => finding.says.clone(),
            };
            let claims = finding.claims.iter();
            let claims = claims.map(|claim| format!("\n{} ({})", claim.sentence(), claim.basis()));
            let others = Some(alike.others_in_words(true)).filter(|others| !others.is_empty());
            let others = others.map(|others| format!("\n{others}"));
            let says: String = std::iter::once(says).chain(claims).chain(others).collect();
            let path = plain(reviewed.folder.join(&finding.file).as_str());
            let mut properties = format!("file={}", property(&path));
            if finding.line > 0 {
                let _ = write!(properties, ",line={},col={}", finding.line, finding.column.max(1));
            }
            let _ =
                writeln!(out, "::{command} {properties},title={}::{}", property(finding.rule), data(&says));
        }
    }
    out
}

/// Makes a text one that may stand in a command's text.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Makes a text one that may stand in a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
