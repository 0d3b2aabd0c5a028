//! A pod of the probe, whose containers are given devices or not.

use super::Way;
use crate::cx::Cx;
use crate::pod::{CPU, GANG, MEMORY, ROLE, TRIAL};
use crate::profile::Profile;
use aiconform_model::Kind;
use aiconform_model::probe::PORT;
use serde_json::{Value, json};

/// A container of such a pod; the probe serves in it.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Its name.
    pub name: &'a str,
    /// Devices that it asks for: of what, and how many.
    pub devices: Option<(&'a Way, u32)>,
    /// Which of the devices of a class (CEL); empty: any.
    pub selector: &'a str,
    /// Environment variables that are set in it.
    pub environment: &'a [(&'a str, &'a str)],
    /// Whether it is started before those that are not, and goes on beside them (a sidecar container).
    pub is_first: bool,
    /// Whether it may make device nodes: as root with CAP_MKNOD and nothing else, which the baseline Pod Security level
    /// allows and the restricted one does not.
    pub makes_nodes: bool,
    /// A claim by name, which it uses whoever made it.
    pub borrows: Option<&'a str>,
}

impl<'a> Container<'a> {
    /// A container that asks for so many devices.
    pub fn with(way: &'a Way, count: u32) -> Container<'a> {
        Container { devices: Some((way, count)), ..Container::without() }
    }

    /// A container that asks for none.
    pub fn without() -> Container<'static> {
        Container {
            name: "probe",
            devices: None,
            selector: "",
            environment: &[],
            is_first: false,
            makes_nodes: false,
            borrows: None,
        }
    }
}

/// The pod; it is admitted at the restricted Pod Security level.
#[derive(Clone, Debug)]
pub struct ProbePod<'a> {
    /// What it is there for; with the trial's name it makes the pod's name.
    pub role: &'a str,
    /// The trial that it belongs to.
    pub trial: &'a str,
    /// Nodes on which it may be; none: any.
    pub nodes: &'a [String],
    /// Its containers, those that start first before the others: the probe serves on the next port in each.
    pub containers: Vec<Container<'a>>,
    /// Whether a container that ends is started again.
    pub restarts: bool,
}

/// Templates of claims, of which a pod's own claims are made.
pub fn claim_templates() -> Kind {
    Kind::namespaced("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates")
}

