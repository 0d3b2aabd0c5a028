//! Starting, finding and ending a lab from a command.

use crate::breakage::Breakage;
use crate::control;
use crate::error::LabError;
use crate::node::Node;
use crate::part::Part;
use crate::pose::Pose;
use crate::preflight;
use crate::progress::{Progress, Step};
use crate::recipe;
use crate::shared;
use crate::state::{ROOT, Status};
use crate::supervisor;
use crate::version::Kubernetes;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// After this time a supervisor that has not written itself down never will; it takes milliseconds.
const ABANDONED: Duration = Duration::from_secs(60);

/// Options with which a lab is started.
pub struct Options {
    /// Its name; two labs of different names live side by side.
    pub name: String,
    /// Set if it outlives the command that starts it.
    pub outlive: bool,
    /// Version of Kubernetes.
    pub kubernetes: Kubernetes,
    /// Parts that it has beside Kubernetes and those that the breakages are about; nothing else is built or
    /// started.
    pub parts: BTreeSet<Part>,
    /// Its nodes: the first one, on which the control plane is too, and others.
    pub nodes: Vec<Node>,
    /// Number of its fake nodes beside the real ones; some need KWOK.
    pub fake_nodes: u32,
    /// Breakages that it is to have.
    pub breakages: Vec<Breakage>,
    /// Maker as whose accelerators simulated ones pose.
    pub pose: Option<Pose>,
}

/// A lab that is up.
pub struct Lab {
    status: Status,
    /// The supervisor, when the lab ends with this value: closing its stdin ends it.
    supervisor: Child,
}

impl Lab {
    /// Kubeconfig of an administrator, for use from the host.
    pub fn kubeconfig(&self) -> Utf8PathBuf {
        self.status.kubeconfig()
    }

    /// Parts that it has beside Kubernetes: name and version.
    pub fn parts(&self) -> BTreeMap<&'static str, &'static str> {
        self.status.parts.iter().map(|part| (part.name(), part.version())).collect()
    }

    /// Ends the lab and waits until nothing of it is left.
    ///
    /// # Errors
    /// When something stays.
    pub async fn down(mut self) -> Result<(), LabError> {
        drop(self.supervisor.stdin.take());
        if self.status.outlive {
            return down(&self.status.name).await;
        }
        self.supervisor.wait().await?;
        gone(&self.status)
    }
}

