use super::*;
use serde_json::json;

const ANSWERS: &str = r#"
[metadata]
platform_name = "Cirrus \"Stratus\": #1"
platform_version = "4.2"
vendor_name = "Cirrus Systems"
website_url = "https://cirrus.test/"
documentation_url = "https://docs.cirrus.test/"
product_logo_url = "https://cirrus.test/stratus.svg"
description = "A platform above the clouds."
contact_email_address = "stratus@cirrus.test"
k8s_conformance_url = "https://github.com/cncf/k8s-conformance/tree/master/v1.37/stratus"

[attest.ai_inference]
text = "Routes by weight."
evidence = ["https://docs.cirrus.test/gateway"]
owner = "the platform below"
"#;

const TEMPLATE: &str = "# The checklist
metadata:
  kubernetesVersion: v1.37
  platformName: \"[Platform Name]\"
  repoUrl: \"[Repository URL]\"
spec:
  networking:
    - id: ai_inference
      description: \"Sentence.\"
      level: MUST
      status: \"\"   # Implemented, N/A
      evidence: [] # Links
      notes: \"\"
  schedulingOrchestration:
    - id: gang_scheduling
      description: \"Sentence.\"
      level: MUST
      status: \"\"
      evidence: []
      notes: \"\"
  security:
    - id: workload_sandboxing
      description: \"Sentence.\"
      level: SHOULD
      status: \"\"
      evidence: []
      notes: \"\"
";

fn verdict(word: &str, passed: bool, simulated: bool) -> RunVerdict {
    RunVerdict {
        requirement: "gang_scheduling".into(),
        test: "TestGangScheduling".into(),
        passed,
        simulated,
        not_applicable: false,
        word: word.into(),
        why: "all pods of a gang started, or none.".into(),
        against: Vec::new(),
        failed_by_interpretation_alone: false,
    }
}

fn run(verdicts: Vec<RunVerdict>) -> JudgedRun {
    let views = vec![("junit.xml".into(), b"<x/>".to_vec()), ("report.html".into(), Vec::new())];
    let facts = json!({"tool": {"version": "0.1.0"}, "cluster": {"version": "v1.37.2"}, "level": "must",
        "rounds": 4, "seed": 7, "adapters": ["kueue/job"], "trials": []});
    JudgedRun { release: "1.37".into(), verdicts, views, facts }
}

fn product(files: &[(String, Vec<u8>)]) -> String {
    String::from_utf8(files.iter().find(|(name, _)| name == "PRODUCT.yaml").unwrap().1.clone()).unwrap()
}

fn made(verdicts: Vec<RunVerdict>, demo: bool) -> Result<Vec<(String, Vec<u8>)>, Refused> {
    submission(&[run(verdicts)], TEMPLATE, &Answers::read(ANSWERS, "product.toml").unwrap(), demo, &[])
}

#[test]
fn the_template_is_filled_and_everything_else_stays() {
    let files = made(vec![verdict("passed", true, false)], false).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["PRODUCT.yaml", "junit.xml", "README.md"]);
    let readme = String::from_utf8(files[2].1.clone()).unwrap();
    let command = "aiconform run --release 1.37 --level must --only gang_scheduling --rounds 4 --seed 7 --adapter kueue/job\n";
    assert!(readme.contains(command), "{readme}");
    let text = product(&files);
    assert!(text.starts_with("# The checklist\nmetadata:\n  kubernetesVersion: v1.37\n"), "{text}");
    for kept in ["# Implemented, N/A", "# Links"] {
        assert!(text.contains(kept), "{kept} is gone: {text}");
    }
    let read = Product::read(&text).unwrap();
    assert_eq!(read.text_of("platformName").unwrap().0, "Cirrus \"Stratus\": #1");
    assert_eq!(read.text_of("repoUrl").unwrap().0, "");
    let gang = read.answer_of("schedulingOrchestration", "gang_scheduling").unwrap();
    assert_eq!(
        (gang.status.text.as_str(), gang.evidence[0].text.as_str()),
        ("Implemented", "junit.xml#TestGangScheduling")
    );
    let attested = read.answer_of("networking", "ai_inference").unwrap();
    assert!(attested.notes.text.starts_with("Attested by the vendor"), "{}", attested.notes.text);
    assert!(attested.notes.text.ends_with("(Owner: the platform below.)"));
    assert_eq!(read.answer_of("security", "workload_sandboxing").unwrap().status.text, "");
}

