//! Trials of what a claim's selectors choose.

use crate::acts::stage::Trial;
use crate::adapters::synthetic::Device;
use crate::marks::Step;
use aiconform_check::cx::Stop;

/// No claim wants the first devices, and no device has the last model.
const DEVICES: &[Device] = &[
    Device::new("a-16", "a", "16Gi"),
    Device::new("a-32", "a", "32Gi"),
    Device::new("b-16", "b", "16Gi"),
    Device::new("c-16", "c", "16Gi"),
    Device::new("c-32", "c", "32Gi"),
    Device::new("d-80", "d", "80Gi"),
];

/// Claims that match one device each, and one that nothing matches.
pub async fn select(trial: &Trial<'_>) -> Result<(), Stop> {
    let names = &trial.stage.names;
    trial.publish(DEVICES).await?;
    let wanted = [
        ("by-attribute", "b-16", vec![names.model_is("b")]),
        ("by-capacity", "d-80", vec![names.memory_is_at_least("64Gi")]),
        ("by-both", "c-32", vec![names.model_is("c"), names.memory_is_at_least("32Gi")]),
    ];
    let expected = wanted.iter().map(|(suffix, device, _)| (trial.named(suffix), (*device).to_owned()));
    trial.mark(Step::Select { claims: expected.collect() });
    let mut claims = Vec::new();
    for (suffix, _, selectors) in &wanted {
        claims.push(trial.claimed(suffix, &trial.request(selectors)).await?);
    }
    trial.give(&claims, claims.len()).await?;
    trial.close(Step::Selected {}).await?;

    trial.mark(Step::Unmatched { claim: trial.named("unmatched") });
    let unmatched = trial.claimed("unmatched", &trial.request(&[names.model_is("none")])).await?;
    trial.watch_waiting(std::slice::from_ref(&unmatched)).await?;
    trial.close(Step::UnmatchedClosed {}).await?;

    // The control of the wait: devices were free all the time.
    trial.mark(Step::Remaining { claim: trial.named("remaining") });
    let remaining = trial.claimed("remaining", &trial.request(&[])).await?;
    trial.give(&[remaining], 1).await?;
    trial.close(Step::RemainingEnded {}).await
}
