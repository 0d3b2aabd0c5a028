//! Mechanisms: what is done to a lab to break it. Each is data, and what is done can be undone.

use crate::actor::Actor;
use crate::metrics_adapter;
use crate::part::Part;
use crate::prometheus;
use crate::relay::Weather;
use crate::runtime::fault::{Fault, Handler};

/// Row of the table of breakages.
pub(crate) struct Row {
    /// Name on the command line and in `faults.toml`.
    pub name: &'static str,
    /// Sentence that says what is wrong.
    pub says: &'static str,
    /// Part of the lab that it is about.
    pub part: Option<Part>,
    /// Mechanisms that are done, in this order; they are undone in the other one.
    pub mechanisms: &'static [Mechanism],
    /// Probe that shows whether it is in force, where doing it does not say so itself.
    pub probe: Option<Probe>,
}

/// One thing that is done to a lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mechanism {
    /// Components of Kubernetes run with other flags.
    Flags(Flags),
    /// This component of Kubernetes does not run.
    NotRun(&'static str),
    /// The last node has ended, with everything on it.
    NodeLost,
    /// The way from the host to the API server is like this.
    Weather(Weather),
    /// The API server is killed and started again from time to time.
    ApiServerRestarts,
    /// A program of ours runs.
    Runs(Actor),
    /// The workload of a part has no pods.
    Stopped(Part),
    /// An object of a part is not there: arguments of `kubectl delete`.
    Absent(&'static [&'static str]),
    /// An object is there: JSON.
    Present(&'static str),
    /// An object of a part is changed.
    Patched(&'static Patch),
    /// A ClusterRole has no rule that names this.
    WithoutRight {
        /// Name of the role.
        role: &'static str,
        /// Resource of the rule.
        to: &'static str,
    },
    /// The API server denies or changes what comes in.
    Policy(&'static Policy),
    /// Another definition has taken the names of KubeRay's RayCluster.
    NamesTaken,
    /// Kueue leaves private slots out of its quotas.
    KueueQuotas,
    /// Prometheus has wrong settings.
    Prometheus(prometheus::Fault),
    /// prometheus-adapter has wrong settings.
    MetricsAdapter(metrics_adapter::Fault),
    /// The simulator has wrong settings.
    Simulator(aiconform_simulator::Breakage),
    /// Containers of a handler are made by the lab's own broken runtime, which then is `runc`.
    Runtime(Handler, Fault),
}

/// Flags that components of Kubernetes have otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flags {
    /// Components that have native gangs off.
    pub without_gangs: &'static [&'static str],
    /// Components, and what they are told beside their own.
    pub more: &'static [(&'static str, &'static [&'static str])],
}

impl Flags {
    /// Tells whether a component has others.
    pub fn are_of(&self, component: &str) -> bool {
        self.without_gangs.contains(&component) || self.more.iter().any(|(of, _)| *of == component)
    }
}

/// Change of an object of a part.
#[derive(Debug, PartialEq)]
pub(crate) struct Patch {
    /// Arguments by which kubectl finds it.
    pub object: &'static [&'static str],
    /// Kind of the patch, as kubectl names it.
    pub kind: &'static str,
    /// The patch.
    pub patch: &'static str,
    /// Merge patch that takes away what the part's manifests do not know and so would leave; empty where there is nothing.
    pub back: &'static str,
}

/// Admission policy, with its binding.
#[derive(Debug, PartialEq)]
pub(crate) struct Policy {
    /// Its name.
    pub name: &'static str,
    /// API group of what it is about.
    pub group: &'static str,
    /// Resource that it is about.
    pub resource: &'static str,
    /// Operations that it is about.
    pub operations: &'static [&'static str],
    /// Effect that it has.
    pub does: Change,
}

/// Effect of a policy.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// It denies what does not make the expression true, with these words.
    Denies(&'static str, &'static str),
    /// It applies the configuration that the expression gives, which takes nothing away.
    Applies(&'static str),
    /// It puts the value of an expression at a path, or replaces what is there.
    Puts(&'static str, &'static str),
}

/// Question to kubectl whose answer says whether a breakage is in force.
#[derive(Debug)]
pub(crate) struct Probe {
    /// Arguments of kubectl.
    pub asks: &'static [&'static str],
    /// Its input; `{gangs}` stands for the version of the API of gangs.
    pub input: &'static str,
    /// The answer in which it is in force.
    pub seen: Seen,
}

/// Answer of kubectl.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It does what is asked.
    Does,
    /// It does, and says this.
    Says(&'static str),
    /// It does, and does not say this.
    Lacks(&'static str),
    /// It does not, and says this.
    Refuses(&'static str),
}

impl Seen {
    /// Tells whether an answer is this one.
    pub fn is(&self, answer: &Result<String, String>) -> bool {
        match (self, answer) {
            (Seen::Does, answer) => answer.is_ok(),
            (Seen::Says(words), Ok(said)) => said.contains(words),
            (Seen::Lacks(words), Ok(said)) => !said.contains(words),
            (Seen::Refuses(words), Err(why)) => why.contains(words),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_was_said_or_refused() {
        let (said, refused) = (Ok("a b".to_owned()), Err("a b".to_owned()));
        let is = |seen: Seen| (seen.is(&said), seen.is(&refused));
        assert_eq!(is(Seen::Does), (true, false));
        assert_eq!(is(Seen::Says("b")), (true, false));
        assert_eq!(is(Seen::Lacks("b")), (false, false));
        assert_eq!(is(Seen::Lacks("c")), (true, false));
        assert_eq!(is(Seen::Refuses("b")), (false, true));
    }
}
