//! Every breakage is found on a real lab, and the healthy twin is healthy.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use serde_json::Value;
use std::process::Command;

#[test]
fn every_breakage_is_found() {
    // `--thorough` also breaks what goes further than a MUST, or needs components that take long to build.
    let slow = std::env::var("AICONFORM_THOROUGH").map(|_| "--slow");
    let output = Command::new(assert_cmd::cargo::cargo_bin!("aiconform"))
        .args(["lab", "faults", "-o", "json", "--side-by-side", "2"])
        .args(slow)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    let rows: Vec<Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {talk}"));
    let missed: Vec<&Value> = rows.iter().filter(|row| row["found"] != true).collect();
    assert!(missed.is_empty(), "missed: {missed:#?}");
    assert!(rows.len() > 30, "{} rows", rows.len());
    assert!(output.status.success(), "{talk}");
}
