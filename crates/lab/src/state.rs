//! Where a lab keeps what it needs, and how another process of it is found.

use crate::breakage::{Breakage, Mechanism};
use crate::error::LabError;
use crate::node::{self, Node};
use crate::part::Part;
use crate::pose::Pose;
use crate::version::Kubernetes;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All labs of this machine live below this folder. Short, because sockets lie in it.
pub const ROOT: &str = "/var/lib/aiconform";

/// Status of a lab, as the supervisor and the first process are told it: `lab.json` in the state folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Name of the lab.
    pub name: String,
    /// Its state folder.
    pub state: Utf8PathBuf,
    /// Folders of binaries, one for each component.
    pub binaries: Vec<Utf8PathBuf>,
    /// Port on 127.0.0.1 of the host where its API server is reached; 0 before the supervisor chose it.
    pub port: u16,
    /// Process id of the supervisor; 0 before it runs.
    pub supervisor: i32,
    /// Set if the lab outlives the command that started it.
    pub outlive: bool,
    /// Process id, as the host sees it, of the program that holds the namespaces; 0 before it runs.
    pub holder: i32,
    /// Version of Kubernetes.
    pub kubernetes: Kubernetes,
    /// Parts that it has beside Kubernetes.
    pub parts: BTreeSet<Part>,
    /// Its nodes, but for fake ones.
    #[serde(default = "node::only")]
    pub nodes: Vec<Node>,
    /// Number of its fake nodes.
    pub fake_nodes: u32,
    /// Breakages that it has on purpose.
    pub breakages: Vec<Breakage>,
    /// Maker as whose accelerators its simulated ones pose.
    pub pose: Option<Pose>,
}

/// The name of a lab nobody named.
pub fn default_name() -> String {
    "lab".into()
}

impl Status {
    /// Mechanisms that break it on purpose.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = &'static Mechanism> + '_ {
        self.breakages.iter().flat_map(|breakage| breakage.mechanisms())
    }

    /// The node on which the control plane is.
    pub(crate) fn first(&self) -> &Node {
        static FIRST: std::sync::LazyLock<Node> = std::sync::LazyLock::new(|| Node::plain(0));
        self.nodes.first().unwrap_or(&FIRST)
    }

    /// The names of its nodes.
    pub fn node_names(&self) -> String {
        self.nodes.iter().map(Node::name).collect::<Vec<_>>().join(", ")
    }

    /// Process id, as the host sees it, of the first process of a node's namespaces.
    ///
    /// # Errors
    /// When the lab is not up, or has lost the node.
    pub(crate) fn process_of(&self, node: &Node) -> Result<String, LabError> {
        if node.number == 0 {
            let children = fs_err::read_to_string(format!("/proc/{0}/task/{0}/children", self.holder))?;
            let first = children.split_whitespace().next();
            return first.map(str::to_owned).ok_or_else(|| LabError::NotUp(self.name.clone()));
        }
        let number = node.number.to_string();
        for entry in fs_err::read_dir("/proc")? {
            let entry = entry?;
            let line = fs_err::read(entry.path().join("cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).skip(1).take(3).collect();
            if words == [b"lab-node".as_slice(), self.state.as_str().as_bytes(), number.as_bytes()] {
                return Ok(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Err(LabError::Refused(format!(
            "{} of the lab {} has been lost; `aiconform lab heal` brings it back",
            node.name(),
            self.name
        )))
    }

    /// The state folder of a lab.
    pub fn folder(name: &str) -> Utf8PathBuf {
        Utf8Path::new(ROOT).join(name)
    }

    /// Where it stands why a lab ended by itself.
    pub fn obituary(name: &str) -> Utf8PathBuf {
        Utf8Path::new(ROOT).join(format!("{name}.ended"))
    }

    /// Reads `lab.json`, or `None` when there is no such lab.
    ///
    /// # Errors
    /// When the file is there and not readable.
    pub fn read(state: &Utf8Path) -> Result<Option<Status>, LabError> {
        let file = state.join("lab.json");
        match fs_err::read(&file) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| LabError::State(file, error))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes `lab.json`; a reader sees the old or the new one, never a part.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<(), LabError> {
        let file = self.state.join("lab.json");
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| LabError::State(file.clone(), error))?;
        let next = self.state.join("lab.json.next");
        fs_err::write(&next, bytes)?;
        Ok(fs_err::rename(next, file)?)
    }

    /// Tells whether the supervisor of this lab runs: its id lives and is that program, not a later one of
    /// the same id.
    pub fn runs(&self) -> bool {
        let line = fs_err::read(format!("/proc/{}/cmdline", self.supervisor)).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0).skip(1);
        self.supervisor > 0
            && words.next() == Some(b"lab-supervise".as_slice())
            && words.next() == Some(self.state.as_str().as_bytes())
    }

    /// A binary of the lab.
    pub fn binary(&self, name: &str) -> Utf8PathBuf {
        self.binaries
            .iter()
            .map(|folder| folder.join(name))
            .find(|path| path.exists())
            .unwrap_or_else(|| name.into())
    }

    /// `PATH` with the lab's binaries first.
    pub fn path(&self) -> String {
        let mut folders: Vec<&str> = self.binaries.iter().map(|folder| folder.as_str()).collect();
        folders.push("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        folders.join(":")
    }

    /// Kubeconfig for the host.
    pub fn kubeconfig(&self) -> Utf8PathBuf {
        self.state.join("kubeconfig")
    }
}
