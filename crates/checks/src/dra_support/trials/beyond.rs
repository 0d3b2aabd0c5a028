//! What goes further than a MUST needs: one claim of several pods, ways of a request, taints of devices.

use crate::cx::Stop;
use crate::dra_support::adapters::synthetic::Device;
use crate::dra_support::objects::{exactly, first_available};
use crate::dra_support::stage::Trial;
use serde_json::json;

/// Pods that share a claim; an API server takes up to 256.
pub const SHARERS: usize = 4;

/// One claim of several pods; and another claim, which gets nothing of it.
pub async fn share(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.publish(&[Device::new("one", "a", "16Gi")]).await?;
    let suffixes: Vec<String> = (0..SHARERS).map(|number| format!("sharer-{number}")).collect();
    let pods: Vec<String> = suffixes.iter().map(|suffix| trial.named(suffix)).collect();
    trial.phase("share", json!({"claim": trial.named("shared"), "pods": pods}));
    let claim = trial.claim("shared", &trial.request(&[])).await?;
    for suffix in &suffixes {
        trial.claimant(suffix, &claim).await?;
    }
    trial.give(&pods, pods.len()).await?;
    trial.close("shared").await?;
    trial.phase("other", json!({"claim": trial.named("other")}));
    let other = trial.claimed("other", &trial.request(&[])).await?;
    trial.watch_waiting(&[other]).await?;
    trial.close("other_closed").await
}

/// Two claims that want the large device first and the small one else.
pub async fn prefer(trial: &Trial<'_>) -> Result<(), Stop> {
    let names = &trial.stage.names;
    // The one that is preferred is not the first that is published.
    trial.publish(&[Device::new("less", "small", "16Gi"), Device::new("more", "large", "32Gi")]).await?;
    let (large, small) = (vec![names.model_is("large")], vec![names.model_is("small")]);
    let request = first_available(&trial.class(), &[("large", &large), ("small", &small)]);
    for (suffix, device, way) in [("first", "more", "large"), ("second", "less", "small")] {
        let name = trial.named(suffix);
        trial.phase("prefer", json!({"claim": name, "device": device, "way": way}));
        trial.claimed(suffix, &request).await?;
        let served = trial.give(&[name], 1).await?;
        trial.close("preferred").await?;
        if served.is_empty() {
            break;
        }
    }
    Ok(())
}

/// A device with a taint: for nobody but who tolerates it.
pub async fn taints(trial: &Trial<'_>) -> Result<(), Stop> {
    let names = &trial.stage.names;
    let worn = Device { tainted: true, ..Device::new("worn", "b", "16Gi") };
    trial.publish(&[worn, Device::new("new", "a", "16Gi")]).await?;
    // The first: it shows that the devices are known.
    trial.phase("untainted", json!({"claim": trial.named("any"), "device": "new"}));
    let any = trial.claimed("any", &trial.request(&[])).await?;
    trial.give(&[any], 1).await?;
    trial.close("untainted_ended").await?;

    trial.phase("tainted", json!({"claim": trial.named("intolerant"), "device": "worn"}));
    let intolerant = trial.claimed("intolerant", &trial.request(&[names.model_is("b")])).await?;
    trial.watch_waiting(&[intolerant]).await?;
    trial.close("tainted_closed").await?;

    trial.phase("tolerated", json!({"claim": trial.named("tolerant"), "device": "worn"}));
    let request = exactly(&trial.class(), &[names.model_is("b")], &names.tolerations());
    let tolerant = trial.claimed("tolerant", &request).await?;
    trial.give(&[tolerant], 1).await?;
    trial.close("tolerated_ended").await
}
