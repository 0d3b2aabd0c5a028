//! Breaking a lab that stands, and healing it again. What is done stands in the table of breakages; how, here.

use crate::actor::Actor;
use crate::breakage::{Breakage, Change, Mechanism, Patch, Policy, Probe};
use crate::bringing::{self, until};
use crate::error::LabError;
use crate::node::{self, Node};
use crate::part::Part;
use crate::prometheus;
use crate::relay::{self, Weather};
use crate::running::Running;
use crate::runtime;
use crate::state::Status;
use crate::tools::{Tools, apply};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest time until a breakage is in force, or no longer.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest time until a node that was lost is ready again.
const RETURN: Duration = Duration::from_secs(90);
/// Longest time until nothing is left of what a part did while it was broken.
const LEFTOVERS: Duration = Duration::from_secs(180);

/// A lab from the inside: what is known of it, its tools, and what runs in it.
pub struct Inside {
    /// Facts that are known of it.
    pub lab: Status,
    /// Its tools.
    pub tools: Tools,
    /// Components that run in it.
    pub running: Running,
}

impl Inside {
    /// Breaks the lab in these ways too, and waits until each is in force.
    ///
    /// # Errors
    /// When something is refused, or one does not come into force.
    pub async fn break_it(&mut self, breakages: &[Breakage]) -> Result<(), LabError> {
        for breakage in breakages {
            if !self.lab.breakages.contains(breakage) {
                self.lab.breakages.push(*breakage);
            }
        }
        // Written down before anything is done, so that it can be healed whatever happens.
        self.write()?;
        // What is changed of a part's settings brings back what is taken from the part: that is done after.
        let live = self.live();
        for settings in [true, false] {
            for (breakage, mechanism) in &live {
                if mechanism.part(*breakage).is_some() == settings {
                    self.make(*breakage, mechanism).await?;
                }
            }
        }
        for breakage in breakages {
            if let Some(probe) = breakage.probe() {
                self.asked(*breakage, probe, true).await?;
            }
        }
        Ok(())
    }

    /// Heals all that is not of the lab's birth, and waits until what was replaced is ready and no breakage is in force any
    /// more.
    ///
    /// # Errors
    /// When something stays.
    pub async fn heal(&mut self) -> Result<(), LabError> {
        let live = self.live();
        let healed: Vec<Breakage> =
            self.lab.breakages.iter().copied().filter(|breakage| !breakage.is_of_birth()).collect();
        let broken = std::mem::take(&mut self.lab.breakages);
        self.lab.breakages = broken.iter().copied().filter(|breakage| breakage.is_of_birth()).collect();
        let done = self.undo(&healed, &live).await;
        if done.is_err() {
            // As it was written down: it can be tried again.
            self.lab.breakages = broken;
            return done;
        }
        self.write()
    }

