//! Breakages: a real platform with one real thing wrong, under a name. What a check must say of it stands with the
//! check.

use crate::part::Part;
use serde::{Deserialize, Serialize};

/// One thing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breakage {
    /// Native gang scheduling is off in the scheduler, while the API server takes gangs.
    GangGateOffScheduler,
    /// Native gang scheduling is off everywhere: its API is not served.
    GangGateOffApiServer,
    /// Kueue runs, but its webhooks are not called.
    KueueWebhooksRemoved,
    /// Another actor holds every ClusterQueue as soon as it appears.
    QueuesOnHold,
    /// No scheduler runs.
    SchedulerStopped,
    /// Kueue leaves private slots out of its quotas, and the platform has a queue of its own with quota above capacity.
    KueueExcludesSlots,
    /// The scheduler binds part of a gang.
    SchedulerBindsPart,
    /// The scheduler keeps what a deleted gang had reserved.
    SchedulerKeepsReservation,
    /// The scheduler holds plain pods back as if they were a gang.
    SchedulerGangsPlainPods,
    /// The scheduler never binds a gang.
    SchedulerNeverBindsGang,
    /// The scheduler never looks again at a gang that it has refused.
    SchedulerNeverRetries,
    /// The scheduler binds a gang of which nine in ten fit.
    SchedulerStartsNearlyWhole,
    /// The scheduler keeps slots from others that a refused gang waits for.
    SchedulerHoards,
    /// The scheduler binds what fits of a gang that has waited for a minute.
    SchedulerGivesUpWaiting,
    /// The scheduler wants all members of a gang to fit, however few may start.
    SchedulerIgnoresLeast,
    /// The scheduler evicts gangs of lower priority for one that does not fit even then.
    SchedulerPreemptsInVain,
    /// The scheduler evicts no more of a gang than it needs.
    SchedulerEvictsInPart,
    /// The scheduler binds no more members once a gang is bound.
    SchedulerForgetsMembers,
    /// The scheduler counts pods of a gang of the same name in other namespaces.
    SchedulerCountsAcrossNamespaces,
    /// The scheduler goes by the least number that a gang had at first.
    SchedulerKeepsFirstSize,
    /// The scheduler gives claims on devices nothing.
    SchedulerAllocatesNothing,
    /// The scheduler binds pods without what their claims ask for.
    SchedulerIgnoresClaims,
    /// The scheduler gives a claim any device of its class.
    SchedulerIgnoresSelectors,
    /// The scheduler gives each device to two claims.
    SchedulerGivesDeviceTwice,
    /// The scheduler never gives a device again.
    SchedulerKeepsDevices,
    /// The scheduler lets one pod at a time use a claim.
    SchedulerRefusesSharers,
    /// The scheduler takes the last of a request's ways that is free.
    SchedulerIgnoresOrder,
    /// The scheduler gives devices with taints to anyone.
    SchedulerIgnoresTaints,
    /// Dynamic resource allocation is off everywhere, as it can be in Kubernetes 1.34: its API is not served.
    DraGateOff,
    /// Taints of devices are off everywhere: the API server drops them.
    DeviceTaintsGateOff,
    /// A policy denies patches of node status to everyone but nodes.
    PolicyDeniesNodePatches,
    /// A policy demands the label `team` on every pod.
    PolicyDemandsLabels,
    /// A webhook of the platform sends pods to another scheduler.
    WebhookRewritesPods,
    /// A policy sends pods to nodes that there are not.
    PolicyMisplacesPods,
    /// A policy takes from pods what they request.
    PolicyDropsRequests,
    /// A policy lets every gang start with one pod.
    PolicyLowersLeast,
    /// A policy gives every namespace the label with which its claims may ask for access as an administrator.
    PolicyLabelsForAdminAccess,
    /// KubeRay is installed and does not run: its Deployment has no pods.
    KuberayStopped,
    /// KubeRay runs, and its webhook is not called.
    KuberayWebhookRemoved,
    /// KubeRay's webhook leads to nobody, and what cannot be asked is let through.
    KuberayWebhookFailsOpen,
    /// KubeRay's webhook is not called, and a policy denies what it would have denied.
    PolicyInsteadOfWebhook,
    /// A policy denies what KubeRay's webhook denies, before that is called.
    PolicyBeforeWebhook,
    /// KubeRay may not make, read or change anything.
    KuberayWithoutRights,
    /// KubeRay may not write the status of its resources.
    KuberayStatusStale,
    /// KubeRay loses its rights as soon as a RayCluster is as it should be.
    KuberayReconcilesOnce,
    /// A policy puts a finalizer on RayClusters that nobody takes away.
    FinalizerNeverCleared,
    /// The controller manager collects no garbage: what a deleted object owned stays.
    GarbageCollectorOff,
    /// A policy denies ReplicaSets.
    PolicyDeniesReplicaSets,
    /// Another definition has taken the names of KubeRay's RayCluster.
    DefinitionNotEstablished,
    /// The container runtime gives each container of a pod every device that the pod's other containers were given, init
    /// containers that start before them too.
    RuntimeLeaksToSibling,
    /// The container runtime gives a container the devices that its variable NVIDIA_VISIBLE_DEVICES names, or all of them.
    RuntimeGivesByEnvironment,
    /// The container runtime lets every container open every device that there is a node of, and make the nodes.
    RuntimeWithoutDeviceCgroup,
    /// The container runtime gives every container every device.
    RuntimeGivesToAll,
    /// The container runtime gives a container that is started again its neighbour's device beside its own: for each device,
    /// the one with the next number. (A container without a device gets none.)
    RuntimeLosesOnRestart,
    /// Karpenter does not run; what it has installed is there.
    NodeAutoscalerStopped,
    /// Karpenter does not run, and somebody adds nodes of the pool for pods that wait, and removes them again.
    NodesAddedByHand,
    /// Karpenter may buy no node with accelerators, and one without comes for every pod that waits for some.
    NodeAutoscalerBringsWrongNodes,
    /// Karpenter never removes a node.
    NodeAutoscalerNeverRemoves,
    /// A node with accelerators comes for a pod that wants more of them than a node has.
    NodeAutoscalerGrowsForImpossible,
    /// Karpenter removes a node when it is some seconds old, whatever is on it.
    NodeAutoscalerRemovesBusyNodes,
    /// For every node that Karpenter brings, another one comes.
    NodeAutoscalerBringsTooMany,
    /// What runs on nodes that come does not report.
    NewNodesNeverReady,
    /// Nobody scales what a HorizontalPodAutoscaler names.
    AutoscalerStopped,
    /// The autoscaler makes one pod more than the metric asks for.
    AutoscalerOvershoots,
    /// The autoscaler rounds down how many pods the metric asks for.
    AutoscalerRoundsDown,
    /// The autoscaler never takes pods away.
    AutoscalerNeverScalesDown,
    /// The autoscaler takes pods away when it is told nothing of the metric.
    AutoscalerScalesDownBlind,
    /// The autoscaler goes beyond the least and the most that it was given.
    AutoscalerIgnoresLimits,
    /// The autoscaler counts what pods of other namespaces tell under the metric's name.
    AutoscalerCountsAcrossNamespaces,
    /// The adapter of metrics tells twice of what pods tell.
    AdapterMultipliesValues,
    /// The adapter of metrics adds what pods of other namespaces tell under the metric's name.
    AdapterIgnoresNamespaces,
    /// The adapter of metrics does not reach where its metrics come from.
    AdapterWithoutSource,
    /// KEDA's operator does not run; what it has installed is there.
    KedaStopped,
    /// prometheus-operator does not run; its kinds, and the Prometheus that it has started, are there.
    PrometheusOperatorStopped,
    /// Prometheus may not list what it looks for its targets in.
    MonitoringFindsNothing,
    /// Two jobs of Prometheus scrape the same pods.
    MonitoringCountsTwice,
    /// Prometheus tells of inference servers what it saw first, for as long as they are there.
    MonitoringStandsStill,
    /// Prometheus tells the highest number of running requests that it has seen.
    MonitoringKeepsPeaks,
    /// Prometheus drops the buckets of histograms.
    MonitoringDropsBuckets,
    /// Prometheus names another pod in all that it scrapes.
    MonitoringNamesWrongPod,
    /// Prometheus scrapes every pod, whether it is annotated or not.
    MonitoringTakesAll,
    /// Prometheus tells for an hour of inference servers that are gone.
    MonitoringKeepsGone,
    /// Someone sends requests to every inference server that is annotated for Prometheus.
    StrangersSendRequests,
    /// The kinds of the Gateway API and a class are there, and nobody implements them.
    GatewayControllerMissing,
    /// The gateway accepts no Gateway.
    GatewayRefusesGateways,
    /// The gateway gives all backends of a rule whose weight is not zero the same share.
    GatewayIgnoresWeights,
    /// The gateway gives a backend whose weight is zero a little.
    GatewayServesZeroWeight,
    /// The gateway chooses a backend for each connection instead of for each request.
    GatewayChoosesByConnection,
    /// The gateway takes every header that a rule asks for as there.
    GatewayIgnoresHeaders,
    /// The gateway looks whether a header is there, and not at its value.
    GatewayIgnoresHeaderValues,
    /// The gateway takes a header's value in small and in capital letters as the same.
    GatewayIgnoresHeaderCase,
    /// The gateway says that it has taken a change of a route, and goes by the first one.
    GatewayKeepsFirstWeights,
    /// The gateway's word on a route stays that on its first generation.
    GatewayTellsStaleStatus,
    /// The gateway says of a backend that there is not that it is resolved.
    GatewayAcceptsMissingBackends,
    /// The gateway answers from memory what a backend has answered once.
    GatewayCaches,
    /// Something before the gateway sends every request to a login page.
    GatewayAsksToLogIn,
    /// The gateway takes connections and never answers.
    GatewayNeverAnswers,
    /// The simulator of accelerators is broken in one of its own ways, under that name.
    #[serde(untagged)]
    Simulator(aiconform_simulator::Breakage),
}

