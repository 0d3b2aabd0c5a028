//! Traces of the output of a terminal that are its own: by them, output that is used twice is told.

use crate::case::Case;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Most traces that are kept of one submission.
const MOST: usize = 4_000;

/// One thing that is not likely to be in two places by itself.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Hash of it: submissions are let go of before they are compared.
    pub key: u64,
    /// Name of it, in words.
    pub what: String,
    /// The file.
    pub file: String,
    /// Line, from 1; 0 for the whole file.
    pub line: usize,
    /// Set if it is the whole file.
    pub whole: bool,
}

/// Hash by which a content is known once it is let go of.
pub fn key(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// The traces of a submission, each once.
pub fn take(case: &Case<'_>) -> Vec<Trace> {
    let mut traces = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |what: String, file: &str, line: usize, whole: bool, content: &[u8]| {
        let key = key(content);
        if traces.len() < MOST && seen.insert(key) {
            traces.push(Trace { key, what, file: file.to_owned(), line, whole });
        }
    };
    for artifact in case.artifacts() {
        if let Ok(bytes) = case.files.read(&artifact.file) {
            add("the whole file".into(), &artifact.file, 0, true, &bytes);
        }
    }
    for (name, text) in case.texts() {
        if text.len() > 200 {
            add("the whole file".into(), name, 0, true, text.as_bytes());
        }
        for (number, line) in text.lines().enumerate() {
            for word in line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')) {
                if let Some(what) = own(word) {
                    add(what, name, number + 1, false, word.as_bytes());
                }
            }
        }
    }
    traces
}

/// Names a word, when it is one that a machine made up.
fn own(word: &str) -> Option<String> {
    if let Some(start) = word.len().checked_sub(36)
        && word.get(start..).is_some_and(is_uuid)
    {
        return Some(format!("the UUID {word}"));
    }
    is_pod(word).then(|| format!("the pod {word}"))
}

fn is_uuid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let hexadecimal = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    // One that a person made up has few different digits.
    let digits: BTreeSet<u8> = word.bytes().collect();
    lengths == [8, 4, 4, 4, 12] && hexadecimal && digits.len() > 7
}

/// A pod's name ends in five letters that Kubernetes drew; it leaves out vowels and what looks alike.
fn is_pod(word: &str) -> bool {
    let Some((name, last)) = word.rsplit_once('-') else { return false };
    let drawn = |part: &str| part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let digit = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    let letter = |part: &str| part.bytes().any(|byte| byte.is_ascii_lowercase());
    last.len() == 5 && name.len() > 4 && drawn(last) && digit(last) && letter(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_drew_is_told_from_words() {
        for drawn in
            ["GPU-3f2a91c4-77aa-40b1-9d3e-0b54c8e1a2f7", "device-plugin-x7k2p", "web-7d9f6c5b4-2xkvz"]
        {
            assert!(own(drawn).is_some(), "{drawn}");
        }
        for word in
            ["gang-scheduling", "00000000-0000-0000-0000-000000000000", "h100-80gb", "v1-34-2", "pod-12345"]
        {
            assert!(own(word).is_none(), "{word}");
        }
    }
}