    async fn undo(
        &mut self,
        healed: &[Breakage],
        live: &[(Breakage, &'static Mechanism)],
    ) -> Result<(), LabError> {
        let mut parts: BTreeSet<Part> = BTreeSet::new();
        for (breakage, mechanism) in live.iter().rev() {
            self.unmake(*breakage, mechanism).await?;
            parts.extend(mechanism.part(*breakage));
            parts.extend(mechanism.taken_from(*breakage));
        }
        for part in &parts {
            bringing::kinds(*part, &self.lab, &self.tools).await?;
            bringing::begin(*part, &self.lab, &self.tools).await?;
            if live.iter().any(|(_, mechanism)| matches!(mechanism, Mechanism::KueueQuotas)) {
                self.restart(*part).await?;
            }
            bringing::again(*part, &self.lab, &self.tools).await?;
        }
        for (_, mechanism) in live {
            if let Mechanism::Prometheus(fault) = mechanism {
                self.operated(*fault, false).await?;
            }
        }
        if healed.iter().any(|breakage| breakage.mechanisms().contains(&Mechanism::NotRun("kube-scheduler")))
        {
            self.schedules().await?;
        }
        for part in healed.iter().filter_map(|breakage| breakage.part()).collect::<BTreeSet<_>>() {
            self.is_as_new(part).await?;
        }
        for breakage in healed {
            if let Some(probe) = breakage.probe() {
                self.asked(*breakage, probe, false).await?;
            }
        }
        Ok(())
    }

    /// Breakages whose mechanisms can be done and undone while the lab stands.
    fn live(&self) -> Vec<(Breakage, &'static Mechanism)> {
        let live = self.lab.breakages.iter().filter(|breakage| !breakage.is_of_birth());
        live.flat_map(|breakage| breakage.mechanisms().iter().map(|mechanism| (*breakage, mechanism)))
            .collect()
    }

    /// Writes down what is broken; what else stands in the file is others'.
    fn write(&self) -> Result<(), LabError> {
        let mut status = Status::read(&self.lab.state)?.unwrap_or_else(|| self.lab.clone());
        status.breakages.clone_from(&self.lab.breakages);
        status.write()
    }

    async fn make(&mut self, breakage: Breakage, mechanism: &Mechanism) -> Result<(), LabError> {
        let tools = &self.tools;
        match mechanism {
            Mechanism::Flags(flags) => {
                for name in ["kube-controller-manager", "kube-scheduler"] {
                    if flags.are_of(name) && self.running.has(name) {
                        self.running.stop(name).await?;
                        self.running.serve(&self.lab, name).await?;
                    }
                }
                Ok(())
            }
            Mechanism::NotRun(name) => self.running.stop(name).await,
            Mechanism::NodeLost => self.lose_node().await,
            Mechanism::Weather(weather) => relay::change(&self.lab.state, *weather).await,
            // By the lab's first process, as long as it is so.
            Mechanism::ApiServerRestarts => Ok(()),
            Mechanism::Runs(actor) => {
                let actor = serde_json::to_string(actor)
                    .map_err(|error| LabError::State(self.lab.state.clone(), error))?;
                self.running.play(&self.lab, breakage.name(), actor)
            }
            Mechanism::Stopped(part) => {
                let row = part.row();
                tools.kubectl(&[&["scale", "--replicas=0"], row.workload].concat()).await?;
                let namespace = &row.workload[..2];
                let gone = ["wait", "--for=delete", "pod", "-l", row.pods, "--timeout=60s"];
                tools.kubectl(&[namespace, &gone].concat()).await.map(drop)
            }
            Mechanism::Absent(object) => delete(tools, object).await,
            Mechanism::Present(object) => apply(tools, object).await,
            Mechanism::Patched(patch) => patched(tools, patch).await,
            Mechanism::WithoutRight { role, to } => without_right(tools, role, to).await,
            Mechanism::Policy(policy) => apply(tools, &manifest(policy).to_string()).await,
            Mechanism::NamesTaken => take_names(tools).await,
            Mechanism::Runtime(..) => {
                self.lab.nodes.iter().try_for_each(|node| runtime::point(&self.lab, node))
            }
            Mechanism::KueueQuotas
            | Mechanism::Prometheus(_)
            | Mechanism::MetricsAdapter(_)
            | Mechanism::Simulator(_) => {
                let Some(part) = mechanism.part(breakage) else { return Ok(()) };
                bringing::begin(part, &self.lab, tools).await?;
                if let Mechanism::Prometheus(fault) = mechanism {
                    if *fault == prometheus::Fault::FindsNothing {
                        delete(tools, &["clusterrolebinding", "prometheus"]).await?;
                    }
                    self.operated(*fault, true).await?;
                }
                if *mechanism == Mechanism::KueueQuotas {
                    self.restart(part).await?;
                }
                bringing::again(part, &self.lab, &self.tools).await
            }
        }
    }

    async fn unmake(&mut self, breakage: Breakage, mechanism: &Mechanism) -> Result<(), LabError> {
        let tools = &self.tools;
        match mechanism {
            // The lab's breakages are others by now, and so are the flags.
            Mechanism::Flags(_) => self.make(breakage, mechanism).await,
            Mechanism::NotRun(name) => self.running.serve(&self.lab, name).await,
            Mechanism::NodeLost => self.bring_node_back().await,
            Mechanism::Weather(_) => relay::change(&self.lab.state, Weather::Fine).await,
            Mechanism::ApiServerRestarts => Ok(()),
            Mechanism::Runs(actor) => {
                self.running.stop(breakage.name()).await?;
                self.clean_up_after(*actor).await
            }
            Mechanism::Stopped(part) => {
                tools.kubectl(&[&["scale", "--replicas=1"], part.row().workload].concat()).await?;
                bringing::again(*part, &self.lab, tools).await
            }
            Mechanism::Present(object) => {
                let arguments = ["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"];
                tools.kubectl_with(&arguments, object).await.map(drop)
            }
            Mechanism::Patched(Patch { object, back, .. }) if !back.is_empty() => {
                let arguments = [&["patch"], *object, &["--type=merge", "--patch", back]].concat();
                tools.kubectl(&arguments).await.map(drop)
            }
            Mechanism::Policy(policy) => {
                let arguments = ["delete", "--ignore-not-found", "-f", "-"];
                tools.kubectl_with(&arguments, &manifest(policy).to_string()).await.map(drop)
            }
            Mechanism::NamesTaken => {
                delete(tools, &["crd", "otherclusters.ray.io", "rayclusters.ray.io"]).await
            }
            Mechanism::Runtime(..) => {
                self.lab.nodes.iter().try_for_each(|node| runtime::point(&self.lab, node))
            }
            // The part's manifests say how it is to be, and are applied once all is undone.
            Mechanism::Patched(_)
            | Mechanism::Absent(_)
            | Mechanism::WithoutRight { .. }
            | Mechanism::KueueQuotas
            | Mechanism::Prometheus(_)
            | Mechanism::MetricsAdapter(_)
            | Mechanism::Simulator(_) => Ok(()),
        }
    }

    /// Tells whether the API server is to be killed and started again from time to time.
    pub fn restarts_api_server(&self) -> bool {
        self.lab.mechanisms().any(|mechanism| *mechanism == Mechanism::ApiServerRestarts)
    }

    /// Kills the API server, and waits until the next one takes connections.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn restart_api_server(&mut self) -> Result<(), LabError> {
        self.running.stop("kube-apiserver").await?;
        self.running.serve(&self.lab, "kube-apiserver").await
    }

    /// The last node; the first, on which the control plane is, is never lost.
    fn last_node(&self) -> Result<Node, LabError> {
        let last = self.lab.nodes.last().filter(|node| node.number > 0).cloned();
        last.ok_or_else(|| LabError::Refused("the lab has one node alone, which is not to be lost".into()))
    }

    /// Ends the last node as a machine ends that loses its power, and waits until that is known.
    async fn lose_node(&mut self) -> Result<(), LabError> {
        let node = self.last_node()?;
        self.running.stop(&node.name()).await?;
        // The controller that watches nodes takes 50 s.
        let name = format!("node/{}", node.name());
        let known = ["wait", "--for=condition=Ready=Unknown", &name, "--timeout=120s"];
        self.tools.kubectl(&known).await.map(drop)
    }

    /// Starts the last node again, on the disk that it had, and waits until it is ready.
    async fn bring_node_back(&mut self) -> Result<(), LabError> {
        let node = self.last_node()?;
        if self.running.has(&node.name()) {
            return Ok(());
        }
        let mut component = node::process::begin(&self.lab, &node).await?;
        component.ready(RETURN, || node::are_ready(&self.lab, &self.tools)).await?;
        self.running.push(component);
        Ok(())
    }

    /// Undoes what an actor has done to objects that outlive it.
    async fn clean_up_after(&self, actor: Actor) -> Result<(), LabError> {
        let tools = &self.tools;
        match actor {
            Actor::HoldsQueues => {
                let queues = tools.kubectl(&["get", "clusterqueues", "-o", "name"]).await?;
                for queue in String::from_utf8_lossy(&queues).lines() {
                    let free = r#"{"spec":{"stopPolicy":"None"}}"#;
                    tools.kubectl(&["patch", queue, "--type=merge", "--patch", free]).await?;
                }
                Ok(())
            }
            Actor::Buyer(_) => {
                let by_hand = ["delete", "nodes", "--ignore-not-found", "-l", crate::buyer::BY_HAND];
                tools.kubectl(&by_hand).await.map(drop)
            }
            Actor::DeniesNetwork(_) => {
                let policies = ["delete", "networkpolicies", "--all-namespaces", "-l", crate::actor::DENIED];
                tools.kubectl(&policies).await.map(drop)
            }
            Actor::Scheduler(_)
            | Actor::Autoscaler(_)
            | Actor::Gateway(_)
            | Actor::SendsRequests
            | Actor::TakesRights => Ok(()),
        }
    }

    /// Does to the Prometheus that prometheus-operator runs, where there is one, what is done to the lab's.
    async fn operated(&self, fault: prometheus::Fault, broken: bool) -> Result<(), LabError> {
        let operator = Part::of("prometheus-operator");
        if !self.lab.parts.contains(&operator) {
            return Ok(());
        }
        let tools = &self.tools;
        let namespace = ["-n", "prometheus-operator"];
        if !broken {
            bringing::begin(operator, &self.lab, tools).await?;
        }
        if fault == prometheus::Fault::FindsNothing {
            if broken {
                delete(tools, &["clusterrolebinding", "operated-prometheus"]).await?;
            }
            // What it watches already it would go on watching.
            let pods = ["delete", "pod", "-l", "app.kubernetes.io/name=prometheus", "--timeout=60s"];
            tools.kubectl(&[&namespace[..], &pods].concat()).await?;
        }
        if let Some(class) = prometheus::scrape_class(fault) {
            let classes = if broken { json!([class]) } else { Value::Null };
            let patch = json!({"spec": {"scrapeClasses": classes}}).to_string();
            let which = ["patch", "prometheuses.monitoring.coreos.com", "lab", "--type=merge", "--patch"];
            tools.kubectl(&[&namespace[..], &which, &[&patch]].concat()).await?;
        }
        let rollout = ["rollout", "status", "--timeout=120s", "statefulset/prometheus-lab"];
        tools.kubectl(&[&rollout[..], &namespace].concat()).await?;
        bringing::ready(operator, &self.lab, tools).await
    }

    /// Makes the pods of a part again, which read their settings when they start.
    async fn restart(&self, part: Part) -> Result<(), LabError> {
        self.tools.kubectl(&[&["rollout", "restart"], part.row().workload].concat()).await.map(drop)
    }

    /// Waits until the scheduler says of a pod that there is no place for it.
    async fn schedules(&self) -> Result<(), LabError> {
        let tools = &self.tools;
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "lab-probe", "namespace": "default"},
            "spec": {"nodeSelector": {"lab.aiconform.dev/nowhere": "true"},
                "containers": [{"name": "probe", "image": "probe"}]}})
        .to_string();
        tools.kubectl_with(&["create", "-f", "-"], &pod).await?;
        let refused = ["wait", "--for=condition=PodScheduled=false", "pod/lab-probe", "--timeout=60s"];
        let said = tools.kubectl(&refused).await;
        delete(tools, &["pod", "lab-probe", "--grace-period=0", "--force"]).await?;
        said.map(drop)
    }

    /// Waits until nothing is left of what a part did while it was broken.
    async fn is_as_new(&self, part: Part) -> Result<(), LabError> {
        let asked = part.row().leftovers;
        if asked.is_empty() {
            return Ok(());
        }
        let nothing = |said: &Result<String, String>| said.as_ref().is_ok_and(String::is_empty);
        until(&self.tools, asked, "", LEFTOVERS, nothing).await.map_err(|last| LabError::Component {
            component: part.name().into(),
            what: format!("has left something for {} s: {last}", LEFTOVERS.as_secs()),
            log: "  (it is healed, and this stays)".into(),
        })
    }

    /// Waits until a breakage is in force, or no longer.
    async fn asked(&self, breakage: Breakage, probe: &Probe, in_force: bool) -> Result<(), LabError> {
        let served = self.lab.kubernetes.gangs().map_or("", |(_, served)| served);
        let gangs = served.trim_start_matches("--runtime-config=").trim_end_matches("=true");
        let input = probe.input.replace("{gangs}", gangs);
        let as_wanted = |said: &Result<String, String>| probe.seen.is(said) == in_force;
        until(&self.tools, probe.asks, &input, LIMIT, as_wanted).await.map_err(|last| {
            let wanted = if in_force { "did not act" } else { "still acted" };
            let when = if in_force { "within" } else { "when it was healed for" };
            LabError::Component {
                component: breakage.name().into(),
                what: format!("{wanted} {when} {} s (last seen: {last:?})", LIMIT.as_secs()),
                log: "  (it has none)".into(),
            }
        })
    }
}

