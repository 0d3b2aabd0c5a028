//! Short helper commands: run to their end, with their last words in the error.

use crate::error::LabError;
use tokio::process::Command;

/// Runs a command to its end and gives its stdout.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
pub async fn run(program: &str, arguments: &[&str]) -> Result<Vec<u8>, LabError> {
    let failed =
        |why: String| LabError::Command { command: format!("{program} {}", arguments.join(" ")), why };
    let output = Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = words.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(failed(format!("{}: {}", output.status, last.join(" / "))))
}
