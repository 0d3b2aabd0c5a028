//! Acts that go further than the requirement, where devices are claimed: access for administrators, claims of others.

use super::stage::Stage;
use crate::marks::{BORROWER, Mark};
use aiconform_accelerators::{Container, Probe, Way};
use aiconform_check::cx::Stop;
use aiconform_model::{Bin, Object};
use aiconform_trial::kinds::resource_claim;
use aiconform_trial::labels::GANG;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest time in which the claim of a pod is made of its template.
const MADE: Duration = Duration::from_secs(15);

impl Stage<'_> {
    /// Tries a claim without access for administrators, and with it.
    ///
    /// # Errors
    /// When the cluster gives no answer; a refusal is one.
    pub(super) async fn beside(&self) -> Result<(), Stop> {
        let Way::Class(class) = &self.offer.way else { return Ok(()) };
        let namespace = || self.scratch.namespace().to_owned();
        let plain = ("claim-plain", None, Mark::ClaimPlain { namespace: namespace() });
        let admin = ("claim-admin", Some(true), Mark::ClaimAdmin { namespace: namespace() });
        for (name, admin, mark) in [plain, admin] {
            let claim = self.scratch.prepared(claim(&self.scratch.named(name), class, admin));
            self.mark(&mark);
            // What is said stands in the exchange.
            let _ = self.cx.session.api().dry_run(&self.scope, &resource_claim(), &claim).await;
        }
        Ok(())
    }

    /// A pod in another namespace names the claim of a pod that is to have a device.
    ///
    /// # Errors
    /// None: where it cannot be tried, there is no such pod.
    pub(super) async fn borrow(&self) -> Result<(), Stop> {
        if !matches!(self.offer.way, Way::Class(_)) || self.other.namespace() == self.scratch.namespace() {
            return Ok(());
        }
        let named = || {
            let of_holder = |claim: &Object| (!claim.label(GANG).is_empty()).then(|| claim.name().to_owned());
            self.scratch
                .all(&resource_claim(), of_holder)
                .into_iter()
                .next()
                .ok_or_else(|| "there is none".to_owned())
        };
        let name = self.scratch.until("a claim to be made", Bin::Platform, MADE, named).await;
        let Ok(name) = name.map(|met| met.value) else { return Ok(()) };
        let nodes = [self.node.clone()];
        let (of, into) = (self.scratch.namespace().to_owned(), self.other.namespace().to_owned());
        self.mark(&Mark::Borrow { claim: name.clone(), of, into });
        let container = Container { borrows: Some(&name), ..Container::without() };
        let pod = self.pod(BORROWER, &nodes, vec![container]);
        // What is said to it stands in the exchange.
        let _ = Probe::create(self.cx, self.other.clone(), &pod).await;
        Ok(())
    }
}

fn claim(name: &str, class: &str, admin: Option<bool>) -> Value {
    let mut exactly = json!({"deviceClassName": class});
    if let Some(admin) = admin {
        exactly["adminAccess"] = json!(admin);
    }
    json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": name},
        "spec": {"devices": {"requests": [{"name": "devices", "exactly": exactly}]}}})
}