impl Mechanism {
    /// Part whose settings it changes.
    fn part(&self, breakage: Breakage) -> Option<Part> {
        match self {
            Mechanism::KueueQuotas
            | Mechanism::Prometheus(_)
            | Mechanism::MetricsAdapter(_)
            | Mechanism::Simulator(_) => breakage.part(),
            _ => None,
        }
    }

    /// Part whose objects it changes, which its manifests bring back.
    fn taken_from(&self, breakage: Breakage) -> Option<Part> {
        match self {
            Mechanism::Absent(_)
            | Mechanism::Patched(_)
            | Mechanism::WithoutRight { .. }
            | Mechanism::NamesTaken
            | Mechanism::Runs(Actor::TakesRights) => breakage.part(),
            _ => None,
        }
    }
}

async fn delete(tools: &Tools, object: &[&str]) -> Result<(), LabError> {
    let arguments = [&["delete", "--ignore-not-found", "--timeout=60s"], object].concat();
    tools.kubectl(&arguments).await.map(drop)
}

async fn patched(tools: &Tools, patch: &Patch) -> Result<(), LabError> {
    let kind = format!("--type={}", patch.kind);
    let arguments = [&["patch"], patch.object, &[&kind, "--patch", patch.patch]].concat();
    tools.kubectl(&arguments).await.map(drop)
}

