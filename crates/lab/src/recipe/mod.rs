//! The recipes of the real components: what each is made of, and the key under which it is cached.

mod build;
mod components;
mod go;
mod kept;
mod manifests;
mod module;
mod packed;

pub use self::build::build;
pub use self::components::RECIPES;
pub use self::kept::{Kept, kept, prune};

use self::go::Go;
use self::manifests::Manifests;
use self::packed::{Debian, Wheel};
use crate::part::Part;
use crate::version::Kubernetes;
use camino::Utf8PathBuf;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tokio::process::Command;

/// Recipe by which one component is made. Everything in it is part of the cache's key.
pub struct Recipe {
    /// Name of the component and of its folder under `lab/components`.
    pub name: &'static str,
    /// Labs that need it.
    wanted: Wanted,
    /// Source that it is made of.
    source: Source,
    /// Manifests of the component's own module, kept beside its binary as `NAME.yaml`.
    manifests: Option<Manifests>,
}

/// Source of a component.
enum Source {
    /// A Go module.
    Go(Go),
    /// A wheel of PyPI.
    Wheel(Wheel),
    /// Debian packages.
    Debian(Debian),
}

/// Labs that need a component.
enum Wanted {
    /// Every lab.
    Always,
    /// Labs of this version of Kubernetes.
    Kubernetes(Kubernetes),
    /// Labs with this part.
    With(Part),
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wanted::Always => formatter.write_str("every lab"),
            Wanted::Kubernetes(version) => write!(formatter, "--kubernetes {}", version.name()),
            Wanted::With(part) => write!(formatter, "--with {}", part.name()),
        }
    }
}

impl Recipe {
    /// The cache's key: the recipe and the toolchain that follows it.
    fn key(&self, toolchain: &str) -> String {
        let mut hash = Sha256::new();
        let mut take = |part: &str| {
            hash.update(part.as_bytes());
            hash.update([0]);
        };
        match &self.source {
            Source::Go(go) => go.parts(toolchain).into_iter().for_each(&mut take),
            Source::Wheel(wheel) => wheel.parts().into_iter().for_each(&mut take),
            Source::Debian(debian) => debian.parts().into_iter().for_each(&mut take),
        }
        if let Some((module, parts)) = self.manifests.as_ref().map(Manifests::parts) {
            hash.update(format!("{module}\0{}", parts.join("\0")));
        }
        if let Source::Go(Go { instead: Some(instead), .. }) = &self.source {
            hash.update(instead.parts().join("\0"));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Where the components are cached: `$AICONFORM_CACHE_DIR`, else below the user's cache folder.
pub fn cache() -> Utf8PathBuf {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(path) = variable("AICONFORM_CACHE_DIR") {
        return path.into();
    }
    let home = || Utf8PathBuf::from(variable("HOME").unwrap_or_else(|| "/var/cache".into())).join(".cache");
    variable("XDG_CACHE_HOME").map_or_else(home, Utf8PathBuf::from).join("aiconform")
}

/// The toolchain's own words for its version, or `None` when there is none.
pub async fn toolchain() -> Option<String> {
    let output = Command::new("go").args(["env", "GOVERSION"]).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The components that a lab of this version of Kubernetes with these parts needs.
pub fn wanted(kubernetes: Kubernetes, parts: &BTreeSet<Part>) -> Vec<&'static Recipe> {
    RECIPES
        .iter()
        .filter(|recipe| match recipe.wanted {
            Wanted::Always => true,
            Wanted::Kubernetes(version) => version == kubernetes,
            Wanted::With(part) => parts.contains(&part),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_with_the_toolchain_where_one_is_used_and_differs_between_recipes() {
        let keys: BTreeSet<String> =
            RECIPES.iter().flat_map(|recipe| [recipe.key("go1.26.8"), recipe.key("go1.26.9")]).collect();
        let built = RECIPES.iter().filter(|recipe| matches!(recipe.source, Source::Go(_))).count();
        assert_eq!(keys.len(), RECIPES.len() + built);
    }

    #[test]
    fn a_lab_needs_one_kubernetes_and_the_parts_that_were_asked_for() {
        let names = |kubernetes, parts: &[Part]| -> Vec<&str> {
            let parts = parts.iter().copied().collect();
            wanted(kubernetes, &parts).iter().map(|recipe| recipe.name).collect()
        };
        let base = ["pause", "etcd", "containerd"];
        assert_eq!(names(Kubernetes::Minor36, &[]), [&base[..], &["kubernetes-1.36"]].concat());
        assert_eq!(
            names(Kubernetes::Minor37, &[Part::of("kueue")]),
            [&base[..], &["kubernetes", "kueue"]].concat()
        );
    }
}
