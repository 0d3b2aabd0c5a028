//! Images without a registry: an OCI archive with one layer of static binaries.

use sha2::{Digest, Sha256};
use std::io::Write;

/// The user of every image: any that is not root, so that `runAsNonRoot` pods start.
const USER: &str = "65532:65532";

/// An OCI image archive (image-spec 1.1, image layout) as bytes. Equal input gives equal bytes.
///
/// `files` are path in the image (without leading slash) and content; all are executable.
///
/// # Errors
/// When the archive cannot be written to memory.
pub fn archive(reference: &str, files: &[(&str, &[u8])], entrypoint: &str) -> std::io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, content) in files {
        append(&mut layer, path, content, 0o755)?;
    }
    let layer = layer.into_inner()?;
    let config = serde_json::json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {"User": USER, "Entrypoint": [entrypoint]},
        "rootfs": {"type": "layers", "diff_ids": [sha256(&layer)]},
    })
    .to_string()
    .into_bytes();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    })
    .to_string()
    .into_bytes();
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["annotations"] = serde_json::json!({"io.containerd.image.name": reference});
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [entry]}).to_string();

    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    append(&mut archive, "index.json", index.as_bytes(), 0o644)?;
    for blob in [&config, &manifest, &layer] {
        append(&mut archive, &format!("blobs/{}", sha256(blob).replace(':', "/")), blob, 0o644)?;
    }
    let mut bytes = archive.into_inner()?;
    bytes.flush()?;
    Ok(bytes)
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, path, content)
}

fn descriptor(media_type: &str, content: &[u8]) -> serde_json::Value {
    serde_json::json!({"mediaType": media_type, "digest": sha256(content), "size": content.len()})
}

fn sha256(bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read;

    fn image() -> Vec<u8> {
        archive("aiconform.dev/lab/pause:1", &[("pause", b"binary")], "/pause").unwrap()
    }

    #[test]
    fn equal_input_gives_equal_bytes() {
        assert_eq!(image(), image());
    }

    #[test]
    fn every_digest_names_a_blob_that_has_it() {
        let bytes = image();
        let mut entries = BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            entries.insert(path, content);
        }
        let blob = |descriptor: &serde_json::Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            let content = &entries[&format!("blobs/{}", digest.replace(':', "/"))];
            assert_eq!(sha256(content), digest);
            assert_eq!(descriptor["size"], content.len());
            content.clone()
        };
        let index: serde_json::Value = serde_json::from_slice(&entries["index.json"]).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&blob(&index["manifests"][0])).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
        let layer = blob(&manifest["layers"][0]);
        assert_eq!(config["rootfs"]["diff_ids"][0], sha256(&layer));
        assert_eq!(config["config"]["User"], "65532:65532");
    }
}
