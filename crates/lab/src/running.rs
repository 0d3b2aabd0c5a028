//! Processes that run in the lab's namespaces: the components of Kubernetes, and programs of ours.

use crate::configuration;
use crate::error::LabError;
use crate::node::Node;
use crate::process::Component;
use crate::state::Status;
use camino::Utf8Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Longest time that a component may take until it serves.
pub const LIMIT: Duration = Duration::from_secs(90);

/// Processes of a lab that are to run until it ends.
#[derive(Default)]
pub struct Running(Vec<Component>);

impl Running {
    /// Takes one that was started.
    pub fn push(&mut self, component: Component) {
        self.0.push(component);
    }

    /// Starts a component of Kubernetes, unless it runs, and waits until it takes connections at its port.
    ///
    /// # Errors
    /// When it does not start, or does not serve in time.
    pub async fn serve(&mut self, lab: &Status, name: &str) -> Result<(), LabError> {
        if self.has(name) {
            return Ok(());
        }
        let mut component = start(lab, lab.first(), name)?;
        if let Some((_, address)) = SERVED.iter().find(|(served, _)| *served == name) {
            component.ready(LIMIT, || connects(address)).await?;
        }
        self.push(component);
        Ok(())
    }

    /// Starts a program of ours under this name, unless it runs: this same binary under another first argument.
    ///
    /// # Errors
    /// When it does not start.
    pub fn play(&mut self, lab: &Status, name: &str, actor: String) -> Result<(), LabError> {
        if self.has(name) {
            return Ok(());
        }
        let kubeconfig = lab.state.join("admin.kubeconfig");
        let arguments = ["lab-actor".to_owned(), actor, kubeconfig.into_string()];
        // Whatever has become of the file since: the process is still that program.
        let program = Utf8Path::new("/proc/self/exe");
        self.push(Component::start(name, program, &arguments, &[], &lab.state.join("logs"))?);
        Ok(())
    }

    /// Ends the process of this name, where it runs.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(&mut self, name: &str) -> Result<(), LabError> {
        while let Some(place) = self.0.iter().position(|component| component.name() == name) {
            self.0.remove(place).stop().await?;
        }
        Ok(())
    }

    /// Tells whether a process of this name is to run.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|component| component.name() == name)
    }

    /// Waits for the first of them to end.
    pub async fn ended(&mut self) -> LabError {
        let mut ends: Vec<Pin<Box<_>>> =
            self.0.iter_mut().map(|component| Box::pin(component.ended())).collect();
        std::future::poll_fn(move |context| {
            let ended = ends.iter_mut().find_map(|end| match end.as_mut().poll(context) {
                Poll::Ready(error) => Some(error),
                Poll::Pending => None,
            });
            ended.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Components that may be started again while a lab stands, and where each serves.
const SERVED: &[(&str, &str)] = &[
    ("kube-apiserver", "127.0.0.1:6443"),
    ("kube-controller-manager", "127.0.0.1:10257"),
    ("kube-scheduler", "127.0.0.1:10259"),
];

/// Starts a component with its flags, on a node; what is not a node's runs on the first.
///
/// # Errors
/// When it cannot be started.
pub fn start(lab: &Status, node: &Node, name: &str) -> Result<Component, LabError> {
    let (flags, variables) = (configuration::flags(lab, node, name), configuration::variables(lab, name));
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Component::start(&node.component(name), &lab.binary(name), &flags, &variables, &lab.state.join("logs"))
}

/// Starts on a node what parts of the lab have on every node.
///
/// # Errors
/// When one cannot be started.
pub fn daemons(lab: &Status, node: &Node) -> Result<Vec<Component>, LabError> {
    let daemons = lab.parts.iter().filter_map(|part| part.row().daemon.as_ref());
    daemons.map(|daemon| start(lab, node, daemon.program)).collect()
}

/// Connects to an address, to see whether somebody serves there.
///
/// # Errors
/// Why nobody does, in words.
pub async fn connects(address: &str) -> Result<(), String> {
    tokio::net::TcpStream::connect(address).await.map(drop).map_err(|error| error.to_string())
}
