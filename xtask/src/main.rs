//! Work on the project itself: `cargo run -p xtask -- codegen`, `… tape`, `… scale`, `… parts`, `… review-bench` and `… compare`.

mod compare;
mod lab;
mod parts;
mod review_bench;
mod scale;

use aiconform_checks::CHECKS;
use aiconform_evidence::Stored;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Parser, Subcommand};
use xtask::{generated, tape};

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write every generated file again
    Codegen,
    /// Begin the check of a requirement: a crate with every part that a check has
    New {
        /// Id of the requirement
        id: String,
    },
    /// Count lines by crate, and runs of lines that stand twice, of this or another checkout
    Count {
        /// Root of the checkout
        #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
        root: Utf8PathBuf,
    },
    /// Write the page about gang schedulers from run folders, whose grades must agree
    Schedulers {
        /// The run folders, of `aiconform run --lab --level all`
        #[arg(required = true)]
        runs: Vec<Utf8PathBuf>,
    },
    /// Make a tape of a check from a run folder: what its judge reads, and nothing else
    Tape {
        /// The run folder
        run: Utf8PathBuf,
        /// Id of the requirement
        check: String,
        /// Name of the tape, such as `met`
        name: String,
        /// Subjects to keep
        subjects: Vec<String>,
    },
    /// Measure on labs what gangs of hundreds of pods cost, and write the table (build with --release)
    Scale(scale::Arguments),
    /// Measure what each part of a lab costs, and write the table (build with --release)
    Parts,
    /// Measure what a review of submissions costs (build with --release)
    ReviewBench {
        /// A clone of the programme
        #[arg(env = "AICONFORM_PROGRAM_DIR")]
        program: Utf8PathBuf,
    },
    /// Run another test of a requirement beside ours on broken labs, and write which breakages each finds
    Compare(compare::Arguments),
}

fn main() -> anyhow::Result<()> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match CommandLine::parse().verb {
        Verb::Codegen => {
            for (path, content) in generated()? {
                fs_err::write(root.join(path), content)?;
            }
        }
        #[allow(clippy::print_stderr, reason = "progress")]
        Verb::New { id } => {
            let test = aiconform_model::catalogue::test_name(&id);
            for touched in xtask::scaffold::add(root.as_std_path(), &id, &test)? {
                eprintln!("touched: {}", touched.display());
            }
        }
        #[allow(clippy::print_stdout, reason = "the numbers are what was asked for")]
        Verb::Count { root } => {
            let count = xtask::count::count(root.join("crates").as_std_path())?;
            for (name, lines) in &count.lines {
                println!("{lines:7} {name}");
            }
            println!("{:7} lines in all", count.lines.values().sum::<usize>());
            println!("{:7} repeated runs of lines", count.repeated.len());
        }
        Verb::Schedulers { runs } => {
            let stored: Vec<Stored> = runs.iter().map(|run| Stored::open(run)).collect::<Result<_, _>>()?;
            let page = xtask::schedulers::page(&stored)?;
            fs_err::write(root.join("docs/reference/schedulers.md"), page)?;
        }
        Verb::Tape { run, check, name, subjects } => {
            anyhow::ensure!(CHECKS.iter().any(|known| known.id == check), "there is no check {check}");
            let stored = Stored::open(&run)?;
            let folder = root.join(format!("crates/checks/{check}/tapes"));
            fs_err::create_dir_all(&folder)?;
            fs_err::write(folder.join(format!("{name}.ndjson")), tape(&stored, &check, &subjects)?)?;
        }
        Verb::Parts => parts::run(&root)?,
        Verb::ReviewBench { program } => review_bench::run(&program)?,
        Verb::Compare(arguments) => compare::run(&arguments, &root)?,
        Verb::Scale(arguments) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(scale::run(&arguments, &root))?;
        }
    }
    Ok(())
}