#[test]
fn nothing_is_claimed_that_the_run_does_not_support() {
    let refused = |verdicts: Vec<RunVerdict>, words: &str| {
        let why = made(verdicts, false).unwrap_err().to_string();
        assert!(why.contains("- gang_scheduling: ") && why.contains(words), "{why}");
    };
    refused(vec![verdict("failed", false, false)], "the run says failed");
    refused(vec![verdict("inconclusive", false, false)], "the run says inconclusive");
    refused(vec![verdict("passed (simulated)", true, true)], "--demo");
    refused(vec![verdict("not run", false, false)], "[attest.gang_scheduling]");
    refused(Vec::new(), "the run did not test it");
    // A demonstration is no way around a failure.
    assert!(made(vec![verdict("failed", false, false)], true).is_err());
    let demonstrated = product(&made(vec![verdict("passed (simulated)", true, true)], true).unwrap());
    assert!(demonstrated.contains("Demonstration on simulated devices"), "{demonstrated}");
    let absent = RunVerdict { not_applicable: true, ..verdict("not applicable", false, false) };
    assert!(product(&made(vec![absent], false).unwrap()).contains("status: \"N/A\""));
}

#[test]
fn a_should_that_is_not_shown_is_told_and_is_not_fatal() {
    let sandboxing = |word: &str| RunVerdict {
        requirement: "workload_sandboxing".into(),
        test: "TestWorkloadSandboxing".into(),
        ..verdict(word, word.starts_with("passed"), word.ends_with("(simulated)"))
    };
    let answers = |attested: bool| {
        let more = "\n[attest.workload_sandboxing]\ntext = \"It has.\"\nevidence = [\"https://docs.cirrus.test/s\"]\n";
        Answers::read(&format!("{ANSWERS}{}", if attested { more } else { "" }), "product.toml").unwrap()
    };
    let told = |word: &str, attested: bool, demo: bool| {
        let run = run(vec![verdict("passed", true, false), sandboxing(word)]);
        let files = submission(&[run], TEMPLATE, &answers(attested), demo, &[])?;
        let read = Product::read(&product(&files)).unwrap();
        let answer = read.answer_of("security", "workload_sandboxing").unwrap();
        Ok::<_, Refused>((answer.status.text.clone(), answer.evidence.len(), answer.notes.text.clone()))
    };
    let (status, evidence, notes) = told("failed", false, false).unwrap();
    assert_eq!((status.as_str(), evidence), ("Not Implemented", 0));
    assert!(notes.starts_with("TestWorkloadSandboxing of aiconform failed: all pods"), "{notes}");
    let (status, evidence, notes) = told("inconclusive", false, false).unwrap();
    assert_eq!((status.as_str(), evidence), ("", 0));
    assert!(notes.contains("could not tell: all pods"), "{notes}");
    let (status, _, notes) = told("passed (simulated)", false, false).unwrap();
    assert!(status.is_empty() && notes.contains("prove nothing of a platform"), "{notes}");
    assert_eq!(told("passed (simulated)", false, true).unwrap().0, "Implemented");
    // Others may show what a run could not tell, and not what it refuted.
    let (status, evidence, _) = told("inconclusive", true, false).unwrap();
    assert_eq!((status.as_str(), evidence), ("Implemented", 1));
    assert!(
        told("failed", true, false)
            .unwrap_err()
            .to_string()
            .contains("workload_sandboxing: the run says failed")
    );
}

