use super::*;
use proptest::prelude::*;

fn of(file: &str, text: &str) -> Artifact {
    read(file, text.as_bytes()).unwrap()
}

fn kinds(artifact: &Artifact) -> Vec<TroubleKind> {
    artifact.troubles.iter().map(|trouble| trouble.kind).collect()
}

const LOG: &str = "=== RUN   TestA\n=== RUN   TestA/one\n--- PASS: TestA (1.00s)\n    --- SKIP: TestA/one (0.00s)\nPASS\nok  \texample.test/a\t1.0s\n";

#[test]
fn a_whole_log_has_no_trouble_and_each_cut_or_addition_has() {
    let whole = of("e2e.log", LOG);
    assert_eq!((whole.tests.len(), whole.troubles.len()), (2, 0), "{:?}", whole.troubles);
    assert_eq!(whole.outcome("TestA"), Some(Outcome::Pass));
    let cut = LOG.split("PASS\nok").next().unwrap();
    assert_eq!(kinds(&of("e2e.log", cut)), [TroubleKind::CutOff]);
    assert_eq!(kinds(&of("e2e.log", &LOG.replace("--- PASS: TestA (1.00s)\n", ""))), [TroubleKind::CutOff]);
    assert!(kinds(&of("e2e.log", &format!("{LOG}{LOG}"))).contains(&TroubleKind::Joined));
    assert!(
        kinds(&of("e2e.log", &LOG.replace("PASS\nok", "panic: x\nPASS\nok"))).contains(&TroubleKind::CutOff)
    );
    assert_eq!(kinds(&of("e2e.log", &LOG.replace("--- PASS", "--- FAIL"))), [TroubleKind::Contradiction]);
    assert!(of("e2e.log", "Ran 11 of 7144 Specs\nPASS\n").unreadable.is_some());
}

const JSON: &str = r#"{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"x"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}
{"Action":"pass","Package":"p","Elapsed":1}
"#;

#[test]
fn whole_json_has_no_trouble_and_each_cut_or_addition_has() {
    assert!(of("results.json", JSON).troubles.is_empty());
    let lines: Vec<&str> = JSON.lines().collect();
    let without = |gone: usize| {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != gone).map(|(_, line)| *line);
        of("results.json", &kept.collect::<Vec<_>>().join("\n"))
    };
    for gone in [0, 1, 4] {
        assert!(kinds(&without(gone)).contains(&TroubleKind::CutOff), "{gone}: {:?}", without(gone).troubles);
    }
    assert!(without(3).unreadable.is_some());
    assert!(kinds(&of("results.json", &format!("{JSON}{JSON}"))).contains(&TroubleKind::Joined));
    let failing = JSON.replacen("\"pass\"", "\"fail\"", 1);
    assert_eq!(kinds(&of("results.json", &failing)), [TroubleKind::Contradiction]);
    let unreadable = of("results.json", "{\"Action\":\"start\"}\nnot json").unreadable.unwrap();
    assert_eq!(unreadable.place.line, 2);
}

const JUNIT: &str = r#"<?xml version="1.0"?>
<testsuites tests="2" failures="0"><testsuite name="p" tests="2" failures="0" skipped="1">
<testcase name="TestA" classname="p"/>
<testcase name="TestB" classname="p"><skipped message="why"/></testcase>
</testsuite></testsuites>
"#;

#[test]
fn a_whole_junit_has_no_trouble_and_numbers_must_agree() {
    let whole = of("junit.xml", JUNIT);
    assert!(whole.troubles.is_empty() && whole.unreadable.is_none(), "{whole:?}");
    assert_eq!(
        (whole.outcome("TestB"), whole.outcomes()["TestB"]),
        (Some(Outcome::Skip), (Outcome::Skip, 4))
    );
    let edited = of("junit.xml", &JUNIT.replace("<skipped message=\"why\"/>", ""));
    assert_eq!(kinds(&edited), [TroubleKind::Contradiction]);
    assert!(of("junit.xml", &JUNIT[..JUNIT.len() - 30]).unreadable.is_some());
    assert!(kinds(&of("junit.xml", &JUNIT.replace("TestB", "TestA"))).contains(&TroubleKind::Joined));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuites><testcase name=\"&b;\"/></testsuites>";
    assert!(of("junit.xml", bomb).unreadable.unwrap().why.contains("document type"));
    assert!(of("junit.xml", &"<testsuite>".repeat(100_000)).unreadable.is_some());
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=''")).collect();
    assert!(
        of("junit.xml", &format!("<testsuite{attributes}/>")).unreadable.unwrap().why.contains("attributes")
    );
}