async fn without_right(tools: &Tools, role: &str, to: &str) -> Result<(), LabError> {
    let answer = tools.kubectl(&["get", "clusterrole", role, "-o", "json"]).await?;
    let mut object: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if let Some(rules) = object["rules"].as_array_mut() {
        rules.retain(|rule| !rule["resources"].to_string().contains(to));
    }
    let patch = json!({"rules": object["rules"]}).to_string();
    tools.kubectl(&["patch", "clusterrole", role, "--type=merge", "--patch", &patch]).await.map(drop)
}

/// The definition of RayClusters comes after another that has taken its names.
async fn take_names(tools: &Tools) -> Result<(), LabError> {
    let name = "rayclusters.ray.io";
    let definition = tools.kubectl(&["get", "crd", name, "-o", "json"]).await?;
    let mut definition: Value = serde_json::from_slice(&definition).unwrap_or_default();
    definition["metadata"] = json!({"name": name});
    if let Some(definition) = definition.as_object_mut() {
        definition.remove("status");
    }
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let other = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "otherclusters.ray.io"}, "spec": {"group": "ray.io", "scope": "Namespaced",
            "names": {"plural": "otherclusters", "kind": "RayCluster", "listKind": "RayClusterList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}});
    delete(tools, &["crd", name]).await?;
    apply(tools, &other.to_string()).await?;
    let served = ["wait", "--for=condition=Established", "--timeout=60s", "crd/otherclusters.ray.io"];
    tools.kubectl(&served).await?;
    apply(tools, &definition.to_string()).await
}

/// A policy and its binding.
fn manifest(policy: &Policy) -> Value {
    let rule = json!({"apiGroups": [policy.group], "apiVersions": ["*"], "operations": policy.operations,
        "resources": [policy.resource]});
    let name = policy.name;
    let (kind, own, binding) = match policy.does {
        Change::Denies(unless, message) => (
            "ValidatingAdmissionPolicy",
            json!({"validations": [{"expression": unless, "message": message}]}),
            json!({"validationActions": ["Deny"]}),
        ),
        Change::Applies(expression) => {
            let change = json!({"patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": expression}});
            ("MutatingAdmissionPolicy", mutations(&change), json!({}))
        }
        // Configuration that is applied takes nothing away.
        Change::Puts(path, value) => {
            let expression = format!("[JSONPatch{{op: \"add\", path: \"{path}\", value: {value}}}]");
            let change = json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}});
            ("MutatingAdmissionPolicy", mutations(&change), json!({}))
        }
    };
    let mut items = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [rule]}}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": format!("{kind}Binding"),
            "metadata": {"name": name}, "spec": {"policyName": name}}]});
    for (place, fields) in [own, binding].into_iter().enumerate() {
        for (key, value) in fields.as_object().into_iter().flatten() {
            items["items"][place]["spec"][key] = value.clone();
        }
    }
    items
}

fn mutations(change: &Value) -> Value {
    json!({"reinvocationPolicy": "Never", "mutations": [change]})
}