#[test]
fn what_one_run_could_not_tell_another_on_the_same_cluster_shows_and_both_are_told() {
    let on = |cluster: &str, own: RunVerdict| {
        let mut run = run(vec![own]);
        run.facts["cluster"]["fingerprint"] = json!(cluster);
        run
    };
    let answers = Answers::read(ANSWERS, "product.toml").unwrap();
    let made = |runs: &[JudgedRun]| submission(runs, TEMPLATE, &answers, false, &[]);
    let unsure = || verdict("inconclusive", false, false);
    let files = made(&[on("c", unsure()), on("c", verdict("passed", true, false))]).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    // Of a run that shows nothing an artifact would read as passed.
    assert_eq!(names, ["PRODUCT.yaml", "also-1/junit.xml", "README.md"]);
    let read = Product::read(&product(&files)).unwrap();
    let gang = read.answer_of("schedulingOrchestration", "gang_scheduling").unwrap();
    let evidence: Vec<&str> = gang.evidence.iter().map(|link| link.text.as_str()).collect();
    assert_eq!(evidence, ["also-1/junit.xml#TestGangScheduling"]);
    assert!(gang.notes.text.contains("did not show it; it lies beside"), "{}", gang.notes.text);
    let readme = String::from_utf8(files[2].1.clone()).unwrap();
    assert!(readme.contains("| requirement | `run` | `also-1/run` |"), "{readme}");
    assert!(readme.contains("| gang_scheduling | inconclusive | passed |"), "{readme}");
    assert!(readme.contains("It has no test artifacts"), "{readme}");
    // On another cluster it shows nothing of this one.
    let why = made(&[on("c", unsure()), on("d", verdict("passed", true, false))]).unwrap_err().to_string();
    assert!(why.contains("the run says inconclusive"), "{why}");
    let both =
        made(&[on("c", verdict("passed", true, false)), on("d", verdict("passed", true, false))]).unwrap();
    let read = Product::read(&product(&both)).unwrap();
    assert_eq!(read.answer_of("schedulingOrchestration", "gang_scheduling").unwrap().evidence.len(), 2);
}

#[test]
fn a_run_on_a_cluster_of_another_release_is_refused() {
    let with = |cluster: serde_json::Value, demo: bool| {
        let run =
            JudgedRun { facts: json!({"cluster": cluster}), ..run(vec![verdict("passed", true, false)]) };
        submission(&[run], TEMPLATE, &Answers::read(ANSWERS, "product.toml").unwrap(), demo, &[])
    };
    assert!(with(json!({"version": "v1.37.0-rc.1+k3s1"}), false).is_ok());
    for demo in [false, true] {
        let why = with(json!({"version": "v1.36.2"}), demo).unwrap_err().to_string();
        assert!(why.contains("\"v1.36.2\", and the checklist is that of 1.37"), "{why}");
        let why = with(json!({}), demo).unwrap_err().to_string();
        assert!(why.contains("does not say its version"), "{why}");
    }
}

#[test]
fn what_is_wrong_in_the_answers_is_said_with_its_place() {
    let wrong = |from: &str, to: &str, words: &str| {
        let why = Answers::read(&ANSWERS.replacen(from, to, 1), "product.toml").unwrap_err().to_string();
        assert!(why.starts_with("product.toml") && why.contains(words), "{why}");
    };
    wrong("vendor_name = ", "vendor = ", "line 5, column 1: unknown field `vendor`");
    wrong("\"Cirrus Systems\"", "\"[Vendor Name]\"", "metadata.vendor_name is \"[Vendor Name]\"");
    wrong("\"4.2\"", "4.2", "line 4, column 20");
    wrong("attest.ai_inference", "attest.ai_inferences", "no requirement \"ai_inferences\"");
    wrong("[\"https://docs.cirrus.test/gateway\"]", "[]", "at least one link");
    for item in ["junit.xml#TestGangScheduling", "summary.md", "https://", "https:///x", "https://x.test /"] {
        wrong("\"https://docs.cirrus.test/gateway\"", &format!("{item:?}"), "which is no link");
    }
    let template =
        submission(&[run(Vec::new())], "a: [", &Answers::read(ANSWERS, "x").unwrap(), true, &[]).unwrap_err();
    assert!(template.to_string().contains("the template of 1.37 cannot be filled"));
}

/// What `go test -v` prints of one test.
fn log(outcome: &str, test: &str) -> Vec<u8> {
    let end = if outcome == "FAIL" { "FAIL\nFAIL\tp\t1.000s\n" } else { "PASS\nok  \tp\t1.000s\n" };
    format!("=== RUN   {test}\n--- {outcome}: {test} (1.00s)\n{end}").into_bytes()
}