#[test]
fn a_test_case_inside_another_does_not_hide_its_failure() {
    let nested =
        "<testsuite><testcase name=\"TestA\"><failure/>\n<testcase name=\"TestB\"/></testcase></testsuite>";
    let artifact = of("junit.xml", nested);
    let trouble = artifact.unreadable.as_ref().unwrap();
    assert_eq!((trouble.kind, trouble.place.line), (TroubleKind::Format, 2));
    assert!(trouble.why.contains("inside another"), "{}", trouble.why);
    assert_eq!(artifact.failures(), ["TestA"]);
    let deeper = nested.replace("<testcase name=\"TestB\"/>", "<x><testcase name=\"TestB\"/></x>");
    assert!(of("junit.xml", &deeper).unreadable.is_some());
}

#[test]
fn a_skip_is_not_hidden_by_a_pass_of_another_name_and_failures_stay() {
    let log = "--- FAIL: TestA (1s)\n--- PASS: TestA (1s)\n--- SKIP: TestB/x (0s)\nFAIL\n";
    let artifact = of("e2e.log", log);
    assert_eq!(artifact.outcome("TestA"), Some(Outcome::Fail));
    assert_eq!(artifact.outcome("TestB"), Some(Outcome::Skip));
    assert_eq!(artifact.outcome("TestC"), None);
    assert_eq!(artifact.failures(), ["TestA"]);
}

#[test]
fn artifacts_are_known_by_their_content_too() {
    assert!(read("notes.txt", b"nothing").is_none());
    assert!(!of("junit_01.xml", JUNIT).known);
    assert_eq!(of("out/E2E.log", LOG).kind, Kind::Log);
    assert_eq!(of("e2e-results.log", LOG).kind, Kind::Log);
}

#[test]
fn the_words_of_a_skip_are_read_in_every_format() {
    let words = |artifact: &Artifact| {
        artifact.tests.iter().find(|test| test.outcome == Outcome::Skip).unwrap().words.clone()
    };
    let log = |text: &str| words(&of("e2e.log", text));
    assert_eq!(
        log("=== RUN   TestA\n    a_test.go:7: no GPU: none\n--- SKIP: TestA (0.00s)\nPASS\n"),
        "no GPU: none"
    );
    assert_eq!(log("=== RUN   TestA\n--- SKIP: TestA (0.00s)\n    a_test.go:7: no GPU\nPASS\n"), "no GPU");
    assert_eq!(log("=== RUN   TestA\n--- SKIP: TestA (0.00s)\nPASS\n"), "");
    let json = JSON.replace("\"Output\":\"x\"", "\"Output\":\"    a_test.go:7: no GPU\\n\"");
    assert_eq!(words(&of("results.json", &json.replacen("\"pass\"", "\"skip\"", 1))), "no GPU");
    assert_eq!(words(&of("junit.xml", JUNIT)), "why");
    let whole = JUNIT.replace("\"why\"", "\"=== RUN TestB&#10;    a_test.go:7: no GPU&#10;--- SKIP: TestB\"");
    assert_eq!(words(&of("junit.xml", &whole)), "no GPU");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for file in ["junit.xml", "results.json", "e2e.log"] {
            let _ = read(file, &bytes);
        }
    }

    #[test]
    fn a_junit_that_was_cut_anywhere_is_refused(cut in 1_usize..200) {
        let end = JUNIT.trim_end().len() - cut.min(JUNIT.trim_end().len());
        prop_assert!(of("junit.xml", &JUNIT[..end]).unreadable.is_some());
    }
}
