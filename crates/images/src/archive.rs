//! Images without a registry: an OCI archive with one layer of static binaries.

use sha2::{Digest, Sha256};
use std::io::Write;

/// The user of every image: any that is not root, so that `runAsNonRoot` pods start.
const USER: &str = "65532:65532";

/// Kinds of machines by `e_machine` of their programs (elf(5)) and as an OCI image names them.
const ARCHITECTURES: [(u16, &str); 2] = [(62, "amd64"), (183, "arm64")];

/// An OCI image archive (image-spec 1.1, image layout) as bytes. Equal input gives equal bytes.
///
/// `files` are path in the image (without leading slash) and content; all are executable.
///
/// # Errors
/// When the archive cannot be written to memory.
pub fn archive(reference: &str, files: &[(&str, &[u8])], entrypoint: &str) -> std::io::Result<Vec<u8>> {
    let mut blobs = Vec::new();
    let entry = image(files, entrypoint, native(), &mut blobs)?;
    written(reference, entry, &blobs)
}

/// Like [`archive`], for one program built for several kinds of machines: whoever pulls it gets the one that
/// fits.
///
/// # Errors
/// When one of them is no program for a kind of machine that is known, or of the same kind as another.
pub fn archive_for_each(reference: &str, path: &str, programs: &[&[u8]]) -> std::io::Result<Vec<u8>> {
    let (mut blobs, mut manifests) = (Vec::new(), Vec::<serde_json::Value>::new());
    for program in programs {
        let architecture = architecture(program)?;
        if manifests.iter().any(|entry| entry["platform"]["architecture"] == architecture) {
            return Err(std::io::Error::other(format!("two programs are for {architecture}")));
        }
        let mut entry = image(&[(path, program)], &format!("/{path}"), architecture, &mut blobs)?;
        entry["platform"] = serde_json::json!({"architecture": architecture, "os": "linux"});
        manifests.push(entry);
    }
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let index = index.to_string().into_bytes();
    let entry = descriptor(INDEX, &index);
    blobs.push(index);
    written(reference, entry, &blobs)
}

/// The kind of machine that a program is for.
fn architecture(program: &[u8]) -> std::io::Result<&'static str> {
    let machine = match program {
        [0x7f, b'E', b'L', b'F', 2, 1, ..] => program.get(18..20),
        _ => None,
    };
    let machine = machine.map(|bytes| u16::from(bytes[0]) | u16::from(bytes[1]) << 8);
    ARCHITECTURES
        .into_iter()
        .find(|(known, _)| Some(*known) == machine)
        .map(|(_, name)| name)
        .ok_or_else(|| std::io::Error::other("it is no Linux program for amd64 or arm64"))
}

/// A program, said to be for another kind of machine than it is.
pub fn for_other_machines(program: &[u8]) -> Vec<u8> {
    let [first, second] = ARCHITECTURES.map(|(machine, _)| machine.to_le_bytes());
    let mut other = program.to_vec();
    if let Some(machine) = other.get_mut(18..20) {
        let changed = if *machine == first { second } else { first };
        machine.copy_from_slice(&changed);
    }
    other
}

fn native() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// Blobs of one image; the descriptor of its manifest.
fn image(
    files: &[(&str, &[u8])],
    entrypoint: &str,
    architecture: &str,
    blobs: &mut Vec<Vec<u8>>,
) -> std::io::Result<serde_json::Value> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, content) in files {
        append(&mut layer, path, content, 0o755)?;
    }
    let layer = layer.into_inner()?;
    let config = serde_json::json!({
        "architecture": architecture,
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
    let entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    blobs.extend([config, manifest, layer]);
    Ok(entry)
}

/// The archive of these blobs, whose index names one of them.
fn written(reference: &str, mut entry: serde_json::Value, blobs: &[Vec<u8>]) -> std::io::Result<Vec<u8>> {
    entry["annotations"] = serde_json::json!({"io.containerd.image.name": reference});
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    append(&mut archive, "index.json", index.as_bytes(), 0o644)?;
    for blob in blobs {
        append(&mut archive, &format!("blobs/{}", sha256(blob).replace(':', "/")), blob, 0o644)?;
    }
    let mut bytes = archive.into_inner()?;
    bytes.flush()?;
    Ok(bytes)
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

    fn pause() -> Vec<u8> {
        archive("aiconform.dev/lab/pause:1", &[("pause", b"binary")], "/pause").unwrap()
    }

    #[test]
    fn equal_input_gives_equal_bytes() {
        assert_eq!(pause(), pause());
    }

    /// What lies in an archive, by path.
    fn entries(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut entries = BTreeMap::new();
        for entry in tar::Archive::new(bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            entries.insert(path, content);
        }
        entries
    }

    /// The blob of a descriptor, whose digest and size are its own.
    fn blob(entries: &BTreeMap<String, Vec<u8>>, descriptor: &serde_json::Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().unwrap();
        let content = &entries[&format!("blobs/{}", digest.replace(':', "/"))];
        assert_eq!(sha256(content), digest);
        assert_eq!(descriptor["size"], content.len());
        content.clone()
    }

    fn json(bytes: &[u8]) -> serde_json::Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn an_image_for_several_kinds_of_machines_has_one_program_for_each() {
        let program = |machine: u8| {
            let mut program = b"\x7fELF\x02\x01".to_vec();
            program.resize(18, 0);
            program.extend([machine, 0]);
            program
        };
        let (amd, arm, other) = (program(62), program(183), program(243));
        let entries = entries(&archive_for_each("a:1", "a", &[&amd, &arm]).unwrap());
        let list = json(&blob(&entries, &json(&entries["index.json"])["manifests"][0]));
        for (place, architecture) in [(0, "amd64"), (1, "arm64")] {
            let entry = &list["manifests"][place];
            assert_eq!(entry["platform"]["architecture"], architecture);
            let manifest = json(&blob(&entries, entry));
            assert_eq!(json(&blob(&entries, &manifest["config"]))["architecture"], architecture);
        }
        assert_eq!(for_other_machines(&amd), arm);
        assert_eq!(for_other_machines(&arm), amd);
        for programs in [[&amd, &amd], [&amd, &other], [&amd, &b"#!/bin/sh".to_vec()]] {
            assert!(archive_for_each("a:1", "a", &programs.map(Vec::as_slice)).is_err());
        }
    }

    #[test]
    fn every_digest_names_a_blob_that_has_it() {
        let entries = entries(&pause());
        let blob = |descriptor: &serde_json::Value| blob(&entries, descriptor);
        let index = json(&entries["index.json"]);
        let manifest = json(&blob(&index["manifests"][0]));
        let config = json(&blob(&manifest["config"]));
        let layer = blob(&manifest["layers"][0]);
        assert_eq!(config["rootfs"]["diff_ids"][0], sha256(&layer));
        assert_eq!(config["config"]["User"], "65532:65532");
    }
}
