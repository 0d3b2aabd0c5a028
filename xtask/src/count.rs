//! Numbers of the code that are kept: what is to stay small is counted, and a test holds it.

use std::collections::BTreeMap;
use std::path::Path;
use walkdir::WalkDir;

/// Lines that make a run: fewer that look alike say nothing.
const RUN: usize = 6;

/// Numbers of the code.
#[derive(Debug, Default)]
pub struct Count {
    /// Lines of Rust by crate, tests included.
    pub lines: BTreeMap<String, usize>,
    /// Pairs of places that share six or more lines, each as `file:line = file:line`.
    pub repeated: Vec<String>,
}

/// A line that counts: its file, its number, and its text without indentation.
struct Line {
    file: usize,
    number: usize,
    text: String,
}

/// The crate of a file under `crates/`, by its path from there.
fn crate_of(path: &str) -> String {
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(requirement) if first == "checks" && requirement != "src" && requirement != "tests" => {
            format!("checks/{requirement}")
        }
        _ => first.to_owned(),
    }
}

/// Counts the Rust of a folder whose children are crates.
///
/// # Errors
/// When a file cannot be read.
pub fn count(crates: &Path) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let (mut files, mut lines) = (Vec::new(), Vec::new());
    let mut entries: Vec<_> = WalkDir::new(crates)
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(crates)?.display().to_string();
        let text = fs_err::read_to_string(&path)?;
        *count.lines.entry(crate_of(&name)).or_default() += text.lines().count();
        let file = files.len();
        files.push(name);
        lines.extend(text.lines().enumerate().filter_map(|(number, text)| {
            let text = text.trim();
            // What every file has at its head, and what only closes, is no repetition.
            let empty = text.chars().all(|letter| "{}()[];,".contains(letter));
            let head = text.starts_with("use ") || text.starts_with("//") || text.starts_with("mod ");
            (!empty && !head).then(|| Line { file, number: number + 1, text: text.to_owned() })
        }));
    }
    let same = |one: usize, other: usize| {
        let (one, other) = (lines.get(one)?, lines.get(other)?);
        Some(one.text == other.text)
    };
    let mut windows: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (place, window) in lines.windows(RUN).enumerate() {
        if window.iter().all(|line| line.file == window[0].file) {
            windows.entry(window.iter().map(|line| line.text.as_str()).collect()).or_default().push(place);
        }
    }
    for places in windows.values() {
        for (number, one) in places.iter().enumerate() {
            for other in &places[number + 1..] {
                // A run is counted where it begins.
                let begins = one.checked_sub(1).is_none_or(|before| {
                    same(before, other - 1) != Some(true)
                        || lines[before].file != lines[*one].file
                        || lines[other - 1].file != lines[*other].file
                });
                if begins {
                    let place = |at: usize| format!("{}:{}", files[lines[at].file], lines[at].number);
                    count.repeated.push(format!("{} = {}", place(*one), place(*other)));
                }
            }
        }
    }
    count.repeated.sort();
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_lines_that_stands_twice_is_counted_once_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let run: String = (0..9).map(|line| format!("    line({line});\n")).collect();
        for (name, text) in
            [("a", format!("one();\n{run}")), ("b", format!("// comment\ntwo();\n{run}three();\n"))]
        {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("lib.rs"), text).unwrap();
        }
        let count = count(folder.path()).unwrap();
        assert_eq!(count.repeated, ["a/lib.rs:2 = b/lib.rs:3"]);
        assert_eq!(count.lines, BTreeMap::from([("a".into(), 10), ("b".into(), 12)]));
    }
}
