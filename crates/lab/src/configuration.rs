//! Configuration files and flags of every component.

use crate::breakage::Mechanism;
use crate::cgroup;
use crate::error::LabError;
use crate::node::{self, Node};
use crate::part::Part;
use crate::registry;
use crate::runtime::{self, fault::Handler};
use crate::state::Status;
use camino::Utf8Path;
use serde_json::{Value, json};

/// The pause image's name inside the lab.
pub const PAUSE: &str = "aiconform.dev/lab/pause:1";

/// Writes kubeconfigs and configuration files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(lab: &Status) -> Result<(), LabError> {
    let state = &lab.state;
    for user in ["admin", "controller-manager", "scheduler"] {
        fs_err::write(state.join(format!("{user}.kubeconfig")), kubeconfig(lab, user, "127.0.0.1", 6443))?;
    }
    fs_err::write(lab.kubeconfig(), kubeconfig(lab, "user", "127.0.0.1", lab.port))?;
    let audit = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]});
    fs_err::write(state.join("audit-policy.json"), audit.to_string())?;
    let scheduler = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": false},
        "clientConnection": {"kubeconfig": state.join("scheduler.kubeconfig"), "qps": 200, "burst": 400},
    });
    fs_err::write(state.join("scheduler.json"), scheduler.to_string())?;
    // Where each node has its own.
    fs_err::create_dir_all(node::folder(state))?;
    lab.nodes.iter().try_for_each(|node| of_node(lab, node))
}

/// Writes what a node has of its own into its folder; the paths in it are those that the node sees.
fn of_node(lab: &Status, node: &Node) -> Result<(), LabError> {
    let (state, own, folder) = (&lab.state, node::folder(&lab.state), node.folder(lab));
    fs_err::create_dir_all(folder.join("cni"))?;
    fs_err::write(folder.join("number"), node.number.to_string())?;
    fs_err::write(folder.join("resolv.conf"), "")?;
    let api_server = Node::plain(0).address();
    let user = format!("kubelet-{}", node.number);
    fs_err::write(folder.join("kubelet.kubeconfig"), kubeconfig(lab, &user, &api_server, 6443))?;
    fs_err::write(folder.join("admin.kubeconfig"), kubeconfig(lab, "admin", &api_server, 6443))?;
    fs_err::write(folder.join("kube-proxy.kubeconfig"), kubeconfig(lab, "kube-proxy", &api_server, 6443))?;
    let mut kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.join("pki/ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": format!("unix://{}", own.join("containerd.sock")),
        "cgroupDriver": "cgroupfs", "cgroupRoot": cgroup::of_node(&lab.name, &node.name()), "failCgroupV1": false,
        "failSwapOn": false, "localStorageCapacityIsolation": false, "oomScoreAdj": 0,
        "podLogsDir": own.join("pod-logs"), "resolvConf": own.join("resolv.conf"),
        "clusterDomain": "cluster.local", "clusterDNS": ["10.96.0.10"],
        "serializeImagePulls": false, "registryPullQPS": 0, "eventRecordQPS": 0,
        "kubeAPIQPS": 200, "kubeAPIBurst": 400, "imageGCHighThresholdPercent": 100,
        // What a device plugin offers is in the node's status when it serves, not 10 s later.
        "nodeStatusUpdateFrequency": "1s",
        // A pod whose claim the node authorizer does not know of yet is looked at again after this time, 60 to 90 s by
        // default: the kubelet (1.37) takes that for no error.
        "syncFrequency": "5s",
        "evictionHard": {"memory.available": "100Mi"},
    });
    if let Some(pods) = node.pods {
        kubelet["maxPods"] = json!(pods);
    }
    kubelet["systemReserved"] = reserved(node);
    fs_err::write(folder.join("kubelet.json"), kubelet.to_string())?;
    let proxy = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "nftables", "clusterCIDR": "10.244.0.0/16", "conntrack": {"maxPerCore": 0, "min": 0},
        "clientConnection": {"kubeconfig": own.join("kube-proxy.kubeconfig")}, "hostnameOverride": node.name(),
    });
    fs_err::write(folder.join("kube-proxy.json"), proxy.to_string())?;
    let network = json!({
    "cniVersion": "1.0.0", "name": "lab", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": node.pod_addresses()}]],
            "routes": [{"dst": "0.0.0.0/0"}], "dataDir": own.join("ipam")}},
        {"type": "portmap", "capabilities": {"portMappings": true}}
    ]});
    fs_err::write(folder.join("cni/10-lab.conflist"), network.to_string())?;
    runtime::point(lab, node)?;
    if lab.parts.contains(&Part::of("gvisor")) {
        // Without virtual machines, which a lab may be in one of.
        let settings =
            format!("binary_name = '{}'\n[runsc_config]\nplatform = 'systrap'\n", lab.binary("runsc"));
        fs_err::write(folder.join("runsc.toml"), settings)?;
    }
    if lab.parts.contains(&Part::of("registry")) {
        registry::known(lab, node)?;
    }
    fs_err::write(folder.join("containerd.toml"), containerd(lab))?;
    Ok(())
}

