//! The lab's own command-line tools, as its processes use them.

use crate::commands;
use crate::error::LabError;
use crate::node::Node;
use crate::state::Status;
use camino::Utf8Path;
use futures::future::try_join_all;

/// The lab's own command-line tools.
pub struct Tools {
    kubectl: String,
    kubeconfig: String,
    ctr: String,
    sockets: Vec<(Node, String)>,
}

impl Tools {
    /// Tools of this lab.
    pub fn new(lab: &Status) -> Tools {
        Tools {
            kubectl: lab.binary("kubectl").into_string(),
            kubeconfig: format!("--kubeconfig={}", lab.state.join("admin.kubeconfig")),
            ctr: lab.binary("ctr").into_string(),
            sockets: lab.nodes.iter().map(|node| (node.clone(), socket(lab, node))).collect(),
        }
    }

    /// Runs kubectl as an administrator.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<Vec<u8>, LabError> {
        self.kubectl_with(arguments, "").await
    }

    /// Runs kubectl as an administrator, with this text as its input.
    pub async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<Vec<u8>, LabError> {
        let arguments = [&[self.kubeconfig.as_str()], arguments].concat();
        commands::run_with(&self.kubectl, &arguments, input).await
    }

    /// Tells whether the containerd of every node has made its socket.
    pub fn has_sockets(&self) -> bool {
        self.sockets.iter().all(|(_, socket)| Utf8Path::new(socket).exists())
    }

    /// Runs containerd's client in the namespace of Kubernetes, on every node that is wanted.
    pub async fn ctr(&self, wanted: impl Fn(&Node) -> bool, arguments: &[&str]) -> Result<(), LabError> {
        let sockets = self.sockets.iter().filter(|(node, _)| wanted(node));
        let runs = sockets.map(|(_, socket)| async move {
            let arguments = [&["-a", socket.as_str(), "-n", "k8s.io"], arguments].concat();
            commands::run(&self.ctr, &arguments).await.map(drop)
        });
        try_join_all(runs).await.map(drop)
    }
}

fn socket(lab: &Status, node: &Node) -> String {
    node.folder(lab).join("containerd.sock").into_string()
}

/// Applies manifests, the lab's own ones as their only owner.
pub async fn apply(tools: &Tools, manifests: &str) -> Result<(), LabError> {
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    tools.kubectl_with(&arguments, manifests).await.map(drop)
}