impl Breakage {
    /// Those that are the lab's own.
    const OWN: &[Breakage] = &[
        Breakage::GangGateOffScheduler,
        Breakage::GangGateOffApiServer,
        Breakage::KueueWebhooksRemoved,
        Breakage::QueuesOnHold,
        Breakage::SchedulerStopped,
        Breakage::KueueExcludesSlots,
        Breakage::SchedulerBindsPart,
        Breakage::SchedulerKeepsReservation,
        Breakage::SchedulerGangsPlainPods,
        Breakage::SchedulerNeverBindsGang,
        Breakage::SchedulerNeverRetries,
        Breakage::SchedulerStartsNearlyWhole,
        Breakage::SchedulerHoards,
        Breakage::SchedulerGivesUpWaiting,
        Breakage::SchedulerIgnoresLeast,
        Breakage::SchedulerPreemptsInVain,
        Breakage::SchedulerEvictsInPart,
        Breakage::SchedulerForgetsMembers,
        Breakage::SchedulerCountsAcrossNamespaces,
        Breakage::SchedulerKeepsFirstSize,
        Breakage::SchedulerAllocatesNothing,
        Breakage::SchedulerIgnoresClaims,
        Breakage::SchedulerIgnoresSelectors,
        Breakage::SchedulerGivesDeviceTwice,
        Breakage::SchedulerKeepsDevices,
        Breakage::SchedulerRefusesSharers,
        Breakage::SchedulerIgnoresOrder,
        Breakage::SchedulerIgnoresTaints,
        Breakage::DraGateOff,
        Breakage::DeviceTaintsGateOff,
        Breakage::PolicyDeniesNodePatches,
        Breakage::PolicyDemandsLabels,
        Breakage::WebhookRewritesPods,
        Breakage::PolicyMisplacesPods,
        Breakage::PolicyDropsRequests,
        Breakage::PolicyLowersLeast,
        Breakage::PolicyLabelsForAdminAccess,
        Breakage::KuberayStopped,
        Breakage::KuberayWebhookRemoved,
        Breakage::KuberayWebhookFailsOpen,
        Breakage::PolicyInsteadOfWebhook,
        Breakage::PolicyBeforeWebhook,
        Breakage::KuberayWithoutRights,
        Breakage::KuberayStatusStale,
        Breakage::KuberayReconcilesOnce,
        Breakage::FinalizerNeverCleared,
        Breakage::GarbageCollectorOff,
        Breakage::PolicyDeniesReplicaSets,
        Breakage::DefinitionNotEstablished,
        Breakage::RuntimeLeaksToSibling,
        Breakage::RuntimeGivesByEnvironment,
        Breakage::RuntimeWithoutDeviceCgroup,
        Breakage::RuntimeGivesToAll,
        Breakage::RuntimeLosesOnRestart,
        Breakage::AutoscalerStopped,
        Breakage::NodeAutoscalerStopped,
        Breakage::NodesAddedByHand,
        Breakage::NodeAutoscalerBringsWrongNodes,
        Breakage::NodeAutoscalerNeverRemoves,
        Breakage::NodeAutoscalerGrowsForImpossible,
        Breakage::NodeAutoscalerRemovesBusyNodes,
        Breakage::NodeAutoscalerBringsTooMany,
        Breakage::NewNodesNeverReady,
        Breakage::AutoscalerOvershoots,
        Breakage::AutoscalerRoundsDown,
        Breakage::AutoscalerNeverScalesDown,
        Breakage::AutoscalerScalesDownBlind,
        Breakage::AutoscalerIgnoresLimits,
        Breakage::AutoscalerCountsAcrossNamespaces,
        Breakage::AdapterMultipliesValues,
        Breakage::AdapterIgnoresNamespaces,
        Breakage::AdapterWithoutSource,
        Breakage::KedaStopped,
        Breakage::PrometheusOperatorStopped,
        Breakage::MonitoringFindsNothing,
        Breakage::MonitoringCountsTwice,
        Breakage::MonitoringStandsStill,
        Breakage::MonitoringKeepsPeaks,
        Breakage::MonitoringDropsBuckets,
        Breakage::MonitoringNamesWrongPod,
        Breakage::MonitoringTakesAll,
        Breakage::MonitoringKeepsGone,
        Breakage::StrangersSendRequests,
        Breakage::GatewayControllerMissing,
        Breakage::GatewayRefusesGateways,
        Breakage::GatewayIgnoresWeights,
        Breakage::GatewayServesZeroWeight,
        Breakage::GatewayChoosesByConnection,
        Breakage::GatewayIgnoresHeaders,
        Breakage::GatewayIgnoresHeaderValues,
        Breakage::GatewayIgnoresHeaderCase,
        Breakage::GatewayKeepsFirstWeights,
        Breakage::GatewayTellsStaleStatus,
        Breakage::GatewayAcceptsMissingBackends,
        Breakage::GatewayCaches,
        Breakage::GatewayAsksToLogIn,
        Breakage::GatewayNeverAnswers,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Breakage> {
        let simulator = aiconform_simulator::Breakage::all().iter().copied().map(Breakage::Simulator);
        Breakage::OWN.iter().copied().chain(simulator)
    }

    /// Its name on the command line and in `faults.toml`.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
    }

