//! Where a subject acts: its namespace, its node, what a slot is.

use super::devices;
use super::means::Means;
use super::template::Template;
use crate::adapters::{Adapter, Can};
use crate::limits::BIND;
use crate::reading::Reading;
use aiconform_check::cx::{Cx, Stop};
use aiconform_check::fence::{Fence, gated};
use aiconform_cluster::Scratch;
use aiconform_model::Kind;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Ground that all subjects share.
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
    /// Means of which a slot is made.
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
    /// Context that the check was given.
    pub cx: &'a Cx,
    /// Ground that all subjects share.
    pub ground: &'a Ground,
    /// Adapter by which the product expresses a gang.
    pub adapter: &'static dyn Adapter,
    /// The subject's namespace.
    pub scratch: Arc<Scratch>,
    /// Facts of the subject.
    pub facts: Value,
    /// Way in which the product's objects are read.
    pub reading: Reading,
    fence: Fence,
}

impl<'a> Stage<'a> {
    /// Watches what the product makes in a namespace of the subject, waits until pods are admitted there, or refused for what
    /// they are, and makes the pod whose changes close windows.
    ///
    /// # Errors
    /// When the cluster refuses a watch or a pod.
    pub async fn open(
        cx: &'a Cx,
        ground: &'a Ground,
        adapter: &'static dyn Adapter,
        scratch: Arc<Scratch>,
        facts: Value,
    ) -> Result<Stage<'a>, Stop> {
        for kind in adapter.kinds(&facts) {
            let selector = ("labelSelector", "");
            cx.session.mirror().watch(cx.session.api(), &kind, scratch.namespace(), selector).await?;
        }
        let reading = Reading::of(adapter.id(), adapter.signs());
        let fence = Fence::new(scratch.clone());
        let mut stage = Stage { cx, ground, adapter, scratch, facts, reading, fence };
        let template = stage.template("preflight", "single", &stage.resources("preflight").0);
        let (kind, single) = adapter.single(&stage.scratch.named("preflight"), &template)?;
        stage.scratch.settle(&kind, single, cx.limit(&BIND).time).await?;
        let template = stage.template("fence", "fence", &stage.resources("fence").0);
        let pod = gated(template.single(stage.fence.name()));
        stage.fence.make(&Kind::pod(), pod).await?;
        Ok(stage)
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

    /// Tells whether the product can do something.
    pub fn can(&self, what: Can) -> bool {
        self.adapter.can(&self.facts).contains(&what)
    }

    /// Closes a window: a write of ours to a pod has come back on the watch, so that everything before it has been seen.
    pub async fn fence(&self) -> Result<(), Stop> {
        self.fence.close(self.cx.limit(&BIND).time).await
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
