//! A pod of the probe, whose containers are given devices or not.

use super::Way;
use super::makers::{Load, load};
use aiconform_check::cx::Cx;
use aiconform_check::pod::{CPU, DEADLINE, MEMORY, Template, container as restricted, terms};
use aiconform_check::profile::Profile;
use aiconform_model::Kind;
use aiconform_model::probe::{LOAD_COMMAND, PORT};
use aiconform_trial::labels::{GANG, ROLE, TRIAL};
use serde_json::{Value, json};

/// A container of such a pod; the probe serves in it.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Its name.
    pub name: &'a str,
    /// Devices that it asks for: of what, and how many.
    pub devices: Option<(&'a Way, u32)>,
    /// Selector of devices of a class (CEL); empty: any.
    pub selector: &'a str,
    /// Environment variables that are set in it.
    pub environment: &'a [(&'a str, &'a str)],
    /// Set if it is started before those that are not, and goes on beside them (a sidecar container).
    pub is_first: bool,
    /// Set if it may make device nodes: as root with CAP_MKNOD and nothing else, which the baseline Pod Security level
    /// allows and the restricted one does not.
    pub makes_nodes: bool,
    /// Set if its devices are to be put to work: then it runs in the image of the load for them, where there is one.
    pub loads: bool,
    /// A claim by name, which it uses whoever made it.
    pub borrows: Option<&'a str>,
}

impl<'a> Container<'a> {
    /// A container that asks for so many devices.
    pub fn with(way: &'a Way, count: u32) -> Container<'a> {
        Container { devices: Some((way, count)), ..Container::without() }
    }

    /// A container that asks for so many devices, which are to be put to work.
    pub fn working(way: &'a Way, count: u32) -> Container<'a> {
        Container { loads: true, ..Container::with(way, count) }
    }

    /// The load for its devices.
    fn load(&self, profile: &Profile) -> Option<Load> {
        self.devices.filter(|_| self.loads).and_then(|(way, _)| load(way, profile))
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
            loads: false,
            borrows: None,
        }
    }
}

/// The pod; it is admitted at the restricted Pod Security level.
#[derive(Clone, Debug)]
pub struct ProbePod<'a> {
    /// Purpose; with the trial's name it makes the pod's name.
    pub role: &'a str,
    /// The trial that it belongs to.
    pub trial: &'a str,
    /// Nodes on which it may be; none: any.
    pub nodes: &'a [String],
    /// Its containers, those that start first before the others: the probe serves on the next port in each.
    pub containers: Vec<Container<'a>>,
    /// Set if a container that ends is started again.
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

    /// The load of the first of its containers that has one.
    pub fn load(&self, profile: &Profile) -> Option<Load> {
        self.containers.iter().find_map(|container| container.load(profile))
    }

    fn classes(&self) -> impl Iterator<Item = (&str, &str, u32, &str)> {
        self.containers.iter().filter_map(|container| match container.devices {
            Some((Way::Class(class), count)) => {
                Some((container.name, class.as_str(), count, container.selector))
            }
            _ => None,
        })
    }

    /// The pod of this name as it stands in the template of something that makes pods.
    pub fn object(&self, cx: &Cx, pod: &str) -> Value {
        self.of_profile(&cx.profile, pod)
    }

    /// The pod of this name as it is made directly: its node ends it after [`DEADLINE`], so that one that nobody deletes any
    /// more, because the run was killed, keeps no device for ever.
    pub fn lone(&self, profile: &Profile, pod: &str) -> Value {
        self.made(profile, pod, Some(DEADLINE))
    }

    /// Like [`ProbePod::object`], where there is no run yet.
    pub fn of_profile(&self, profile: &Profile, pod: &str) -> Value {
        self.made(profile, pod, None)
    }

    fn made(&self, profile: &Profile, pod: &str, deadline: Option<u64>) -> Value {
        let image = profile.probe_image.as_deref().unwrap_or(PROBE_IMAGE);
        let object = |container: &Container<'_>| self.container(container, image, container.load(profile));
        let all = || self.containers.iter();
        let ways = all().filter_map(|container| container.devices.map(|(way, _)| way));
        let template = Template {
            name: pod,
            labels: json!({TRIAL: self.trial, ROLE: self.role}),
            nodes: terms(self.nodes),
            tolerations: Way::tolerations(ways),
            restart_policy: if self.restarts { "Always" } else { "Never" },
            deadline,
            containers: all().filter(|container| !container.is_first).map(object).collect(),
            profile,
        };
        let mut made = template.object();
        let mut first: Vec<Value> = all().filter(|container| container.is_first).map(object).collect();
        if let Some(load) = self.load(profile) {
            first.insert(0, copying(image));
            made["spec"]["volumes"] = json!([{"name": SHARED, "emptyDir": {}}]);
            if let Some(class) = load.runtime_class {
                made["spec"]["runtimeClassName"] = class.into();
            }
        }
        let of_templates = self
            .classes()
            .map(|(name, ..)| json!({"name": name, "resourceClaimTemplateName": format!("{pod}-{name}")}));
        let borrowed = all().filter_map(|container| {
            Some(json!({"name": container.name, "resourceClaimName": container.borrows?}))
        });
        let claims: Vec<Value> = of_templates.chain(borrowed).collect();
        // An API server drops what is empty; then it would not come back as it was sent.
        for (field, values) in [("initContainers", first), ("resourceClaims", claims)] {
            if !values.is_empty() {
                made["spec"][field] = json!(values);
            }
        }
        made
    }

