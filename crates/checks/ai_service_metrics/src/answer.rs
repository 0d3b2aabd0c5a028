//! Answers of a monitoring system to a query: the HTTP API of Prometheus (prometheus.io, "HTTP API"), which others speak too.

use aiconform_exposition::{Limits, NoExposition, parse};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One series of an answer, now.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the metric.
    pub name: String,
    /// Its labels without the name.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: Sampled,
    /// Number of observations that the buckets of a native histogram hold, as far as the answer has buckets.
    pub held: Option<f64>,
}

impl Series {
    /// The value of a label; empty where there is none, which means the same.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Its value, where that is one number.
    pub fn number(&self) -> Option<f64> {
        if let Sampled::Number(number) = self.value { Some(number) } else { None }
    }
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampled {
    /// A number.
    Number(f64),
    /// A native histogram, into which a classic one may be turned: how many observations it has, and their sum.
    Histogram {
        /// Number of observations.
        count: f64,
        /// Their sum.
        sum: f64,
    },
}

/// Reads the answer to an instant query.
///
/// # Errors
/// Why it tells nothing, in words: it is none, it is an error, or by its own word not whole.
pub fn series(text: &str) -> Result<Vec<Series>, String> {
    let answer: Answer = serde_json::from_str(text).map_err(|error| strange(text, &error))?;
    if answer.status != "success" {
        return Err(format!("it says {}: {} {}", answer.status, answer.error_type, answer.error));
    }
    if let Some(warning) = answer.warnings.first() {
        return Err(format!("it warns that its answer may not be whole: {warning}"));
    }
    if answer.is_partial {
        return Err("it says that its answer is not whole (isPartial)".into());
    }
    let data = answer.data.ok_or("its answer has no data")?;
    if data.kind != "vector" {
        return Err(format!("its answer is a {} and not a vector", data.kind));
    }
    let found: Vec<Item> = serde_json::from_value(data.result)
        .map_err(|error| format!("its answer is not understood: {error}"))?;
    found.into_iter().map(Item::series).collect()
}

/// Version of a monitoring system that speaks this API, where it says it (`buildinfo`).
///
/// # Errors
/// What it is instead, in words.
pub fn version(text: &str) -> Result<String, String> {
    let answer: Answer = serde_json::from_str(text).map_err(|error| strange(text, &error))?;
    if answer.status != "success" {
        return Err(format!("it says {:?} {}", answer.status, answer.error));
    }
    let data = answer.data.ok_or("its answer has no data")?;
    Ok(if data.version.is_empty() { "not told".into() } else { data.version })
}

/// Words for a text that is no such answer.
fn strange(text: &str, error: &serde_json::Error) -> String {
    match parse(text, &Limits::default()) {
        Err(page @ NoExposition::Html { .. }) => {
            format!(
                "{}, such as the page of a login that stands before it",
                page.to_string().replace(" and no metrics", "")
            )
        }
        _ if text.trim().is_empty() => "its answer is empty".into(),
        _ => format!("its answer is not one of the Prometheus API: {error}"),
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default, rename = "resultType")]
    kind: String,
    #[serde(default)]
    result: serde_json::Value,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
struct Item {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    histogram: Option<(f64, Native)>,
}

#[derive(Deserialize)]
struct Native {
    count: String,
    sum: String,
    /// Buckets that hold something: rule of the boundaries, lower and upper one, how many observations.
    #[serde(default)]
    buckets: Option<Vec<(serde_json::Value, String, String, String)>>,
}

impl Item {
    fn series(self) -> Result<Series, String> {
        let number = |text: &str| {
            text.parse::<f64>().map_err(|_| format!("a value of its answer is {text:?} and not a number"))
        };
        let value = match (&self.value, &self.histogram) {
            (Some((_, value)), _) => Sampled::Number(number(value)?),
            (None, Some((_, native))) => {
                Sampled::Histogram { count: number(&native.count)?, sum: number(&native.sum)? }
            }
            (None, None) => return Err("a series of its answer has no value".into()),
        };
        let buckets = self.histogram.and_then(|(_, native)| native.buckets);
        let held =
            buckets.map(|all| all.iter().map(|(.., count)| number(count)).sum::<Result<f64, String>>());
        let held = held.transpose()?;
        let mut labels = self.metric;
        let name = labels.remove("__name__").unwrap_or_default();
        Ok(Series { name, labels, value, held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vector(result: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#)
    }

    #[test]
    fn numbers_and_native_histograms_are_read() {
        let text = vector(
            r#"{"metric":{"__name__":"a","pod":"p"},"value":[1.5,"3"]},{"metric":{},"value":[1,"+Inf"]},
            {"metric":{"__name__":"h"},"histogram":[1,{"count":"4","sum":"0.5","buckets":[[0,"1","2","4"]]}]}"#,
        );
        let found = series(&text).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].label("pod"), found[0].number()), ("a", "p", Some(3.0)));
        assert_eq!(found[1].number(), Some(f64::INFINITY));
        assert_eq!((found[2].number(), found[2].value), (None, Sampled::Histogram { count: 4.0, sum: 0.5 }));
        assert_eq!([&found[0], &found[2]].map(|series| series.held), [None, Some(4.0)]);
        assert!(series(&vector("")).unwrap().is_empty());
    }

