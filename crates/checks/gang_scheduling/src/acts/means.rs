//! Means by which capacity is made: what a slot is.

use super::template::{CPU, MEMORY};
use serde_json::{Value, json};

/// Most slots of one trial, and room for what lies between two of them.
const MOST: u64 = 14;
/// A slot of CPU has at least so many thousandths of a core, and at most so many.
const UNIT: std::ops::RangeInclusive<u64> = 20..=100;
/// Thousandths of a core that a canary takes where slots are CPU; all canaries of a trial fit beside the slots.
const CANARY: u64 = 1;

/// Means of which a slot is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// One of a private extended resource in a node's status, which nobody else wants.
    Slots,
    /// Real CPU of a node, of which pods of the run's own hold all but what a trial is about.
    Cpu {
        /// A slot, in thousandths of a core.
        unit: u64,
        /// CPU that was free on the node at the start, in thousandths of a core.
        free: u64,
    },
    /// Devices that the run publishes and no driver prepares: pods that claim one are bound, and never start.
    Devices,
    /// Nothing but what a queue of the run's own lets in: no place is ever short.
    Quota,
}

impl Means {
    /// Slots of CPU on a node with so much of it free (in cores), or `None` when it is too little.
    pub fn cpu(free: f64) -> Option<Means> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "never below zero, and small"
        )]
        let free = (free.max(0.0) * 1000.0) as u64;
        let unit = (free / MOST).min(*UNIT.end());
        UNIT.contains(&unit).then_some(Means::Cpu { unit, free })
    }

    /// In words, for people.
    pub fn says(self) -> String {
        match self {
            Means::Slots => {
                "private extended resource in node status: real scheduling, no accelerator involved".into()
            }
            Means::Cpu { unit, .. } => format!(
                "CPU of one node, {unit}m a slot, the rest held by pods of the run: real scheduling, no accelerator involved"
            ),
            Means::Devices => {
                "devices of one node that the run publishes itself and no driver prepares: real scheduling, nothing that claims one starts".into()
            }
            Means::Quota => "quota of the run's own queues: admission only, no place is short".into(),
        }
    }

    /// Why a product cannot be tried with it, in words.
    pub fn cannot(self) -> String {
        let says = self.says();
        let what = says.split(':').next().unwrap_or_default();
        format!("it cannot be tried where slots are made of {what}")
    }

    /// Proofs that can be had with it at most, in words.
    pub fn proves(self) -> &'static str {
        match self {
            Means::Slots => "every claim",
            Means::Cpu { .. } => {
                "the MUST and grade G2 of every scheduler, one trial after another; nothing over several nodes, nothing of preemption"
            }
            Means::Devices => {
                "the MUST and grade G2 of schedulers that place devices; nothing over several nodes, nothing of preemption"
            }
            Means::Quota => {
                "the MUST and grade G1 of schedulers with queues of their own, and nothing of others"
            }
        }
    }

    /// Tells whether slots can be held by pods of the run until they are to be free.
    pub fn can_be_held(self) -> bool {
        self != Means::Quota
    }

    /// Tells whether slots are nobody else's, so that several nodes can have them and whoever holds one may be evicted.
    pub fn are_private(self) -> bool {
        self == Means::Slots
    }

    /// Thousandths of a core of a slot, where it is CPU.
    fn unit(self) -> Option<u64> {
        match self {
            Means::Cpu { unit, .. } => Some(unit),
            Means::Quota => Some(*UNIT.start()),
            Means::Slots | Means::Devices => None,
        }
    }

    /// Name of what a slot is made of, where the private resource has this name.
    pub fn resource(self, private: &str) -> String {
        self.unit().map_or_else(|| private.to_owned(), |_| "cpu".into())
    }

    /// Resources of a container that takes so many slots; a canary takes next to nothing. Devices are claimed beside
    /// them.
    pub fn resources(self, resource: &str, amount: u64, canary: bool) -> Value {
        if let Some(unit) = self.unit() {
            let cpu = if canary { CANARY } else { unit * amount };
            return json!({"requests": {"cpu": format!("{cpu}m"), "memory": MEMORY}});
        }
        let mut resources = json!({"requests": {"cpu": CPU, "memory": MEMORY}});
        if self == Means::Slots {
            resources["requests"][resource] = json!(amount.to_string());
            resources["limits"] = json!({resource: amount.to_string()});
        }
        resources
    }

    /// Resources and amounts that a queue must cover for a quota of so many slots.
    pub fn quotas(self, resource: &str, canary: &str, slots: u64) -> Vec<(String, String)> {
        let memory = ("memory".to_owned(), "100Gi".to_owned());
        if let Some(unit) = self.unit() {
            return vec![("cpu".into(), format!("{}m", slots * unit + unit / 2)), memory];
        }
        vec![
            ("cpu".into(), "100".into()),
            memory,
            (resource.into(), slots.to_string()),
            (canary.into(), "100".into()),
        ]
    }

    /// CPU of the node that a trial of at most so many slots is not about, in thousandths of a core: half a slot stays
    /// free for canaries.
    pub fn ballast(self, most: u64) -> Option<u64> {
        let Means::Cpu { unit, free } = self else { return None };
        Some(free.saturating_sub(most * unit + unit / 2)).filter(|cpu| *cpu > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acts::trials::{CANARIES, LARGE};
    use proptest::prelude::*;

    #[test]
    fn a_node_with_too_little_cpu_has_no_slots_of_it() {
        assert_eq!(Means::cpu(0.2), None);
        assert_eq!(Means::cpu(0.7), Some(Means::Cpu { unit: 50, free: 700 }));
        assert_eq!(Means::cpu(64.0), Some(Means::Cpu { unit: 100, free: 64000 }));
    }

    proptest! {
        /// Beside the ballast there is room for exactly so many slots and all canaries, and not for one slot more.
        #[test]
        fn exactly_so_many_slots_fit(free in 0.28_f64..200.0, most in 1..=LARGE) {
            let means = Means::cpu(free).unwrap();
            let Means::Cpu { unit, free } = means else { unreachable!() };
            let left = free - means.ballast(most).unwrap_or_default();
            prop_assert!(left >= most * unit + CANARIES * CANARY && left < (most + 1) * unit);
        }
    }
}