fn containerd(lab: &Status) -> String {
    let state = node::folder(&lab.state);
    let runtime = |handler: Handler| {
        let name = handler.name();
        format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]\n\
             runtime_type = 'io.containerd.runc.v2'\nsandboxer = 'podsandbox'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}.options]\nBinaryName = '{}'\n",
            runtime::program(lab, handler)
        )
    };
    // Its shim makes what runc's makes, and calls `runsc`.
    let gvisor = lab.parts.contains(&Part::of("gvisor")).then(|| {
        format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runsc]\n\
             runtime_type = 'io.containerd.runsc.v1'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runsc.options]\n\
             TypeUrl = 'io.containerd.runsc.v1.options'\nConfigPath = '{state}/runsc.toml'\n"
        )
    });
    format!(
        "version = 3\nroot = '{state}/containerd'\nstate = '/run/containerd'\n\
         [grpc]\naddress = '{state}/containerd.sock'\n\
         [plugins.'io.containerd.cri.v1.runtime']\nrestrict_oom_score_adj = true\nenable_cdi = true\n\
         cdi_spec_dirs = ['{state}/cdi']\n\
         [plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['/usr/lib/cni']\nconf_dir = '{state}/cni'\n\
         [plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = '{PAUSE}'\n\
         [plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '{}'\n{}",
        registry::folder(&state),
        Handler::ALL.map(runtime).concat() + &gvisor.unwrap_or_default()
    )
}

/// Labels with which a node registers.
fn labels(node: &Node) -> Vec<String> {
    let bare = node.bare.then(|| format!("{}=true", aiconform_simulator::manifest::NONE));
    node.labels.iter().cloned().chain(bare).collect()
}

/// Amounts that a node keeps of the machine for others than pods, so that it has as much left as is said of it.
fn reserved(node: &Node) -> Value {
    let mut reserved = json!({});
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let has = u64::try_from(processors).unwrap_or(1) * 1000;
    if let Some(millicores) = node.millicores {
        reserved["cpu"] = json!(format!("{}m", has.saturating_sub(millicores)));
    }
    if let Some(mebibytes) = node.mebibytes {
        // What is kept for eviction counts too.
        let kept = memory().saturating_sub(mebibytes * 1024 + 100 * 1024);
        reserved["memory"] = json!(format!("{kept}Ki"));
    }
    reserved
}

/// Memory of the machine, in KiB.
fn memory() -> u64 {
    let text = fs_err::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

fn kubeconfig(lab: &Status, user: &str, host: &str, port: u16) -> String {
    let pki = lab.state.join("pki");
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": format!("aiconform-{}", lab.name),
        "clusters": [{"name": "lab", "cluster": {"server": format!("https://{host}:{port}"),
            "certificate-authority": pki.join("ca.crt")}}],
        "users": [{"name": user, "user": {"client-certificate": pki.join(format!("{user}.crt")),
            "client-key": pki.join(format!("{user}.key"))}}],
        "contexts": [{"name": format!("aiconform-{}", lab.name), "context": {"cluster": "lab", "user": user}}],
    })
    .to_string()
}

/// Variables of a component. With the first two it seldom collects its garbage: of the API server's work in a run a tenth
/// less, for a third more memory. Up to the limit only; what it really needs it has beyond it too.
pub fn variables(lab: &Status, component: &str) -> Vec<(&'static str, String)> {
    let limit = if component == "kube-apiserver" { "1GiB" } else { "200MiB" };
    let mut variables = vec![("GOGC", "400".to_owned()), ("GOMEMLIMIT", limit.to_owned())];
    // What it calls has a library beside it.
    if component == "kube-router" {
        variables.push((
            "LD_LIBRARY_PATH",
            lab.binary("ipset").parent().map(Utf8Path::to_string).unwrap_or_default(),
        ));
    }
    variables
}

