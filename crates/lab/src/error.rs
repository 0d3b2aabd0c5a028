//! Errors of the lab: what happened, to what, why, and what to do next.

use camino::Utf8PathBuf;

/// The lab could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The machine lacks something; told before anything is built.
    #[error("{0}")]
    Machine(String),
    /// A component does not build.
    #[error("{component} does not build: {why}; the build's last lines:\n{log}")]
    Build {
        /// Name of the component.
        component: String,
        /// Why.
        why: String,
        /// Last lines of the build.
        log: String,
    },
    /// A component did not start, or ended.
    #[error("{component} {what}{}; its last lines:\n{log}", advice(log))]
    Component {
        /// Name of the component.
        component: String,
        /// Words on what happened.
        what: String,
        /// Last lines of its log.
        log: String,
    },
    /// A helper command failed.
    #[error("`{command}` failed: {why}")]
    Command {
        /// The command line.
        command: String,
        /// Its last words.
        why: String,
    },
    /// A lab of this name is there already.
    #[error("a lab named {0} is up already; use it, or end it with `aiconform lab down`")]
    AlreadyUp(String),
    /// No lab of this name is up.
    #[error("no lab named {0} is up; start one with `aiconform lab up`")]
    NotUp(String),
    /// A lab ended by itself.
    #[error("no lab named {0} is up; the last one ended by itself: {1}")]
    Ended(String, String),
    /// The start was told to fail by the lab's own processes.
    #[error("the lab did not start: {0}")]
    Start(String),
    /// The first process of a lab does not answer.
    #[error("the lab {0} takes no orders: {1}; see `aiconform lab status`")]
    Unreachable(String, String),
    /// A lab cannot be broken so while it stands; told before anything is done.
    #[error("{0}")]
    Refused(String),
    /// A lab did not do what it was told.
    #[error("the lab {0} is not as it should be: {1}")]
    Order(String, String),
    /// Certificates could not be made.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A file could not be read as what it should be.
    #[error("{0} is not readable: {1}; remove it with `aiconform lab down`")]
    State(Utf8PathBuf, serde_json::Error),
    /// The lab's own API server did not do what was asked.
    #[error(transparent)]
    Cluster(#[from] aiconform_cluster::ClusterError),
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Advice where the last words of a component are about a limit of the host that labs share.
fn advice(log: &str) -> &'static str {
    if log.contains("too many open files") {
        " for want of watches on files: end labs that nobody needs, or raise fs.inotify.max_user_instances"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::LabError;

    #[test]
    fn a_host_whose_watches_on_files_are_used_up_is_told_so() {
        let error = |log: &str| {
            LabError::Component { component: "kubelet".into(), what: "ended".into(), log: log.into() }
                .to_string()
        };
        assert!(error("error creating fsnotify watcher: too many open files").contains("max_user_instances"));
        assert_eq!(error("nothing"), "kubelet ended; its last lines:\nnothing");
    }
}
