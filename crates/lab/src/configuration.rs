//! Configuration files and flags of every component.

use crate::breakage::Breakage;
use crate::cgroup;
use crate::error::LabError;
use crate::runtime;
use crate::state::Status;
use serde_json::json;

/// The pause image's name inside the lab.
pub const PAUSE: &str = "aiconform.dev/lab/pause:1";

/// Writes kubeconfigs and configuration files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(lab: &Status) -> Result<(), LabError> {
    let state = &lab.state;
    for user in ["admin", "controller-manager", "scheduler", "kubelet", "kube-proxy"] {
        fs_err::write(state.join(format!("{user}.kubeconfig")), kubeconfig(lab, user, 6443))?;
    }
    fs_err::write(lab.kubeconfig(), kubeconfig(lab, "admin", lab.port))?;
    fs_err::create_dir_all(state.join("cni"))?;
    fs_err::write(state.join("resolv.conf"), "")?;
    let audit = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]});
    fs_err::write(state.join("audit-policy.json"), audit.to_string())?;
    let kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.join("pki/ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": format!("unix://{}", state.join("containerd.sock")),
        "cgroupDriver": "cgroupfs", "cgroupRoot": cgroup::name(&lab.name), "failCgroupV1": false,
        "failSwapOn": false, "localStorageCapacityIsolation": false, "oomScoreAdj": 0,
        "podLogsDir": state.join("pod-logs"), "resolvConf": state.join("resolv.conf"),
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
    fs_err::write(state.join("kubelet.json"), kubelet.to_string())?;
    let proxy = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "nftables", "clusterCIDR": "10.244.0.0/16", "conntrack": {"maxPerCore": 0, "min": 0},
        "clientConnection": {"kubeconfig": state.join("kube-proxy.kubeconfig")}, "hostnameOverride": "node-0",
    });
    fs_err::write(state.join("kube-proxy.json"), proxy.to_string())?;
    let scheduler = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": false},
        "clientConnection": {"kubeconfig": state.join("scheduler.kubeconfig"), "qps": 200, "burst": 400},
    });
    fs_err::write(state.join("scheduler.json"), scheduler.to_string())?;
    let network = json!({
    "cniVersion": "1.0.0", "name": "lab", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}], "dataDir": state.join("ipam")}},
        {"type": "portmap", "capabilities": {"portMappings": true}}
    ]});
    fs_err::write(state.join("cni/10-lab.conflist"), network.to_string())?;
    let mut containerd = containerd(lab);
    if let Some(program) = runtime::write(lab)? {
        containerd += &format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n\
             runtime_type = 'io.containerd.runc.v2'\nsandboxer = 'podsandbox'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nBinaryName = '{program}'\n"
        );
    }
    fs_err::write(state.join("containerd.toml"), containerd)?;
    Ok(())
}

fn containerd(lab: &Status) -> String {
    let state = &lab.state;
    format!(
        "version = 3\nroot = '{state}/containerd'\nstate = '/run/containerd'\n\
         [grpc]\naddress = '{state}/containerd.sock'\n\
         [plugins.'io.containerd.cri.v1.runtime']\nrestrict_oom_score_adj = true\nenable_cdi = true\n\
         cdi_spec_dirs = ['{state}/cdi']\n\
         [plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['/usr/lib/cni']\nconf_dir = '{state}/cni'\n\
         [plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = '{PAUSE}'\n"
    )
}

fn kubeconfig(lab: &Status, user: &str, port: u16) -> String {
    let pki = lab.state.join("pki");
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": format!("aiconform-{}", lab.name),
        "clusters": [{"name": "lab", "cluster": {"server": format!("https://127.0.0.1:{port}"),
            "certificate-authority": pki.join("ca.crt")}}],
        "users": [{"name": user, "user": {"client-certificate": pki.join(format!("{user}.crt")),
            "client-key": pki.join(format!("{user}.key"))}}],
        "contexts": [{"name": format!("aiconform-{}", lab.name), "context": {"cluster": "lab", "user": user}}],
    })
    .to_string()
}

/// Dynamic resource allocation can be off up to Kubernetes 1.34, whose behaviour later versions can be told to have; with it
/// go those that stand on it and are on (pkg/features).
const WITHOUT_DRA: &[&str] = &[
    "--emulated-version=1.34",
    "--feature-gates=DynamicResourceAllocation=false,DRAAdminAccess=false,DRAPrioritizedList=false,DRASchedulerFilterTimeout=false",
];

/// The flags of a component.
pub fn flags(lab: &Status, component: &str) -> Vec<String> {
    let (gate, served) = lab.kubernetes.gangs();
    let mut flags = flags_of(lab, component);
    let planes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    if lab.is_broken(Breakage::DraGateOff) && planes.contains(&component) {
        flags.extend(WITHOUT_DRA.iter().map(|flag| (*flag).to_owned()));
        if component == "kube-apiserver" {
            flags.push("--runtime-config=resource.k8s.io/v1=false".into());
        }
        // Native gangs are younger than the version in which it can be off.
        return flags;
    }
    if lab.is_broken(Breakage::DeviceTaintsGateOff) && planes.contains(&component) {
        flags.push("--feature-gates=DRADeviceTaints=false,DRADeviceTaintRules=false".into());
    }
    if component == "kube-controller-manager" && lab.breakages.iter().any(|it| it.stops_autoscaler()) {
        flags.push("--controllers=*,-horizontal-pod-autoscaler-controller".into());
    }
    if lab.is_broken(Breakage::GarbageCollectorOff) && component == "kube-controller-manager" {
        flags.push("--controllers=*,-garbage-collector-controller".into());
    }
    if !lab.is_broken(Breakage::GangGateOffApiServer) {
        match component {
            "kube-apiserver" => flags.extend([gate.into(), served.into()]),
            "kube-controller-manager" => flags.push(gate.into()),
            "kube-scheduler" if !lab.is_broken(Breakage::GangGateOffScheduler) => flags.push(gate.into()),
            _ => {}
        }
    }
    flags
}

fn flags_of(lab: &Status, component: &str) -> Vec<String> {
    let state = &lab.state;
    let pki = state.join("pki");
    let config = |file: &str| format!("--config={}", state.join(file));
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
            // Decided every 2 s instead of every 15, and for pods from their first second on.
            "--horizontal-pod-autoscaler-sync-period=2s".into(),
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s".into(),
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s".into(),
        ],
        "kube-scheduler" => vec![config("scheduler.json")],
        "containerd" => vec![config("containerd.toml")],
        "kubelet" => vec![
            config("kubelet.json"),
            format!("--kubeconfig={state}/kubelet.kubeconfig"),
            format!("--root-dir={state}/kubelet"),
            format!("--cert-dir={state}/kubelet-pki"),
            "--hostname-override=node-0".into(),
            "--node-ip=10.199.0.1".into(),
        ],
        "kube-proxy" => vec![config("kube-proxy.json")],
        _ => Vec::new(),
    }
}
