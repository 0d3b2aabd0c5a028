//! The beginning of a check: a crate that compiles, with every part that a check has.

use std::path::{Path, PathBuf};

/// Parts of a check: path inside its folder, and text.
const PARTS: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../scaffold/Cargo.toml")),
    ("src/lib.rs", include_str!("../scaffold/src/lib.rs")),
    ("src/marks.rs", include_str!("../scaffold/src/marks.rs")),
    ("src/limits.rs", include_str!("../scaffold/src/limits.rs")),
    ("src/acts/mod.rs", include_str!("../scaffold/src/acts/mod.rs")),
    ("src/judge/mod.rs", include_str!("../scaffold/src/judge/mod.rs")),
    ("src/tests.rs", include_str!("../scaffold/src/tests.rs")),
    ("explain.md", include_str!("../scaffold/explain.md")),
    ("faults.toml", include_str!("../scaffold/faults.toml")),
];

/// The one line outside the folder: it stands in the manifest of the list of checks, and the list is made of it.
const LIST: &str = "crates/checks/Cargo.toml";

/// Writes the beginning of the check of a requirement, and gives the files outside its folder that were changed.
///
/// # Errors
/// When the check is there already, or a file cannot be written.
pub fn add(root: &Path, id: &str, test_name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join("crates/checks").join(id);
    anyhow::ensure!(!folder.exists(), "{} is there already", folder.display());
    let name = id.replace('_', "-");
    for (part, text) in PARTS {
        let path = folder.join(part);
        fs_err::create_dir_all(path.parent().unwrap_or(&folder))?;
        let text = text.replace("aiconform-NAME", &format!("aiconform-{name}")).replace("TEST", test_name);
        fs_err::write(
            path,
            text.replace("ID.", &format!("{id}."))
                .replace("of ID", &format!("of {id}"))
                .replace("`ID`", &format!("`{id}`"))
                .replace("\"ID\"", &format!("{id:?}"))
                .replace("# ID", &format!("# {id}")),
        )?;
    }
    let list = root.join(LIST);
    let text = fs_err::read_to_string(&list)?;
    let last = text.rfind("\" }\naiconform-check.").map(|at| at + 4);
    let last = last.ok_or_else(|| anyhow::anyhow!("{LIST}: the lines of the checks are not found"))?;
    let (before, after) = text.split_at(last);
    fs_err::write(&list, format!("{before}aiconform-{name} = {{ path = \"{id}\" }}\n{after}"))?;
    Ok(vec![list])
}
