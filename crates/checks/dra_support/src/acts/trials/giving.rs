//! Devices are given once, and given again when they are let go of.

use crate::acts::stage::Trial;
use crate::adapters::synthetic::Device;
use crate::marks::Step;
use aiconform_check::cx::Stop;

const THREE: &[Device] =
    &[Device::new("one", "a", "16Gi"), Device::new("two", "a", "16Gi"), Device::new("three", "a", "16Gi")];
/// Claims for them.
const CLAIMS: usize = 5;

/// More claims than devices; then one device is let go of.
pub async fn crowd(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.publish(THREE).await?;
    let suffixes: Vec<String> = (0..CLAIMS).map(|number| format!("claim-{number}")).collect();
    let names: Vec<String> = suffixes.iter().map(|suffix| trial.named(suffix)).collect();
    trial.mark(Step::Crowd { claims: names.clone(), devices: THREE.len() });
    for suffix in &suffixes {
        trial.claimed(suffix, &trial.request(&[])).await?;
    }
    let served = trial.give(&names, THREE.len()).await?;
    let waiting: Vec<String> = names.iter().filter(|name| !served.contains(name)).cloned().collect();
    trial.watch_waiting(&waiting).await?;
    trial.close(Step::CrowdClosed {}).await?;

    let Some(gone) = served.first() else { return Ok(()) };
    let left: Vec<String> = names.iter().filter(|name| *name != gone).cloned().collect();
    trial.mark(Step::Release { claims: left.clone(), gone: gone.clone(), devices: THREE.len() });
    trial.remove(std::slice::from_ref(gone), std::slice::from_ref(gone)).await?;
    trial.give(&left, THREE.len()).await?;
    trial.close(Step::ReleaseEnded {}).await
}

/// One device, which goes from one claim to the next in every way in which a claim can end.
pub async fn free(trial: &Trial<'_>) -> Result<(), Stop> {
    trial.publish(&THREE[..1]).await?;
    let request = trial.request(&[]);
    // How the one before let go of it.
    let steps = [
        ("first", ""),
        ("second", "its pod was deleted, and with it the claim that was made for it"),
        ("third", "its pod was deleted, its claim is still there"),
        ("fourth", "its pod and its claim were deleted"),
    ];
    for (suffix, after) in steps {
        let name = trial.named(suffix);
        trial.mark(Step::Turn { claim: name.clone(), after: after.into() });
        if suffix == "first" {
            trial.claimed_by_template(suffix, &request).await?;
        } else {
            trial.claimed(suffix, &request).await?;
        }
        let served = trial.give(std::slice::from_ref(&name), 1).await?;
        trial.close(Step::TurnEnded {}).await?;
        if served.is_empty() {
            break;
        }
        let pods = std::slice::from_ref(&name);
        trial.remove(pods, if suffix == "third" { pods } else { &[] }).await?;
    }
    Ok(())
}
