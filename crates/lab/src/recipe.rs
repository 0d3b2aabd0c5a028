//! Building the real components from their Go modules into a cache outside the tree, keyed by recipe.

use crate::commands;
use crate::error::LabError;
use crate::part::Part;
use crate::preflight;
use crate::progress::{Progress, Step};
use crate::version::Kubernetes;
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// How one component is built. Everything in it is part of the cache's key.
pub struct Recipe {
    /// Name of the component and of its folder under `lab/components`.
    pub name: &'static str,
    /// Which labs need it.
    wanted: Wanted,
    /// Packages to build.
    packages: &'static [&'static str],
    /// Linker flags beside `-s -w`.
    linker_flags: &'static str,
    /// Build tags.
    tags: &'static str,
    /// Files of the recipe: name and content.
    files: &'static [(&'static str, &'static str)],
    /// Binaries whose names the build gives wrong: from, to.
    rename: &'static [(&'static str, &'static str)],
    /// Manifests of the component's own module, kept beside its binary as `NAME.yaml`.
    manifests: Option<Manifests>,
    /// A module that is built otherwise than it comes.
    instead: Option<Instead>,
}

/// A module that is changed before it is built, so that what the lab never uses is not built. The recipe's `go.mod` replaces
/// the module by the folder `instead`.
struct Instead {
    /// Module and version.
    module: &'static str,
    /// What is changed.
    changes: &'static [Change],
}

/// One change of a module.
enum Change {
    /// A file is written, over what is there.
    Write {
        /// The file.
        file: &'static str,
        /// What stands there.
        content: &'static str,
    },
    /// Of the files of a folder these stay, and its folders.
    Keep {
        /// The folder.
        folder: &'static str,
        /// Names of files in it.
        files: &'static [&'static str],
    },
    /// Something else stands in a file between two texts; the first of them goes, the second stays.
    Between {
        /// The file.
        file: &'static str,
        /// Where it begins.
        from: &'static str,
        /// Where it ends.
        to: &'static str,
        /// What stands there instead.
        content: &'static str,
    },
}

impl Change {
    /// Everything that decides what comes out.
    fn parts(&self) -> Vec<&'static str> {
        match *self {
            Change::Write { file, content } => vec![file, content],
            Change::Keep { folder, files } => [&[folder], files].concat(),
            Change::Between { file, from, to, content } => vec![file, from, to, content],
        }
    }

    /// Does it to a module in a folder.
    fn apply(&self, module: &Utf8Path) -> Result<(), LabError> {
        match *self {
            Change::Write { file, content } => fs_err::write(module.join(file), content)?,
            Change::Keep { folder, files } => {
                for entry in module.join(folder).read_dir_utf8()? {
                    let entry = entry?;
                    if entry.file_type()?.is_file() && !files.contains(&entry.file_name()) {
                        fs_err::remove_file(entry.path())?;
                    }
                }
            }
            Change::Between { file, from, to, content } => {
                let text = fs_err::read_to_string(module.join(file))?;
                let (before, rest) = text.split_once(from).ok_or_else(|| lacks(file, from))?;
                let end = rest.find(to).ok_or_else(|| lacks(file, to))?;
                fs_err::write(module.join(file), [before, content, &rest[end..]].concat())?;
            }
        }
        Ok(())
    }
}

fn lacks(file: &str, text: &str) -> LabError {
    LabError::Start(format!("the module's file {file} does not have the text {text:?} any more"))
}

impl Instead {
    /// Lays the module into a folder of the recipe's work.
    async fn lay(&self, work: &Utf8Path) -> Result<(), LabError> {
        // Where there is no go.mod, which would replace it.
        let outside = work.parent().unwrap_or(work);
        let output = Command::new("go")
            .args(["mod", "download", "-json", self.module])
            .current_dir(outside)
            .output()
            .await?;
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let Some(source) = said["Dir"].as_str() else {
            let why = said["Error"].as_str().unwrap_or("go did not say why");
            return Err(LabError::Start(format!("the module {} is not to be had: {why}", self.module)));
        };
        let folder = work.join("instead");
        // Files of the cache of modules may not be written to.
        let arguments = ["--recursive", "--no-preserve=mode", source, folder.as_str()];
        commands::run("cp", &arguments).await?;
        self.changes.iter().try_for_each(|change| change.apply(&folder))
    }
}

