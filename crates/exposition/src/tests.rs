//! Inputs as they come in the field, and what is true of all of them.

use crate::{Exposition, Limits, MetricType, NoExposition, Sample, parse};
use proptest::prelude::*;

fn read(text: &str) -> Exposition {
    parse(text, &Limits::default()).unwrap()
}

fn warnings(text: &str) -> Vec<String> {
    read(text).warnings.iter().map(ToString::to_string).collect()
}

/// As dcgm-exporter writes it: the pod's labels are on busy devices only.
const DCGM: &str = r#"# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",device="nvidia0",Hostname="a",container="c",namespace="n",pod="p"} 97
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-2",device="nvidia1",Hostname="a"} 0
"#;

#[test]
fn labels_may_differ_within_a_family() {
    let found = read(DCGM);
    assert!(found.warnings.is_empty());
    let pods: Vec<&str> = found.named("DCGM_FI_DEV_GPU_UTIL").map(|sample| sample.label("pod")).collect();
    assert_eq!(pods, ["p", ""]);
    assert_eq!(found.families["DCGM_FI_DEV_GPU_UTIL"].kind, Some(MetricType::Gauge));
}

#[test]
fn a_bad_line_costs_itself_and_is_told() {
    // dcgm-exporter, issues 394 and 488.
    let text =
        format!("{DCGM}DCGM_FI_DEV_FB_USED{{gpu=\"0\"}} ERROR - FAILED TO CONVERT TO STRING\n{}", "a 1\n");
    let found = read(&text);
    assert_eq!(found.samples.len(), 3);
    assert_eq!(found.warnings.len(), 1);
    let warning = &found.warnings[0];
    assert_eq!((warning.line, warning.column), (5, 30), "{warning}");
    assert!(warning.why.contains("ERROR") && warning.why.contains("a number"), "{warning}");
}

#[test]
fn names_may_hold_colons() {
    // vLLM.
    let found = read("vllm:num_requests_running{model_name=\"m\"} 2.0\n");
    assert_eq!(found.samples[0].name, "vllm:num_requests_running");
}

#[test]
fn open_metrics_with_an_exemplar() {
    let text = "# TYPE foo counter\n# UNIT foo seconds\n# HELP foo a \\\"b\\\"\\nc\nfoo_total{a=\"b\"} 17.0 1520879607.789 # {trace_id=\"x\"} 0.67 1520879606\n# EOF\n";
    let found = read(text);
    assert!(found.warnings.is_empty() && found.ended);
    let family = &found.families["foo"];
    assert_eq!((family.unit.as_deref(), family.help.as_deref()), (Some("seconds"), Some("a \"b\"\nc")));
    let sample = &found.samples[0];
    assert_eq!(sample.timestamp, Some(1_520_879_607.789));
    let exemplar = sample.exemplar.as_ref().unwrap();
    assert_eq!((exemplar.value, exemplar.timestamp), (0.67, Some(1_520_879_606.0)));
}

#[test]
fn quoted_names_hold_any_letters() {
    let text = "# TYPE \"hw.gpu.utilization\" gauge\n{\"hw.gpu.utilization\",\"hw.id\"=\"0\",unit=\"1\",} 0.5\nhw_x{\"hw.id\"=\"ü\"} 1\n";
    let found = read(text);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(found.samples[0].name, "hw.gpu.utilization");
    assert_eq!((found.samples[0].label("hw.id"), found.samples[1].label("hw.id")), ("0", "ü"));
    assert_eq!(found.families["hw.gpu.utilization"].kind, Some(MetricType::Gauge));
}

#[test]
fn lines_may_end_as_they_like() {
    let found = read("a 1\r\nb{c=\"d\"} 2\r\ne 3");
    let values: Vec<f64> = found.samples.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
    assert!(found.warnings.is_empty());
}

