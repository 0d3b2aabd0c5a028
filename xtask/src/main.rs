//! Work on the project itself: `cargo run -p xtask -- codegen`, `… tape`, `… scale`, `… review-bench` and `… compare`.

mod compare;
mod lab;
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
        Verb::Schedulers { runs } => {
            let stored: Vec<Stored> = runs.iter().map(|run| Stored::open(run)).collect::<Result<_, _>>()?;
            let page = xtask::schedulers::page(&stored)?;
            fs_err::write(root.join("docs/reference/schedulers.md"), page)?;
        }
        Verb::Tape { run, check, name, subjects } => {
            anyhow::ensure!(CHECKS.iter().any(|known| known.id == check), "there is no check {check}");
            let stored = Stored::open(&run)?;
            let folder = root.join(format!("crates/checks/src/{check}/tapes"));
            fs_err::create_dir_all(&folder)?;
            fs_err::write(folder.join(format!("{name}.ndjson")), tape(&stored, &check, &subjects)?)?;
        }
        Verb::ReviewBench { program } => review_bench::run(&program)?,
        Verb::Compare(arguments) => compare::run(&arguments, &root)?,
        Verb::Scale(arguments) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(scale::run(&arguments, &root))?;
        }
    }
    Ok(())
}
