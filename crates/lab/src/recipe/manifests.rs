//! Manifests that are made of what lies in a component's module.

use crate::commands;
use crate::error::LabError;
use camino::{Utf8Path, Utf8PathBuf};

/// Way in which manifests are made of what lies in a module.
pub enum Manifests {
    /// `kubectl kustomize`.
    Kustomize {
        /// The module.
        module: &'static str,
        /// Folders in it.
        folders: &'static [&'static str],
    },
    /// `helm template`, without hooks, which are for Helm itself.
    Chart {
        /// The module.
        module: &'static str,
        /// The chart's folder in it.
        folder: &'static str,
        /// Namespace of the release.
        namespace: &'static str,
        /// Values that differ from the chart's own.
        values: &'static [&'static str],
        /// Templates that are hooks to the chart and part of the product all the same.
        hooks: &'static [&'static str],
    },
    /// Files that lie there ready to be applied: every one of some folders.
    Files {
        /// The module.
        module: &'static str,
        /// Folders in it.
        folders: &'static [&'static str],
    },
}

impl Manifests {
    /// The module, and everything else that decides what comes out.
    pub fn parts(&self) -> (&'static str, Vec<&'static str>) {
        match *self {
            Manifests::Kustomize { module, folders } | Manifests::Files { module, folders } => {
                (module, folders.to_vec())
            }
            Manifests::Chart { module, folder, namespace, values, hooks } => {
                (module, [&[folder, namespace], values, hooks].concat())
            }
        }
    }

    /// Renders them; `source` is the module's folder, `tool` gives the path of a tool that was built before.
    pub async fn render(
        &self,
        source: &Utf8Path,
        tool: &(dyn Fn(&str) -> Utf8PathBuf + Sync),
    ) -> Result<Vec<u8>, LabError> {
        let mut manifests = Vec::new();
        match self {
            Manifests::Kustomize { folders, .. } => {
                for folder in *folders {
                    let folder = source.join(folder);
                    let arguments = ["kustomize", folder.as_str()];
                    manifests.extend(commands::run(tool("kubectl").as_str(), &arguments).await?);
                    manifests.extend(b"---\n");
                }
            }
            Manifests::Chart { folder, namespace, values, hooks, .. } => {
                let chart = source.join(folder);
                let mut arguments = vec!["template", "lab", chart.as_str(), "--namespace", namespace];
                arguments.extend(values.iter().flat_map(|value| ["--set", value]));
                let all = [&arguments[..], &["--include-crds", "--no-hooks"]].concat();
                manifests.extend(commands::run(tool("helm").as_str(), &all).await?);
                for hook in *hooks {
                    let one = [&arguments[..], &["--show-only", hook]].concat();
                    manifests.extend(commands::run(tool("helm").as_str(), &one).await?);
                }
            }
            Manifests::Files { folders, .. } => {
                for folder in *folders {
                    let mut files = source.join(folder).read_dir_utf8()?.collect::<Result<Vec<_>, _>>()?;
                    files.sort_by_key(|file| file.file_name().to_owned());
                    for file in files {
                        manifests.extend(fs_err::read(file.path())?);
                        manifests.extend(b"---\n");
                    }
                }
            }
        }
        Ok(manifests)
    }
}