/// How manifests are made of what lies in a module.
enum Manifests {
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
    /// What lies there ready to be applied: every file of some folders.
    Files {
        /// The module.
        module: &'static str,
        /// Folders in it.
        folders: &'static [&'static str],
    },
}

impl Manifests {
    /// The module, and everything else that decides what comes out.
    fn parts(&self) -> (&'static str, Vec<&'static str>) {
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
    async fn render(
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

/// Which labs need a component.
enum Wanted {
    /// Every lab.
    Always,
    /// Labs of this version of Kubernetes.
    Kubernetes(Kubernetes),
    /// Labs with this part.
    With(Part),
}

macro_rules! file {
    ($component:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../lab/components/", $component, "/", $name)))
    };
}

/// What a lab runs of Kubernetes.
const KUBERNETES: &[&str] = &[
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-scheduler",
    "k8s.io/kubernetes/cmd/kubelet",
    "k8s.io/kubernetes/cmd/kube-proxy",
    "k8s.io/kubernetes/cmd/kubectl",
];

/// The components of labs, in the order in which they are built.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "pause",
        wanted: Wanted::Always,
        packages: &["aiconform.dev/lab/pause"],
        linker_flags: "",
        tags: "",
        files: &[file!("pause", "go.mod"), file!("pause", "main.go")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "etcd",
        wanted: Wanted::Always,
        packages: &["go.etcd.io/etcd/server/v3"],
        linker_flags: "",
        tags: "",
        files: &[file!("etcd", "go.mod"), file!("etcd", "go.sum")],
        rename: &[("server", "etcd")],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "containerd",
        wanted: Wanted::Always,
        packages: &[
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/ctr",
        ],
        linker_flags: "",
        // The three snapshotters need C libraries, and the lab uses overlayfs.
        tags: "no_btrfs no_zfs no_devmapper",
        files: &[file!("containerd", "go.mod"), file!("containerd", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kubernetes-1.36",
        wanted: Wanted::Kubernetes(Kubernetes::Minor36),
        packages: KUBERNETES,
        linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
        tags: "",
        files: &[file!("kubernetes-1.36", "go.mod"), file!("kubernetes-1.36", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kubernetes",
        wanted: Wanted::Kubernetes(Kubernetes::Minor37),
        packages: KUBERNETES,
        // Without a version the API server reports a raw template, on which clients fail.
        linker_flags: "-X k8s.io/component-base/version.gitVersion=v1.37.2 \
            -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37",
        tags: "",
        files: &[file!("kubernetes", "go.mod"), file!("kubernetes", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kueue",
        wanted: Wanted::With(Part::Kueue),
        packages: &["sigs.k8s.io/kueue/cmd/kueue"],
        linker_flags: "-X sigs.k8s.io/kueue/pkg/version.GitVersion=v0.18.2",
        tags: "",
        files: &[file!("kueue", "go.mod"), file!("kueue", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/kueue", folders: &["config/default"] }),
        instead: None,
    },
    Recipe {
        name: "kuberay",
        wanted: Wanted::With(Part::Kuberay),
        packages: &["github.com/ray-project/kuberay/ray-operator"],
        linker_flags: "",
        tags: "",
        files: &[file!("kuberay", "go.mod"), file!("kuberay", "go.sum")],
        instead: None,
        rename: &[],
        // Its webhooks are off in `config/default`.
        manifests: Some(Manifests::Kustomize {
            module: "github.com/ray-project/kuberay/ray-operator",
            folders: &["config/default-with-webhooks"],
        }),
    },
    Recipe {
        name: "kwok",
        wanted: Wanted::With(Part::Kwok),
        packages: &["sigs.k8s.io/kwok/cmd/kwok"],
        linker_flags: "",
        tags: "",
        files: &[file!("kwok", "go.mod"), file!("kwok", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Kustomize {
            module: "sigs.k8s.io/kwok",
            folders: &["kustomize/kwok", "kustomize/stage/fast"],
        }),
        instead: None,
    },
    Recipe {
        name: "helm",
        wanted: Wanted::With(Part::Kai),
        packages: &["helm.sh/helm/v3/cmd/helm"],
        linker_flags: "",
        tags: "",
        files: &[file!("helm", "go.mod"), file!("helm", "go.sum")],
        rename: &[],
        manifests: None,
        instead: None,
    },
    Recipe {
        name: "kai",
        wanted: Wanted::With(Part::Kai),
        packages: &[
            "github.com/NVIDIA/KAI-scheduler/cmd/admission",
            "github.com/NVIDIA/KAI-scheduler/cmd/binder",
            "github.com/NVIDIA/KAI-scheduler/cmd/operator",
            "github.com/NVIDIA/KAI-scheduler/cmd/podgroupcontroller",
            "github.com/NVIDIA/KAI-scheduler/cmd/podgrouper",
            "github.com/NVIDIA/KAI-scheduler/cmd/queuecontroller",
            "github.com/NVIDIA/KAI-scheduler/cmd/scheduler",
        ],
        linker_flags: "",
        tags: "",
        files: &[file!("kai", "go.mod"), file!("kai", "go.sum")],
        rename: &[],
        manifests: Some(Manifests::Chart {
            module: "github.com/NVIDIA/KAI-scheduler",
            folder: "deployments/kai-scheduler",
            namespace: "kai-scheduler",
            values: &[
                "global.registry=aiconform.dev/lab/kai",
                "global.tag=0.12.0",
                // Jobs that need a shell in their image.
                "postCleanup.enabled=false",
                "topologyMigration.enabled=false",
            ],
            // What its operator is told to run.
            hooks: &["templates/kai-config.yaml"],
        }),
        instead: None,
    },
    Recipe {
        name: "traefik",
        wanted: Wanted::With(Part::Traefik),
        packages: &["github.com/traefik/traefik/v3/cmd/traefik"],
        linker_flags: "-X github.com/traefik/traefik/v3/pkg/version.Version=3.6.12",
        tags: "",
        files: &[file!("traefik", "go.mod"), file!("traefik", "go.sum")],
        rename: &[],
        // The kinds of the API only; what else it takes stands with the part.
        manifests: Some(Manifests::Kustomize { module: "sigs.k8s.io/gateway-api", folders: &["config/crd"] }),
        // Makers of DNS, asked when certificates are made: a third of all packages.
        instead: Some(Instead {
            module: "github.com/go-acme/lego/v4@v4.33.0",
            changes: &[Change::Write {
                file: "providers/dns/zz_gen_dns_providers.go",
                content: include_str!("../../../lab/components/traefik/dns.go"),
            }],
        }),
    },
    Recipe {
        name: "prometheus",
        wanted: Wanted::With(Part::Prometheus),
        packages: &["github.com/prometheus/prometheus/cmd/prometheus"],
        linker_flags: "-X github.com/prometheus/common/version.Version=3.13.5",
        // The clients of two dozen clouds, by which it could find targets too.
        tags: "remove_all_sd enable_kubernetes_sd",
        files: &[file!("prometheus", "go.mod"), file!("prometheus", "go.sum")],
        instead: None,
        rename: &[],
        manifests: None,
    },
    Recipe {
        name: "karpenter",
        wanted: Wanted::With(Part::Karpenter),
        packages: &["sigs.k8s.io/karpenter/kwok"],
        linker_flags: "",
        tags: "",
        files: &[file!("karpenter", "go.mod"), file!("karpenter", "go.sum")],
        // Its provider is called as KWOK is.
        instead: None,
        rename: &[("kwok", "karpenter")],
        // Its chart leaves out the half of its kinds.
        manifests: Some(Manifests::Files {
            module: "sigs.k8s.io/karpenter",
            folders: &["kwok/charts/crds", "kwok/apis/crds"],
        }),
    },
    Recipe {
        name: "keda",
        wanted: Wanted::With(Part::Keda),
        packages: &["github.com/kedacore/keda/v2/cmd/adapter", "github.com/kedacore/keda/v2/cmd/operator"],
        linker_flags: "-X github.com/kedacore/keda/v2/version.Version=2.21.0",
        tags: "",
        files: &[file!("keda", "go.mod"), file!("keda", "go.sum")],
        rename: &[("adapter", "keda-adapter"), ("operator", "keda-operator")],
        manifests: Some(Manifests::Kustomize {
            module: "github.com/kedacore/keda/v2",
            folders: &["config/crd", "config/service_account", "config/rbac"],
        }),
        // Of some seventy scalers, each with the clients of what it asks, the lab has one.
        instead: Some(Instead {
            module: "github.com/kedacore/keda/v2@v2.21.0",
            changes: &[
                Change::Keep { folder: "pkg/scalers", files: &["scaler.go", "metrics_api_scaler.go"] },
                Change::Write {
                    file: "pkg/scalers/lab.go",
                    content: include_str!("../../../lab/components/keda/scalers.go"),
                },
                Change::Between {
                    file: "pkg/scaling/scalers_builder.go",
                    from: "\tcase \"activemq\":\n",
                    to: "\tdefault:\n\t\treturn nil, fmt.Errorf(\"no scaler found",
                    content: "\tcase \"metrics-api\":\n\t\treturn scalers.NewMetricsAPIScaler(config, client)\n",
                },
            ],
        }),
    },
    Recipe {
        name: "prometheus-adapter",
        wanted: Wanted::With(Part::PrometheusAdapter),
        packages: &["sigs.k8s.io/prometheus-adapter/cmd/adapter"],
        linker_flags: "",
        tags: "",
        files: &[file!("prometheus-adapter", "go.mod"), file!("prometheus-adapter", "go.sum")],
        instead: None,
        rename: &[],
        manifests: None,
    },
];

impl Recipe {
    /// The cache's key: the recipe and the toolchain that follows it.
    fn key(&self, toolchain: &str) -> String {
        let mut hash = Sha256::new();
        let flags = [self.linker_flags, self.tags, toolchain];
        for part in self.packages.iter().chain(&flags) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for (name, content) in self.files {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(content.as_bytes());
            hash.update([0]);
        }
        if let Some((module, parts)) = self.manifests.as_ref().map(Manifests::parts) {
            hash.update(format!("{module}\0{}", parts.join("\0")));
        }
        if let Some(instead) = &self.instead {
            let changes = instead.changes.iter().flat_map(Change::parts);
            hash.update(std::iter::once(instead.module).chain(changes).collect::<Vec<_>>().join("\0"));
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

/// Builds what the cache lacks of these and gives the folder of binaries of each component.
///
/// # Errors
/// With the build's last lines.
pub async fn build(
    wanted: &[&Recipe],
    toolchain: &str,
    progress: &dyn Progress,
) -> Result<Vec<Utf8PathBuf>, LabError> {
    let root = cache().join("components");
    fs_err::create_dir_all(&root)?;
    let folder = |recipe: &Recipe| root.join(format!("{}-{}", recipe.name, recipe.key(toolchain)));
    let binaries: Vec<Utf8PathBuf> = wanted.iter().map(|recipe| folder(recipe).join("bin")).collect();
    // Whoever needs nothing new does not wait for another program's build.
    if binaries.iter().all(|folder| folder.exists()) {
        return Ok(binaries);
    }
    // A second program that builds the same waits here, then finds it built.
    let _held = alone(&root, progress).await?;
    let missing: Vec<&Recipe> =
        wanted.iter().copied().filter(|recipe| !folder(recipe).join("bin").exists()).collect();
    // Building takes much room; what is built already takes little.
    if !missing.is_empty() {
        preflight::has_room_to_build(&root)?;
    }
    for (index, recipe) in missing.iter().enumerate() {
        let start = Instant::now();
        let work = root.join(format!("{}-{}.building", recipe.name, std::process::id()));
        // kubectl and Helm, which render manifests, are built before anything that has some.
        let tool = |name: &str| {
            let path = |recipe: &&Recipe| folder(recipe).join("bin").join(name);
            wanted.iter().map(path).find(|path| path.exists()).unwrap_or_else(|| name.into())
        };
        build_one(recipe, &work, &tool, &|packages| {
            progress.step(&Step::Building {
                component: recipe.name.into(),
                number: index + 1,
                of: missing.len(),
                packages,
            });
        })
        .await?;
        fs_err::rename(&work, folder(recipe))?;
        progress.step(&Step::Built { component: recipe.name.into(), seconds: start.elapsed().as_secs() });
    }
    Ok(binaries)
}

/// Waits until no other program builds into the cache, and takes away what one that was killed has left half built.
async fn alone(root: &Utf8Path, progress: &dyn Progress) -> Result<std::fs::File, LabError> {
    let lock = std::fs::File::create(root.join("lock"))?;
    let mut told = false;
    while let Err(error) = lock.try_lock() {
        if let std::fs::TryLockError::Error(error) = error {
            return Err(error.into());
        }
        if !told {
            progress.step(&Step::Waiting { what: "another program, which builds components".into() });
            told = true;
        }
        aiconform_wait::pause(std::time::Duration::from_millis(500)).await;
    }
    for entry in root.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("building") {
            fs_err::remove_dir_all(path)?;
        }
    }
    Ok(lock)
}

async fn build_one(
    recipe: &Recipe,
    work: &Utf8Path,
    tool: &(dyn Fn(&str) -> Utf8PathBuf + Sync),
    told: &(dyn Fn(usize) + Sync),
) -> Result<(), LabError> {
    let failed = |why: String, log: String| LabError::Build { component: recipe.name.into(), why, log };
    if work.exists() {
        fs_err::remove_dir_all(work)?;
    }
    let bin = work.join("bin");
    fs_err::create_dir_all(&bin)?;
    for (name, content) in recipe.files {
        fs_err::write(work.join(name), content)?;
    }
    if let Some(instead) = &recipe.instead {
        instead.lay(work).await?;
    }
    told(0);
    let mut child = Command::new("go")
        .args(["build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", recipe.tags])
        .args(["-ldflags", &format!("-s -w {}", recipe.linker_flags), "-o", &format!("{bin}/")])
        .args(recipe.packages)
        .current_dir(work)
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("go does not start: {error}"), String::new()))?;
    let mut last = std::collections::VecDeque::new();
    let mut packages = 0;
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            packages += 1;
            if packages % 25 == 0 {
                told(packages);
            }
            if last.len() == 20 {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    let status = child.wait().await?;
    if !status.success() {
        return Err(failed(status.to_string(), Vec::from(last).join("\n")));
    }
    for (from, to) in recipe.rename {
        fs_err::rename(bin.join(from), bin.join(to))?;
    }
    if let Some(manifests) = &recipe.manifests {
        let (module, _) = manifests.parts();
        let output = Command::new("go")
            .args(["list", "-m", "-f", "{{.Dir}}", module])
            .current_dir(work)
            .output()
            .await?;
        let source = Utf8PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let rendered = manifests.render(&source, tool).await?;
        fs_err::write(bin.join(format!("{}.yaml", recipe.name)), rendered)?;
    }
    if recipe.instead.is_some() {
        fs_err::remove_dir_all(work.join("instead"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_with_the_toolchain_and_differs_between_recipes() {
        let keys: BTreeSet<String> =
            RECIPES.iter().flat_map(|recipe| [recipe.key("go1.26.8"), recipe.key("go1.26.9")]).collect();
        assert_eq!(keys.len(), RECIPES.len() * 2);
    }

    #[test]
    fn a_module_is_changed_as_said_and_a_text_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let module = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir(module.join("inner")).unwrap();
        for (file, content) in [("a.go", "one two three"), ("b.go", ""), ("inner/c.go", "")] {
            fs_err::write(module.join(file), content).unwrap();
        }
        let change = Change::Between { file: "a.go", from: "two", to: "three", content: "2 " };
        change.apply(module).unwrap();
        assert_eq!(fs_err::read_to_string(module.join("a.go")).unwrap(), "one 2 three");
        assert!(change.apply(module).unwrap_err().to_string().contains("\"two\""));
        Change::Keep { folder: "", files: &["a.go"] }.apply(module).unwrap();
        assert!(module.join("inner/c.go").exists() && !module.join("b.go").exists());
        Change::Write { file: "b.go", content: "b" }.apply(module).unwrap();
        assert_eq!(fs_err::read_to_string(module.join("b.go")).unwrap(), "b");
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
            names(Kubernetes::Minor37, &[Part::Kueue]),
            [&base[..], &["kubernetes", "kueue"]].concat()
        );
    }
}
