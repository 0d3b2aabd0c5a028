//! Builds what runs in pods as static binaries, for the same kind of machine, into a folder that all profiles share.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Packages whose binaries (of the same names) run in pods.
const BINARIES: &[&str] = &["aiconform-probe", "aiconform-simulator"];
/// Crates that they are made of.
const CRATES: &[&str] = &["probe", "simulator", "cluster", "evidence", "wait", "model"];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn main() {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(variable("OUT_DIR"));
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
    let Some(target) = out.ancestors().nth(4) else { panic!("{}: too short a path", out.display()) };
    let shared = target.join("static");
    let triple = variable("TARGET");
    for name in CRATES {
        for part in ["src", "Cargo.toml"] {
            println!("cargo::rerun-if-changed={}", root.join("crates").join(name).join(part).display());
        }
    }
    for file in ["Cargo.toml", "Cargo.lock", "catalog"] {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }
    let mut command = Command::new(variable("CARGO"));
    command.current_dir(&root).args(["build", "--locked", "--profile", "static", "--target", &triple]);
    command.arg("--target-dir").arg(&shared);
    for name in BINARIES {
        command.args(["--package", name]);
    }
    // What the outer build sets is for its own compiler, or for a linter in its place.
    for name in [
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "CARGO_BUILD_TARGET",
    ] {
        command.env_remove(name);
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("cargo does not start: {error}"),
    };
    if !output.status.success() {
        panic!("the static binaries could not be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    for name in BINARIES {
        let built = shared.join(&triple).join("static").join(name);
        if let Err(error) = std::fs::copy(&built, out.join(name)) {
            panic!("{}: {error}", built.display());
        }
    }
}
