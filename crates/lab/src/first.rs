//! The first process of the lab's namespaces: sets them up, starts every component and every further node, swaps what is to
//! be broken or healed, reaps what is orphaned.

use crate::breaking::Inside;
use crate::bringing;
use crate::configuration::PAUSE;
use crate::control;
use crate::error::LabError;
use crate::fake_nodes;
use crate::image;
use crate::node::{self, network};
use crate::part::Part;
use crate::progress::Step;
use crate::reaping::reap;
use crate::relay;
use crate::running::{LIMIT, Running, connects, daemons, start as begin};
use crate::state::Status;
use crate::tools::{Tools, apply};
use camino::Utf8Path;
use futures::future::try_join_all;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::UnixListener;

/// Role of whoever uses the kubeconfig for the host.
const ADMINISTRATORS: &str = r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
    "metadata": {"name": "lab-administrators"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "lab:administrators"}]}"#;

/// Time between two restarts of the API server, where it is restarted from time to time.
const RESTARTS: Duration = Duration::from_secs(30);

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
    let mut lab = Status::read(state)?.ok_or_else(|| LabError::NotUp(state.to_string()))?;
    // It comes up whole, but for what it has from birth, and then is broken as a lab that stands.
    let (born, later) = lab.breakages.iter().partition(|breakage| breakage.is_of_birth());
    lab.breakages = born;
    let later: Vec<_> = later;
    let up = |what: &str| {
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell(&Step::Up { what: what.into(), milliseconds });
    };
    let first = lab.first().clone();
    node::enter(&lab, &first).await?;
    network::of_first(&lab, &first).await?;
    let relay = UnixListener::bind(state.join("api.sock").as_std_path())?;
    tokio::spawn(relay::lab_side(relay));
    tokio::spawn(reap());

    let tools = Tools::new(&lab);
    let mut etcd = begin(&lab, &first, "etcd")?;
    let mut containerd = begin(&lab, &first, "containerd")?;
    let mut further = Vec::new();
    for node in lab.nodes.iter().skip(1) {
        further.push(node::process::begin(&lab, node).await?);
    }
    etcd.ready(LIMIT, || async { connects("127.0.0.1:2379").await }).await?;
    up("etcd");
    let mut api_server = begin(&lab, &first, "kube-apiserver")?;
    let images = async {
        let version =
            || async { tools.ctr(image::everywhere, &["version"]).await.map_err(|error| error.to_string()) };
        // On every node: images are brought to all of them.
        containerd
            .ready(LIMIT, || async {
                if tools.has_sockets() { version().await } else { Err("no socket yet".into()) }
            })
            .await?;
        up("containerd");
        image::import(&lab, &tools, ("pause", "pause"), PAUSE).await?;
        image::import_own(&lab, &tools, &aiconform_images::PROBE, |node| !node.without_probe).await?;
        for part in &lab.parts {
            bringing::import(*part, &lab, &tools).await?;
        }
        up("images");
        Ok::<(), LabError>(())
    };
    let serving = api_server.ready(LIMIT, || async {
        connects("127.0.0.1:6443").await?;
        tools.kubectl(&["get", "--raw", "/readyz"]).await.map(drop).map_err(|error| error.to_string())
    });
    // What needs no image goes beside: pods of parts come when theirs are there.
    let standing = async {
        serving.await?;
        up("kube-apiserver");
        apply(&tools, ADMINISTRATORS).await?;
        let mut running = Vec::new();
        for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
            running.push(begin(&lab, &first, name)?);
        }
        let mut kubelet = begin(&lab, &first, "kubelet")?;
        for part in &lab.parts {
            bringing::kinds(*part, &lab, &tools).await?;
        }
        kubelet.ready(LIMIT, || node::are_ready(&lab, &tools)).await?;
        running.extend(daemons(&lab, &first)?);
        up("node");
        running.push(kubelet);
        Ok::<_, LabError>(running)
    };
    let (images, standing) = tokio::join!(images, standing);
    images?;
    let mut running = Running::default();
    for component in standing?.into_iter().chain(further).chain([etcd, containerd, api_server]) {
        running.push(component);
    }
    // Webhooks that are asked about what other parts are made of refuse it until they serve, each other's too.
    let (asked, others): (Vec<Part>, Vec<Part>) = lab.parts.iter().partition(|part| part.row().is_asked);
    for wave in asked.into_iter().map(|part| vec![part]).chain([others]) {
        for part in &wave {
            bringing::begin(*part, &lab, &tools).await?;
        }
        let serve = |part: &Part| {
            let (part, lab, tools, up) = (*part, &lab, &tools, &up);
            async move { bringing::ready(part, lab, tools).await.map(|()| up(part.name())) }
        };
        try_join_all(wave.iter().map(serve)).await?;
    }
    if lab.fake_nodes > 0 {
        fake_nodes::make(state.join("admin.kubeconfig"), lab.fake_nodes).await?;
        up("fake nodes");
    }
    let control = control::listen(&lab)?;
    let mut inside = Inside { lab, tools, running };
    inside.break_it(&later).await?;
    tell(&Step::Ready);

    // Whatever ends first is what the user must be told; `lab status` and `lab down` read it.
    let error = loop {
        tokio::select! {
            error = inside.running.ended() => break error,
            order = control.accept() => {
                let (stream, _) = order?;
                control::serve(stream, &mut inside).await;
            }
            () = aiconform_wait::pause(RESTARTS), if inside.restarts_api_server() => {
                if let Err(error) = inside.restart_api_server().await {
                    break error;
                }
            }
        }
    };
    fs_err::write(state.join("ended.txt"), error.to_string())?;
    Err(error)
}
