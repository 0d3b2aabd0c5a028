//! A comment for the reviewer.

use crate::{Alike, Level, Origin, Review};
use std::fmt::Write;

/// The review as Markdown; without `all`, of findings that are alike the first places are told. Everything that comes from a
/// submission is plain text in it.
pub fn markdown(review: &Review, all: bool) -> String {
    let mut out = String::from("## Review\n\n");
    let several = review.submissions.len() > 1;
    for reviewed in &review.submissions {
        let word = if reviewed.valid { "valid" } else { "not valid" };
        let theirs = if reviewed.accepted { "accepts" } else { "refuses" };
        let _ = writeln!(
            out,
            "### {}: {word}\n\nThe programme's validator {theirs} it.\n",
            text(&reviewed.title)
        );
        if reviewed.findings.is_empty() {
            let _ = writeln!(out, "Nothing was found.\n");
            continue;
        }
        let _ = writeln!(out, "| | where | rule | |\n|---|---|---|---|");
        for alike in Alike::of(&reviewed.findings) {
            let finding = alike.first;
            let level = match finding.level {
                Level::Error => "**error**",
                Level::Warning => "warning",
                Level::Unverified => "could not verify",
                Level::Note => "note",
            };
            let place = if finding.line > 0 {
                format!("{}:{}", finding.file, finding.line)
            } else {
                finding.file.clone()
            };
            let ours = if finding.origin == Origin::Ours { "" } else { " (programme)" };
            let claims = finding.claims.iter();
            let claims =
                claims.map(|claim| format!("<br>{}<br>_{}_", text(&claim.sentence()), text(&claim.basis())));
            let others = match alike.others_in_words(all) {
                others if others.is_empty() => others,
                others => format!("<br>{}", text(&others)),
            };
            let _ = writeln!(
                out,
                "| {level} | {} | {}{ours} | {}{} |",
                text(&place),
                finding.rule,
                text(&finding.says),
                claims.collect::<String>() + &others
            );
        }
        let _ = writeln!(out);
        if let Some(first) = reviewed.first().filter(|_| several) {
            let _ = writeln!(out, "{}\n", text(&first));
        }
    }
    for what in &review.not_checked {
        let _ = writeln!(out, "Not checked: {}", text(what));
    }
    if let [only] = review.submissions.as_slice() {
        let _ = only.first().map(|first| writeln!(out, "\n{}", text(&first)));
    }
    out
}

/// Text in which nothing is markup: no tag, no link, no mention. What a page makes links of after it has read the markup
/// (`@name`, `#1`, addresses) is parted by a space of no width.
fn text(words: &str) -> String {
    let mut safe = String::new();
    for letter in words.chars() {
        match letter {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("@\u{200b}"),
            '#' => safe.push_str("\\#\u{200b}"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '~' => {
                safe.push('\\');
                safe.push(letter);
            }
            letter => safe.push(letter),
        }
    }
    safe.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_that_is_foreign_becomes_markup() {
        let hostile = "<img src=x onerror=1> [a](http://b) ![c](d) @somebody #1 `e` | www.f.test";
        let safe = text(hostile);
        for markup in ["<img", "](", "://", "@s", "#1", "www.", " | "] {
            assert!(!safe.contains(markup), "{markup}: {safe}");
        }
    }
}