#[test]
fn what_is_no_exposition_is_one_error() {
    let error = |text: &str| parse(text, &Limits::default()).unwrap_err();
    let login = "<!DOCTYPE html>\n<html><head><title>Log in\n to X</title></head><body>a 1</body></html>";
    assert_eq!(error(login).to_string(), "this is HTML and no metrics (\"Log in to X\")");
    for json in ["{\"status\": \"success\"}", " [1]", "{}", "{\n  \"a\": {}\n}"] {
        assert_eq!(error(json), NoExposition::Json, "{json}");
    }
    let NoExposition::Garbage { lines, first } = error("\u{0}\u{1}\n404 page not found\n# a comment\n")
    else {
        panic!()
    };
    assert_eq!((lines, first.line, first.column), (3, 1, 1));
    assert_eq!(read("\n \n"), Exposition::default());
}

#[test]
fn values_and_moments_are_those_of_the_formats() {
    let found = read(
        "a NaN\nb +Inf 1520879607789\nc -Inf\nd 1e-3 -5\ne 0x1p4\nf 1_0\ng 1 NaN\nh {} 3\ni{}4\nj \t 5\n",
    );
    let of = |name: &str| found.named(name).next().map(|sample| sample.value);
    assert!(of("a").unwrap().is_nan());
    assert_eq!(
        [of("b"), of("c"), of("d"), of("e"), of("f"), of("g")],
        [Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(0.001), None, None, None]
    );
    assert_eq!([of("h"), of("i"), of("j")], [Some(3.0), Some(4.0), Some(5.0)]);
    assert_eq!(found.named("b").next().unwrap().timestamp, Some(1_520_879_607.789));
    let lines: Vec<usize> = found.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [5, 6, 7]);
}

#[test]
fn escapes_are_three() {
    let found = read("a{b=\"c\\\\d\\\"e\\nf\"} 1\n");
    assert_eq!(found.samples[0].label("b"), "c\\d\"e\nf");
    assert!(
        warnings("x 1\na{b=\"\\q\"} 1\n")[0].contains("line 2, column 7"),
        "{:?}",
        warnings("x 1\na{b=\"\\q\"} 1\n")
    );
}

#[test]
fn every_way_to_be_wrong_has_its_place() {
    for (line, column, word) in [
        ("a{b=\"c} 1", 10, "a closing quote"),
        ("a{b=c} 1", 5, "between quotes"),
        ("a{b} 1", 4, "an equals sign"),
        ("a{b=\"c\" d=\"e\"} 1", 9, "a comma"),
        ("{b=\"c\"} 1", 8, "the name of a metric"),
        ("a", 2, "a number"),
        ("a 1 2 3", 7, "the end of the line"),
        ("a 1 # b", 7, "the labels of an exemplar"),
        ("# TYPE a thing", 10, "a type of metric"),
        ("# TYPE a gauge x", 16, "the end of the line"),
        ("# TYPE", 7, "the name of a metric"),
        ("7a 1", 1, "the name of a metric"),
    ] {
        let found = read(&format!("good 1\n{line}\n"));
        assert_eq!(found.warnings.len(), 1, "{line}: {found:?}");
        let warning = &found.warnings[0];
        assert_eq!((warning.line, warning.column), (2, column), "{line}: {warning}");
        assert!(warning.why.contains(word), "{line}: {warning}");
        assert_eq!(found.samples.len(), 1);
    }
}

#[test]
fn what_contradicts_is_told() {
    assert_eq!(
        warnings("a{b=\"1\",c=\"\"} 1\na{b=\"1\"} 2\na{b=\"1\"} 2 5\n"),
        ["line 2, column 1: the same series as in line 1: a"]
    );
    assert_eq!(
        warnings("# TYPE a gauge\n# TYPE a counter\na 1\n"),
        ["line 2, column 1: a is a counter here and was a gauge before"]
    );
    assert_eq!(
        warnings("# HELP a x\n# HELP a y\na 1\n"),
        ["line 2, column 1: a second HELP of a, which says something else"]
    );
    assert_eq!(
        warnings("b 1\na{b=\"1\",b=\"2\"} 1\n"),
        ["line 2, column 1: a sample with the label b twice"]
    );
    assert_eq!(warnings("# TYPE a counter\na -1\n"), ["line 2, column 1: a is a counter and stands at -1"]);
    assert_eq!(warnings("# TYPE a histogram\na 1\na_bucket{le=\"+Inf\"} 1\n").len(), 1);
    assert_eq!(
        warnings("a 1\n# EOF\nb 1\n"),
        ["line 3, column 1: a line behind the end of the exposition (# EOF)"]
    );
}

