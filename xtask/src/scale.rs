//! Cost of a gang of hundreds of pods, measured on labs of this machine: `cargo run --release -p xtask --
//! scale`.
//!
//! The numbers are of one run each and of the machine they were measured on; what is worth comparing are the ratios in a
//! row. No test asserts a time.

use crate::lab::{Lab, program};
use aiconform_wait::pause;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Between two looks at a process that runs: its peak of memory is lost with its end.
const LOOK: Duration = Duration::from_millis(10);

/// Arguments of `scale`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Sizes: pods of the gang, and fake nodes of the lab
    #[arg(long, value_delimiter = ',', default_value = "4:3,64:100,512:500", value_name = "PODS:NODES")]
    sizes: Vec<Size>,
    /// Adapters to measure
    #[arg(long, value_delimiter = ',', default_value = "kube-native,kueue/job")]
    adapter: Vec<String>,
    /// Name of the labs, which are started one after another
    #[arg(long, default_value = "scale")]
    name: String,
    /// Where the run folders are kept [default: nowhere]
    #[arg(long)]
    runs: Option<Utf8PathBuf>,
}

/// A gang and the nodes it is spread over.
#[derive(Clone, Copy, Debug)]
struct Size {
    pods: u64,
    nodes: u32,
}

impl std::str::FromStr for Size {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Size> {
        let (pods, nodes) = text.split_once(':').context("a size is PODS:NODES, such as 64:100")?;
        Ok(Size { pods: pods.parse()?, nodes: nodes.parse()? })
    }
}

/// Row of the table: what one run came to.
struct Row {
    size: Size,
    adapter: String,
    /// `verdict.json`.
    verdict: Value,
    /// Most memory of the whole process, judging and reports included, in KiB.
    memory: u64,
    /// Its processor time, in milliseconds.
    ours: u64,
    /// Processor time of kube-apiserver meanwhile, in milliseconds.
    server: u64,
    events: usize,
    /// Size of the run folder in bytes.
    bytes: u64,
}

/// Measures every size with every adapter and writes the table.
///
/// # Errors
/// When a lab or a run fails; the lab is ended all the same.
pub async fn run(arguments: &Arguments, root: &Utf8Path) -> anyhow::Result<()> {
    let program = program(root)?;
    let kept = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(kept.path()).context("a temporary folder with a strange name")?;
    let runs = arguments.runs.as_deref().unwrap_or(temporary);
    let mut rows = Vec::new();
    for size in &arguments.sizes {
        let (lab, server) = lab(&program, arguments, *size)?;
        for adapter in &arguments.adapter {
            let folder = runs.join(format!("{}-{}-{}", size.pods, size.nodes, adapter.replace('/', "-")));
            rows.push(measure(&program, (&lab, server), *size, adapter, &folder).await?);
        }
    }
    Ok(fs_err::write(root.join("docs/reference/scale.md"), page(&rows))?)
}

/// A lab with that many fake nodes, and the process id of its kube-apiserver.
fn lab(program: &Utf8Path, arguments: &Arguments, size: Size) -> anyhow::Result<(Lab, u32)> {
    let kueue = arguments.adapter.iter().any(|adapter| adapter.starts_with("kueue/"));
    let with = if kueue { "kueue" } else { "" };
    let lab = Lab::up(program, &arguments.name, &["--fake-nodes", &size.nodes.to_string(), "--with", with])?;
    let server = lab.find_server()?;
    Ok((lab, server))
}

async fn measure(
    program: &Utf8Path,
    (lab, server): (&Lab, u32),
    size: Size,
    adapter: &str,
    folder: &Utf8Path,
) -> anyhow::Result<Row> {
    let before = processor_time(server)?;
    let mut child = Command::new(program)
        .args(["run", "--kubeconfig", lab.kubeconfig.as_str(), "--level", "named", "--trial", "scale"])
        .args(["--rounds", "1", "--size", &size.pods.to_string(), "--adapter", adapter])
        .args(["--output-dir", folder.as_str()])
        .stdout(Stdio::null())
        .spawn()?;
    let mut memory = 0;
    // Its time is still told when it has ended and nobody has asked how; its memory is not.
    while !has_ended(child.id())? {
        memory = peak_memory(child.id()).unwrap_or(memory);
        pause(LOOK).await;
    }
    let ours = processor_time(child.id())?;
    let server = processor_time(server)? - before;
    // No verdict comes of a trial that was named alone: 4, inconclusive.
    let code = child.wait()?.code();
    ensure!(matches!(code, Some(0 | 4)), "the run ended with {code:?}");
    let verdict = serde_json::from_slice(&fs_err::read(folder.join("verdict.json"))?)?;
    let events = fs_err::read_to_string(folder.join("events.ndjson"))?.lines().count();
    let mut bytes = 0;
    for entry in fs_err::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(Row { size, adapter: adapter.into(), verdict, memory, ours, server, events, bytes })
}

