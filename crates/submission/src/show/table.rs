//! For a terminal: each finding with its line.

use crate::case::PRODUCT;
use crate::finding::plain;
use crate::{Alike, Finding, Level, Review};
use annotate_snippets::{AnnotationKind, Group, Level as Weight, Renderer, Snippet};
use std::fmt::Write;

/// The review as text, readable without colour. Without `notes`, notes are only counted; without `all`, of findings that are
/// alike the first places are told.
pub fn table(review: &Review, notes: bool, all: bool) -> String {
    let renderer = Renderer::plain();
    let mut out = String::new();
    // Of one submission it is the last line of all.
    let several = review.submissions.len() > 1;
    for reviewed in &review.submissions {
        for alike in Alike::of(&reviewed.findings) {
            let finding = alike.first;
            if finding.level != Level::Note || notes {
                let path = plain(reviewed.folder.join(&finding.file).as_str());
                let _ = writeln!(out, "{}\n", one(&renderer, finding, &path, &alike.others_in_words(all)));
            }
        }
        let errors = count(&reviewed.findings, Level::Error);
        let word = if reviewed.valid { "valid" } else { "NOT VALID" };
        let unverified = match count(&reviewed.findings, Level::Unverified) {
            0 => String::new(),
            number => format!(", {number} could not be verified"),
        };
        let theirs = if reviewed.accepted { "accepts" } else { "refuses" };
        let _ = writeln!(
            out,
            "{}: {word} ({errors} errors, {} warnings, {} notes{unverified}); the programme's validator {theirs} it{}\n",
            reviewed.title,
            count(&reviewed.findings, Level::Warning),
            count(&reviewed.findings, Level::Note),
            reviewed.first().filter(|_| several).map(|first| format!("\n{first}")).unwrap_or_default(),
        );
    }
    let valid = review.submissions.iter().filter(|reviewed| reviewed.valid).count();
    let accepted = review.submissions.iter().filter(|reviewed| reviewed.accepted).count();
    let all = review.submissions.len();
    let _ =
        writeln!(out, "{valid} of {all} submissions valid; {accepted} accepted by the programme's validator");
    for what in &review.not_checked {
        let _ = writeln!(out, "not checked: {what}");
    }
    if let [only] = review.submissions.as_slice() {
        let _ = only.first().map(|first| writeln!(out, "{first}"));
    }
    out
}

fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

fn one(renderer: &Renderer, finding: &Finding, path: &str, others: &str) -> String {
    let weight = match finding.level {
        Level::Error => Weight::ERROR,
        Level::Warning => Weight::WARNING,
        Level::Unverified => Weight::INFO.with_name(Level::Unverified.word()),
        Level::Note => Weight::NOTE,
    };
    let title = weight.primary_title(finding.says.as_str()).id(finding.rule);
    let group = if finding.snippet.is_empty() {
        let mut origin = annotate_snippets::Origin::path(path);
        if finding.line > 0 {
            origin = origin.line(finding.line);
        }
        Group::with_title(title).element(origin)
    } else {
        let start = offset(&finding.snippet, finding.column);
        let mut end = (start + finding.length.max(1)).min(finding.snippet.len());
        while !finding.snippet.is_char_boundary(end) {
            end += 1;
        }
        let snippet = Snippet::source(finding.snippet.as_str()).path(path).line_start(finding.line);
        title.element(snippet.annotation(AnnotationKind::Primary.span(start..end.max(start))))
    };
    debug_assert!(finding.file == PRODUCT || finding.snippet.is_empty());
    let told = finding.claims.iter().flat_map(|claim| [claim.sentence(), claim.basis()]);
    let told: Vec<String> = told.collect();
    let messages = told.chunks(2).flat_map(|told| {
        let [sentence, basis] = told else { return Vec::new() };
        let stands = Weight::NOTE.with_name("stands on");
        vec![Weight::NOTE.message(sentence.as_str()), stands.message(basis.as_str())]
    });
    let group = messages.fold(group, Group::element);
    let group = if others.is_empty() { group } else { group.element(Weight::NOTE.no_name().message(others)) };
    renderer.render(&[group]).to_string()
}

/// The offset of a column.
fn offset(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(offset, _)| offset)
}
