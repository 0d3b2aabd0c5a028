//! Building what the cache lacks, one program at a time.

use super::go::Scratch;
use super::{Recipe, Source, cache};
use crate::error::LabError;
use crate::preflight;
use crate::progress::{Progress, Step};
use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;

/// Ending of the names of folders that are being built in: whoever builds next removes those that it finds.
pub const UNFINISHED: &str = "building";

/// The folder of all components.
pub fn components() -> Utf8PathBuf {
    cache().join("components")
}

/// The folder of a component, named by what it is built of.
pub fn folder(recipe: &Recipe, toolchain: &str) -> Utf8PathBuf {
    components().join(format!("{}-{}", recipe.name, recipe.key(toolchain)))
}

/// Builds what the cache lacks of these and gives the folder of binaries of each component.
///
/// # Errors
/// With the build's last lines.
pub async fn build(
    wanted: &[&Recipe],
    toolchain: &str,
    progress: &dyn Progress,
) -> Result<Vec<Utf8PathBuf>, LabError> {
    let root = components();
    fs_err::create_dir_all(&root)?;
    let folder = |recipe: &Recipe| folder(recipe, toolchain);
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
    let unfinished = |name: &str| root.join(format!("{name}-{}.{UNFINISHED}", std::process::id()));
    let scratch = Scratch::new(unfinished("go"));
    for (index, recipe) in missing.iter().enumerate() {
        let start = Instant::now();
        let work = unfinished(recipe.name);
        // kubectl and Helm, which render manifests, are built before anything that has some.
        let tool = |name: &str| {
            let path = |recipe: &&Recipe| folder(recipe).join("bin").join(name);
            wanted.iter().map(path).find(|path| path.exists()).unwrap_or_else(|| name.into())
        };
        build_one(recipe, &work, &scratch, &tool, &|packages| {
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
    scratch.remove()?;
    Ok(binaries)
}

/// Waits until no other program builds into the cache, and takes away what one that was killed has left half built.
pub async fn alone(root: &Utf8Path, progress: &dyn Progress) -> Result<std::fs::File, LabError> {
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
        if path.extension() == Some(UNFINISHED) {
            fs_err::remove_dir_all(path)?;
        }
    }
    Ok(lock)
}

async fn build_one(
    recipe: &Recipe,
    work: &Utf8Path,
    scratch: &Scratch,
    tool: &(dyn Fn(&str) -> Utf8PathBuf + Sync),
    told: &(dyn Fn(usize) + Sync),
) -> Result<(), LabError> {
    if work.exists() {
        fs_err::remove_dir_all(work)?;
    }
    let bin = work.join("bin");
    fs_err::create_dir_all(&bin)?;
    match &recipe.source {
        Source::Go(go) => go.build(recipe, work, scratch, told).await?,
        Source::Wheel(wheel) => wheel.build(recipe, work).await?,
        Source::Debian(debian) => debian.build(recipe, work).await?,
    }
    if let Some(manifests) = &recipe.manifests {
        let (module, _) = manifests.parts();
        let source = scratch.module(module, work).await?;
        let rendered = manifests.render(&source, tool).await?;
        fs_err::write(bin.join(format!("{}.yaml", recipe.name)), rendered)?;
    }
    if let Source::Go(go) = &recipe.source {
        go.tidy(work)?;
    }
    Ok(())
}
