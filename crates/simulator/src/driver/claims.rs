//! Claims and the devices that each has. The files of the claims are the memory: they outlive this process.

use crate::driver::cdi;
use crate::driver::fleet::Fleet;
use crate::settings::Settings;
use aiconform_model::Object;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

/// Annotation of a claim's file that says what was prepared.
const PREPARED: &str = "simulator.aiconform.dev/prepared";

/// Claim with what it was given on this node by this driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// UID of the claim.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Pool of the devices: the node.
    pub pool: String,
    /// The devices.
    pub devices: Vec<Given>,
}

/// A device that a claim was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The request it was allocated for.
    pub request: String,
    /// Its name in the pool.
    pub device: String,
    /// Given beside another claim that has it, for an administrator.
    #[serde(default)]
    pub admin: bool,
}

/// All prepared claims, by UID.
#[derive(Debug, Default)]
pub struct Claims(pub BTreeMap<String, Prepared>);

impl Claims {
    /// Reads what the folder holds.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn read(settings: &Settings) -> io::Result<Claims> {
        let read = |specification: Value| -> Option<Prepared> {
            serde_json::from_str(specification.get("annotations")?.get(PREPARED)?.as_str()?).ok()
        };
        let prepared = cdi::claims(&settings.cdi)?.into_iter().filter_map(read);
        Ok(Claims(prepared.map(|claim| (claim.uid.clone(), claim)).collect()))
    }

    /// The claim that has a device already which this one would be given, and that device.
    pub fn holder<'a>(&'a self, fleet: &Fleet, wanted: &Prepared) -> Option<(&'a Prepared, String)> {
        let device = |name: &str| fleet.named(&fleet.claimable, name);
        let wanted_devices = || wanted.devices.iter().filter(|given| !given.admin);
        self.0.values().filter(|claim| claim.uid != wanted.uid).find_map(|claim| {
            let mut held = claim.devices.iter().filter(|given| !given.admin);
            held.find_map(|held| {
                let held = device(&held.device)?;
                let taken =
                    |given: &&Given| device(&given.device).is_some_and(|device| Fleet::overlap(held, device));
                wanted_devices().find(taken).map(|given| (claim, given.device.clone()))
            })
        })
    }
}

/// Says what an allocated claim is to be given here by this driver.
///
/// # Errors
/// Why it cannot be: not allocated, another claim of this name, a device that is not here.
pub fn wanted(settings: &Settings, fleet: &Fleet, claim: &Object, uid: &str) -> Result<Prepared, String> {
    let name = format!("claim {}/{}", claim.namespace(), claim.name());
    if claim.uid() != uid {
        return Err(format!(
            "{name} has UID {} and not {uid}: it is another claim of that name",
            claim.uid()
        ));
    }
    let Some(results) = claim.at("/status/allocation/devices/results").and_then(Value::as_array) else {
        return Err(format!("{name} is not allocated"));
    };
    let mut devices = Vec::new();
    for result in results {
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("driver") != settings.driver {
            continue;
        }
        if text("pool") != settings.node_name {
            return Err(format!(
                "{name} was given a device of pool {:?}, which is not of this node",
                text("pool")
            ));
        }
        let device = text("device");
        if fleet.named(&fleet.claimable, &device).is_none() {
            return Err(format!("{name} was given {device:?}, which this node does not have"));
        }
        let admin = result.get("adminAccess").and_then(Value::as_bool).unwrap_or_default();
        devices.push(Given { request: text("request"), device, admin });
    }
    if devices.is_empty() {
        return Err(format!("{name} was given no device of driver {}", settings.driver));
    }
    Ok(Prepared {
        uid: uid.into(),
        namespace: claim.namespace().into(),
        name: claim.name().into(),
        pool: settings.node_name.clone(),
        devices,
    })
}

/// Name of a claim's device, for CDI.
pub fn cdi_name(uid: &str, device: &str) -> String {
    format!("{uid}-{device}")
}

