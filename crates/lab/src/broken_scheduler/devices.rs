//! Claims on devices: which device each is given, and which pods it is reserved for.

use super::{Fault, Scheduler, Waiting, ignore_absence};
use aiconform_cluster::{Api, ClusterError};
use aiconform_model::{Kind, Object, Scope, quantity};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Finalizer that kube-scheduler puts on a claim before it gives it something; the controller that takes it
/// away again looks for it.
const FINALIZER: &str = "resource.kubernetes.io/delete-protection";

/// Driver, pool and name of a device.
type Key = (String, String, String);

/// A device as it was published.
struct Device {
    key: Key,
    published: Value,
    nodes: Value,
}

/// A device that a claim is to be given: in which of the request's ways.
struct Choice {
    key: Key,
    request: String,
    nodes: Value,
}

/// Status that we gave a claim last, until the watch shows it.
struct Written {
    version: u64,
    status: Value,
}

/// Claims as the scheduler knows them.
#[derive(Default)]
pub(super) struct Claims {
    served: bool,
    /// By the claim's UID.
    written: BTreeMap<String, Written>,
    /// Devices that claims had (by the claims' UIDs), for the scheduler that never lets go.
    had: BTreeMap<String, Vec<Key>>,
}

fn kind(kind: &str, plural: &str) -> Kind {
    Kind::namespaced("resource.k8s.io", "v1", kind, plural)
}

fn claims() -> Kind {
    kind("ResourceClaim", "resourceclaims")
}

fn slices() -> Kind {
    Kind { namespaced: false, ..kind("ResourceSlice", "resourceslices") }
}

fn classes() -> Kind {
    Kind { namespaced: false, ..kind("DeviceClass", "deviceclasses") }
}

fn array<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Names of the claims of a pod, as its spec or the controller that makes claims of templates says; `None` while one of
/// them is not made.
pub(super) fn claims_of(pod: &Object) -> Option<Vec<String>> {
    let made = |name: &str| {
        let status =
            array(&pod.0, "/status/resourceClaimStatuses").find(|status| text(status, "name") == name)?;
        Some(text(status, "resourceClaimName"))
    };
    array(&pod.0, "/spec/resourceClaims")
        .map(|claim| match text(claim, "resourceClaimName") {
            name if name.is_empty() => made(&text(claim, "name")),
            name => Some(name),
        })
        .collect()
}

fn given(status: &Value) -> Vec<Key> {
    array(status, "/allocation/devices/results")
        .map(|result| (text(result, "driver"), text(result, "pool"), text(result, "device")))
        .collect()
}

impl Scheduler {
    /// Watches what claims stand on, where it is served.
    pub(super) async fn watch_claims(&mut self) -> Result<(), ClusterError> {
        self.claims.served = self.api.serves(&Scope::default(), &claims()).await?;
        if self.claims.served {
            for kind in [claims(), slices(), classes()] {
                self.mirror.watch(&self.api, &kind, "", ("labelSelector", "")).await?;
            }
        }
        Ok(())
    }