    /// The breakage of a name.
    pub fn named(name: &str) -> Option<Breakage> {
        Breakage::all().find(|breakage| breakage.name() == name)
    }

    /// The part of the lab that it is about.
    pub fn part(self) -> Option<Part> {
        match self {
            Breakage::KueueWebhooksRemoved | Breakage::QueuesOnHold | Breakage::KueueExcludesSlots => {
                Some(Part::Kueue)
            }
            Breakage::KuberayReconcilesOnce => Some(Part::Kuberay),
            operator if operator.is_of_operator() => Some(Part::Kuberay),
            Breakage::Simulator(_) => Some(Part::Simulator),
            Breakage::StrangersSendRequests => Some(Part::Prometheus),
            monitoring if monitoring.is_of_monitoring() => Some(Part::Prometheus),
            Breakage::NodeAutoscalerStopped
            | Breakage::NodesAddedByHand
            | Breakage::NodeAutoscalerBringsWrongNodes
            | Breakage::NodeAutoscalerNeverRemoves
            | Breakage::NodeAutoscalerGrowsForImpossible
            | Breakage::NodeAutoscalerRemovesBusyNodes
            | Breakage::NodeAutoscalerBringsTooMany
            | Breakage::NewNodesNeverReady => Some(Part::Karpenter),
            runtime if runtime.replaces_runtime() => Some(Part::Simulator),
            Breakage::AdapterMultipliesValues
            | Breakage::AdapterIgnoresNamespaces
            | Breakage::AdapterWithoutSource => Some(Part::PrometheusAdapter),
            Breakage::KedaStopped => Some(Part::Keda),
            Breakage::PrometheusOperatorStopped => Some(Part::PrometheusOperator),
            gateway if gateway.is_of_gateway() => Some(Part::Traefik),
            _ => None,
        }
    }

