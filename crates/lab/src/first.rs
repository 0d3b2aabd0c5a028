//! The first process of the lab's namespaces: sets them up, starts every component, reaps what is orphaned.

use crate::breaking;
use crate::commands;
use crate::configuration::{self, PAUSE};
use crate::error::LabError;
use crate::fake_nodes;
use crate::image;
use crate::process::Component;
use crate::progress::Step;
use crate::relay;
use crate::state::Status;
use crate::supervisor;
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

const LIMIT: Duration = Duration::from_secs(90);

/// Runs until a component ends, or until it is killed with its namespaces.
pub fn main(state: &str) -> ExitCode {
    // Nothing but this process uses the library that makes certificates here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result =
        runtime.map_err(LabError::from).and_then(|runtime| runtime.block_on(run(Utf8Path::new(state))));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&Step::Failed { why: error.to_string() });
            ExitCode::FAILURE
        }
    }
}

/// Steps go to the supervisor's stdout, one JSON per line; nobody reads it once the lab is up.
fn tell(step: &Step) {
    if let Ok(line) = serde_json::to_string(step) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

async fn run(state: &Utf8Path) -> Result<(), LabError> {
    let start = Instant::now();
    let lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    let up = |what: &str| {
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell(&Step::Up { what: what.into(), milliseconds });
    };
    set_up_namespaces(&lab).await?;
    let relay = UnixListener::bind(state.join("api.sock").as_std_path())?;
    tokio::spawn(relay::lab_side(relay));
    tokio::spawn(reap());

    let tools = Tools::new(&lab);
    let mut etcd = begin(&lab, "etcd")?;
    let mut containerd = begin(&lab, "containerd")?;
    etcd.ready(LIMIT, || async { connects("127.0.0.1:2379").await }).await?;
    up("etcd");
    let mut api_server = begin(&lab, "kube-apiserver")?;
    let images = async {
        let socket = state.join("containerd.sock");
        let version = || async { tools.ctr(&["version"]).await.map_err(|error| error.to_string()) };
        containerd
            .ready(LIMIT, || async {
                if socket.exists() { version().await } else { Err("no socket yet".into()) }
            })
            .await?;
        up("containerd");
        image::import(&lab, &tools, ("pause", "pause"), PAUSE).await?;
        image::import_own(&lab, &tools, &aiconform_images::PROBE).await?;
        for part in &lab.parts {
            part.import(&lab, &tools).await?;
        }
        up("images");
        Ok::<(), LabError>(())
    };
    let serving = api_server.ready(LIMIT, || async {
        connects("127.0.0.1:6443").await?;
        tools.kubectl(&["get", "--raw", "/readyz"]).await.map(drop).map_err(|error| error.to_string())
    });
    let (images, serving) = tokio::join!(images, serving);
    images?;
    serving?;
    up("kube-apiserver");
    let mut running = vec![etcd, containerd, api_server];
    for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
        running.push(begin(&lab, name)?);
    }
    let manifests = async {
        match lab.parts.first() {
            Some(part) => part.begin(&lab, &tools).await,
            None => Ok(()),
        }
    };
    let mut kubelet = begin(&lab, "kubelet")?;
    let node = kubelet.ready(LIMIT, || async {
        // Ready, and the taint of a node that was not has been taken away.
        let wanted = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status} {.spec.taints[*].key}";
        let seen = tools
            .kubectl(&["get", "node", "node-0", "-o", wanted])
            .await
            .map_err(|error| error.to_string())?;
        match String::from_utf8_lossy(&seen).trim() {
            "True" => Ok(()),
            seen => Err(format!("node Ready and its taints are {seen:?}")),
        }
    });
    let (manifests, node) = tokio::join!(manifests, node);
    node?;
    up("node");
    manifests?;
    running.push(kubelet);
    for (number, part) in lab.parts.iter().enumerate() {
        // A part's webhooks may refuse what the next one creates until it serves.
        if number > 0 {
            part.begin(&lab, &tools).await?;
        }
        part.ready(&lab, &tools).await?;
        up(part.name());
    }
    if lab.fake_nodes > 0 {
        fake_nodes::make(&lab).await?;
        up("fake nodes");
    }
    breaking::apply_all(&lab, &tools, &mut running).await?;
    tell(&Step::Ready);

    // Whatever ends first is what the user must be told; `lab status` and `lab down` read it.
    let ends = running.iter_mut().map(|component| Box::pin(component.ended()));
    let error = first_of(ends.collect()).await;
    fs_err::write(state.join("ended.txt"), error.to_string())?;
    Err(error)
}

