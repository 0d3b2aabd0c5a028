//! The slots of a trial: on one node or on many, and whatever they are made of.

use super::Arena;
use crate::acts::devices;
use crate::acts::means::Means;
use crate::acts::template::{FAKE, GANG, ROLE};
use crate::acts::trials::{CANARIES, spread};
use crate::limits::BIND;
use aiconform_check::cx::Stop;
use aiconform_model::Kind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Arena<'_> {
    /// Publishes the slots and the canaries' where they are devices.
    pub(super) async fn publish_devices(&self) -> Result<(), Stop> {
        let (cx, ground) = (self.stage.cx, self.stage.ground);
        if ground.means != Means::Devices {
            return Ok(());
        }
        let resources = [(self.resource.as_str(), self.most()), (self.canary.as_str(), CANARIES)];
        for (kind, object) in devices::published(cx.session.id(), &ground.node, &resources) {
            cx.session.create_cluster_wide(self.stage.scratch.scope(), &kind, object).await?;
        }
        Ok(())
    }

    /// Templates that pods of this trial name to get their devices, where slots are devices.
    pub(super) fn claim_templates(&self) -> Vec<(Kind, Value)> {
        if self.stage.ground.means != Means::Devices {
            return Vec::new();
        }
        let prefix = self.stage.scratch.prefix();
        let amounts: BTreeSet<u64> = self.steps.windows(2).map(|step| step[1] - step[0]).chain([1]).collect();
        let slots = amounts.into_iter().map(|amount| (false, &self.resource, amount));
        slots
            .chain([(true, &self.canary, 1)])
            .map(|(canary, resource, amount)| {
                let name = devices::template_name(prefix, &self.trial, canary, amount);
                devices::claimed(&name, resource, amount)
            })
            .collect()
    }

    /// Most slots that there are at any time.
    fn most(&self) -> u64 {
        self.steps.last().copied().unwrap_or_default()
    }

    /// Takes ballast into the slots that are not free at the start, and into the CPU that a trial is not
    /// about. A slot that is put on a node while pods wait for it is seen by the scheduler and by the kubelet in their
    /// own time, and a kubelet that is behind turns the pod away that was bound to it; of a pod that goes both learn in
    /// the order in which it happens.
    pub(super) async fn take_ballast(&self) -> Result<(), Stop> {
        let ground = self.stage.ground;
        if !ground.means.can_be_held() {
            return Ok(());
        }
        let mut pods: Vec<(Kind, Value)> = self
            .steps
            .windows(2)
            .map(|step| self.ballast(&step[0].to_string(), step[1] - step[0], &ground.node))
            .collect();
        if let Some(cpu) = ground.means.ballast(self.most()) {
            let (kind, mut pod) = self.ballast("others", 1, &ground.node);
            pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!(format!("{cpu}m"));
            pods.push((kind, pod));
        }
        self.bind_ballast(pods).await
    }

    /// Takes one slot of another node, until [`Arena::free_slot_of`].
    pub async fn take_slot_of(&self, node: &str) -> Result<(), Stop> {
        self.bind_ballast(vec![self.ballast("elsewhere", 1, node)]).await
    }

    fn ballast(&self, suffix: &str, slots: u64, node: &str) -> (Kind, Value) {
        let mut template = self.stage.template(&self.trial, "ballast", &self.resource);
        template.amount = slots;
        template.nodes = vec![node.to_owned()];
        template.profile.tolerations.push(json!({"key": FAKE, "operator": "Exists"}));
        (Kind::pod(), template.single(&self.name(&format!("ballast-{suffix}"))))
    }

    async fn bind_ballast(&self, pods: Vec<(Kind, Value)>) -> Result<(), Stop> {
        self.create(&pods).await?;
        let names: Vec<&str> =
            pods.iter().map(|(_, pod)| pod["metadata"]["name"].as_str().unwrap_or_default()).collect();
        let wanted = u64::try_from(names.len()).unwrap_or(u64::MAX);
        let bound = self.bound(&names, wanted, self.time(&BIND), "the ballast to be bound").await;
        // It is pods of no gang on free slots: where they are not bound, nothing else could be judged.
        bound.map(drop).map_err(|late| Stop::NoControl(late.to_string()))
    }

    /// Frees slots up to this step of the trial, and no quota.
    pub async fn free_slots(&self, slots: u64) -> Result<(), Stop> {
        self.drop_ballast(|suffix| suffix.parse().is_ok_and(|from: u64| from < slots)).await?;
        self.change_node(&self.stage.ground.node, CANARIES + slots).await
    }

    /// Changes the canaries' slots of a node: a product that looks at nodes, and not at pods of others that go (as
    /// topology-aware scheduling in Kueue does), looks again. No kubelet turns a canary away for it.
    async fn change_node(&self, node: &str, canaries: u64) -> Result<(), Stop> {
        let stage = self.stage;
        if !stage.ground.means.are_private() {
            return Ok(());
        }
        let amounts = BTreeMap::from([(self.canary.clone(), canaries)]);
        Ok(stage.cx.session.set_node_resources(stage.scratch.scope(), node, &amounts).await?)
    }

    /// Frees the slot that [`Arena::take_slot_of`] took.
    pub async fn free_slot_of(&self, node: &str) -> Result<(), Stop> {
        self.drop_ballast(|suffix| suffix == "elsewhere").await?;
        self.change_node(node, CANARIES + 1).await
    }

    /// Ends a trial: what it held of the nodes beside its gangs is let go.
    pub async fn close(&self) -> Result<(), Stop> {
        self.drop_ballast(|_| true).await
    }

    async fn drop_ballast(&self, chosen: impl Fn(&str) -> bool) -> Result<(), Stop> {
        // By name: in a namespace of the platform's another subject may have ballast of a trial of the same name.
        let ours = self.name("ballast-");
        let pods: Vec<(Kind, Value)> = self.stage.scratch.all(&Kind::pod(), |pod| {
            let name = pod.name();
            (pod.label(ROLE) == "ballast" && name.strip_prefix(&ours).is_some_and(&chosen))
                .then(|| (Kind::pod(), json!({"metadata": {"name": name, "labels": {GANG: name}}})))
        });
        self.remove(&pods, &[]).await
    }

    /// Changes the slots of this trial on one of the fake nodes, whose kubelets turn nobody away.
    async fn set_slots_of(&self, node: &str, slots: u64) -> Result<(), Stop> {
        let stage = self.stage;
        let amounts = BTreeMap::from([(self.resource.clone(), slots)]);
        Ok(stage.cx.session.set_node_resources(stage.scratch.scope(), node, &amounts).await?)
    }

    /// Puts this trial's slots on the fake nodes, which had none of them.
    pub async fn spread_slots(&self, slots: u64) -> Result<(), Stop> {
        let stage = self.stage;
        let fakes = &stage.ground.fakes;
        let amounts: Vec<(&str, u64)> = fakes
            .iter()
            .map(String::as_str)
            .zip(spread(slots, fakes.len()))
            // A node that gets its first slot later is in the journal, and known to the scheduler, from the start.
            .collect();
        let session = &stage.cx.session;
        Ok(session.spread_node_resource(stage.scratch.scope(), &self.resource, &amounts).await?)
    }

    /// Puts one more of them where an even spread of `slots` has it.
    pub async fn add_last_slot(&self, slots: u64) -> Result<(), Stop> {
        let fakes = &self.stage.ground.fakes;
        let (before, after) = (spread(slots - 1, fakes.len()), spread(slots, fakes.len()));
        for (node, (before, after)) in fakes.iter().zip(before.into_iter().zip(after)) {
            if before != after {
                self.set_slots_of(node, after).await?;
            }
        }
        Ok(())
    }
}