    /// What is wrong with the simulator, if it is about that.
    pub fn of_simulator(self) -> Option<aiconform_simulator::Breakage> {
        if let Breakage::Simulator(breakage) = self { Some(breakage) } else { None }
    }

    /// Whether containers are made by the lab's own broken runtime, which then is `runc`.
    pub fn replaces_runtime(self) -> bool {
        matches!(
            self,
            Breakage::RuntimeLeaksToSibling
                | Breakage::RuntimeGivesByEnvironment
                | Breakage::RuntimeWithoutDeviceCgroup
                | Breakage::RuntimeGivesToAll
                | Breakage::RuntimeLosesOnRestart
        )
    }

    /// Whether the HorizontalPodAutoscaler's controller does not run.
    pub fn stops_autoscaler(self) -> bool {
        self.name().starts_with("autoscaler-")
    }

    /// Whether the lab's own broken autoscaler runs in its place.
    pub fn replaces_autoscaler(self) -> bool {
        self.stops_autoscaler() && self != Breakage::AutoscalerStopped
    }

    /// Whether Prometheus is configured wrong.
    pub fn is_of_monitoring(self) -> bool {
        self.name().starts_with("monitoring-")
    }

    /// Whether it is of an operator, and made once that serves.
    pub fn is_of_operator(self) -> bool {
        matches!(
            self,
            Breakage::KuberayStopped
                | Breakage::KuberayWebhookRemoved
                | Breakage::KuberayWebhookFailsOpen
                | Breakage::PolicyInsteadOfWebhook
                | Breakage::PolicyBeforeWebhook
                | Breakage::KuberayWithoutRights
                | Breakage::KuberayStatusStale
                | Breakage::FinalizerNeverCleared
                | Breakage::PolicyDeniesReplicaSets
                | Breakage::DefinitionNotEstablished
        )
    }

    /// Whether it is about the implementation of the Gateway API, in whose place then stands the lab's own broken one, or
    /// none.
    pub fn is_of_gateway(self) -> bool {
        self.name().starts_with("gateway-")
    }

    /// Whether kube-scheduler is replaced by the lab's own broken one.
    pub fn replaces_scheduler(self) -> bool {
        self.name().starts_with("scheduler-") && self != Breakage::SchedulerStopped
    }
}

#[cfg(test)]
mod tests {
    use super::Breakage;

    #[test]
    fn every_breakage_has_a_name_that_leads_back_to_it() {
        for breakage in Breakage::all() {
            assert_eq!(Breakage::named(&breakage.name()), Some(breakage));
            let stored = serde_json::to_string(&breakage).unwrap();
            assert_eq!(serde_json::from_str::<Breakage>(&stored).unwrap(), breakage);
        }
        assert_eq!(Breakage::SchedulerStopped.name(), "scheduler-stopped");
        assert_eq!(Breakage::named("none"), None);
    }
}
