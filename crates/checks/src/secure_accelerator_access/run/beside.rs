//! What goes further than the requirement, where devices are claimed: access for administrators, claims of others.

use super::super::adapters::has_claims;
use super::stage::Stage;
use crate::accelerators::{Container, Probe, Way, claims};
use crate::cx::Stop;
use crate::pod::GANG;
use aiconform_model::Object;
use serde_json::{Value, json};

impl Stage<'_> {
    /// Asks for both, which takes no device.
    ///
    /// # Errors
    /// When the cluster gives no answer; a refusal is one.
    pub(super) async fn beside(&self, holders: &[Probe], running: &[usize]) -> Result<(), Stop> {
        let Way::Class(class) = &self.offer.way else { return Ok(()) };
        for (phase, admin) in [("claim_plain", None), ("claim_admin", Some(true))] {
            let claim =
                self.scratch.prepared(claim(&self.scratch.named(phase).replace('_', "-"), class, admin));
            self.phase(phase, json!({"namespace": self.scratch.namespace()}));
            // What is said stands in the exchange.
            let _ = self.cx.session.api().dry_run(&self.scope, &claims(), &claim).await;
        }
        let holder = running.first().map(|place| &holders[*place]);
        if let Some(holder) = holder
            && has_claims(self.offer.mode)
            && self.other.namespace() != self.scratch.namespace()
        {
            self.borrow_from(holder).await?;
        }
        Ok(())
    }

    /// A pod in another namespace names the claim of a pod that has a device.
    async fn borrow_from(&self, holder: &Probe) -> Result<(), Stop> {
        let of_holder = |claim: &Object| (claim.label(GANG) == holder.name).then(|| claim.name().to_owned());
        let Some(name) = self.scratch.all(&claims(), of_holder).into_iter().next() else { return Ok(()) };
        let nodes = [self.node.clone()];
        self.phase(
            "borrow",
            json!({"claim": name, "of": self.scratch.namespace(), "in": self.other.namespace()}),
        );
        let container = Container { borrows: Some(&name), ..Container::without() };
        let pod = self.pod("borrower", &nodes, vec![container]);
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
