//! Annotations of GitHub's workflows.

use crate::finding::plain;
use crate::{Level, Review};
use std::fmt::Write;

/// One workflow command for each finding, with its file and line.
pub fn github(review: &Review) -> String {
    let mut out = String::new();
    for reviewed in &review.submissions {
        for finding in &reviewed.findings {
            let command = match finding.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note | Level::Unverified => "notice",
            };
            let says = match finding.level {
                Level::Unverified => format!("{}: {}", Level::Unverified.word(), finding.says),
                _ => finding.says.clone(),
            };
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

/// What may stand in a command's text.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What may stand in a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
