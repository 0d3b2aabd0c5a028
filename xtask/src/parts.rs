//! Cost of each part of a lab, measured on labs of this machine: `cargo run --release -p xtask -- parts`.
//!
//! What is worth comparing is the part beside the plain lab of the same measurement. No test asserts a time.

use crate::lab::{Lab, program};
use anyhow::ensure;
use camino::Utf8Path;
use std::fmt::Write;
use std::process::Command;
use std::time::Instant;

/// Proportional memory of every process of the lab, in KiB: what several share is counted once.
const MEMORY: &str =
    "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }'";

/// Lab as it was measured.
struct Measured {
    up: f64,
    mebibytes: f64,
    down: f64,
}

/// Measures a plain lab and one with each part that is built, and writes the table.
///
/// # Errors
/// When a lab does not start, or does not say what it is made of.
pub fn run(root: &Utf8Path) -> anyhow::Result<()> {
    let program = program(root)?;
    let output = Command::new(&program).args(["lab", "parts"]).output()?;
    ensure!(output.status.success(), "`aiconform lab parts` failed");
    let listed = String::from_utf8(output.stdout)?;
    let parts = sizes(&listed);
    let plain = measured(&program, "")?;
    let mut page = format!(
        "# What the parts of a lab cost\n\n\
         Measured by `cargo run --release -p xtask -- parts`, one lab after another: `lab up` until it serves, the memory of all its\n\
         processes ten seconds later (shared pages counted once, its supervisor left out), and `lab down`, each beside those of a lab\n\
         without parts. A part that stands on others is measured with them, but for the disk.{}\n\n\
         | part | disk, MB | up, s | memory, MiB | down, s |\n|---|---|---|---|---|\n\
         | none | {} | {:.1} | {:.0} | {:.1} |\n",
        unmeasured(&listed),
        parts.iter().filter(|(part, _)| part.is_empty()).map(|(_, size)| size).sum::<u64>(),
        plain.up,
        plain.mebibytes,
        plain.down
    );
    for (part, size) in parts.iter().filter(|(part, _)| !part.is_empty()) {
        let with = measured(&program, part)?;
        writeln!(
            page,
            "| {part} | {size} | {:+.1} | {:+.0} | {:+.1} |",
            with.up - plain.up,
            with.mebibytes - plain.mebibytes,
            with.down - plain.down
        )?;
    }
    Ok(fs_err::write(root.join("docs/reference/lab-parts.md"), page)?)
}

/// Parts that are built, with the megabytes of what they are made of; that of every lab has no name.
fn sizes(listed: &str) -> Vec<(String, u64)> {
    let mut sizes: Vec<(String, u64)> = Vec::new();
    for line in listed.lines() {
        let Some((before, needed)) = line.split_once(" MB ").map(|(before, needed)| (before, needed.trim()))
        else {
            continue;
        };
        let Some(size) = before.split_whitespace().nth(1).and_then(|size| size.parse().ok()) else {
            continue;
        };
        let part = match needed.strip_prefix("--with ") {
            Some(part) => part,
            None if needed == "every lab" || line.split_whitespace().next() == Some("kubernetes") => "",
            None => continue,
        };
        match sizes.iter_mut().find(|(known, _)| known == part) {
            Some((_, sum)) => *sum += size,
            None => sizes.push((part.to_owned(), size)),
        }
    }
    // Our simulator comes with the program.
    sizes.push(("simulator".into(), 0));
    sizes
}

/// Sentence on the parts of which something is not built.
fn unmeasured(listed: &str) -> String {
    let missing: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_once(" not built ")?.1.trim().strip_prefix("--with "))
        .collect();
    if missing.is_empty() {
        String::new()
    } else {
        format!(" Not built, and not measured: {}.", missing.join(", "))
    }
}

fn measured(program: &Utf8Path, part: &str) -> anyhow::Result<Measured> {
    let start = Instant::now();
    let lab = Lab::up(program, "parts", &["--with", part])?;
    let up = start.elapsed().as_secs_f64();
    lab.exec(&["sleep", "10"])?;
    let kibibytes: f64 = lab.ask(&["sh", "-c", MEMORY])?.trim().parse()?;
    let start = Instant::now();
    drop(lab);
    Ok(Measured { up, mebibytes: kibibytes / 1024.0, down: start.elapsed().as_secs_f64() })
}