#[test]
fn reading_is_bounded_and_says_what_it_cut() {
    let text = "a{b=\"1\",c=\"2\"} 1\nd 1\ne 1\n".to_owned();
    let few = Limits { bytes: 23, ..Limits::default() };
    let found = parse(&text, &few).unwrap();
    assert_eq!(
        (found.samples.len(), found.cut.unwrap().to_string()),
        (2, "only the first 2 lines were read: the text has more than 23 bytes".into())
    );
    let found = parse(&text, &Limits { lines: 1, ..Limits::default() }).unwrap();
    assert_eq!((found.samples.len(), found.cut.unwrap().what), (1, "lines"));
    let found = parse(&text, &Limits { labels: 1, ..Limits::default() }).unwrap();
    assert_eq!((found.samples.len(), found.warnings.len()), (2, 1));
    let found =
        parse(&format!("a 1\n{}", "?\n".repeat(9)), &Limits { warnings: 4, ..Limits::default() }).unwrap();
    assert_eq!((found.warnings.len(), found.more_warnings), (4, 5));
    // No whole line at all.
    let found = parse(&text, &Limits { bytes: 3, ..Limits::default() }).unwrap();
    assert!(found.samples.is_empty() && found.cut.is_some());
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z_:][a-zA-Z0-9_:]{0,6}", "[a-z.\"\\\\ü\n]{1,6}"]
}

fn samples() -> impl Strategy<Value = Sample> {
    let labels = proptest::collection::btree_map("[a-z_.\"ö]{1,4}", "[^\r]{0,5}", 0..4);
    let moment =
        proptest::option::of((-1e10_f64..1e10).prop_map(|moment| (moment * 1000.0).round() / 1000.0));
    (names(), labels, any::<f64>().prop_filter("equal to itself", |value| !value.is_nan()), moment).prop_map(
        |(name, labels, value, timestamp)| Sample {
            line: 0,
            name,
            labels: labels.into_iter().collect(),
            value,
            timestamp,
            exemplar: None,
        },
    )
}

proptest! {
    /// What is written is read as it was.
    #[test]
    fn written_and_read_again(samples in proptest::collection::vec(samples(), 1..8)) {
        let written = Exposition { samples: samples.clone(), ..Exposition::default() };
        let mut found = read(&written.to_string());
        // Only that a series is there twice can be told of it.
        prop_assert!(found.warnings.iter().all(|warning| warning.why.contains("same series")), "{:?}", found.warnings);
        found.samples.iter_mut().for_each(|sample| sample.line = 0);
        prop_assert_eq!(found.samples, samples);
    }

    /// Every line that holds something is a sample, says something of one, or is told.
    #[test]
    fn nothing_is_lost_in_silence(lines in proptest::collection::vec("[a-c#{}\"=, 0-9.\\\\TYPEHL]{0,20}", 0..8)) {
        let text = lines.join("\n");
        let limits = Limits::default();
        let told = match parse(&text, &limits) {
            Ok(found) => {
                for place in found.samples.iter().map(|sample| sample.line).chain(found.warnings.iter().map(|warning| warning.line)) {
                    prop_assert!(place >= 1 && place <= lines.len());
                }
                for warning in &found.warnings {
                    prop_assert!(warning.column <= lines[warning.line - 1].chars().count() + 1);
                }
                let at = |number: usize| found.samples.iter().any(|sample| sample.line == number)
                    || found.warnings.iter().any(|warning| warning.line == number);
                lines.iter().enumerate().all(|(place, line)| {
                    line.trim().is_empty() || line.trim_start().starts_with('#') || at(place + 1)
                })
            }
            Err(_) => true,
        };
        prop_assert!(told, "{text}");
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}", bytes in 0_usize..300, lines in 0_usize..9) {
        let limits = Limits { bytes, lines, labels: 2, warnings: 3 };
        if let Ok(found) = parse(&text, &limits) {
            prop_assert!(found.warnings.len() <= 3);
        }
    }
}
