//! Another test of a requirement beside ours, on the same labs: which breakages each finds, and in what time.
//!
//! Labs pose as a maker's, because other tests know makers by name. Times are of one run each and of the machine they
//! were measured on; what is worth comparing is the ratio in a row. No test asserts a time.

use crate::lab::{Lab, program};
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Arguments of `compare`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The requirement that the other test tests
    #[arg(long)]
    only: String,
    /// Maker as which the labs pose
    #[arg(long, default_value = "nvidia")]
    pose: String,
    /// Archives of images that the other test needs, which are loaded into each lab
    #[arg(long, value_name = "FILE")]
    image: Vec<Utf8PathBuf>,
    /// Breakages [default: those of the requirement's faults]
    #[arg(long, value_delimiter = ',')]
    breakage: Vec<String>,
    /// Name of the labs, which are started one after another
    #[arg(long, default_value = "compare")]
    name: String,
    /// Where the page is written
    #[arg(long, default_value = "docs/reference/comparison.md", value_name = "FILE")]
    output: Utf8PathBuf,
    /// What else is to be said of the other test
    #[arg(long, default_value = "")]
    note: String,
    /// Name of the other test in the table
    #[arg(long, default_value = "the other test")]
    called: String,
    /// The other test, which is given the lab as KUBECONFIG and says "passed" by ending with 0
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Row of the table: what both said of one lab.
struct Row {
    breakage: String,
    other: (String, Duration),
    ours: (String, Duration),
}

/// Runs both on a healthy lab and on one for each breakage, and writes the page.
///
/// # Errors
/// When a lab does not start, or aiconform gives no verdict.
pub fn run(arguments: &Arguments, root: &Utf8Path) -> anyhow::Result<()> {
    let check = aiconform_checks::check(&arguments.only)
        .with_context(|| format!("there is no check {:?}", arguments.only))?;
    let mut breakages: BTreeSet<String> = arguments.breakage.iter().cloned().collect();
    if breakages.is_empty() {
        let faults = check.read_faults().map_err(anyhow::Error::msg)?;
        let quick = faults.into_iter().filter(|fault| !fault.slow && fault.breakage != "none");
        breakages.extend(quick.map(|fault| fault.breakage));
    }
    let program = program(root)?;
    let mut rows = Vec::new();
    for breakage in std::iter::once(String::new()).chain(breakages) {
        let mut flags = vec!["--with", "simulator", "--pose", &arguments.pose];
        if !breakage.is_empty() {
            flags.extend(["--break", &breakage]);
        }
        let lab = Lab::up(&program, &arguments.name, &flags)?;
        for image in &arguments.image {
            let socket = lab.state()?.join("node/containerd.sock");
            lab.exec(&["ctr", "-a", socket.as_str(), "-n", "k8s.io", "images", "import", image.as_str()])?;
        }
        // What comes first finds no image that it needs unpacked; neither test pays for the other's.
        let ours = ours(&program, &lab, &arguments.only)?;
        let other = other(&lab, &arguments.command)?;
        rows.push(Row { breakage, other, ours });
    }
    Ok(fs_err::write(root.join(&arguments.output), page(arguments, &rows))?)
}

fn other(lab: &Lab, command: &[String]) -> anyhow::Result<(String, Duration)> {
    let (name, rest) = command.split_first().context("no command")?;
    let start = Instant::now();
    let status = Command::new(name)
        .args(rest)
        .env("KUBECONFIG", &lab.kubeconfig)
        .stdout(Stdio::from(std::io::stderr()))
        .status()?;
    Ok((if status.success() { "passed" } else { "failed" }.into(), start.elapsed()))
}

fn ours(program: &Utf8Path, lab: &Lab, check: &str) -> anyhow::Result<(String, Duration)> {
    let kept = tempfile::tempdir()?;
    let folder =
        Utf8Path::from_path(kept.path()).context("a temporary folder with a strange name")?.join("run");
    let start = Instant::now();
    let status = Command::new(program)
        .args([
            "run",
            "--kubeconfig",
            lab.kubeconfig.as_str(),
            "--only",
            check,
            "--output-dir",
            folder.as_str(),
        ])
        .stdout(Stdio::null())
        .status()?;
    let took = start.elapsed();
    ensure!(matches!(status.code(), Some(0 | 1 | 4)), "aiconform ended with {status}");
    let verdict: Value = serde_json::from_slice(&fs_err::read(folder.join("verdict.json"))?)?;
    let requirement = &verdict["requirements"][0];
    let unmet = requirement["subjects"].as_array().into_iter().flatten().flat_map(|subject| {
        subject["claims"].as_array().into_iter().flatten().filter(|claim| claim["outcome"] == "unmet")
    });
    let unmet: BTreeSet<&str> = unmet.filter_map(|claim| claim["id"].as_str()).collect();
    let word = requirement["verdict"].as_str().context("no verdict")?;
    let named: Vec<&str> = unmet.into_iter().collect();
    Ok((if named.is_empty() { word.to_owned() } else { format!("{word}: {}", named.join(", ")) }, took))
}

const HEAD: &str = "# Another test beside ours

Written by `cargo run -p xtask -- compare --only REQUIREMENT -- COMMAND…`: both tests run on the same labs, one healthy and
one for each breakage, whose simulated accelerators pose as a maker's. The command is given the lab as KUBECONFIG and says
\"passed\" by ending with 0. A healthy lab should pass; a broken one that passes is a breakage that was not found. Times are
of one run each and of one machine: the ratio is what is worth comparing.

";

fn page(arguments: &Arguments, rows: &[Row]) -> String {
    let mut page = format!(
        "{HEAD}Requirement `{}`, labs posing as {}. {}\n\n| breakage | {} says | in | aiconform says | in | ratio of times |\n|---|---|---|---|---|---|\n",
        arguments.only, arguments.pose, arguments.note, arguments.called
    );
    for Row { breakage, other, ours } in rows {
        let name = if breakage.is_empty() { "none" } else { breakage };
        let _ = writeln!(
            page,
            "| {name} | {} | {:.0} s | {} | {:.0} s | {:.1} |",
            other.0,
            other.1.as_secs_f64(),
            ours.0,
            ours.1.as_secs_f64(),
            other.1.as_secs_f64() / ours.1.as_secs_f64().max(0.001)
        );
    }
    page
}