    /// Gives what the claims of a pod ask for, all or nothing being free of them; says whether the pod can be bound.
    pub(super) async fn claimed(&mut self, pod: &Waiting) -> Result<bool, ClusterError> {
        if self.fault == Fault::IgnoresClaims {
            return Ok(true);
        }
        let mut found = Vec::new();
        for name in &pod.claims {
            match self.mirror.get(&claims(), &pod.namespace, name) {
                Some(claim) => found.push(claim),
                None => return Ok(false),
            }
        }
        for claim in found {
            let mut status = self.status(&claim);
            let reserved = array(&status, "/reservedFor").count();
            if given(&status).is_empty() {
                let Some(choice) = self.choice(&claim) else { return Ok(false) };
                let (driver, pool, device) = choice.key;
                status["allocation"] = json!({"devices": {"results": [
                    {"request": choice.request, "driver": driver, "pool": pool, "device": device}]}});
                if !choice.nodes.is_null() {
                    status["allocation"]["nodeSelector"] = choice.nodes;
                }
            } else if reserved > 0 && self.fault == Fault::RefusesSharers {
                return Ok(false);
            }
            let mut users: Vec<Value> = array(&status, "/reservedFor").cloned().collect();
            users.push(json!({"resource": "pods", "name": pod.name, "uid": pod.uid}));
            status["reservedFor"] = json!(users);
            if !self.write(&claim, status).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Status of a claim: what we made of it last, until the watch shows that or something later.
    fn status(&self, claim: &Object) -> Value {
        let seen = claim.resource_version().parse::<u64>().unwrap_or_default();
        match self.claims.written.get(claim.uid()) {
            Some(written) if written.version > seen => written.status.clone(),
            _ => claim.at("/status").cloned().unwrap_or_default(),
        }
    }

    /// Writes a claim's status; whether it was taken.
    async fn write(&mut self, claim: &Object, status: Value) -> Result<bool, ClusterError> {
        let place = (claim.namespace(), claim.name());
        let keep = json!({"metadata": {"finalizers": [FINALIZER]}});
        ignore_absence(self.api.merge(&Scope::default(), &claims(), place, "", &keep).await)?;
        let path = format!("{}/status", Api::path(&claims(), claim.namespace(), claim.name()));
        let patch = json!({"status": status});
        match self.api.send(&Scope::default(), "PATCH", &path, Some(&patch)).await {
            Ok(answer) => {
                let version = Object(answer).resource_version().parse().unwrap_or_default();
                self.claims.written.insert(claim.uid().into(), Written { version, status });
                Ok(true)
            }
            Err(error) => ignore_absence::<()>(Err(error)).map(|()| false),
        }
    }

    /// The device for a claim's one request.
    fn choice(&mut self, claim: &Object) -> Option<Choice> {
        if self.fault == Fault::AllocatesNothing {
            return None;
        }
        let taken = self.taken();
        let devices = self.devices();
        let request = array(&claim.0, "/spec/devices/requests").next()?;
        let name = text(request, "name");
        if let Some(exactly) = request.get("exactly") {
            return self.first(&devices, &taken, exactly, name);
        }
        let mut ways: Vec<&Value> = array(request, "/firstAvailable").collect();
        if self.fault == Fault::IgnoresOrder {
            ways.reverse();
        }
        ways.into_iter()
            .find_map(|way| self.first(&devices, &taken, way, format!("{name}/{}", text(way, "name"))))
    }

    fn first(
        &self,
        devices: &[Device],
        taken: &BTreeSet<Key>,
        wanted: &Value,
        request: String,
    ) -> Option<Choice> {
        let device =
            devices.iter().find(|device| !taken.contains(&device.key) && self.fits(device, wanted))?;
        Some(Choice { key: device.key.clone(), request, nodes: device.nodes.clone() })
    }

    fn fits(&self, device: &Device, wanted: &Value) -> bool {
        let Some(class) = self.mirror.get(&classes(), "", &text(wanted, "deviceClassName")) else {
            return false;
        };
        let selected = |value: &Value, pointer: &str| {
            array(value, pointer)
                .all(|selector| matches(selector.pointer("/cel/expression").and_then(Value::as_str), device))
        };
        let tolerated = |taint: &Value| {
            array(wanted, "/tolerations").any(|toleration| text(toleration, "key") == text(taint, "key"))
        };
        let tainted = array(&device.published, "/taints").any(|taint| !tolerated(taint));
        selected(&class.0, "/spec/selectors")
            && (self.fault == Fault::IgnoresSelectors || selected(wanted, "/selectors"))
            && (self.fault == Fault::IgnoresTaints || !tainted)
    }

    fn devices(&self) -> Vec<Device> {
        let published = self.mirror.all(&slices(), "", |slice| Some(slice.clone()));
        published
            .iter()
            .flat_map(|slice| {
                let (driver, pool) = (slice.text("/spec/driver"), slice.text("/spec/pool/name"));
                array(&slice.0, "/spec/devices").map(move |device| Device {
                    key: (driver.to_owned(), pool.to_owned(), text(device, "name")),
                    published: device.clone(),
                    nodes: slice.at("/spec/nodeSelector").cloned().unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Devices that nobody else can be given.
    fn taken(&mut self) -> BTreeSet<Key> {
        let all = self.mirror.everywhere(&claims(), |claim| Some(claim.clone()));
        let mut times: BTreeMap<Key, usize> = BTreeMap::new();
        let mut now: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for claim in &all {
            let given = given(&self.status(claim));
            for key in &given {
                *times.entry(key.clone()).or_default() += 1;
            }
            now.insert(claim.uid().into(), given);
        }
        if self.fault == Fault::KeepsDevices {
            for (uid, given) in now {
                self.claims.had.entry(uid).or_default().extend(given);
            }
            times.extend(self.claims.had.values().flatten().map(|key| (key.clone(), 1)));
        }
        let most = if self.fault == Fault::GivesDeviceTwice { 2 } else { 1 };
        times.into_iter().filter(|(_, count)| *count >= most).map(|(key, _)| key).collect()
    }
}

/// Tells whether a device matches a selector. Only what the checks write is read: a driver, attributes that
/// equal a text, and capacities of at least so much, joined by `&&`. What is not read matches nothing.
fn matches(expression: Option<&str>, device: &Device) -> bool {
    expression.is_some_and(|expression| expression.split(" && ").all(|part| holds(part, device)))
}

fn holds(part: &str, device: &Device) -> bool {
    let quoted: Vec<&str> = part.split('\'').collect();
    match quoted[..] {
        ["device.driver == ", driver, ""] => driver == device.key.0,
        ["device.attributes[", domain, field, value, ""] if domain == device.key.0 => {
            let name = field.trim_start_matches("].").trim_end_matches(" == ");
            device.published.pointer(&format!("/attributes/{name}/string")).and_then(Value::as_str)
                == Some(value)
        }
        ["device.capacity[", domain, field, least, ")) >= 0"] if domain == device.key.0 => {
            let name = field.trim_start_matches("].").trim_end_matches(".compareTo(quantity(");
            let there = device.published.pointer(&format!("/capacity/{name}/value")).and_then(Value::as_str);
            there.and_then(quantity).zip(quantity(least)).is_some_and(|(there, least)| there >= least)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_of_the_checks_are_read_and_others_match_nothing() {
        let device = Device {
            key: ("d.dev".into(), "p".into(), "one".into()),
            published: json!({"attributes": {"model": {"string": "b"}}, "capacity": {"memory": {"value": "32Gi"}}}),
            nodes: Value::Null,
        };
        let found = |expression: &str| matches(Some(expression), &device);
        assert!(found("device.driver == 'd.dev' && device.attributes['d.dev'].model == 'b'"));
        assert!(!found("device.driver == 'd.dev' && device.attributes['d.dev'].model == 'c'"));
        assert!(!found("device.attributes['e.dev'].model == 'b'"));
        assert!(found("device.capacity['d.dev'].memory.compareTo(quantity('32Gi')) >= 0"));
        assert!(!found("device.capacity['d.dev'].memory.compareTo(quantity('33Gi')) >= 0"));
        assert!(!found("device.attributes['d.dev'].model != 'c'") && !found("true"));
    }
}
