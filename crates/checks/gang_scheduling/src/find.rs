//! Gang schedulers that a cluster has, and what is going to be tried on each.

use crate::acts::means::Means;
use crate::acts::stage::Ground;
use crate::acts::trials::{self, Plan};
use crate::adapters::{Adapter, adapters};
use crate::marks::{Facts, Short};
use aiconform_check::cx::{Cx, Detected, Detection, Files, Level};
use aiconform_check::subject::Candidate;
use aiconform_cluster::Api;
use aiconform_verdict::OWN_CONTROL;
use futures::future::join_all;
use serde_json::{Value, json};

/// Data with which a subject is tried.
pub struct With {
    /// Adapter by which its product expresses a gang.
    pub adapter: &'static dyn Adapter,
    /// Its trials, the longest first.
    pub plans: Vec<Plan>,
}

/// Finds the subjects that the cluster has, for people who plan a run.
pub async fn detect(api: &Api, files: Files) -> Detected {
    join_all(adapters(files).into_iter().map(|adapter| async {
        let found = adapter.detect(api).await;
        let found = found.unwrap_or_else(|stop| Detection::Absent(stop.to_string()));
        (adapter.id().to_owned(), found)
    }))
    .await
}

/// The subjects that may be tried on this ground, in the adapters' order, so that the evidence has one order.
pub async fn candidates(cx: &Cx, ground: &Ground, files: Files) -> Vec<Candidate<With>> {
    let all = adapters(files);
    let named = named(cx, &all);
    let is_named = |adapter: &dyn Adapter| named.iter().any(|id| id == adapter.id());
    let chosen = all.into_iter().filter(|adapter| {
        if adapter.control() {
            // Where only named trials are made there is no verdict, and nothing for a control to stand beside.
            cx.options.level != Level::Named
        } else {
            named.is_empty() || is_named(*adapter)
        }
    });
    let is_named = &is_named;
    join_all(chosen.map(|adapter| async move {
        let mut found = adapter.detect(cx.session.api()).await;
        let mut plans = Vec::new();
        if matches!(found, Ok(Detection::Present(_))) && !adapter.counts(ground.means) {
            found = Ok(Detection::Absent(ground.means.cannot()));
        }
        if let Ok(Detection::Present(facts)) = &mut found {
            plans = trials::plans(cx, ground, adapter, facts);
            write_facts(facts, adapter, ground.means, &plans);
        }
        Candidate {
            id: adapter.id().to_owned(),
            control: adapter.control(),
            declared: is_named(adapter),
            facts: json!(Facts::default()),
            found,
            with: With { adapter, plans },
        }
    }))
    .await
}

/// Writes down what the judge needs: what is going to be tried is part of the evidence, so that a trial which never began is
/// not forgotten.
fn write_facts(facts: &mut Value, adapter: &dyn Adapter, means: Means, plans: &[Plan]) {
    let by_quota = means == Means::Quota;
    let known = Facts {
        trials: plans.iter().map(|plan| plan.name.clone()).collect(),
        capacity: by_quota.then_some(Short::Quota),
        signs: adapter.signs().cloned(),
    };
    known.write(facts);
    if by_quota {
        facts[OWN_CONTROL] = json!(true);
    }
}

/// Adapters named on the command line or in the profile.
fn named(cx: &Cx, all: &[&'static dyn Adapter]) -> Vec<String> {
    let known: Vec<&str> = all.iter().map(|adapter| adapter.id()).collect();
    let mut named = cx.options.named_of(&known);
    named.extend(cx.profile.gang_scheduling.adapter.clone());
    named
}
