//! Errors of the simulator.

use camino::Utf8PathBuf;

/// The simulator cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A file or folder.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The API server.
    #[error(transparent)]
    Cluster(#[from] aiconform_cluster::ClusterError),
    /// The kubelet refused or did not answer.
    #[error("the kubelet at {socket} did not take {what}: {why}")]
    Kubelet {
        /// Its socket.
        socket: Utf8PathBuf,
        /// Request that was made to it.
        what: String,
        /// Why.
        why: String,
    },
    /// Something that is not there or cannot be used.
    #[error("{0}")]
    Unusable(String),
}
