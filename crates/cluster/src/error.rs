//! Errors of the cluster: what happened, to what, why, and what to do next.

/// The API server's refusal of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path} was refused with {status} {reason}: {message}")]
pub struct Refusal {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// Machine-readable reason, such as `Forbidden`.
    pub reason: String,
    /// Words of the server; an admission webhook or policy is named in them.
    pub message: String,
}

/// The cluster could not be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kubeconfig is missing, unreadable, or does not hold what was asked of it.
    #[error("{0}")]
    Config(String),
    /// No answer came.
    #[error("the API server at {server} gave no answer to {what}: {why}")]
    Unreachable {
        /// Its address.
        server: String,
        /// The request.
        what: String,
        /// Why, as far as the connection knows.
        why: String,
    },
    /// The API server refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A condition did not come true in time.
    #[error(transparent)]
    TooLate(#[from] aiconform_wait::TooLate),
    /// An answer is not what the API promises.
    #[error("{what} was answered with something that is not understood: {why}")]
    Answer {
        /// The request.
        what: String,
        /// The part that does not fit.
        why: String,
    },
}

impl ClusterError {
    /// The refusal, when the API server answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            ClusterError::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Tells whether the API server said that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 404)
    }
}
