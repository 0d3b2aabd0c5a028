//! The slots of a trial: on one node or on many, private ones or CPU.

use super::{Arena, BIND};
use crate::cx::Stop;
use crate::gang_scheduling::means::Means;
use crate::gang_scheduling::template::{GANG, ROLE, TRIAL};
use crate::gang_scheduling::trials::spread;
use aiconform_model::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Arena<'_> {
    /// Changes the slots of this trial, and no quota.
    pub async fn set_node_slots(&self, slots: u64) -> Result<(), Stop> {
        match self.stage.ground.means {
            Means::Slots => self.set_slots_of(&self.stage.ground.node, slots).await,
            Means::Cpu { .. } => self.drop_ballast(slots).await,
        }
    }

    /// Holds the CPU that a trial is not about, and that of slots which come later.
    pub(super) async fn take_ballast(&self, slots: u64) -> Result<(), Stop> {
        let Some((base, unit)) = self.stage.ground.means.ballast(self.most) else { return Ok(()) };
        let held = std::iter::once((self.name("ballast"), base))
            .chain((slots..self.most).map(|slot| (self.name(&format!("ballast-{slot}")), unit)));
        let pods: Vec<(Kind, Value)> = held
            .filter(|(_, cpu)| *cpu > 0)
            .map(|(name, cpu)| {
                let mut pod = self.stage.template(&self.trial, "ballast", &self.resource).single(&name);
                pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!(format!("{cpu}m"));
                (Kind::pod(), pod)
            })
            .collect();
        self.create(&pods).await?;
        let names: Vec<&str> =
            pods.iter().map(|(_, pod)| pod["metadata"]["name"].as_str().unwrap_or_default()).collect();
        let wanted = u64::try_from(names.len()).unwrap_or(u64::MAX);
        self.bound(&names, wanted, BIND, "the ballast to be bound").await?;
        Ok(())
    }

    /// Lets go of the ballast but for what this number of slots leaves out.
    async fn drop_ballast(&self, slots: u64) -> Result<(), Stop> {
        let gone: Vec<String> = self.stage.scratch.all(&Kind::pod(), |pod| {
            let ours = pod.label(TRIAL) == self.trial && pod.label(ROLE) == "ballast";
            let slot = pod.name().rsplit('-').next().and_then(|slot| slot.parse::<u64>().ok());
            (ours && slot.is_some_and(|slot| slot < slots)).then(|| pod.name().to_owned())
        });
        self.remove_pods(gone).await
    }

    /// Ends a trial: what it held of the node beside its gangs is let go.
    pub async fn close(&self) -> Result<(), Stop> {
        let ballast: Vec<String> = self.stage.scratch.all(&Kind::pod(), |pod| {
            let ours = pod.label(TRIAL) == self.trial && pod.label(ROLE) == "ballast";
            ours.then(|| pod.name().to_owned())
        });
        self.remove_pods(ballast).await
    }

    async fn remove_pods(&self, names: Vec<String>) -> Result<(), Stop> {
        let pods: Vec<(Kind, Value)> = names
            .into_iter()
            .map(|name| (Kind::pod(), json!({"metadata": {"name": name, "labels": {GANG: name}}})))
            .collect();
        self.remove(&pods, &[]).await
    }

    /// Changes the slots of this trial on one of its nodes.
    pub async fn set_slots_of(&self, node: &str, slots: u64) -> Result<(), Stop> {
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
