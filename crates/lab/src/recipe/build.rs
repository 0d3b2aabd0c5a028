//! Building what the cache lacks, one program at a time.

use super::{Recipe, cache};
use crate::error::LabError;
use crate::preflight;
use crate::progress::{Progress, Step};
use camino::{Utf8Path, Utf8PathBuf};
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Builds what the cache lacks of these and gives the folder of binaries of each component.
///
/// # Errors
/// With the build's last lines.
pub async fn build(
    wanted: &[&Recipe],
    toolchain: &str,
    progress: &dyn Progress,
) -> Result<Vec<Utf8PathBuf>, LabError> {
    let root = cache().join("components");
    fs_err::create_dir_all(&root)?;
    let folder = |recipe: &Recipe| root.join(format!("{}-{}", recipe.name, recipe.key(toolchain)));
    let binaries: Vec<Utf8PathBuf> = wanted.iter().map(|recipe| folder(recipe).join("bin")).collect();
    // Whoever needs nothing new does not wait for another program's build.
    if binaries.iter().all(|folder| folder.exists()) {
        return Ok(binaries);
    }
    // A second program that builds the same waits here, then finds it built.
    let _held = alone(&root, progress).await?;
    let missing: Vec<&Recipe> =
        wanted.iter().copied().filter(|recipe| !folder(recipe).join("bin").exists()).collect();
    // Building takes much room; what is built already takes little.
    if !missing.is_empty() {
        preflight::has_room_to_build(&root)?;
    }
    for (index, recipe) in missing.iter().enumerate() {
        let start = Instant::now();
        let work = root.join(format!("{}-{}.building", recipe.name, std::process::id()));
        // kubectl and Helm, which render manifests, are built before anything that has some.
        let tool = |name: &str| {
            let path = |recipe: &&Recipe| folder(recipe).join("bin").join(name);
            wanted.iter().map(path).find(|path| path.exists()).unwrap_or_else(|| name.into())
        };
        build_one(recipe, &work, &tool, &|packages| {
            progress.step(&Step::Building {
                component: recipe.name.into(),
                number: index + 1,
                of: missing.len(),
                packages,
            });
        })
        .await?;
        fs_err::rename(&work, folder(recipe))?;
        progress.step(&Step::Built { component: recipe.name.into(), seconds: start.elapsed().as_secs() });
    }
    Ok(binaries)
}

/// Waits until no other program builds into the cache, and takes away what one that was killed has left half built.
async fn alone(root: &Utf8Path, progress: &dyn Progress) -> Result<std::fs::File, LabError> {
    let lock = std::fs::File::create(root.join("lock"))?;
    let mut told = false;
    while let Err(error) = lock.try_lock() {
        if let std::fs::TryLockError::Error(error) = error {
            return Err(error.into());
        }
        if !told {
            progress.step(&Step::Waiting { what: "another program, which builds components".into() });
            told = true;
        }
        aiconform_wait::pause(std::time::Duration::from_millis(500)).await;
    }
    for entry in root.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("building") {
            fs_err::remove_dir_all(path)?;
        }
    }
    Ok(lock)
}

async fn build_one(
    recipe: &Recipe,
    work: &Utf8Path,
    tool: &(dyn Fn(&str) -> Utf8PathBuf + Sync),
    told: &(dyn Fn(usize) + Sync),
) -> Result<(), LabError> {
    let failed = |why: String, log: String| LabError::Build { component: recipe.name.into(), why, log };
    if work.exists() {
        fs_err::remove_dir_all(work)?;
    }
    let bin = work.join("bin");
    fs_err::create_dir_all(&bin)?;
    for (name, content) in recipe.files {
        fs_err::write(work.join(name), content)?;
    }
    if let Some(instead) = &recipe.instead {
        instead.lay(work).await?;
    }
    told(0);
    let mut child = Command::new("go")
        .args(["build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", recipe.tags])
        .args(["-ldflags", &format!("-s -w {}", recipe.linker_flags), "-o", &format!("{bin}/")])
        .args(recipe.packages)
        .current_dir(work)
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("go does not start: {error}"), String::new()))?;
    let mut last = std::collections::VecDeque::new();
    let mut packages = 0;
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            packages += 1;
            if packages % 25 == 0 {
                told(packages);
            }
            if last.len() == 20 {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    let status = child.wait().await?;
    if !status.success() {
        return Err(failed(status.to_string(), Vec::from(last).join("\n")));
    }
    for (from, to) in recipe.rename {
        fs_err::rename(bin.join(from), bin.join(to))?;
    }
    if let Some(manifests) = &recipe.manifests {
        let (module, _) = manifests.parts();
        let output = Command::new("go")
            .args(["list", "-m", "-f", "{{.Dir}}", module])
            .current_dir(work)
            .output()
            .await?;
        let source = Utf8PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let rendered = manifests.render(&source, tool).await?;
        fs_err::write(bin.join(format!("{}.yaml", recipe.name)), rendered)?;
    }
    if recipe.instead.is_some() {
        fs_err::remove_dir_all(work.join("instead"))?;
    }
    Ok(())
}