/// The first of several futures to end.
async fn first_of<F: Future<Output = LabError> + Unpin>(mut futures: Vec<F>) -> LabError {
    std::future::poll_fn(move |context| {
        for future in &mut futures {
            if let std::task::Poll::Ready(error) = std::pin::Pin::new(future).poll(context) {
                return std::task::Poll::Ready(error);
            }
        }
        std::task::Poll::Pending
    })
    .await
}

fn begin(lab: &Status, name: &str) -> Result<Component, LabError> {
    Component::start(name, &lab.binary(name), &configuration::flags(lab, name), &lab.state.join("logs"))
}

async fn connects(address: &str) -> Result<(), String> {
    tokio::net::TcpStream::connect(address).await.map(drop).map_err(|error| error.to_string())
}

/// The lab's own command-line tools.
pub struct Tools {
    kubectl: String,
    kubeconfig: String,
    ctr: String,
    socket: String,
}

impl Tools {
    fn new(lab: &Status) -> Tools {
        Tools {
            kubectl: lab.binary("kubectl").into_string(),
            kubeconfig: format!("--kubeconfig={}", lab.state.join("admin.kubeconfig")),
            ctr: lab.binary("ctr").into_string(),
            socket: lab.state.join("containerd.sock").into_string(),
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

    /// Runs containerd's client in the namespace of Kubernetes.
    pub async fn ctr(&self, arguments: &[&str]) -> Result<(), LabError> {
        let arguments = [&["-a", self.socket.as_str(), "-n", "k8s.io"], arguments].concat();
        commands::run(&self.ctr, &arguments).await.map(drop)
    }
}

/// Applies manifests, the lab's own ones as their only owner.
pub async fn apply(tools: &Tools, manifests: &str) -> Result<(), LabError> {
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    tools.kubectl_with(&arguments, manifests).await.map(drop)
}

async fn set_up_namespaces(lab: &Status) -> Result<(), LabError> {
    commands::run("ip", &["link", "set", "lo", "up"]).await?;
    commands::run("ip", &["address", "add", "10.199.0.1/32", "dev", "lo"]).await?;
    // Pods reach one another through the node, as on any node.
    fs_err::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    // Sockets, network namespaces and links to logs that components make at fixed places stay in the lab.
    commands::run("mount", &["-t", "tmpfs", "tmpfs", "/run"]).await?;
    commands::run("mount", &["-t", "tmpfs", "tmpfs", "/var/log"]).await?;
    for (folder, fixed) in supervisor::FIXED {
        let folder = lab.state.join(folder);
        fs_err::create_dir_all(&folder)?;
        commands::run("mount", &["--bind", folder.as_str(), fixed]).await?;
    }
    Ok(())
}

/// Reaps orphans. Children of our own are left to whoever waits for them: only a process that was not there as
/// a child of ours when it was started, but came to us by the death of its parent, is reaped here.
async fn reap() {
    let Ok(mut changes) = signal(SignalKind::child()) else { return };
    let mut seen = BTreeSet::new();
    while changes.recv().await.is_some() {
        let zombies = zombies();
        for pid in &zombies {
            // Seen twice: whoever waits for a child of ours would have reaped it in between.
            if seen.contains(pid)
                && let Some(pid) = rustix::process::Pid::from_raw(*pid)
            {
                let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
            }
        }
        seen = zombies;
        tokio::task::yield_now().await;
    }
}

fn zombies() -> BTreeSet<i32> {
    let Ok(entries) = fs_err::read_dir("/proc") else { return BTreeSet::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The command's name may hold anything, so fields are counted from its closing bracket.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            (fields.next() == Some("Z") && fields.next() == Some("1")).then_some(pid)
        })
        .collect()
}
