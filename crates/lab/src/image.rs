//! Bringing images into a lab, which pulls none.

use crate::error::LabError;
use crate::first::Tools;
use crate::state::Status;
use aiconform_images::{Image, archive};

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
    let content = fs_err::read(lab.binary(binary))?;
    let file = lab.state.join(format!("{binary}.tar"));
    fs_err::write(&file, archive(name, &[(path, &content)], &format!("/{path}"))?)?;
    tools.ctr(&["images", "import", file.as_str()]).await?;
    Ok(fs_err::remove_file(file)?)
}

/// Imports an image that is part of this program; needs containerd only.
///
/// # Errors
/// When containerd refuses it.
pub async fn import_own(lab: &Status, tools: &Tools, image: &Image) -> Result<(), LabError> {
    let file = lab.state.join(format!("{}.tar", image.binary));
    fs_err::write(&file, image.archive(image.name)?)?;
    tools.ctr(&["images", "import", file.as_str()]).await?;
    Ok(fs_err::remove_file(file)?)
}
