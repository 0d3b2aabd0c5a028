//! From kubectl's own flags and kubeconfig to a client.

use crate::error::ClusterError;
use camino::{Utf8Path, Utf8PathBuf};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::error::Error;
use std::time::Duration;

/// A cluster, as the user names it; the flags are kubectl's.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `--kubeconfig`, else `$KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Option<Utf8PathBuf>,
    /// `--context`, else the current one.
    pub context: Option<String>,
}

/// A client and what is known of where it leads. Nothing was asked of the server yet.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: kube::Client,
    /// Name of the context.
    pub context: String,
    /// Address of the API server.
    pub server: String,
}

impl Connection {
    /// Reads the kubeconfig, or in a pod without one the pod's service account, and makes a client.
    ///
    /// # Errors
    /// [`ClusterError::Config`] that names the file or the context.
    pub async fn open(target: &Target) -> Result<Connection, ClusterError> {
        let config = |why: String| ClusterError::Config(why);
        if target.kubeconfig.is_none() && target.context.is_none() && is_pod_without_kubeconfig() {
            let settings = kube::Config::incluster()
                .map_err(|error| config(format!("the pod's service account: {}", causes(&error))))?;
            return Connection::with(settings, "in-cluster".into());
        }
        let kubeconfig = match &target.kubeconfig {
            Some(path) => Kubeconfig::read_from(path).map_err(|error| config(explain(&error)))?,
            None => Kubeconfig::read().map_err(|error| config(explain(&error)))?,
        };
        let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
        let Some(context) = target.context.clone().or_else(|| kubeconfig.current_context.clone()) else {
            return Err(config(format!(
                "the kubeconfig names no current context: choose one with --context; it holds: {}",
                known.join(", ")
            )));
        };
        if !known.contains(&context.as_str()) {
            return Err(config(format!(
                "the kubeconfig holds no context named {context:?}; it holds: {}",
                known.join(", ")
            )));
        }
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let settings = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| config(format!("context {context}: {}", explain(&error))))?;
        Connection::with(settings, context)
    }

    fn with(mut settings: kube::Config, context: String) -> Result<Connection, ClusterError> {
        settings.connect_timeout = Some(Duration::from_secs(10));
        let server = settings.cluster_url.to_string();
        let client = kube::Client::try_from(settings)
            .map_err(|error| ClusterError::Config(format!("context {context}: {}", causes(&error))))?;
        Ok(Connection { client, context, server: server.trim_end_matches('/').to_owned() })
    }

    /// A client of an endpoint that is no API server, such as the platform's own metrics, at an address without a path.
    /// Who signs its certificate is in `authorities` (PEM), else one of those that the system trusts; the bearer token
    /// is read from a file, again and again.
    ///
    /// # Errors
    /// [`ClusterError::Config`] that names the address or the file.
    pub fn of_endpoint(
        address: &str,
        authorities: Option<&Utf8Path>,
        token: Option<&Utf8Path>,
    ) -> Result<Connection, ClusterError> {
        let config = |why: String| ClusterError::Config(format!("endpoint {address}: {why}"));
        let url: http::Uri = address.parse().map_err(|error| config(format!("{error}")))?;
        if url.authority().is_none() || !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(config("an address such as https://metrics.example.com:9400 is needed".into()));
        }
        let mut settings = kube::Config::new(url);
        settings.connect_timeout = Some(Duration::from_secs(10));
        for (file, place) in [(authorities, true), (token, false)] {
            let Some(file) = file else { continue };
            std::fs::metadata(file).map_err(|error| config(format!("{file}: {error}")))?;
            if place {
                settings.root_cert_file = Some(file.into());
            } else {
                settings.auth_info.token_file = Some(file.to_string());
            }
        }
        let client = kube::Client::try_from(settings).map_err(|error| config(causes(&error)))?;
        Ok(Connection { client, context: String::new(), server: address.trim_end_matches('/').to_owned() })
    }
}

/// Tells whether this process runs in a pod with a service account, and was given no kubeconfig.
fn is_pod_without_kubeconfig() -> bool {
    std::env::var_os("KUBECONFIG").is_none()
        && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && std::path::Path::new("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()
        && matches!(Kubeconfig::read(), Err(KubeconfigError::FindPath | KubeconfigError::ReadConfig(..)))
}

fn explain(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::FindPath => {
            "no kubeconfig: name one with --kubeconfig, or start a lab with `run --lab`".into()
        }
        KubeconfigError::ReadConfig(why, path) if why.kind() == std::io::ErrorKind::NotFound => {
            format!(
                "no kubeconfig at {}: name one with --kubeconfig, or start a lab with `run --lab`",
                path.display()
            )
        }
        other => causes(other),
    }
}

/// An error and all its causes in one line, each said once.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
