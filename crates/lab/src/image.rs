//! Bringing images into a lab, which pulls none.

use crate::error::LabError;
use crate::node::Node;
use crate::state::Status;
use crate::tools::Tools;
use aiconform_images::{Image, archive};
use camino::Utf8Path;
use tokio::process::Command;

/// Every node of a lab.
pub fn everywhere(_: &Node) -> bool {
    true
}

/// Imports an image that holds one of the lab's binaries, under this path, and runs it; needs containerd only.
///
/// # Errors
/// When containerd refuses it.
pub async fn import(
    lab: &Status,
    tools: &Tools,
    (binary, path): (&str, &str),
    name: &str,
) -> Result<(), LabError> {
    let mut files = vec![(path.to_owned(), fs_err::read(lab.binary(binary))?)];
    files.extend(libraries(&lab.binary(binary)).await?);
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    let file = lab.state.join(format!("{binary}.tar"));
    fs_err::write(&file, archive(name, &files, &format!("/{path}"))?)?;
    tools.ctr(everywhere, &["images", "import", file.as_str()]).await?;
    Ok(fs_err::remove_file(file)?)
}

/// Libraries of this machine that a program takes when it starts, its loader too, by their paths; none of one that is whole.
async fn libraries(program: &Utf8Path) -> Result<Vec<(String, Vec<u8>)>, LabError> {
    // It ends with an error where there are none.
    let failed = |why: String| LabError::Start(format!("what {program} needs is not known: {why}"));
    let output = Command::new("ldd").arg(program.as_str()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| failed(format!("`ldd` does not start: {error}")))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(missing) = said.lines().find(|line| line.contains("not found")) {
        return Err(failed(missing.trim().to_owned()));
    }
    let paths = said.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    let read = |path: &str| Ok((path.trim_start_matches('/').to_owned(), fs_err::read(path)?));
    paths.filter(|path| Utf8Path::new(path) != program).map(read).collect()
}

/// Imports an image that is part of this program on the nodes that are to have it; needs containerd only.
///
/// # Errors
/// When containerd refuses it.
pub async fn import_own(
    lab: &Status,
    tools: &Tools,
    image: &Image,
    wanted: impl Fn(&Node) -> bool,
) -> Result<(), LabError> {
    let file = lab.state.join(format!("{}.tar", image.binary));
    fs_err::write(&file, image.archive(image.name)?)?;
    tools.ctr(wanted, &["images", "import", file.as_str()]).await?;
    Ok(fs_err::remove_file(file)?)
}
