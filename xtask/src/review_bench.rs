//! Cost of a review, over real submissions and over ten times as many: it must be linear.

use aiconform_submission::{Given, members, review, submissions};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write;
use std::time::Instant;

/// Measurements of each; the best time counts, because everything else is the machine.
const ROUNDS: usize = 5;

/// Measures the submissions of a clone of the programme, and prints a line for each size and set of rules.
pub fn run(program: &Utf8Path) -> anyhow::Result<()> {
    let folders = submissions(program)?;
    let copies = tempfile::tempdir()?;
    let copies = Utf8Path::from_path(copies.path())
        .ok_or_else(|| anyhow::anyhow!("no UTF-8 in the temporary folder"))?;
    let mut ten = Vec::new();
    for copy in 0..10 {
        for folder in &folders {
            let release = folder.parent().and_then(Utf8Path::file_name).unwrap_or_default();
            let to = copies.join(format!("{copy}/{release}/{}", folder.file_name().unwrap_or_default()));
            copy_all(folder, &to)?;
            ten.push(to);
        }
    }
    let list = fs_err::read_to_string(program.join("members.txt")).ok();
    for (folders, name) in [(&folders, "once"), (&ten, "ten times")] {
        for validator_only in [true, false] {
            let given = Given { members: list.as_deref().map(members), validator_only, ..Given::default() };
            let best = (0..ROUNDS).map(|_| {
                let start = Instant::now();
                let reviewed = review(folders, &given).submissions.len();
                (start.elapsed(), reviewed)
            });
            let Some((time, reviewed)) = best.min() else { continue };
            let rules = if validator_only { "the validator's rules" } else { "all rules" };
            let seconds = time.as_secs_f64();
            writeln!(std::io::stdout(), "{name}: {reviewed} submissions, {rules}: {seconds:.3} s")?;
        }
    }
    Ok(())
}

fn copy_all(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target: Utf8PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(entry.path(), &target)?;
        } else {
            fs_err::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