#[test]
fn tests_of_the_programme_are_evidence_unless_they_say_otherwise() {
    let with = |verdicts: Vec<RunVerdict>, outcome: &str, test: &str| {
        let upstream = Upstream::all(vec![("their.log".into(), log(outcome, test))]).unwrap();
        submission(
            &[run(verdicts)],
            TEMPLATE,
            &Answers::read(ANSWERS, "product.toml").unwrap(),
            false,
            &upstream,
        )
    };
    let passed = || vec![verdict("passed", true, false)];
    let files = with(passed(), "PASS", "TestGangScheduling").unwrap();
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name == "upstream/e2e.log" && *bytes == log("PASS", "TestGangScheduling"))
    );
    let read = Product::read(&product(&files)).unwrap();
    let gang = read.answer_of("schedulingOrchestration", "gang_scheduling").unwrap();
    let evidence: Vec<&str> = gang.evidence.iter().map(|link| link.text.as_str()).collect();
    assert_eq!(evidence, ["junit.xml#TestGangScheduling", "upstream/e2e.log#TestGangScheduling"]);
    // What the run did not test is shown by theirs alone.
    let files = with(Vec::new(), "PASS", "TestGangScheduling").unwrap();
    assert!(product(&files).contains("not by a test of this run"), "{}", product(&files));
    let refused = |verdicts: Vec<RunVerdict>, outcome: &str, test: &str, words: &str| {
        let why = with(verdicts, outcome, test).unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
    };
    refused(
        passed(),
        "SKIP",
        "TestGangScheduling",
        "the run says passed, and upstream/e2e.log#TestGangScheduling was skipped",
    );
    refused(passed(), "SKIP", "TestAiInference", "ai_inference: it is attested, and");
    let absent = RunVerdict { not_applicable: true, ..verdict("not applicable", false, false) };
    refused(vec![absent], "PASS", "TestGangScheduling", "the run says that it does not apply");
    refused(Vec::new(), "SKIP", "TestGangScheduling", "the run did not test it");
    refused(vec![verdict("failed", false, false)], "PASS", "TestGangScheduling", "the run says failed");
}

#[test]
fn an_artifact_of_the_programme_is_read_strictly() {
    let refused = |file: &str, bytes: Vec<u8>, words: &str| {
        let why = Upstream::read(file, bytes).unwrap_err().to_string();
        assert!(why.starts_with(file) && why.contains(words), "{why}");
    };
    refused("a.log", log("FAIL", "TestGangScheduling"), "tests failed in it");
    refused("a.log", log("PASS", "TestOther"), "no test in it");
    refused("a.md", b"x".to_vec(), "no test artifact");
    refused("junit.xml", b"<testsuites>".to_vec(), "");
    refused(
        "a.log",
        [log("PASS", "TestGangScheduling"), b"aiconform.dev/aiconform".to_vec()].concat(),
        "artifact of aiconform",
    );
    let cut = log("PASS", "TestGangScheduling");
    refused("a.log", cut[..cut.len() - 20].to_vec(), "");
    let skipped = "=== RUN   TestGangScheduling\n=== RUN   TestGangScheduling/a\n--- PASS: TestGangScheduling (1.00s)\n    --- SKIP: TestGangScheduling/a (1.00s)\nPASS\nok  \tp\t1.000s\n";
    let nothing = Upstream::read("a.log", skipped.into()).unwrap();
    assert_eq!(nothing.outcome("gang_scheduling"), Some(Outcome::Skip));
    let two = |one: Vec<u8>, other: (&str, Vec<u8>)| {
        Upstream::all(vec![("a.log".into(), one), (other.0.into(), other.1)]).unwrap_err().to_string()
    };
    assert!(
        two(log("PASS", "TestGangScheduling"), ("b.log", log("PASS", "TestGangScheduling")))
            .contains("of the same kind")
    );
    let other = "<testsuites tests=\"1\" skipped=\"1\"><testsuite name=\"p\" tests=\"1\" skipped=\"1\"><testcase classname=\"p\" name=\"TestGangScheduling\" time=\"1\"><skipped message=\"x\"/></testcase></testsuite></testsuites>";
    assert!(two(log("PASS", "TestGangScheduling"), ("b.xml", other.into())).contains("not of one run"));
}