/// The CDI specification of a claim.
pub fn specification(settings: &Settings, fleet: &Fleet, major: u32, claim: &Prepared) -> Value {
    let mut devices: Vec<Value> = Vec::new();
    for given in claim.devices.iter().filter_map(|given| fleet.named(&fleet.claimable, &given.device)) {
        let injected = fleet.injected(settings, &fleet.claimable, given);
        let name = cdi_name(&claim.uid, &given.name);
        // Two requests may share a device; the runtime knows each name once.
        if devices.iter().all(|device| device["name"] != name.as_str()) {
            devices
                .push(json!({"name": name, "containerEdits": cdi::edits(settings, major, &injected, None)}));
        }
    }
    let prepared = serde_json::to_string(claim).unwrap_or_default();
    json!({"cdiVersion": "0.6.0", "kind": cdi::CLAIM, "annotations": {PREPARED: prepared}, "devices": devices})
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    fn claim(results: Value) -> Object {
        Object::new(json!({
            "metadata": {"namespace": "n", "name": "c", "uid": "u"},
            "status": {"allocation": {"devices": {"results": results}}},
        }))
    }

    fn result(device: &str) -> Value {
        json!({"request": "r", "driver": "accelerator.aiconform.dev", "pool": "node-0", "device": device})
    }

    fn prepared(uid: &str, device: &str, admin: bool) -> Prepared {
        let devices = vec![Given { request: "r".into(), device: device.into(), admin }];
        Prepared { uid: uid.into(), namespace: "n".into(), name: "c".into(), pool: "node-0".into(), devices }
    }

    #[test]
    fn a_claim_gets_its_devices_of_this_driver_and_of_no_other() {
        let settings = Settings::default();
        let fleet = Fleet::new(&settings);
        let foreign = json!({"request": "x", "driver": "other", "pool": "elsewhere", "device": "gpu-1"});
        let found = wanted(&settings, &fleet, &claim(json!([foreign, result("gpu-1")])), "u").unwrap();
        assert_eq!(found, prepared("u", "gpu-1", false));
        let refused = |claim: &Object, uid: &str| wanted(&settings, &fleet, claim, uid).unwrap_err();
        assert!(refused(&claim(json!([result("gpu-1")])), "v").contains("another claim"));
        assert!(refused(&claim(json!([result("gpu-9")])), "u").contains("does not have"));
        assert!(refused(&claim(json!([foreign])), "u").contains("no device of driver"));
        let mut away = result("gpu-0");
        away["pool"] = "node-1".into();
        assert!(refused(&claim(json!([away])), "u").contains("not of this node"));
        assert!(refused(&Object::new(json!({"metadata": {"uid": "u"}})), "u").contains("not allocated"));
    }

    #[test]
    fn a_device_has_one_holder_but_for_administrators() {
        let settings = Settings { partitions: 2, ..Settings::default() };
        let fleet = Fleet::new(&settings);
        let claims = Claims([("a".to_owned(), prepared("a", "gpu-0", false))].into());
        let holder = |wanted: &Prepared| claims.holder(&fleet, wanted).map(|(claim, _)| claim.uid.clone());
        assert_eq!(holder(&prepared("b", "gpu-0", false)).as_deref(), Some("a"));
        assert_eq!(holder(&prepared("b", "gpu-0-part-1", false)).as_deref(), Some("a"));
        assert_eq!(holder(&prepared("b", "gpu-0", true)), None);
        assert_eq!(holder(&prepared("b", "gpu-1", false)), None);
        // The same claim again.
        assert_eq!(holder(&prepared("a", "gpu-0", false)), None);
    }

    #[test]
    fn what_was_prepared_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            Settings { cdi: Utf8Path::from_path(folder.path()).unwrap().into(), ..Settings::default() };
        let fleet = Fleet::new(&settings);
        let claim = prepared("u", "gpu-1", false);
        let written = specification(&settings, &fleet, 240, &claim);
        assert_eq!(written["devices"][0]["name"], "u-gpu-1");
        cdi::write(&cdi::claim_file(&settings.cdi, "u"), &written).unwrap();
        assert_eq!(Claims::read(&settings).unwrap().0, [("u".to_owned(), claim)].into());
    }
}
