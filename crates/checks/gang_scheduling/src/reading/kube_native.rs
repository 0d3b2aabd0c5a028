//! Words of objects of native gang scheduling (KEP-4671) on a gang.

use aiconform_model::{Kind, Object};
use aiconform_trial::labels::GANG;
use serde_json::Value;

/// API group of native gangs.
pub const GROUP: &str = "scheduling.k8s.io";

/// A PodGroup's condition that says it cannot be placed; gives the gang's name and the scheduler's words. In 1.35 a gang
/// has no status, and its pods say it. `SchedulerError` is the scheduler's own failure and no decision.
pub fn refusal(kind: &Kind, object: &Object) -> Option<(String, String)> {
    let (gang, condition) = if kind.group == GROUP && kind.plural == "podgroups" {
        // 1.36 calls it PodGroupScheduled.
        let condition =
            object.condition("PodGroupInitiallyScheduled").or_else(|| object.condition("PodGroupScheduled"));
        (object.name(), condition?)
    } else if *kind == Kind::pod() && object.at("/spec/workloadRef").is_some() {
        (object.label(GANG), object.condition("PodScheduled")?)
    } else {
        return None;
    };
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("status") == "False" && text("reason") == "Unschedulable")
        .then(|| (gang.to_owned(), text("message").to_owned()))
}

/// Tells whether a pod came in with the field that names its gang.
pub fn names_its_gang(pod: &Object) -> bool {
    let gang = pod.label(GANG);
    [pod.text("/spec/schedulingGroup/podGroupName"), pod.text("/spec/workloadRef/name")].contains(&gang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schedulers_own_failure_is_no_decision() {
        let group = |reason: &str| {
            Object(json!({"metadata": {"name": "g"}, "status": {"conditions": [
                {"type": "PodGroupInitiallyScheduled", "status": "False", "reason": reason, "message": "m"}]}}))
        };
        let kind = Kind::namespaced(GROUP, "v1beta1", "PodGroup", "podgroups");
        assert_eq!(refusal(&kind, &group("Unschedulable")), Some(("g".into(), "m".into())));
        assert_eq!(refusal(&kind, &group("SchedulerError")), None);
    }
}
