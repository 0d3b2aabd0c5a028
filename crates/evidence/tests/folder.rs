//! A run folder is read back as it was written, and any change to it is found.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use aiconform_evidence::{Folder, ReadError, Stored, WriteError};
use aiconform_model::{EventKind, Scope, Sink};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

fn written(count: usize) -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(directory.path().join("run")).unwrap();
    let folder = Folder::create(&path).unwrap();
    for number in 0..count {
        let scope = Scope::new("gang_scheduling", if number % 2 == 0 { "kueue/pods" } else { "kube-native" });
        folder.write(&scope, EventKind::Phase { phase: "T3".into(), data: json!({ "number": number }) });
    }
    folder.blob(b"log").unwrap();
    folder.finish(&json!({"release": "1.37"})).unwrap();
    (directory, path)
}

fn change(path: &Utf8Path, change: impl FnOnce(Vec<String>) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, change(text.lines().map(|line| format!("{line}\n")).collect())).unwrap();
}

#[test]
fn what_was_written_is_read() {
    let (_directory, path) = written(5);
    let stored = Stored::open(&path).unwrap();
    assert_eq!(stored.run["release"], "1.37");
    assert_eq!(stored.evidence.events.len(), 5);
    let scope = Scope::new("gang_scheduling", "kueue/pods");
    assert_eq!(stored.evidence.of(&scope).count(), 3);
}

#[test]
fn a_changed_event_is_found_with_its_line() {
    let (_directory, path) = written(5);
    change(&path.join("events.ndjson"), |lines| lines.concat().replacen("\"number\":1", "\"number\":7", 1));
    assert!(matches!(Stored::open(&path), Err(ReadError::Chain { line: 3, .. })));
}

#[test]
fn a_changed_last_event_is_found_by_the_digest() {
    let (_directory, path) = written(5);
    change(&path.join("events.ndjson"), |lines| lines.concat().replacen("\"number\":4", "\"number\":7", 1));
    assert!(matches!(Stored::open(&path), Err(ReadError::Changed { .. })));
}

#[test]
fn a_missing_event_is_found_wherever_it_was() {
    for missing in 0..5 {
        let (_directory, path) = written(5);
        change(&path.join("events.ndjson"), |mut lines| {
            lines.remove(missing);
            lines.concat()
        });
        assert!(matches!(Stored::open(&path), Err(ReadError::Chain { .. })), "event {missing}");
    }
}

#[test]
fn a_truncated_log_is_found() {
    let (_directory, path) = written(5);
    change(&path.join("events.ndjson"), |lines| {
        let text = lines.concat();
        text[..text.len() - 9].to_owned()
    });
    assert!(matches!(Stored::open(&path), Err(ReadError::Chain { line: 5, .. })));
}

#[test]
fn broken_json_is_told_with_line_and_column() {
    let (_directory, path) = written(2);
    change(&path.join("events.ndjson"), |lines| format!("{}{{\"previous\": 1}}\n", lines[0]));
    let error = Stored::open(&path).unwrap_err();
    assert!(matches!(error, ReadError::Json { line: 2, .. }), "{error}");
}

#[test]
fn a_changed_run_or_blob_or_a_missing_manifest_is_found() {
    let (_directory, path) = written(1);
    std::fs::write(path.join("run.json"), "{}").unwrap();
    assert!(matches!(Stored::open(&path), Err(ReadError::Changed { .. })));

    let (_directory, path) = written(1);
    let blob = std::fs::read_dir(path.join("blobs")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(blob, "other").unwrap();
    assert!(matches!(Stored::open(&path), Err(ReadError::Changed { .. })));

    let (_directory, path) = written(1);
    std::fs::remove_file(path.join("manifest.json")).unwrap();
    assert!(matches!(Stored::open(&path), Err(ReadError::Io(_))));
}

#[test]
fn a_blob_whose_name_is_no_digest_is_refused_and_not_opened() {
    for name in ["/dev/zero", "/etc/passwd", "../run.json", "00", &"A".repeat(64)] {
        let (_directory, path) = written(1);
        change(&path.join("manifest.json"), |lines| {
            lines.concat().replacen("\"blobs\":[", &format!("\"blobs\":[\"{name}\","), 1)
        });
        let error = Stored::open(&path).unwrap_err();
        assert!(matches!(error, ReadError::Name { .. }), "{name}: {error}");
        assert!(error.to_string().contains("64 lower-case hexadecimal digits"), "{error}");
    }
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let (_directory, path) = written(1);
    assert!(matches!(Folder::create(&path), Err(WriteError::NotEmpty(_))));
}