    #[test]
    fn observations_of_native_buckets_are_added_up() {
        let held = |buckets: &str| {
            let text = format!(r#"{{"metric":{{}},"histogram":[1,{{"count":"4","sum":"0.5"{buckets}}}]}}"#);
            series(&vector(&text)).map(|found| found[0].held)
        };
        assert_eq!(held(""), Ok(None));
        assert_eq!(held(r#","buckets":[]"#), Ok(Some(0.0)));
        assert_eq!(held(r#","buckets":[[0,"1","2","1"],[3,"-1","1","2.5"]]"#), Ok(Some(3.5)));
        assert!(held(r#","buckets":[[0,"1","2","some"]]"#).unwrap_err().contains("some"));
    }

    #[test]
    fn what_is_no_whole_answer_says_so() {
        let why = |text: &str| series(text).unwrap_err();
        let error = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert!(why(error).contains("query timed out"));
        let warned = r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["a store is down"]}"#;
        assert!(why(warned).contains("a store is down"));
        let part = r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#;
        assert!(why(part).contains("not whole"));
        assert!(why("<!DOCTYPE html><html><title>Sign in</title></html>").contains("Sign in"));
        assert!(why("").contains("empty"));
        assert!(why("a 1\n").contains("Prometheus API"));
        assert!(why(r#"{"status":"success"}"#).contains("no data"));
        assert!(why(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#).contains("matrix"));
        assert!(why(&vector(r#"{"metric":{},"value":[1,"many"]}"#)).contains("many"));
        assert!(why(&vector(r#"{"metric":{}}"#)).contains("no value"));
        assert!(why(&vector(r#"{"metric":{"a":1},"value":[1,"1"]}"#)).contains("not understood"));
    }

    #[test]
    fn a_monitoring_system_says_its_version_or_what_it_is_instead() {
        assert_eq!(version(r#"{"status":"success","data":{"version":"3.13.5"}}"#).unwrap(), "3.13.5");
        assert_eq!(version(r#"{"status":"success","data":{}}"#).unwrap(), "not told");
        assert!(version("<html></html>").is_err());
        assert!(version(r#"{"kind":"Status","status":"Failure"}"#).unwrap_err().contains("Failure"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer_or_a_sentence(text in ".{0,80}") {
            if let Err(why) = series(&text) {
                prop_assert!(!why.is_empty());
            }
            let _ = version(&text);
        }

        #[test]
        fn every_value_comes_back(name in "[a-z:]{1,8}", value: f64) {
            let found = series(&vector(&format!(r#"{{"metric":{{"__name__":"{name}"}},"value":[1,"{value:?}"]}}"#)));
            let found = found.unwrap();
            prop_assert_eq!(&found[0].name, &name);
            let back = found[0].number().unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || back.is_nan() && value.is_nan());
        }
    }
}
