//! How the autoscaler is told a metric of pods: what the API of custom metrics answers, whichever product serves it.

use aiconform_model::quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// Values of a metric by pod, from an answer of `custom.metrics.k8s.io` (MetricValueList).
///
/// # Errors
/// When it is no such answer.
pub fn values(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let answer: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(items) = answer.get("items").and_then(Value::as_array) else {
        let kind = answer.get("kind").and_then(Value::as_str).unwrap_or("something else");
        return Err(format!("it is no list of values but {kind}"));
    };
    let value = |item: &Value| {
        let name = item.pointer("/describedObject/name").and_then(Value::as_str);
        let value = item.get("value").and_then(Value::as_str).and_then(quantity);
        let (Some(name), Some(value)) = (name, value) else {
            return Err(format!("one of its items is no value of an object: {item}"));
        };
        Ok((name.to_owned(), value))
    };
    items.iter().map(value).collect()
}

/// Whether an answer says that nobody tells the metric: an empty list, or that it is not known.
pub fn is_missing(status: u16, text: &str) -> bool {
    status == 404 || (status == 200 && values(text).is_ok_and(|values| values.is_empty()))
}

/// Whether two values are the same but for rounding: metrics come in thousandths.
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
        assert!(is_missing(404, "") && is_missing(200, r#"{"items":[]}"#));
        assert!(!is_missing(500, "") && !is_missing(200, old) && !is_missing(200, "<html>"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = values(&text);
        }
    }
}
