//! Judgements of every tape and every stored run, so that a change of a judge shows as a change of a file.

use aiconform_checks::CHECKS;
use aiconform_evidence::Stored;
use aiconform_trial::testing;
use aiconform_verdict::{Lean, judge};
use anyhow::Context;
use camino::Utf8Path;
use serde_json::{Map, Value};
use std::path::Path;

/// Judgements of every tape of every check, by check and name of the tape.
///
/// # Errors
/// When they cannot be written as JSON.
pub fn tapes(root: &Path) -> anyhow::Result<String> {
    let mut all = Map::new();
    for check in CHECKS {
        let folder = root.join("crates/checks").join(check.id);
        all.insert(check.id.into(), testing::tapes(check.rules, &folder.to_string_lossy()));
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

/// Judgements of the packed runs beside `tests/judged`, by name of the run and check. A run is packed with
/// `tar -C RUN -cJf NAME.tar.xz run.json events.ndjson blobs manifest.json`, the two files of a run folder that are made of
/// these left out.
///
/// # Errors
/// When a run cannot be unpacked, or is not as it was written.
pub fn runs(root: &Path) -> anyhow::Result<String> {
    let mut all = Map::new();
    let mut packed: Vec<_> = fs_err::read_dir(root.join("tests/judged"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    packed.retain(|path| path.to_string_lossy().ends_with(".tar.xz"));
    packed.sort();
    for path in packed {
        let name =
            path.file_name().unwrap_or_default().to_string_lossy().trim_end_matches(".tar.xz").to_owned();
        let folder = tempfile::tempdir()?;
        unpack(&path, folder.path()).with_context(|| path.display().to_string())?;
        let folder = Utf8Path::from_path(folder.path()).context("a path that is text")?;
        let mut lean = Lean::new(CHECKS.iter().map(|check| check.rules));
        let stored = Stored::open_through(folder, |event| lean.cut(event))?;
        let named = stored.run["checks"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let checks = named.filter_map(aiconform_checks::check);
        let judged = checks
            .map(|check| (check.id.to_owned(), testing::summary(&judge(check.rules, &stored.evidence))))
            .collect::<Map<String, Value>>();
        all.insert(name, judged.into());
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

fn unpack(packed: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut tar = Vec::new();
    lzma_rs::xz_decompress(&mut std::io::BufReader::new(fs_err::File::open(packed)?), &mut tar)
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(tar::Archive::new(tar.as_slice()).unpack(folder)?)
}