    fn container(&self, container: &Container<'_>, image: &str, load: Option<Load>) -> Value {
        let port = self.port(container.name);
        let mut environment: Vec<Value> =
            container.environment.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut object = restricted(container.name, load.as_ref().map_or(image, |load| &load.image));
        let (cpu, memory) = if load.is_some() { (LOAD_CPU, LOAD_MEMORY) } else { (CPU, MEMORY) };
        if let Some(load) = load {
            object["command"] = json!([format!("{FOLDER}/aiconform-probe")]);
            object["volumeMounts"] = json!([{"name": SHARED, "mountPath": FOLDER}]);
            environment.push(json!({"name": LOAD_COMMAND, "value": json!(load.command).to_string()}));
        }
        object["args"] = json!(["serve", port.to_string()]);
        // Ready at once, and not unready as soon as its node is busy for some seconds: what it did then would be unknown.
        object["readinessProbe"] = json!({"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 1,
            "timeoutSeconds": 5, "failureThreshold": 12});
        object["resources"] = json!({"requests": {"cpu": cpu, "memory": memory}});
        match container.devices {
            Some((Way::Resource(resource), count)) => {
                object["resources"]["limits"] = json!({resource: count.to_string()});
            }
            Some((Way::Class(_), _)) => {
                object["resources"]["claims"] = json!([{"name": container.name}]);
            }
            None => {}
        }
        if container.borrows.is_some() {
            object["resources"]["claims"] = json!([{"name": container.name}]);
        }
        if container.makes_nodes {
            let security = &mut object["securityContext"];
            security["capabilities"]["add"] = json!(["MKNOD"]);
            security["runAsNonRoot"] = json!(false);
            // Only root's capabilities are in force from the start.
            security["runAsUser"] = json!(0);
            // A folder that every container has, and in which device nodes count.
            environment.push(json!({"name": "PROBE_SCRATCH", "value": "/dev"}));
        }
        if container.is_first {
            object["restartPolicy"] = json!("Always");
        }
        object["env"] = json!(environment);
        object
    }
}

/// CPU and memory of a container with a load: on a busy node it is to keep its device busy all the same, and the library of a
/// driver takes a part of the host's memory.
const LOAD_CPU: &str = "100m";
const LOAD_MEMORY: &str = "256Mi";
/// Volume by which the probe comes into a container of another image, and the folder where it lies there.
const SHARED: &str = "probe";
const FOLDER: &str = "/aiconform";

/// The container that copies the probe there, before the others start.
fn copying(image: &str) -> Value {
    let mut object = restricted("copy-probe", image);
    object["args"] = json!(["copy", FOLDER]);
    object["resources"] = json!({"requests": {"cpu": CPU, "memory": MEMORY}});
    object["volumeMounts"] = json!([{"name": SHARED, "mountPath": FOLDER}]);
    object
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
        let profile = Profile::default();
        assert_eq!(pod.lone(&profile, "p")["spec"]["activeDeadlineSeconds"], DEADLINE);
        let (made, lone) = (pod.of_profile(&profile, "p"), pod.lone(&profile, "p"));
        assert_eq!(made["spec"]["activeDeadlineSeconds"], Value::Null);
        assert_eq!(made["spec"]["containers"], lone["spec"]["containers"]);
        let tolerated = made["spec"]["tolerations"].as_array().unwrap();
        let keys: Vec<&str> = tolerated.iter().filter_map(|toleration| toleration["key"].as_str()).collect();
        assert_eq!(keys, ["x.com/gpu", "nvidia.com/gpu"]);
    }

    #[test]
    fn devices_that_are_to_work_are_in_the_image_of_their_load_with_the_probe_copied_into_it() {
        let way = Way::Resource("nvidia.com/gpu".into());
        let pod = |container| ProbePod {
            role: "loaded",
            trial: "a",
            nodes: &[],
            containers: vec![container],
            restarts: false,
        };
        let text = "probe_image = \"p\"\n[load.nvidia]\nimage = \"l\"\nruntime_class = \"nvidia\"";
        let profile = Profile::parse(text, "p.toml").unwrap();
        let made = pod(Container::working(&way, 1)).lone(&profile, "p");
        let (first, main) = (&made["spec"]["initContainers"][0], &made["spec"]["containers"][0]);
        assert_eq!((&first["image"], &first["args"]), (&json!("p"), &json!(["copy", "/aiconform"])));
        assert_eq!((&main["image"], &main["command"]), (&json!("l"), &json!(["/aiconform/aiconform-probe"])));
        assert_eq!(main["env"][0]["value"], "[\"/aiconform-load-nvidia\"]");
        assert_eq!(made["spec"]["runtimeClassName"], "nvidia");
        assert_eq!(made["spec"]["volumes"][0]["name"], main["volumeMounts"][0]["name"]);
        assert_eq!(first["volumeMounts"], main["volumeMounts"]);

        // Devices that stay idle need no load.
        let idle = pod(Container::with(&way, 1)).lone(&profile, "p");
        assert_eq!((&idle["spec"]["volumes"], &idle["spec"]["initContainers"]), (&Value::Null, &Value::Null));
        assert_eq!(idle["spec"]["runtimeClassName"], Value::Null);
        assert_eq!(idle["spec"]["containers"][0]["image"], "p");
    }
}