impl ProbePod<'_> {
    /// The port on which the probe serves in a container.
    pub fn port(&self, container: &str) -> u16 {
        let place = self.containers.iter().position(|known| known.name == container).unwrap_or_default();
        PORT + u16::try_from(place).unwrap_or_default()
    }

    /// Templates of the claims of a pod of this name, one for each container that asks for devices of a class.
    pub fn templates(&self, pod: &str) -> Vec<Value> {
        self.classes()
            .map(|(container, class, count, selector)| {
                let mut exactly = json!({"deviceClassName": class});
                if count != 1 {
                    exactly["count"] = json!(count);
                }
                if !selector.is_empty() {
                    exactly["selectors"] = json!([{"cel": {"expression": selector}}]);
                }
                json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate",
                    "metadata": {"name": format!("{pod}-{container}")},
                    "spec": {
                        "metadata": {"labels": {TRIAL: self.trial, ROLE: self.role, GANG: pod}},
                        "spec": {"devices": {"requests": [{"name": "devices", "exactly": exactly}]}}}})
            })
            .collect()
    }

    fn classes(&self) -> impl Iterator<Item = (&str, &str, u32, &str)> {
        self.containers.iter().filter_map(|container| match container.devices {
            Some((Way::Class(class), count)) => {
                Some((container.name, class.as_str(), count, container.selector))
            }
            _ => None,
        })
    }

    /// The pod of this name as it is sent.
    pub fn object(&self, cx: &Cx, pod: &str) -> Value {
        self.of_profile(&cx.profile, pod)
    }

    /// The same where there is no run yet.
    pub fn of_profile(&self, profile: &Profile, pod: &str) -> Value {
        let image = profile.probe_image.as_deref().unwrap_or(PROBE_IMAGE);
        let terms: Vec<Value> = self
            .nodes
            .iter()
            .map(
                |node| json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}),
            )
            .collect();
        let mut tolerations = profile.tolerations.clone();
        let (mut first, mut others, mut borrowed) = (Vec::new(), Vec::new(), Vec::new());
        for container in &self.containers {
            let port = self.port(container.name);
            let mut environment: Vec<Value> = container
                .environment
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
            let mut object = json!({"name": container.name, "image": image, "imagePullPolicy": "IfNotPresent",
                "args": ["serve", port.to_string()], "env": environment,
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 1},
                "resources": {"requests": {"cpu": CPU, "memory": MEMORY}}});
            match container.devices {
                Some((Way::Resource(resource), count)) => {
                    object["resources"]["limits"] = json!({resource: count.to_string()});
                    // Nodes with accelerators often keep others away by a taint of the resource's name.
                    tolerations.push(json!({"key": resource, "operator": "Exists"}));
                }
                Some((Way::Class(_), _)) => {
                    object["resources"]["claims"] = json!([{"name": container.name}]);
                }
                None => {}
            }
            if let Some(name) = container.borrows {
                object["resources"]["claims"] = json!([{"name": container.name}]);
                borrowed.push(json!({"name": container.name, "resourceClaimName": name}));
            }
            if container.makes_nodes {
                let security = &mut object["securityContext"];
                security["capabilities"]["add"] = json!(["MKNOD"]);
                security["runAsNonRoot"] = json!(false);
                // Only root's capabilities are in force from the start.
                security["runAsUser"] = json!(0);
                // A folder that every container has, and in which device nodes count.
                environment.push(json!({"name": "PROBE_SCRATCH", "value": "/dev"}));
                object["env"] = json!(environment);
            }
            if container.is_first {
                object["restartPolicy"] = json!("Always");
                first.push(object);
            } else {
                others.push(object);
            }
        }
        // What classes of devices give is often kept by the same makers' taints.
        tolerations.push(json!({"key": "nvidia.com/gpu", "operator": "Exists"}));
        let made = self
            .classes()
            .map(|(name, ..)| json!({"name": name, "resourceClaimTemplateName": format!("{pod}-{name}")}));
        let claims: Vec<Value> = made.chain(borrowed).collect();
        let mut object = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod, "labels": {TRIAL: self.trial, ROLE: self.role}},
        "spec": {
            "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false, "enableServiceLinks": false,
            "restartPolicy": if self.restarts { "Always" } else { "Never" },
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": others, "tolerations": tolerations}});
        if terms.is_empty() {
            if !profile.node_selector.is_empty() {
                object["spec"]["nodeSelector"] = json!(profile.node_selector);
            }
        } else {
            object["spec"]["affinity"] = json!({"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}});
        }
        // An API server drops what is empty; then it would not come back as it was sent.
        for (field, values) in [("initContainers", first), ("resourceClaims", claims)] {
            if !values.is_empty() {
                object["spec"][field] = json!(values);
            }
        }
        if !profile.image_pull_secrets.is_empty() {
            object["spec"]["imagePullSecrets"] =
                profile.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        }
        object
    }
}

/// The probe as a lab has it, and as `aiconform image export` writes it.
const PROBE_IMAGE: &str = concat!("aiconform.dev/probe:", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_that_asks_for_devices_of_a_class_has_a_claim_and_every_probe_a_port() {
        let (class, resource) = (Way::Class("gpu.x.com".into()), Way::Resource("x.com/gpu".into()));
        let sidecar = Container { name: "first", is_first: true, ..Container::without() };
        let other = Container { name: "other", ..Container::with(&resource, 1) };
        let pod = ProbePod {
            role: "holder",
            trial: "a",
            nodes: &[],
            containers: vec![sidecar, Container::with(&class, 2), other],
            restarts: false,
        };
        let templates = pod.templates("p");
        assert_eq!(templates.len(), 1);
        assert_eq!(templates[0]["metadata"]["name"], "p-probe");
        assert_eq!(
            templates[0]["spec"]["spec"]["devices"]["requests"][0]["exactly"],
            json!({"deviceClassName": "gpu.x.com", "count": 2})
        );
        assert_eq!(["first", "probe", "other"].map(|name| pod.port(name) - PORT), [0, 1, 2]);
    }
}
