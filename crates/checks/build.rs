//! Makes the list of checks of the dependencies of this crate that lie in folders of its own.

use std::fmt::Write;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=Cargo.toml");
    let manifest = std::fs::read_to_string("Cargo.toml").expect("the manifest of this crate is there");
    // The order of the lines is that of the checklist, which a table of TOML does not keep.
    let checks = manifest.lines().filter_map(|line| {
        let (name, rest) = line.split_once('=')?;
        let path = rest.split_once("path =")?.1.split('"').nth(1)?;
        Path::new(path).join("Cargo.toml").exists().then(|| name.trim().replace('-', "_"))
    });
    let mut list = String::from(
        "/// Every check of the project, in the order of the checklist.\npub const CHECKS: &[&Check] = &[\n",
    );
    for check in checks {
        let _ = writeln!(list, "    &{check}::CHECK,");
    }
    list.push_str("];\n");
    let out = std::env::var("OUT_DIR").expect("cargo gives build scripts a folder");
    std::fs::write(Path::new(&out).join("checks.rs"), list).expect("that folder can be written");
}
