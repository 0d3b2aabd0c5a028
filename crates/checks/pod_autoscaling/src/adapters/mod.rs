//! Sources that tell the autoscaler a metric: the API of custom metrics, or that of external ones, whichever product
//! serves it.

use aiconform_model::quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// API that tells the autoscaler the metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Of each pod what it says: `custom.metrics.k8s.io`.
    #[default]
    Custom,
    /// Series without an object, for all pods together or for each: `external.metrics.k8s.io`.
    External,
    /// Like [`Source::External`], told by KEDA for a ScaledObject, of which it makes the autoscaler.
    Keda,
}

/// Ids of the subjects.
pub const IDS: &[&str] = &[Source::Custom.id(), Source::External.id(), Source::Keda.id()];

impl Source {
    /// All, in the order in which they are tried.
    pub const ALL: [Source; 3] = [Source::Custom, Source::External, Source::Keda];

    /// The subject's id.
    pub const fn id(self) -> &'static str {
        match self {
            Source::Custom => "custom-metrics",
            Source::External => "external-metrics",
            Source::Keda => "keda",
        }
    }

    /// The source of this id; of another, that of custom metrics.
    pub fn of(id: &str) -> Source {
        Source::ALL.into_iter().find(|source| source.id() == id).unwrap_or_default()
    }

    /// Tells whether it tells of each pod what that pod says; else it tells sums, of no namespace.
    pub fn is_of_pods(self) -> bool {
        self == Source::Custom
    }

    /// The API group.
    pub fn group(self) -> &'static str {
        match self {
            Source::Custom => "custom.metrics.k8s.io",
            Source::External | Source::Keda => "external.metrics.k8s.io",
        }
    }

    /// Name of what it tells, in words.
    pub fn words(self) -> &'static str {
        match self {
            Source::Custom => "custom metrics",
            Source::External | Source::Keda => "external metrics",
        }
    }

    /// Where the API has its metrics in the autoscaler's rules and status (`autoscaling/v2`).
    pub fn member(self) -> &'static str {
        match self {
            Source::Custom => "pods",
            Source::External | Source::Keda => "external",
        }
    }

    /// Values that an answer of it lists: by pod, or by the labels of their series.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn values(self, text: &str) -> Result<BTreeMap<String, f64>, String> {
        match self {
            Source::Custom => values(text),
            Source::External | Source::Keda => series(text),
        }
    }
}

/// Values by the labels of their series, from an answer of `external.metrics.k8s.io` (ExternalMetricValueList).
///
/// # Errors
/// When it is no such answer.
pub fn series(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let value = |item: &Value| {
        let value = item.get("value").and_then(Value::as_str).and_then(quantity);
        let (Some(_), Some(value)) = (item.get("metricName"), value) else {
            return Err(format!("one of its items is no value of a series: {item}"));
        };
        let labels = item.get("metricLabels").and_then(Value::as_object).into_iter().flatten();
        let labels: Vec<String> =
            labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
        Ok((labels.join(","), value))
    };
    let mut told = BTreeMap::new();
    for item in items(text)? {
        let (labels, value) = value(&item)?;
        // Whoever drops the labels tells several of one name; the autoscaler adds them up.
        *told.entry(labels).or_insert(0.0) += value;
    }
    Ok(told)
}

fn items(text: &str) -> Result<Vec<Value>, String> {
    let answer: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let kind = answer.get("kind").and_then(Value::as_str).unwrap_or("something else").to_owned();
    match answer.get("items") {
        Some(Value::Array(items)) => Ok(items.clone()),
        // An empty list may be left out altogether, or be null.
        Some(Value::Null) if kind.ends_with("List") => Ok(Vec::new()),
        _ => Err(format!("it is no list of values but {kind}")),
    }
}

/// Values of a metric by pod, from an answer of `custom.metrics.k8s.io` (MetricValueList).
///
/// # Errors
/// When it is no such answer.
pub fn values(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let value = |item: &Value| {
        let name = item.pointer("/describedObject/name").and_then(Value::as_str);
        let value = item.get("value").and_then(Value::as_str).and_then(quantity);
        let (Some(name), Some(value)) = (name, value) else {
            return Err(format!("one of its items is no value of an object: {item}"));
        };
        Ok((name.to_owned(), value))
    };
    items(text)?.iter().map(value).collect()
}

/// Tells whether an answer says that nobody tells the metric: an empty list, that it is not known, or, of KEDA, that what
/// it asks does not say it.
pub fn is_missing(source: Source, status: u16, text: &str) -> bool {
    status == 404
        || (source == Source::Keda && status == 500)
        || (status == 200 && source.values(text).is_ok_and(|values| values.is_empty()))
}

/// Tells whether two values are the same but for rounding: metrics come in thousandths.
pub fn alike(one: f64, other: f64) -> bool {
    (one - other).abs() <= 0.0015 + other.abs() * 0.001
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_versions_of_the_answer_are_read_and_nothing_else_is() {
        let old = r#"{"kind":"MetricValueList","items":[{"describedObject":{"name":"a"},"metricName":"m","value":"19500m"}]}"#;
        let new = r#"{"kind":"MetricValueList","items":[{"describedObject":{"name":"b"},"metric":{"name":"m"},"value":"2k"}]}"#;
        assert_eq!(values(old).unwrap()["a"], 19.5);
        assert_eq!(values(new).unwrap()["b"], 2000.0);
        for (text, why) in [
            ("<html>", "no JSON"),
            (r#"{"kind":"Status"}"#, "but Status"),
            (r#"{"items":[{"describedObject":{"name":"a"},"value":"many"}]}"#, "no value of an object"),
        ] {
            assert!(values(text).unwrap_err().contains(why), "{text}");
        }
        let missing = |status: u16, text: &str| is_missing(Source::Custom, status, text);
        assert!(missing(404, "") && missing(200, r#"{"items":[]}"#));
        assert!(is_missing(Source::Keda, 500, ""));
        assert!(!missing(500, "") && !missing(200, old) && !missing(200, "<html>"));
    }

    #[test]
    fn series_are_read_by_their_labels_and_those_without_are_added_up() {
        let text = |items: &str| format!(r#"{{"kind":"ExternalMetricValueList","items":{items}}}"#);
        let one = r#"[{"metricName":"m","metricLabels":{"pod":"a"},"value":"19500m"}]"#;
        assert_eq!(series(&text(one)).unwrap(), BTreeMap::from([("pod=a".into(), 19.5)]));
        let two = r#"[{"metricName":"m","metricLabels":null,"value":"2k"},{"metricName":"m","value":"1"}]"#;
        assert_eq!(series(&text(two)).unwrap(), BTreeMap::from([(String::new(), 2001.0)]));
        assert!(series(&text("null")).unwrap().is_empty());
        for (text, why) in [
            ("<html>".to_owned(), "no JSON"),
            (r#"{"kind":"Status","items":null}"#.to_owned(), "but Status"),
            (text(r#"[{"describedObject":{"name":"a"},"value":"1"}]"#), "no value of a series"),
        ] {
            assert!(series(&text).unwrap_err().contains(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = (values(&text), series(&text));
        }
    }
}
