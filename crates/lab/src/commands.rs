//! Short helper commands: run to their end, with their last words in the error.

use crate::error::LabError;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Runs a command to its end and gives its stdout.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
pub async fn run(program: &str, arguments: &[&str]) -> Result<Vec<u8>, LabError> {
    run_with(program, arguments, "").await
}

/// Runs a command to its end with this text as its stdin, and gives its stdout.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
pub async fn run_with(program: &str, arguments: &[&str], input: &str) -> Result<Vec<u8>, LabError> {
    let failed =
        |why: String| LabError::Command { command: format!("{program} {}", arguments.join(" ")), why };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let stdin = child.stdin.take();
    let writing = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input closes it; its exit code says the rest.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), writing);
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = words.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(failed(format!("{}: {}", output.status, last.join(" / "))))
}