/// Builds what is missing and starts a lab.
///
/// # Errors
/// One sentence for what the machine lacks; the build's or the component's last lines for what failed.
pub async fn up(options: &Options, progress: &dyn Progress) -> Result<Lab, LabError> {
    for breakage in &options.breakages {
        control::refuse_on_one_node(options.nodes.len(), *breakage)?;
    }
    let broken = options.breakages.iter().filter_map(|breakage| breakage.part());
    let posing = options.pose.map(|_| Part::of("simulator"));
    let other_devices = options.nodes.iter().any(|node| node.devices.is_some());
    let other_devices = other_devices.then_some(Part::of("simulator"));
    let kwok = (options.fake_nodes > 0).then_some(Part::of("kwok"));
    let mut parts: BTreeSet<Part> =
        options.parts.iter().copied().chain(broken).chain(kwok).chain(posing).chain(other_devices).collect();
    parts.extend(parts.clone().into_iter().filter_map(Part::stands_on));
    let wanted = recipe::wanted(options.kubernetes, &parts);
    let toolchain = preflight::check().await?;
    let binaries = recipe::build(&wanted, &toolchain, progress).await?;
    sweep().await?;
    let state = Status::folder(&options.name);
    let lock = shared::lock()?;
    let _ = fs_err::remove_file(Status::obituary(&options.name));
    if let Err(error) = fs_err::create_dir(&state) {
        return Err(match error.kind() {
            std::io::ErrorKind::AlreadyExists => LabError::AlreadyUp(options.name.clone()),
            _ => error.into(),
        });
    }
    let status = Status {
        name: options.name.clone(),
        state: state.clone(),
        binaries,
        port: 0,
        supervisor: 0,
        outlive: options.outlive,
        holder: 0,
        breakages: options.breakages.clone(),
        kubernetes: options.kubernetes,
        parts,
        nodes: options.nodes.clone(),
        fake_nodes: options.fake_nodes,
        pose: options.pose,
    };
    status.write()?;
    drop(lock);
    let mut supervisor = Command::new(std::env::current_exe()?)
        .args(["lab-supervise", state.as_str()])
        .stdin(if options.outlive { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let steps = supervisor.stdout.take().ok_or_else(|| LabError::Start("its output is closed".into()))?;
    let mut lines = BufReader::new(steps).lines();
    while let Some(line) = lines.next_line().await? {
        let Ok(step) = serde_json::from_str::<Step>(&line) else { continue };
        progress.step(&step);
        match step {
            Step::Ready => {
                let status = Status::read(&state)?.ok_or_else(|| LabError::NotUp(options.name.clone()))?;
                return Ok(Lab { status, supervisor });
            }
            Step::Failed { why } => {
                supervisor.wait().await?;
                return Err(LabError::Start(why));
            }
            _ => {}
        }
    }
    let ended = supervisor.wait().await?;
    if let Some(left) = Status::read(&state)? {
        supervisor::undo(&left).await?;
    }
    Err(LabError::Start(format!("its supervisor ended ({ended}) before it was up")))
}

/// Ends a lab that outlives commands.
///
/// # Errors
/// When there is none, or something of it stays.
pub async fn down(name: &str) -> Result<(), LabError> {
    let status = match status(name) {
        // Once told, it is of no more use.
        Err(error @ LabError::Ended(..)) => {
            fs_err::remove_file(Status::obituary(name))?;
            let _ = fs_err::remove_dir(ROOT);
            return Err(error);
        }
        status => status?,
    };
    if let Some(pid) = rustix::process::Pid::from_raw(status.supervisor)
        && status.runs()
    {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(std::io::Error::from)?;
        let mut left = 300;
        while status.runs() && left > 0 {
            aiconform_wait::pause(Duration::from_millis(100)).await;
            left -= 1;
        }
        gone(&status)
    } else {
        supervisor::undo(&status).await
    }
}

fn gone(status: &Status) -> Result<(), LabError> {
    if status.state.exists() {
        return Err(LabError::Start(format!("something of it is left in {}", status.state)));
    }
    Ok(())
}

/// Status of a lab.
///
/// # Errors
/// When there is none.
pub fn status(name: &str) -> Result<Status, LabError> {
    if let Some(status) = Status::read(&Status::folder(name))? {
        return Ok(status);
    }
    Err(match fs_err::read_to_string(Status::obituary(name)) {
        Ok(why) => LabError::Ended(name.into(), why),
        Err(_) => LabError::NotUp(name.into()),
    })
}

/// Removes what labs left whose supervisor is dead; gives their names.
///
/// # Errors
/// When something of one stays.
pub async fn sweep() -> Result<Vec<String>, LabError> {
    let mut swept = Vec::new();
    let Ok(entries) = Utf8Path::new(ROOT).read_dir_utf8() else { return Ok(swept) };
    for entry in entries {
        let state = entry?.into_path();
        // What another version of this program has written is its own to remove.
        let Ok(Some(status)) = Status::read(&state) else { continue };
        // A command that was killed before its supervisor wrote itself down leaves a folder that nobody will fill.
        let written = fs_err::metadata(state.join("lab.json"))?.modified()?;
        let abandoned = status.supervisor == 0 && written.elapsed().is_ok_and(|age| age > ABANDONED);
        if abandoned || (status.supervisor > 0 && !status.runs()) {
            supervisor::undo(&status).await?;
            swept.push(status.name);
        }
    }
    Ok(swept)
}

/// Runs a command inside the namespaces of a node of the lab, the first where none is named, with the lab's tools first on
/// the PATH and KUBECONFIG set.
///
/// # Errors
/// When the lab is not up, has no such node or has lost it, or the command does not start.
pub async fn exec(name: &str, node: Option<&str>, command: &[String]) -> Result<ExitStatus, LabError> {
    let status = status(name)?;
    let node = match node {
        Some(node) => status.nodes.iter().find(|one| one.name() == node).ok_or_else(|| {
            LabError::Refused(format!("the lab {name} has no {node}; it has {}", status.node_names()))
        })?,
        None => status.first(),
    };
    let process = status.process_of(node)?;
    Ok(Command::new("nsenter")
        .args(["--target", &process, "--net", "--mount", "--pid", "--"])
        .args(command)
        .env("PATH", status.path())
        .env("KUBECONFIG", status.state.join("admin.kubeconfig"))
        .status()
        .await?)
}
