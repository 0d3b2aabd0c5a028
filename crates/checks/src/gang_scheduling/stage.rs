//! Where a subject acts: its namespace, its node, what a slot is.

use super::adapters::{Adapter, Can, Reading};
use super::arena::BIND;
use super::devices;
use super::means::Means;
use super::template::Template;
use crate::cx::{Cx, Stop};
use aiconform_cluster::Scratch;
use aiconform_model::{Bin, Kind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// What all subjects share.
pub struct Ground {
    /// Node that carries the slots.
    pub node: String,
    /// Other nodes that carry some of them where it matters that they are several; they may be fake.
    pub others: Vec<String>,
    /// All fake nodes, where a trial takes them.
    pub fakes: Vec<String>,
    /// Image of test pods.
    pub image: String,
    /// PriorityClass of test pods.
    pub priority_class: String,
    /// PriorityClass of those that may evict the others; empty where there is none.
    pub higher_class: String,
    /// What a slot is.
    pub means: Means,
    /// Free pods of the node: trials run side by side as far as it holds all their pods; where slots are CPU, one
    /// trial has the node to itself.
    pub budget: Semaphore,
}

/// Kinds of what is created in a subject's namespace.
pub fn created(ground: &Ground, adapter: &dyn Adapter, facts: &Value) -> Vec<Kind> {
    let mut kinds = [adapter.kinds(facts), adapter.creates(), vec![Kind::pod()]].concat();
    if ground.means == Means::Devices {
        kinds.push(devices::claim_template());
    }
    kinds
}

/// Where one subject acts.
pub struct Stage<'a> {
    pub cx: &'a Cx,
    pub ground: &'a Ground,
    pub adapter: &'static dyn Adapter,
    pub scratch: Arc<Scratch>,
    /// What detection found of the subject.
    pub facts: Value,
    pub reading: Reading,
    fences: AtomicU64,
}

impl<'a> Stage<'a> {
    pub fn new(
        cx: &'a Cx,
        ground: &'a Ground,
        adapter: &'static dyn Adapter,
        scratch: Arc<Scratch>,
        facts: Value,
    ) -> Self {
        let reading = Reading::of(adapter.id(), &facts);
        Stage { cx, ground, adapter, scratch, facts, reading, fences: AtomicU64::new(0) }
    }

    /// Names of what the slots of a trial are made of, and of its canaries' resource.
    pub fn resources(&self, trial: &str) -> (String, String) {
        let id = self.cx.session.id();
        let subject = self.adapter.id().replace('/', "-");
        (
            self.ground.means.resource(&format!("slots.aiconform.dev/{id}-{subject}-{trial}")),
            format!("slots.aiconform.dev/{id}-{subject}-{trial}-canary"),
        )
    }

    /// Watches what the product makes in the subject's namespace.
    pub async fn watch(&self) -> Result<(), Stop> {
        let session = &self.cx.session;
        for kind in self.adapter.kinds(&self.facts) {
            let selector = ("labelSelector", "");
            session.mirror().watch(session.api(), &kind, self.scratch.namespace(), selector).await?;
        }
        Ok(())
    }

    /// Whether the product can do something.
    pub fn can(&self, what: Can) -> bool {
        self.adapter.can(&self.facts).contains(&what)
    }

    /// Waits until pods are admitted in the subject's namespace, or refused for what they are.
    pub async fn settle(&self) -> Result<(), Stop> {
        let template = self.template("preflight", "single", &self.resources("preflight").0);
        let (kind, single) = self.adapter.single(&self.scratch.named("preflight"), &template)?;
        self.scratch.settle(&kind, single, BIND).await?;
        Ok(())
    }

    /// The pod whose changes close windows: never scheduled, because it is gated.
    pub async fn make_fence(&self) -> Result<(), Stop> {
        let mut template = self.template("fence", "fence", &self.resources("fence").0);
        template.role = "fence";
        let mut pod = template.single(&self.fence_name());
        pod["spec"]["schedulingGates"] = json!([{"name": "aiconform.dev/fence"}]);
        self.scratch.create(&Kind::pod(), pod).await?;
        Ok(())
    }

    fn fence_name(&self) -> String {
        self.scratch.named("fence")
    }

    /// A write of ours to a pod that has come back on the watch: everything before it has been seen.
    pub async fn fence(&self) -> Result<(), Stop> {
        let number = self.fences.fetch_add(1, Ordering::Relaxed).to_string();
        let key = format!("aiconform.dev/fence-{number}");
        let patch = json!({"metadata": {"annotations": {&key: "up"}}});
        self.scratch.merge(&Kind::pod(), &self.fence_name(), &patch).await?;
        self.scratch
            .until("a write of ours to come back on the watch", Bin::Ours, BIND, || {
                match self.scratch.get(&Kind::pod(), &self.fence_name()) {
                    Some(pod) if pod.annotation(&key) == "up" => Ok(()),
                    _ => Err("not yet".into()),
                }
            })
            .await?;
        Ok(())
    }

    /// The pod of a trial.
    pub fn template(&self, trial: &str, role: &'static str, resource: &str) -> Template {
        Template {
            run: self.cx.session.id().into(),
            trial: trial.into(),
            prefix: self.scratch.prefix().into(),
            role,
            resource: resource.into(),
            amount: 1,
            means: self.ground.means,
            nodes: vec![self.ground.node.clone()],
            image: self.ground.image.clone(),
            priority_class: self.ground.priority_class.clone(),
            runs: false,
            profile: self.cx.profile.clone(),
            facts: self.facts.clone(),
        }
    }
}
