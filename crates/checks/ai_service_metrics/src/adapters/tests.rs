use super::*;

fn prometheus(spec: Value) -> Object {
    Object(json!({"kind": "Prometheus", "metadata": {"name": "k8s"}, "spec": spec}))
}

#[test]
fn labels_are_those_that_a_prometheus_object_selects_by() {
    let of = |selector: Value, namespaces: Value| {
        let mut spec = json!({"podMonitorSelector": selector});
        if !namespaces.is_null() {
            spec["podMonitorNamespaceSelector"] = namespaces;
        }
        labels(&prometheus(spec), "podMonitor").map(Value::Object)
    };
    assert_eq!(of(json!({}), json!({})), Some(json!({})));
    let release = json!({"matchLabels": {"release": "kps"}});
    assert_eq!(of(release.clone(), json!({})), Some(json!({"release": "kps"})));
    let expressions = json!({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]},
        {"key": "scrape", "operator": "Exists"}, {"key": "off", "operator": "DoesNotExist"}]});
    assert_eq!(of(expressions, json!({})), Some(json!({"team": "a", "scrape": "true"})));
    // Its own namespace only, others only, nothing at all.
    assert_eq!(of(release.clone(), Value::Null), None);
    assert_eq!(of(release, json!({"matchLabels": {"team": "a"}})), None);
    assert_eq!(labels(&prometheus(json!({"podMonitorNamespaceSelector": {}})), "podMonitor"), None);
    let never = json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]});
    assert_eq!(of(never, json!({})), None);
}

#[test]
fn what_is_created_selects_the_pods_that_are_declared() {
    for way in [Way::PodMonitor(Map::new()), Way::ServiceMonitor(Map::new())] {
        let mut pod = json!({"metadata": {"labels": {}}});
        way.declare(&mut pod);
        assert_eq!(pod["metadata"]["labels"][SELECTS], way.word());
        let objects = way.objects("x-");
        let (kind, monitor) = objects.last().unwrap();
        assert_eq!(monitor["kind"], kind.kind);
        assert_eq!(monitor.pointer("/spec/selector/matchLabels").unwrap(), &json!({SELECTS: way.word()}));
        assert!(objects.iter().all(|(_, object)| object["metadata"]["name"] == "x-metrics"));
    }
    let mut pod = json!({"metadata": {}});
    Way::Annotations.declare(&mut pod);
    assert_eq!(pod["metadata"]["annotations"]["prometheus.io/scrape"], "true");
}
