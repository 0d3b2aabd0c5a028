//! From evidence to outcomes: pure functions.
//!
//! Each claim judges what [`history`] read once. A window in which nothing was made is closed by a list, which must agree
//! with the watch: where they differ, the watch lags behind, and nothing is known.

mod denial;
mod guard;
mod history;
mod installed;
mod work;

use crate::marks::{ID, Plan};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing, Subject};
use history::History;

const REGISTERED: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0063: the operator is installed: its CRDs are registered",
};
const RUNS: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"the operator's pods run correctly\"; KAR-0063: its pods are running",
};
const GUARDED: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0063: an invalid custom resource is rejected by the admission webhook",
};
const RECONCILED: Standing = Standing::Must {
    basis: Basis::Kar,
    cites: "KAR-0063: a valid custom resource is reconciled: its children and its status",
};
const REMOVED: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"functions reliably\"; we take it to mean that an operator also lets go of a custom resource that is deleted, with all that it made of it (KAR-0063 removes the operator itself)",
};

/// The claims, controls first.
pub static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "plain_controller_works",
        "Kubernetes' own controllers make a ReplicaSet of a Deployment beside it",
        Standing::Control,
        installed::plain_controller_works,
    ),
    Claim::of(
        "kind_is_established",
        "the definition of the custom resource is established",
        REGISTERED,
        installed::kind_is_established,
    ),
    Claim::of(
        "controller_is_ready",
        "the operator's pods are ready, and stay so while it is tried",
        RUNS,
        installed::controller_is_ready,
    ),
    Claim::of(
        "webhook_denies",
        "an object that the schema takes and that makes no sense is denied by the operator's own webhook, and the same object, repaired, is not",
        GUARDED,
        denial::webhook_denies,
    ),
    Claim {
        id: "children_are_made",
        says: "what the operator makes of a custom resource is made, and belongs to it",
        standing: RECONCILED,
        applies: |subject| planned(subject).is_none_or(|plan| !plan.children.is_empty()),
        judge: work::children_are_made,
    },
    Claim::of(
        "status_follows",
        "the status of a custom resource shows what became of it, for its last generation",
        RECONCILED,
        work::status_follows,
    ),
    Claim::of(
        "deletion_completes",
        "a custom resource that is deleted goes, and all that was made of it goes with it",
        REMOVED,
        work::deletion_completes,
    ),
    Claim {
        id: "child_is_made_again",
        says: "what was made of a custom resource and is deleted is made again",
        standing: Standing::Additional,
        applies: |subject| planned(subject).is_some_and(|plan| plan.again.is_some()),
        judge: work::child_is_made_again,
    },
    Claim {
        id: "change_is_followed",
        says: "a change of a custom resource is followed",
        standing: Standing::Additional,
        applies: |subject| planned(subject).is_some_and(|plan| plan.changed.is_some()),
        judge: work::change_is_followed,
    },
];

/// The rules; of operators one is enough: "at least one complex AI operator".
pub static RULES: Rules<History> = Rules::of(
    ID,
    CLAIMS,
    History::read,
    guard::doubt,
    "install an operator that is known, such as KubeRay with its webhooks on, or describe yours in a file: [robust_controller] operator_files = [\"…\"]",
);

fn planned(subject: &Subject) -> Option<Plan> {
    Plan::of(&subject.facts).ok()
}
