//! The objects with which the simulator runs on a cluster.

use crate::settings::Settings;
use serde_json::{Value, json};

/// Name of the namespace, of the DaemonSet and of what it needs, and value of its label `app.kubernetes.io/name`.
pub const NAME: &str = "aiconform-simulator";

/// Label of nodes that are to have none of its devices.
pub const NONE: &str = "simulator.aiconform.dev/none";

/// The objects in the order in which they are to be applied, as YAML documents: namespace, service account and its role,
/// the DeviceClass of the DRA driver's devices if there is one, and those of their partitions and of virtual ones, the
/// DaemonSet, and the Service `metrics`.
///
/// The simulator runs as root, because the kubelet's folders are root's, and with no privilege beside it.
pub fn manifest(settings: &Settings, image: &str) -> String {
    let documents: Vec<String> =
        objects(settings, image).iter().map(|object| format!("---\n{object:#}\n")).collect();
    documents.concat()
}

fn objects(settings: &Settings, image: &str) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": NAME});
    let named = json!({"name": NAME, "namespace": NAME, "labels": labels});
    let account = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}]);
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME, "labels": {
            "app.kubernetes.io/name": NAME,
            // It mounts folders of the host.
            "pod-security.kubernetes.io/enforce": "privileged",
        }}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": labels},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]},
            {"apiGroups": ["resource.k8s.io"], "resources": ["resourceslices"],
                "verbs": ["get", "create", "delete"]},
            {"apiGroups": ["resource.k8s.io"], "resources": ["resourceclaims"], "verbs": ["get"]},
        ]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": labels}, "subjects": account,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}}),
    ];
    if settings.devices > 0 {
        let driver = json!(settings.driver);
        let mut class = |name: &str, kind: Option<&str>| {
            let mut selector = format!("device.driver == {driver}");
            if let Some(kind) = kind {
                selector += &format!(" && device.attributes[{driver}].type == {}", json!(kind));
            }
            objects.push(json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass",
                "metadata": {"name": name, "labels": labels},
                "spec": {"selectors": [{"cel": {"expression": selector}}]}}));
        };
        // Whoever asks for a device is not to be given a part of one.
        let parts = [("partition", settings.partitions), ("vgpu", settings.virtual_devices)];
        let parts = parts.iter().filter(|(_, count)| *count > 0).map(|(kind, _)| *kind);
        class(&settings.device_class, parts.clone().next().map(|_| "gpu"));
        for kind in parts {
            class(&format!("{kind}.{}", settings.device_class), Some(kind));
        }
    }
    objects.push(json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": named, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod(settings, image)},
    }}));
    objects.push(json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "metrics", "namespace": NAME, "labels": labels},
        "spec": {"selector": labels, "ports": [{"name": "metrics", "port": 9400, "targetPort": "metrics"}]}}));
    objects
}

fn pod(settings: &Settings, image: &str) -> Value {
    let root = &settings.kubelet_root;
    // Each at its own path: the kubelet and the container runtime are told paths below them.
    let folders = [
        ("plugins", root.join("plugins")),
        ("plugins-registry", root.join("plugins_registry")),
        ("pod-resources", root.join("pod-resources")),
        ("device-plugins", settings.device_plugins.clone()),
        ("cdi", settings.cdi.clone()),
    ];
    let volume = |(name, path): &(&str, _)| json!({"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}});
    let mount = |(name, path): &(&str, _)| json!({"name": name, "mountPath": path});
    let port: u16 = settings.metrics.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(9400);
    let tolerate = ["node-role.kubernetes.io/control-plane"].into_iter().map(str::to_owned);
    let tolerate = tolerate.chain(settings.tolerate.iter().cloned());
    json!({
        "serviceAccountName": NAME,
        "priorityClassName": "system-node-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": NONE, "operator": "DoesNotExist"}]}]}}},
        "tolerations": tolerate.map(|key| json!({"key": key, "operator": "Exists"})).collect::<Vec<Value>>(),
        // What it holds is on disk.
        "terminationGracePeriodSeconds": 1,
        "containers": [{
            "name": "simulator",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "args": settings.arguments(),
            "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "ports": [{"name": "metrics", "containerPort": port}],
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": "metrics"}, "periodSeconds": 1},
            "securityContext": {"runAsUser": 0, "runAsNonRoot": false, "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": folders.iter().map(mount).collect::<Vec<Value>>(),
        }],
        "volumes": folders.iter().map(volume).collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(objects: &[Value]) -> Vec<&str> {
        objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
    }

    #[test]
    fn what_must_be_there_first_comes_first_and_a_class_only_with_a_driver() {
        let settings = Settings { driver: "gpu.example.com".into(), ..Settings::default() };
        let with = objects(&settings, "i:1");
        let first = ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"];
        assert_eq!(kinds(&with), [&first[..], &["DeviceClass", "DaemonSet", "Service"]].concat());
        let expression = with[4].pointer("/spec/selectors/0/cel/expression").unwrap();
        assert_eq!(expression, "device.driver == \"gpu.example.com\"");
        let split = Settings { partitions: 2, virtual_devices: 2, ..settings.clone() };
        let split = objects(&split, "i:1");
        let class = |place: usize| {
            (&split[place]["metadata"]["name"], &split[place]["spec"]["selectors"][0]["cel"]["expression"])
        };
        let of = |kind: &str| {
            json!(format!(
                "device.driver == \"gpu.example.com\" && device.attributes[\"gpu.example.com\"].type == \"{kind}\""
            ))
        };
        assert_eq!(class(4), (&json!("accelerator.aiconform.dev"), &of("gpu")));
        assert_eq!(class(5), (&json!("partition.accelerator.aiconform.dev"), &of("partition")));
        assert_eq!(class(6), (&json!("vgpu.accelerator.aiconform.dev"), &of("vgpu")));
        let without = objects(&Settings { devices: 0, ..settings }, "i:1");
        assert_eq!(kinds(&without), [&first[..], &["DaemonSet", "Service"]].concat());
    }

    #[test]
    fn every_folder_is_mounted_where_the_host_has_it() {
        let settings = Settings { kubelet_root: "/k".into(), cdi: "/c".into(), ..Settings::default() };
        let pod = pod(&settings, "i:1");
        let container = &pod["containers"][0];
        let volumes = pod["volumes"].as_array().unwrap();
        let paths: Vec<&str> = volumes
            .iter()
            .map(|volume| volume.pointer("/hostPath/path").unwrap().as_str().unwrap())
            .collect();
        let expected = [
            "/k/plugins",
            "/k/plugins_registry",
            "/k/pod-resources",
            "/var/lib/kubelet/device-plugins",
            "/c",
        ];
        assert_eq!(paths, expected);
        for (mount, volume) in container["volumeMounts"].as_array().unwrap().iter().zip(volumes) {
            assert_eq!(mount["name"], volume["name"]);
            assert_eq!(mount["mountPath"], volume["hostPath"]["path"]);
        }
        assert_eq!(container["image"], "i:1");
        assert!(container["args"].as_array().unwrap().contains(&json!("--cdi=/c")));
    }

    #[test]
    fn each_document_stands_by_itself() {
        let text = manifest(&Settings::default(), "i:1");
        let documents: Vec<&str> = text.split("---\n").filter(|document| !document.is_empty()).collect();
        assert_eq!(documents.len(), 7);
        assert!(documents.iter().all(|document| serde_json::from_str::<Value>(document).is_ok()));
    }
}