/// The flags of a component, with what the lab's breakages change of them.
pub fn flags(lab: &Status, node: &Node, component: &str) -> Vec<String> {
    let mut flags = flags_of(lab, node, component);
    let changes = || {
        lab.mechanisms().filter_map(|mechanism| match mechanism {
            Mechanism::Flags(change) => Some(change),
            _ => None,
        })
    };
    let more = changes().flat_map(|change| change.more).filter(|(of, _)| *of == component);
    flags.extend(more.flat_map(|(_, flags)| *flags).map(|flag| (*flag).to_owned()));
    if changes().any(|change| change.without_gangs.contains(&component)) {
        return flags;
    }
    let Some((gate, served)) = lab.kubernetes.gangs() else { return flags };
    match component {
        "kube-apiserver" => flags.extend([gate.into(), served.into()]),
        "kube-controller-manager" | "kube-scheduler" => flags.push(gate.into()),
        _ => {}
    }
    flags
}

fn flags_of(lab: &Status, node: &Node, component: &str) -> Vec<String> {
    let state = &lab.state;
    let pki = state.join("pki");
    let own = node::folder(state);
    let config = |file: &str| format!("--config={}", own.join(file));
    match component {
        "etcd" => vec![
            format!("--data-dir={}", state.join("etcd")),
            "--unsafe-no-fsync".into(),
            "--listen-client-urls=http://127.0.0.1:2379".into(),
            "--advertise-client-urls=http://127.0.0.1:2379".into(),
            "--listen-peer-urls=http://127.0.0.1:2380".into(),
            "--log-level=warn".into(),
        ],
        "kube-apiserver" => vec![
            "--etcd-servers=http://127.0.0.1:2379".into(),
            "--bind-address=0.0.0.0".into(),
            "--secure-port=6443".into(),
            // A loopback address would leave the `kubernetes` Service without endpoints.
            "--advertise-address=10.199.0.1".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-aggregator-routing=true".into(),
            "--allow-privileged=true".into(),
            "--kubelet-preferred-address-types=InternalIP".into(),
            format!("--client-ca-file={pki}/ca.crt"),
            format!("--tls-cert-file={pki}/apiserver.crt"),
            format!("--tls-private-key-file={pki}/apiserver.key"),
            format!("--kubelet-client-certificate={pki}/apiserver-kubelet.crt"),
            format!("--kubelet-client-key={pki}/apiserver-kubelet.key"),
            format!("--requestheader-client-ca-file={pki}/front-ca.crt"),
            "--requestheader-allowed-names=front-proxy".into(),
            "--requestheader-username-headers=X-Remote-User".into(),
            "--requestheader-group-headers=X-Remote-Group".into(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
            format!("--proxy-client-cert-file={pki}/front-proxy.crt"),
            format!("--proxy-client-key-file={pki}/front-proxy.key"),
            format!("--service-account-key-file={pki}/service-accounts.pub"),
            format!("--service-account-signing-key-file={pki}/service-accounts.key"),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
            format!("--audit-policy-file={state}/audit-policy.json"),
            format!("--audit-log-path={state}/logs/audit.ndjson"),
        ],
        "kube-controller-manager" => vec![
            format!("--kubeconfig={state}/controller-manager.kubeconfig"),
            "--leader-elect=false".into(),
            "--use-service-account-credentials=true".into(),
            format!("--service-account-private-key-file={pki}/service-accounts.key"),
            format!("--root-ca-file={pki}/ca.crt"),
            format!("--cluster-signing-cert-file={pki}/ca.crt"),
            format!("--cluster-signing-key-file={pki}/ca.key"),
            "--kube-api-qps=200".into(),
            "--kube-api-burst=400".into(),
            // The taint of a node that was not ready goes a second after it is, not five.
            "--node-monitor-period=1s".into(),
            // Decided every 2 s instead of every 15, and for pods from their first second on.
            "--horizontal-pod-autoscaler-sync-period=2s".into(),
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s".into(),
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s".into(),
        ],
        "kube-scheduler" => vec![format!("--config={state}/scheduler.json")],
        "containerd" => vec![config("containerd.toml")],
        "kubelet" => {
            let mut flags = vec![
                config("kubelet.json"),
                format!("--kubeconfig={own}/kubelet.kubeconfig"),
                format!("--root-dir={own}/kubelet"),
                format!("--cert-dir={own}/kubelet-pki"),
                format!("--hostname-override={}", node.name()),
                format!("--node-ip={}", node.address()),
                format!("--node-labels={}", labels(node).join(",")),
            ];
            if !node.taints.is_empty() {
                flags.push(format!("--register-with-taints={}", node.taints.join(",")));
            }
            flags
        }
        "kube-proxy" => vec![config("kube-proxy.json")],
        "kube-router" => vec![
            "--run-firewall=true".into(),
            "--run-router=false".into(),
            "--run-service-proxy=false".into(),
            "--enable-cni=false".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            format!("--kubeconfig={own}/admin.kubeconfig"),
            format!("--hostname-override={}", node.name()),
        ],
        _ => Vec::new(),
    }
}
