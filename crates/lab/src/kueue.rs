//! Kueue, as a pod from its own manifests.

use crate::breakage::Breakage;
use crate::error::LabError;
use crate::first::{Tools, apply};
use crate::image;
use crate::state::Status;
use std::time::Duration;

/// Name of its image inside the lab.
pub const IMAGE: &str = "aiconform.dev/lab/kueue:0.18.2";
/// Kueue waits for certificates that it makes itself and for its own election; on a busy machine that has taken two minutes.
const LIMIT: Duration = Duration::from_secs(240);

/// Imports the image; needs containerd only.
///
/// # Errors
/// When containerd refuses it.
pub async fn import(lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let binary = fs_err::read(lab.binary("kueue"))?;
    let file = lab.state.join("kueue.tar");
    fs_err::write(&file, image::archive(IMAGE, &[("manager", &binary)], "/manager")?)?;
    tools.ctr(&["images", "import", file.as_str()]).await?;
    Ok(fs_err::remove_file(file)?)
}

/// Applies the manifests of Kueue's own module; only the image's name and pull policy are changed, and what a
/// breakage asks for.
///
/// # Errors
/// When the API server refuses one.
pub async fn begin(lab: &Status, tools: &Tools) -> Result<(), LabError> {
    let manifests = fs_err::read_to_string(lab.binary("kueue.yaml"))?;
    let mut out = String::new();
    for line in manifests.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim_start().starts_with("image: us-central1-docker.pkg.dev/") {
            out.push_str(&format!("{indent}image: {IMAGE}\n"));
        } else if line.trim_start() == "imagePullPolicy: Always" {
            out.push_str(&format!("{indent}imagePullPolicy: IfNotPresent\n"));
        } else if lab.is_broken(Breakage::KueueExcludesSlots) && line.trim_start() == "integrations:" {
            out.push_str(&format!(
                "{indent}resources:\n{indent}  excludeResourcePrefixes: [slots.aiconform.dev]\n{line}\n"
            ));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    apply(tools, &out).await
}

/// Waits until Kueue and its webhooks serve.
///
/// # Errors
/// With the pod's own log when they do not in time.
pub async fn ready(tools: &Tools) -> Result<(), LabError> {
    let probe = r#"{"apiVersion":"kueue.x-k8s.io/v1beta2","kind":"ClusterQueue","metadata":{"name":"probe"},"spec":{}}"#;
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        // Answered by Kueue's own webhooks, so they serve when it is.
        let last = match tools.kubectl_with(&["create", "--dry-run=server", "-f", "-"], probe).await {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        if tokio::time::Instant::now() > deadline {
            let log = tools
                .kubectl(&["-n", "kueue-system", "logs", "deployment/kueue-controller-manager", "--tail=12"])
                .await
                .unwrap_or_else(|error| error.to_string().into_bytes());
            let what = format!("did not serve within {} s (last seen: {last})", LIMIT.as_secs());
            let log = String::from_utf8_lossy(&log).into_owned();
            return Err(LabError::Component { component: "kueue".into(), what, log });
        }
        aiconform_wait::pause(Duration::from_millis(200)).await;
    }
}
