//! Builds what runs in pods as static binaries, for the same kind of machine, into a folder that all profiles share.
//!
//! They are optimised whole, which takes minutes, so that whoever builds on clean checkouts keeps them: where
//! `AICONFORM_STATIC_CACHE` names a folder, binaries of the same sources, versions and compiler are taken from there.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Packages whose binaries (of the same names) run in pods, and need nothing there.
const STATIC: &[&str] = &["aiconform-probe", "aiconform-simulator"];
/// Packages of which one calls a library that needs the C library, and one is such a library; and what comes of them.
const DYNAMIC: &[(&str, &str)] = &[
    ("aiconform-load-nvidia", "aiconform-load-nvidia"),
    ("aiconform-simulated-cuda", "libaiconform_simulated_cuda.so"),
];

/// Libraries of the C library's folder that the driver's own needs beside it (`readelf -d libcuda.so.1`).
const BESIDE: [&str; 4] = ["libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Compiler and linker settings of what needs nothing.
const STATIC_FLAGS: &str = "-Ctarget-feature=+crt-static";
/// What the linker finds as the compiler's own library of what needs the C library: the one that is linked into it, so that it
/// needs that and its loader, and no more.
const LIBGCC: &str = "GROUP ( -lgcc_eh -lgcc )\n";

/// Adds a crate of ours and those that it is made of, as their manifests name them: one that was left out would leave old
/// binaries where it changes.
fn crates(root: &Path, package: &str, found: &mut BTreeSet<String>) {
    let Some(name) = package.strip_prefix("aiconform-") else { return };
    if !found.insert(name.to_owned()) {
        return;
    }
    let manifest = root.join("crates").join(name).join("Cargo.toml");
    let text =
        std::fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    for line in text.lines() {
        crates(root, line.split(['.', ' ', '=']).next().unwrap_or_default(), found);
    }
}

/// Files below a path, in their order.
fn files(path: &Path, found: &mut Vec<PathBuf>) {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| files(&entry.path(), found)),
        Err(_) => found.push(path.to_owned()),
    }
    found.sort();
}

/// Key of all that the binaries are made of.
fn key(root: &Path, inputs: &[PathBuf]) -> String {
    let mut found = Vec::new();
    inputs.iter().for_each(|input| files(input, &mut found));
    let mut hash = Sha256::new();
    let version = Command::new(variable("RUSTC")).arg("-vV").output();
    hash.update(version.map(|output| output.stdout).unwrap_or_default());
    hash.update(format!("{STATIC_FLAGS} {STATIC:?} {LIBGCC} {DYNAMIC:?} {}", variable("TARGET")));
    for file in found {
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let content = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        hash.update(format!("\n{name} {}\n", content.len()));
        hash.update(content);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Copies every file of a folder; there is one at least.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Builds packages for pods; the folder in which they lie.
fn build(root: &Path, target: &Path, flags: &str, packages: impl Iterator<Item = &'static str>) -> PathBuf {
    let triple = variable("TARGET");
    let mut command = Command::new(variable("CARGO"));
    command.current_dir(root).args(["build", "--locked", "--profile", "static", "--target", &triple]);
    command.arg("--target-dir").arg(target);
    for name in packages {
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
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("cargo does not start: {error}"),
    };
    if !output.status.success() {
        panic!("what runs in pods could not be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    target.join(&triple).join("static")
}

/// Paths of the C library and its loader on this machine, as a program needs them.
fn libraries(program: &Path) -> Vec<String> {
    let output = match Command::new("ldd").arg(program).output() {
        Ok(output) => output,
        Err(error) => panic!("ldd does not start: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    let mut found: Vec<String> = said.lines().filter_map(path).collect();
    let folder = found.iter().find_map(|path| path.strip_suffix("libc.so.6"));
    let Some(folder) = folder.map(str::to_owned) else {
        panic!("ldd tells of no C library of {}:\n{said}", program.display())
    };
    for name in BESIDE {
        let path = format!("{folder}{name}");
        if !found.contains(&path) && Path::new(&path).exists() {
            found.push(path);
        }
    }
    found
}

fn main() {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(variable("OUT_DIR"));
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
    let Some(target) = out.ancestors().nth(4) else { panic!("{}: too short a path", out.display()) };
    let mut names = BTreeSet::new();
    let packages = STATIC.iter().chain(DYNAMIC.iter().map(|(package, _)| package));
    packages.for_each(|name| crates(&root, name, &mut names));
    let parts =
        names.iter().flat_map(|name| ["src", "Cargo.toml"].map(|part| format!("crates/{name}/{part}")));
    let others = ["Cargo.toml", "Cargo.lock", "catalog"].map(str::to_owned);
    let inputs: Vec<PathBuf> = parts.chain(others).map(|input| root.join(input)).collect();
    for input in &inputs {
        println!("cargo::rerun-if-changed={}", input.display());
    }
    let cache = variable("AICONFORM_STATIC_CACHE");
    let kept = (!cache.is_empty()).then(|| Path::new(&cache).join(key(&root, &inputs)));
    if kept.as_ref().is_some_and(|kept| copy(kept, &out).is_ok()) {
        return;
    }
    if let Err(error) = made(&root, target, &out) {
        panic!("{}: {error}", out.display());
    }
    // Complete or not there: another build may look at the same time. Without it the next one takes longer, and no more.
    if let Some(kept) = kept {
        let new = kept.with_extension(std::process::id().to_string());
        let _ = copy(&out, &new).and_then(|()| std::fs::rename(&new, &kept));
    }
}

/// Builds everything into the folder.
fn made(root: &Path, target: &Path, out: &Path) -> std::io::Result<()> {
    let built = build(root, &target.join("static"), STATIC_FLAGS, STATIC.iter().copied());
    for name in STATIC {
        std::fs::copy(built.join(name), out.join(name))?;
    }
    let packages = DYNAMIC.iter().map(|(package, _)| *package);
    let link = target.join("dynamic").join("link");
    std::fs::create_dir_all(&link)?;
    std::fs::write(link.join("libgcc_s.so"), LIBGCC)?;
    let built = build(root, &target.join("dynamic"), &format!("-Clink-arg=-L{}", link.display()), packages);
    for (_, file) in DYNAMIC {
        std::fs::copy(built.join(file), out.join(file))?;
    }
    let mut list = String::from("&[");
    for path in libraries(&built.join(DYNAMIC[0].1)) {
        let name = path.rsplit('/').next().unwrap_or_default();
        std::fs::copy(&path, out.join(name))?;
        let place = path.trim_start_matches('/');
        list += &format!("({place:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")) as &[u8]), ");
    }
    std::fs::write(out.join("libraries.rs"), list + "]")
}
