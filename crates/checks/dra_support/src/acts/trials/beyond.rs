//! Trials that go further than a MUST needs: one claim of several pods, ways of a request, taints of devices.

use crate::acts::objects::{exactly, first_available};
use crate::acts::stage::Trial;
use crate::adapters::synthetic::Device;
use crate::marks::{SHARERS, Step};
use aiconform_check::cx::Stop;

/// One claim of several pods; and another claim, which gets nothing of it.
pub async fn share(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.publish(&[Device::new("one", "a", "16Gi")]).await?;
    let suffixes: Vec<String> = (0..SHARERS).map(|number| format!("sharer-{number}")).collect();
    let pods: Vec<String> = suffixes.iter().map(|suffix| trial.named(suffix)).collect();
    trial.mark(Step::Share { claim: trial.named("shared"), pods: pods.clone() });
    let claim = trial.claim("shared", &trial.request(&[])).await?;
    for suffix in &suffixes {
        trial.claimant(suffix, &claim).await?;
    }
    trial.give(&pods, pods.len()).await?;
    trial.close(Step::Shared {}).await?;
    trial.mark(Step::Other { claim: trial.named("other") });
    let other = trial.claimed("other", &trial.request(&[])).await?;
    trial.watch_waiting(&[other]).await?;
    trial.close(Step::OtherClosed {}).await
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
        trial.mark(Step::Prefer { claim: name.clone(), device: device.into(), way: way.into() });
        trial.claimed(suffix, &request).await?;
        let served = trial.give(&[name], 1).await?;
        trial.close(Step::Preferred {}).await?;
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
    trial.mark(Step::Untainted { claim: trial.named("any"), device: "new".into() });
    let any = trial.claimed("any", &trial.request(&[])).await?;
    trial.give(&[any], 1).await?;
    trial.close(Step::UntaintedEnded {}).await?;

    trial.mark(Step::Tainted { claim: trial.named("intolerant"), device: "worn".into() });
    let intolerant = trial.claimed("intolerant", &trial.request(&[names.model_is("b")])).await?;
    trial.watch_waiting(&[intolerant]).await?;
    trial.close(Step::TaintedClosed {}).await?;

    trial.mark(Step::Tolerated { claim: trial.named("tolerant"), device: "worn".into() });
    let request = exactly(&trial.class(), &[names.model_is("b")], &names.tolerations());
    let tolerant = trial.claimed("tolerant", &request).await?;
    trial.give(&[tolerant], 1).await?;
    trial.close(Step::ToleratedEnded {}).await
}