/// The fields of `/proc/PID/stat` after the name (proc_pid_stat(5)): the first is the state.
fn stat(process: u32) -> anyhow::Result<Vec<String>> {
    let line = fs_err::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = line.rsplit_once(") ").context("a line without a name")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn has_ended(process: u32) -> anyhow::Result<bool> {
    Ok(stat(process)?.first().is_some_and(|state| state == "Z"))
}

/// Processor time in user and kernel mode, in milliseconds; the kernel tells it in hundredths of a second.
fn processor_time(process: u32) -> anyhow::Result<u64> {
    let fields = stat(process)?;
    let field = |place: usize| fields.get(place).context("a short line")?.parse::<u64>().context("no number");
    Ok((field(11)? + field(12)?) * 10)
}

/// The most memory that a process has held at once, in KiB; `None` when it has ended.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

/// Aims: memory in KiB, and percent of the API server's processor time.
const AIMS: (u64, u64) = (100 * 1024, 10);

const HEAD: &str = "# Scale and cost

Measured with `cargo run --release -p xtask -- scale`, one run each, on a lab with that many fake nodes (KWOK) whose API
server, scheduler and Kueue are real. The trial is `scale` alone: a gang spread over all fake nodes first misses one
slot, then gets it. Times are of the machine they were measured on: a row's ratios are what is worth comparing.

- *whole*: from the last slot, or from the last pod where it came later, until the last pod is bound.
- *created*: from the first pod to the last. Pods are created 32 at a time by us, or by the Job controller.
- *platform, dwell, ours*: wall time of the run in which we waited for the platform, waited on purpose, or neither.
- *memory*: the most that `aiconform` held at once, judging and reports included.
- *processor*: time of `aiconform`, of the lab's kube-apiserver meanwhile, and the ratio of the two.

";

fn page(rows: &[Row]) -> String {
    let mut page = String::from(HEAD);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let _ = writeln!(page, "On {} with {cores} processors:\n", processor());
    page.push_str("| pods on nodes | adapter | held whole | created | whole | platform | dwell | ours | API requests | memory | processor | events | run folder |\n");
    page.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for row in rows {
        let subject = &row.verdict["requirements"][0]["subjects"][0];
        let all = |key: &str| subject[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let claim = all("claims").iter().find(|claim| claim["id"] == "wide_gang_is_whole");
        let outcome = claim.and_then(|claim| claim["outcome"].as_str()).unwrap_or("not tried");
        let measured = |name: &str| {
            let found = all("measures")
                .iter()
                .find(|measure| measure["name"].as_str().is_some_and(|found| found.starts_with(name)));
            found.and_then(|measure| measure["value"].as_str()).unwrap_or("–").to_owned()
        };
        let bin = |name: &str| row.verdict["bins"][name].as_u64().unwrap_or_default() as f64 / 1000.0;
        let _ = writeln!(
            page,
            "| {} on {} | {} | {outcome} | {} | {} | {:.1} s | {:.1} s | {:.1} s | {} | {} MiB | {:.2} s, {:.2} s: {:.1} % | {} | {:.1} MB |",
            row.size.pods,
            row.size.nodes,
            row.adapter,
            measured("first to last pod created"),
            measured("until whole"),
            bin("platform"),
            bin("dwell"),
            bin("ours"),
            row.verdict["run"]["requests"],
            row.memory / 1024,
            row.ours as f64 / 1000.0,
            row.server as f64 / 1000.0,
            row.ours as f64 * 100.0 / row.server.max(1) as f64,
            row.events,
            row.bytes as f64 / 1e6,
        );
    }
    let _ = writeln!(page, "\n{}", missed(rows));
    page
}

/// The aims, and which rows miss them.
fn missed(rows: &[Row]) -> String {
    let (memory, share) = AIMS;
    let of = |what: &str, misses: &dyn Fn(&Row) -> bool| {
        let found = rows.iter().filter(|row| misses(row));
        let found: Vec<String> = found
            .map(|row| format!("{} on {} with {}", row.size.pods, row.size.nodes, row.adapter))
            .collect();
        let found = if found.is_empty() { "no row".to_owned() } else { found.join(", ") };
        format!("The aim for {what} is missed by {found}.")
    };
    [
        of(&format!("memory, {} MiB,", memory / 1024), &|row| row.memory > memory),
        of(&format!("processor time, {share} %,"), &|row| row.ours * 100 > row.server * share),
    ]
    .join("\n")
}

/// Name of the processor of this machine.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "a machine".into(), |(_, name)| format!("an {name}"))
}
