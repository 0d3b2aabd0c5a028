//! Every rule on a fictional product: what is as it should be is silent, and each change is found by its rule.

use crate::case::PRODUCT;
use crate::reach::{Reached, links};
use crate::{Finding, Given, JudgedRun, Level, Moment, RunFolders, RunVerdict, members, review};
use aiconform_model::catalogue::{self, requirements};
use camino::{Utf8Path, Utf8PathBuf};
use std::fmt::Write;

/// A clone of the programme with one submission in it.
struct Clone {
    folder: tempfile::TempDir,
    release: &'static str,
}

fn spec(release: &str, answered: bool) -> String {
    let mut text = String::from("spec:\n");
    let mut category = "";
    for requirement in requirements().iter().filter(|requirement| requirement.level(release).is_some()) {
        if requirement.category != category {
            category = &requirement.category;
            let _ = writeln!(text, "  {category}:");
        }
        let level = requirement.level(release).unwrap();
        let must = answered && level == catalogue::Level::Must;
        let (status, evidence) = if must { ("Implemented", "[proof.md]") } else { ("", "[]") };
        let id = &requirement.id;
        let _ = write!(
            text,
            "    - id: {id}\n      description: \"Sentence of {id}.\"\n      level: {}\n      status: \"{status}\"\n      evidence: {evidence}\n      notes: \"{}\"\n",
            level.word(),
            if must { "Shown." } else { "" },
        );
    }
    text
}

const METADATA: &str = "metadata:
  kubernetesVersion: v1.36
  platformName: \"Cirrus Stratus\"
  platformVersion: \"4.2\"
  vendorName: \"Cirrus Systems\"
  websiteUrl: \"https://cirrus.test/\"
  repoUrl: \"https://github.com/cirrus/stratus\"
  documentationUrl: \"https://docs.cirrus.test/\"
  productLogoUrl: \"https://cirrus.test/stratus.svg\"
  description: \"A platform above the clouds.\"
  contactEmailAddress: \"stratus@cirrus.test\"
  k8sConformanceUrl: \"https://github.com/cncf/k8s-conformance/tree/master/v1.36/stratus\"
";

impl Clone {
    fn new() -> Clone {
        Clone::of("1.36")
    }

    fn of(release: &'static str) -> Clone {
        let clone = Clone { folder: tempfile::tempdir().unwrap(), release };
        clone.write(&format!("docs/AIConformance-{release}.yaml"), &spec(release, false));
        let metadata = METADATA.replace("v1.36", &format!("v{release}"));
        clone.file(PRODUCT, &format!("{metadata}{}", spec(release, true)));
        clone.file("proof.md", "# Proof\n\nWhat was seen.\n");
        clone
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn product(&self) -> Utf8PathBuf {
        self.root().join(format!("v{}/stratus", self.release))
    }

    fn write(&self, name: &str, content: &str) {
        let file = self.root().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// A file of the submission.
    fn file(&self, name: &str, content: &str) {
        self.write(&format!("v{}/stratus/{name}", self.release), content);
    }

    /// Changes the product file, which must have what is changed.
    fn change(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.product().join(PRODUCT)).unwrap();
        assert!(text.contains(from), "{from}");
        self.file(PRODUCT, &text.replacen(from, to, 1));
    }

    /// Changes the answer to one requirement.
    fn answer(&self, id: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.product().join(PRODUCT)).unwrap();
        let start = text.find(&format!("id: {id}\n")).unwrap();
        let (before, after) = text.split_at(start);
        assert!(after.contains(from), "{from}");
        self.file(PRODUCT, &format!("{before}{}", after.replacen(from, to, 1)));
    }

    fn review(&self, given: Given<'_>) -> Vec<Finding> {
        let members = Some(members("Cirrus Systems (member)\nNimbus\n"));
        let review = review(&[self.product()], &Given { members, ..given });
        review.submissions.into_iter().next().unwrap().findings
    }

    fn findings(&self) -> Vec<Finding> {
        self.review(Given::default())
    }

    /// That a rule says these words with this level, at a place of the product file when one is given.
    fn finds(&self, rule: &str, level: Level, words: &str) -> Finding {
        let findings = self.findings();
        let found = findings
            .iter()
            .find(|finding| finding.rule == rule && finding.level == level && finding.says.contains(words));
        found.unwrap_or_else(|| panic!("{rule} does not say {words:?}: {findings:#?}")).clone()
    }

    fn is_silent(&self, rule: &str) {
        let findings = self.findings();
        assert!(findings.iter().all(|finding| finding.rule != rule), "{rule}: {findings:#?}");
    }
}

fn changed(from: &str, to: &str, rule: &str, level: Level, words: &str) -> Finding {
    let clone = Clone::new();
    clone.change(from, to);
    clone.finds(rule, level, words)
}

#[test]
fn nothing_is_found_in_what_is_as_it_should_be() {
    for release in ["1.33", "1.34", "1.35", "1.36"] {
        let clone = Clone::of(release);
        assert_eq!(clone.findings(), [], "{release}");
    }
}

#[test]
fn what_the_validator_refuses_is_refused_at_its_place() {
    use Level::{Error, Warning};
    let found =
        changed("platformVersion: \"4.2\"", "platformVersion: 4.20", "metadata_text", Error, "\"4.20\"");
    assert_eq!((found.line, found.column, found.snippet.as_str()), (4, 20, "  platformVersion: 4.20"));
    changed(
        "  vendorName: \"Cirrus Systems\"\n",
        "",
        "metadata_present",
        Error,
        "vendorName (or vendor_name)",
    );
    changed("\"stratus@cirrus.test\"", "", "metadata_present", Error, "no value");
    changed("\"stratus@cirrus.test\"", "\"\"", "metadata_present", Error, "empty");
    changed("\"stratus@cirrus.test\"", "\"[Mail]\"", "placeholder", Error, "[Mail]");
    changed("\"Cirrus Systems\"", "\"cirrus\"", "vendor_member", Error, "did you mean \"Cirrus Systems\"");
    changed("/tree/", "/blob/", "base_certification", Error, "another form");
    changed("metadata:", "meta:", "sections", Error, "metadata is missing");
    changed("  security:", "  safety:", "requirement_present", Error, "the category security is missing");
    changed("id: gang_scheduling", "id: gang", "requirement_present", Error, "gang_scheduling is missing");
    changed("evidence: [proof.md]", "evidence: proof.md", "product_form", Error, "not a list");
    changed("evidence: [proof.md]", "evidence: [proofs.md]", "evidence_file", Error, "no such file");
    changed(
        "evidence: [proof.md]",
        "evidence: [../proof.md]",
        "evidence_file",
        Error,
        "out of the submission",
    );
    changed("status: \"Implemented\"", "status: \"Done\"", "status_known", Error, "\"Done\"");
    changed("status: \"Implemented\"", "status: \"N/A\"", "must_implemented", Error, "must be Implemented");
    changed("metadata:", "metadata: {}\nmetadata:", "product_readable", Error, "duplicate mapping key");
    let clone = Clone::new();
    clone.answer("cluster_autoscaling", "Implemented", "N/A");
    clone.finds("must_implemented", Warning, "a reviewer must read");
    clone.answer("cluster_autoscaling", "Shown.", " ");
    clone.finds("not_applicable", Error, "without a reason");
}

#[test]
fn what_the_programmes_texts_ask_is_found() {
    use Level::{Error, Note, Warning};
    changed("evidence: [proof.md]", "evidence: []", "evidence_given", Error, "without any evidence");
    changed("Sentence of gang", "A sentence of gang", "description_unchanged", Error, "gang_scheduling");
    changed("level: MUST", "level: SHOULD", "level_unchanged", Error, "is MUST in 1.36");
    changed("kubernetesVersion: v1.36", "kubernetesVersion: v1.35", "kubernetes_version", Error, "v1.35");
    changed("kubernetesVersion: v1.36", "kubernetesVersion: v1.36.1", "kubernetes_version", Note, "v1.36.1");
    changed("v1.36/stratus", "v1.35/stratus", "base_certification_version", Error, "v1.35");
    changed("v1.36/stratus", "v1.36/other", "base_certification_version", Note, "layered");
    changed("https://cirrus.test/stratus.svg", "https://yoyo.dyne/x.svg", "example_value", Error, "example");
    changed("stratus.svg", "stratus.png", "logo_format", Warning, "no SVG");
    changed("\"4.2\"", "\"v1.36\"", "platform_version", Warning, "version of Kubernetes");
    changed("\"https://docs", "\" https://docs", "metadata_address", Warning, "blanks");
    changed("stratus@", "stratus at ", "metadata_address", Warning, "no mail address");
    changed("  description:", "  slogan: x\n  description:", "known_keys", Warning, "slogan");
    changed("  platformName:", "  platform_name:", "known_keys", Note, "platformName");
    changed("notes: \"Shown.\"", "notes: \"\"", "must_notes", Note, "no notes");
    changed("spec:", "---\nspec:", "one_document", Warning, "leaves it unread");
    changed("evidence: [proof.md]", "evidence: N/A", "product_form", Error, "leave the list empty");
    changed("evidence: [proof.md]", "evidence: [N/A]", "evidence_file", Error, "leave the list empty");
    changed(
        "evidence: [proof.md]",
        "evidence: [see proof.md]",
        "evidence_file",
        Error,
        "name the file alone: \"proof.md\"",
    );
    let link = |link: &str| format!("evidence: [\"{link}\"]");
    let linked = |target: &str, rule: &str, level: Level, words: &str| {
        changed("evidence: [proof.md]", &link(target), rule, level, words);
    };
    linked("https://github.com/cirrus/proof/blob/main/a.md", "mutable_link", Warning, "to a branch");
    linked("https://github.com/somebody7/proof", "personal_repository", Warning, "somebody7");
    linked("https://github.com/cirrus/proof/blob/patch-1/a.md", "personal_repository", Warning, "patch-1");
    linked("https://docs.cirrus.test/v1.34/gangs", "other_version", Warning, "\"v1.34\"");
    let clone = Clone::new();
    clone.answer("cluster_autoscaling", "Shown.", "The platform does not provide an autoscaler.");
    clone.finds("own_words", Warning, "does not provide");
    clone.answer("cluster_autoscaling", "Implemented", "N/A");
    clone.finds("not_applicable_reason", Warning, "does not provide");
    let clone = Clone::new();
    for id in ["ai_inference", "gang_scheduling", "pod_autoscaling"] {
        clone.answer(id, "[proof.md]", "[\"https://docs.cirrus.test/all\"]");
    }
    clone.finds("shared_link", Note, "3 requirements");
    let clone = Clone::new();
    clone.answer("pod_autoscaling", "Shown.", "HPA scales pods with GPUs by CPU.");
    clone.finds("half_shown", Warning, "custom metrics");
    clone.answer("pod_autoscaling", "by CPU", "by CPU, and by custom metrics");
    clone.is_silent("half_shown");
    clone.answer("robust_controller", "Shown.", "An operator without webhooks.");
    clone.finds("half_shown", Warning, "webhooks are operational");
    let clone = Clone::new();
    clone.change("    - id: gang_scheduling\n", "    - id: gang_scheduling\n    - id: gang_scheduling\n");
    clone.finds("known_keys", Error, "stands there twice");
}

const LOG: &str = "=== RUN   TestSecureAcceleratorAccess\n--- PASS: TestSecureAcceleratorAccess (1.00s)\n=== RUN   TestGangScheduling\n=== RUN   TestGangScheduling/Positive\n--- PASS: TestGangScheduling (1.00s)\n    --- PASS: TestGangScheduling/Positive (1.00s)\n=== RUN   TestAcceleratorClusterAutoscaling\n--- PASS: TestAcceleratorClusterAutoscaling (1.00s)\nPASS\nok  \texample.test/suite\t3.0s\n";

fn with_log(log: &str) -> Clone {
    let clone = Clone::of("1.37");
    for (id, test) in super::artifact_test::TESTS {
        clone.answer(id, "[proof.md]", &format!("[\"file://v1.37/stratus/e2e.log#{test}\"]"));
    }
    clone.file("e2e.log", log);
    clone
}

#[test]
fn another_releases_checklist_is_told_before_its_details() {
    let clone = Clone::of("1.37");
    let metadata = METADATA.replace("v1.36", "v1.37");
    clone.file(PRODUCT, &format!("{metadata}{}", spec("1.34", true)));
    let told = clone.finds("other_checklist", Level::Error, "another release, most like that of 1.34");
    assert!(told.says.contains("docs/AIConformance-1.37.yaml"), "{}", told.says);
    assert_eq!(clone.findings()[0].rule, "other_checklist");
    // One that was forgotten is no other checklist.
    let clone = Clone::of("1.37");
    clone.change("id: gang_scheduling", "id: gang");
    clone.finds("requirement_present", Level::Error, "gang_scheduling");
    clone.is_silent("other_checklist");
}

#[test]
fn findings_that_differ_in_their_place_alone_are_one_with_all_places_in_it() {
    let clone = Clone::new();
    let product = std::fs::read_to_string(clone.product().join(PRODUCT)).unwrap();
    clone.file(PRODUCT, &product.replace("\"Sentence of", "\"A sentence of"));
    let review = review(&[clone.product()], &Given::default());
    let reviewed = &review.submissions[0];
    let count = reviewed.findings.iter().filter(|finding| finding.rule == "description_unchanged").count();
    assert!(count > 8, "{count}");
    let table = crate::show::table(&review, false, false);
    assert_eq!(table.matches("error[description_unchanged]").count(), 1, "{table}");
    assert!(table.contains(&format!("the same in {} other places", count - 1)), "{table}");
    assert!(table.contains(&format!("{} more (--all)", count - 3)), "{table}");
    let all = crate::show::table(&review, false, true);
    assert!(!all.contains("--all") && all.contains("gang_scheduling (line"), "{all}");
    let last = table.lines().next_back().unwrap();
    assert!(last.starts_with("begin with description_unchanged: the description of each"), "{table}");
    let json = serde_json::to_value(&review).unwrap();
    let told = json["submissions"][0]["findings"].as_array().unwrap();
    let told: Vec<_> = told.iter().filter(|finding| finding["rule"] == "description_unchanged").collect();
    assert_eq!((told.len(), told[0]["also"].as_array().unwrap().len()), (1, count - 1));
    let github = crate::show::github(&review);
    assert_eq!(github.matches("title=description_unchanged").count(), 1);
    assert!(github.contains("gang_scheduling (line") && !github.contains("--all"), "{github}");
    let markdown = crate::show::markdown(&review, false);
    assert_eq!(markdown.matches("| description_unchanged |").count(), 1, "{markdown}");
}

#[test]
fn a_test_that_was_skipped_is_told_once_with_its_own_words() {
    let clone = with_log(&LOG.replace(
        "--- PASS: TestAcceleratorCluster",
        "    scale_test.go:31: no autoscaler was named\n--- SKIP: TestAcceleratorCluster",
    ));
    let case = "<testcase name=\"TestAcceleratorClusterAutoscaling\" classname=\"s\"><skipped/></testcase>";
    clone.file("junit.xml", &format!("<testsuites><testsuite name=\"s\">{case}</testsuite></testsuites>"));
    let told = clone.finds("artifact_contradicts", Level::Error, "was not tested");
    for words in ["no autoscaler was named", "\"junit.xml\"", "\"e2e.log\""] {
        assert!(told.says.contains(words), "{}", told.says);
    }
    let findings = clone.findings();
    assert_eq!(findings.iter().filter(|finding| finding.rule == "artifact_contradicts").count(), 1);
    // What another run has passed counts where both lie beside their artifacts, and nowhere else.
    let case = case.replace("<skipped/>", "");
    let passed = format!("<testsuites><testsuite name=\"s\">{case}</testsuite></testsuites>");
    clone.file("also-1/junit.xml", &passed);
    clone.finds("artifact_contradicts", Level::Error, "was not tested");
    clone.file("also-1/run/manifest.json", "{}");
    clone.finds("artifact_contradicts", Level::Error, "was not tested");
    clone.file("run/manifest.json", "{}");
    clone.is_silent("artifact_contradicts");
}

#[test]
fn artifacts_are_read_and_held_against_the_claims() {
    use Level::{Error, Note, Warning};
    assert_eq!(with_log(LOG).findings(), []);
    Clone::of("1.37").finds("artifact_recommended", Warning, "gang_scheduling");
    let log = |from: &str, to: &str| with_log(&LOG.replace(from, to));
    log("--- ", "+++ ").finds("artifact_readable", Error, "no line such as");
    let failed = log("--- PASS: TestGangScheduling (", "--- FAIL: TestGangScheduling (");
    failed.finds("artifact_failing", Error, "TestGangScheduling");
    failed.finds("artifact_test", Error, "failed");
    failed.finds("artifact_whole", Error, "ends with PASS");
    let skipped = log("--- PASS: TestAcceleratorCluster", "--- SKIP: TestAcceleratorCluster");
    skipped.finds("artifact_test", Error, "was skipped");
    skipped.finds("artifact_contradicts", Error, "was skipped");
    log("TestGangScheduling", "TestOther").finds("artifact_test", Error, "is not in");
    log("TestGangScheduling", "TestOther").finds("partial_run", Warning, "TestGangScheduling");
    let hidden =
        log("    --- PASS: TestGangScheduling/Positive", "    --- SKIP: TestGangScheduling/Positive");
    hidden.finds("all_skipped", Error, "shown nothing");
    hidden.is_silent("artifact_test");
    with_log(LOG.split("PASS\nok").next().unwrap()).finds("artifact_whole", Error, "cut off");
    with_log(&format!("{LOG}{LOG}")).finds("artifact_whole", Error, "several runs");
    let fragment = with_log(LOG);
    fragment.answer("gang_scheduling", "#TestGangScheduling", "#TestSecureAcceleratorAccess");
    fragment.finds("artifact_fragment", Warning, "TestGangScheduling");
    let unnamed = with_log(LOG);
    unnamed.file("old/e2e-results.log", &LOG.replace("PASS", "FAIL"));
    unnamed.finds("artifact_unnamed", Error, "tests failed in it");
    unnamed.file("old/e2e-results.log", LOG);
    unnamed.finds("artifact_unnamed", Note, "no evidence");
    let disagree = with_log(LOG);
    let case =
        |name: &str, inner: &str| format!("<testcase name=\"{name}\" classname=\"s\">{inner}</testcase>");
    let cases = case("TestSecureAcceleratorAccess", "") + &case("TestGangScheduling", "<skipped/>");
    disagree
        .file("junit.xml", &format!("<testsuites><testsuite name=\"s\">{cases}</testsuite></testsuites>"));
    disagree.finds("artifacts_agree", Note, "passed here and was skipped there");
    disagree.finds("artifacts_agree", Note, "TestAcceleratorClusterAutoscaling");
    let simulated = with_log(&LOG.replace(
        "--- PASS: TestGangScheduling (",
        "    gang_scheduling (MUST of 1.37): passed (simulated)\n--- PASS: TestGangScheduling (",
    ));
    let found = simulated.finds("simulated_proof", Error, "simulated devices");
    assert_eq!((found.file.as_str(), found.requirement.as_str()), ("e2e.log", "gang_scheduling"));
}

#[test]
fn output_that_is_used_twice_is_told_of_the_later() {
    let clone = Clone::new();
    let output = "NAME READY\ncirrus-worker-7d9f6c5b4-2xkvz 1/1\nGPU-3f2a91c4-77aa-40b1-9d3e-0b54c8e1a2f7\n";
    clone.file("proof.md", &format!("# Proof of 1.36\n{output}"));
    clone.write("v1.35/stratus/PRODUCT.yaml", METADATA);
    clone.write("v1.35/stratus/proof.md", &format!("# Proof of 1.35\n{output}"));
    clone.write("v1.34/Stratus/PRODUCT.yaml", METADATA);
    let folders = crate::submissions(clone.root()).unwrap();
    assert_eq!(folders.len(), 3);
    let review = review(&folders, &Given::default());
    let told: Vec<(&str, &str)> = review
        .submissions
        .iter()
        .flat_map(|reviewed| reviewed.findings.iter().map(|finding| (reviewed.title.as_str(), finding)))
        .filter(|(_, finding)| ["recycled_output", "one_name"].contains(&finding.rule))
        .map(|(title, finding)| (title, finding.rule))
        .collect();
    let expected =
        [("v1.35/stratus", "one_name"), ("v1.36/stratus", "recycled_output"), ("v1.36/stratus", "one_name")];
    assert_eq!(told, expected);
}

#[test]
fn hostile_files_are_findings() {
    use Level::{Error, Note, Warning};
    let clone = Clone::new();
    clone.file("bad.md", "a <SCRIPT>alert(1)</SCRIPT>\n\u{1b}[2J");
    clone.finds("active_content", Warning, "<script");
    clone.finds("active_content", Note, "control character");
    std::os::unix::fs::symlink("/etc/passwd", clone.product().join("link.md")).unwrap();
    clone.finds("safe_files", Error, "symbolic link");
    std::fs::write(clone.product().join("latin.txt"), b"caf\xe9").unwrap();
    clone.finds("safe_files", Warning, "no UTF-8");
    let large = std::fs::File::create(clone.product().join("large.log")).unwrap();
    large.set_len(1 << 40).unwrap();
    clone.finds("safe_files", Error, "1099511627776 bytes");
    std::fs::write(clone.product().join(PRODUCT), b"a: \xff").unwrap();
    let found = clone.finds("product_readable", Error, "no UTF-8");
    assert_eq!((found.line, found.column), (1, 4));
    std::fs::remove_file(clone.product().join(PRODUCT)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", clone.product().join(PRODUCT)).unwrap();
    clone.finds("product_readable", Error, "a link");
    let clone = Clone::new();
    let many = format!("evidence: [{}]", vec!["a.md"; 600].join(","));
    clone.change("evidence: [proof.md]", &many);
    clone.finds("product_readable", Error, "600 items");
    let clone = Clone::new();
    clone.change("kubernetesVersion:", "\"\u{1b}[2J\u{202e}\": 1\n  kubernetesVersion:");
    clone.change("evidence: [proof.md]", "evidence: [\"\u{202e}gnp.exe\"]");
    let review = review(&[clone.product()], &Given::default());
    for shown in [
        crate::show::table(&review, true, false),
        crate::show::github(&review),
        crate::show::markdown(&review, false),
    ] {
        let obeyed = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
        assert!(!shown.contains(obeyed), "{shown:?}");
    }
    let clone = Clone::new();
    clone.file(PRODUCT, &"- x\n".repeat(300_000));
    clone.finds("product_readable", Error, "bytes");
}

#[test]
fn what_was_asked_later_is_a_note_by_the_rules_of_then() {
    let clone = Clone::of("1.34");
    clone.change("  k8sConformanceUrl", "  # k8sConformanceUrl");
    clone.finds("base_certification", Level::Error, "missing");
    let findings = clone.review(Given { moment: Moment::AtMerge, ..Given::default() });
    let found = findings.iter().find(|finding| finding.rule == "base_certification").unwrap();
    assert_eq!(found.level, Level::Note);
    assert!(found.says.contains("asked since 1.35"), "{}", found.says);
    let findings = clone.review(Given { validator_only: true, ..Given::default() });
    assert!(findings.iter().all(|finding| finding.origin == crate::Origin::Validator));
}

/// Judges without looking.
struct Runs(Result<JudgedRun, String>);

impl RunFolders for Runs {
    fn judge(&self, _: &Utf8Path, _: bool) -> Result<JudgedRun, String> {
        self.0.clone()
    }
}

#[test]
fn a_run_folder_is_held_against_the_claims_and_its_views() {
    let clone = Clone::new();
    clone.file("run/manifest.json", "{}");
    clone.file("run/events.ndjson", "");
    clone.file("run/summary.md", "edited");
    clone.file("summary.md", "true");
    let says = |run: Result<JudgedRun, String>| -> Vec<(String, String)> {
        let runs = Runs(run);
        let findings = clone.review(Given { runs: Some(&runs), ..Given::default() });
        let ours = findings.into_iter().filter(|finding| finding.rule == "run_folder");
        ours.map(|finding| (finding.file, finding.says)).collect()
    };
    let verdict = |passed: bool, simulated: bool, word: &str| {
        let requirement = "gang_scheduling".to_owned();
        let (test, why) = (String::new(), String::new());
        vec![RunVerdict {
            requirement,
            test,
            passed,
            simulated,
            not_applicable: false,
            word: word.into(),
            why,
            against: Vec::new(),
            failed_by_interpretation_alone: false,
        }]
    };
    let run =
        |verdicts: Vec<RunVerdict>| JudgedRun { release: "1.36".into(), verdicts, ..JudgedRun::default() };
    assert_eq!(says(Ok(run(verdict(true, false, "passed")))), []);
    assert!(says(Ok(run(verdict(false, false, "failed"))))[0].1.contains("verdict is failed"));
    assert!(says(Ok(run(verdict(true, true, "passed (simulated)"))))[0].1.contains("simulated"));
    let views = vec![("summary.md".to_owned(), b"true".to_vec())];
    let edited = says(Ok(JudgedRun { views, ..run(Vec::new()) }));
    assert_eq!(edited.len(), 1);
    assert_eq!(edited[0].0, "run/summary.md");
    let other = JudgedRun { release: "1.35".into(), ..run(Vec::new()) };
    assert!(says(Ok(other))[0].1.contains("1.35"));
    // What a run in another folder shows counts beside.
    let views = vec![("summary.md".to_owned(), b"also".to_vec())];
    clone.file("run/summary.md", "also");
    clone.file("also-1/run/manifest.json", "{}");
    clone.file("also-1/run/events.ndjson", "");
    clone.file("also-1/summary.md", "other");
    clone.file("summary.md", "also");
    let places: Vec<String> =
        says(Ok(JudgedRun { views, ..run(Vec::new()) })).into_iter().map(|(file, _)| file).collect();
    assert_eq!(places, ["also-1/summary.md"]);
    // Wherever the one run lies, what is shown beside the product file is of it.
    for name in ["manifest.json", "events.ndjson"] {
        fs_err::remove_file(clone.product().join("run").join(name)).unwrap();
    }
    clone.file("summary.md", "other");
    let views = vec![("summary.md".to_owned(), b"also".to_vec())];
    let places: Vec<String> =
        says(Ok(JudgedRun { views, ..run(Vec::new()) })).into_iter().map(|(file, _)| file).collect();
    assert_eq!(places, ["also-1/summary.md", "summary.md"]);
    assert!(says(Err("line 3 was changed".into()))[0].1.contains("line 3 was changed"));
}

#[test]
fn a_run_folder_with_anything_but_ordinary_files_is_not_judged() {
    struct Never;
    impl RunFolders for Never {
        fn judge(&self, folder: &Utf8Path, _: bool) -> Result<JudgedRun, String> {
            panic!("{folder} was judged");
        }
    }
    let made = || {
        let clone = Clone::new();
        for name in ["manifest.json", "events.ndjson", "run.json"] {
            clone.file(&format!("run/{name}"), "{}");
        }
        clone
    };
    let told = |clone: &Clone, file: &str, words: &str| {
        let findings = clone.review(Given { runs: Some(&Never), ..Given::default() });
        let told = |finding: &Finding| {
            finding.rule == "run_folder" && finding.file == file && finding.says.contains(words)
        };
        assert!(findings.iter().any(told), "{file}: {findings:#?}");
    };
    for name in ["manifest.json", "events.ndjson", "run.json", "blobs", "blobs/x"] {
        let clone = made();
        let file = clone.product().join("run").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&file);
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        told(&clone, &format!("run/{name}"), "no ordinary file");
    }
    let clone = made();
    let large = std::fs::File::create(clone.product().join("run/events.ndjson")).unwrap();
    large.set_len(crate::files::EVENTS + 1).unwrap();
    told(&clone, "run/events.ndjson", "larger");
    let clone = made();
    clone.file(&format!("{}x.md", "a/".repeat(13)), "x");
    told(&clone, "run/manifest.json", "not all files");
}

#[test]
fn what_lies_too_deep_is_told_and_hides_no_missing_file() {
    let clone = Clone::new();
    let deep = format!("{}x.md", "a/".repeat(13));
    clone.file(&deep, "x");
    clone.finds("safe_files", Level::Error, "too deep");
    clone.change("evidence: [proof.md]", &format!("evidence: [{deep}]"));
    clone.is_silent("evidence_file");
    clone.change(&format!("evidence: [{deep}]"), "evidence: [proofs.md]");
    clone.finds("evidence_file", Level::Error, "no such file");
}

#[test]
fn an_artifact_of_another_name_is_held_against_the_claims_by_us_alone() {
    use crate::Origin;
    let with = |fragment: &str, inner: &str| {
        let clone = Clone::new();
        clone.answer("gang_scheduling", "[proof.md]", &format!("[\"report.xml{fragment}\"]"));
        clone.file("report.xml", &format!("<testsuite>{inner}</testsuite>"));
        clone
    };
    let case = |inner: &str| format!("<testcase name=\"TestGangScheduling\">{inner}</testcase>");
    let named = "#TestGangScheduling";
    assert_eq!(with(named, &case("")).findings(), []);
    with("", "<testcase name=\"TestOther\"/>").is_silent("artifact_test");
    let wrong = [
        (with(named, "<testcase name=\"TestOther\"/>"), "artifact_test", "is not in"),
        (with(named, &case("<failure/>")), "artifact_test", "failed in"),
        (with(named, &case("<skipped/>")), "artifact_test", "was skipped"),
        (with("", &case("<failure/>")), "artifact_failing", "failing tests"),
        (with(named, &case(&case(""))), "artifact_readable", "cannot be read"),
    ];
    for (clone, rule, words) in wrong {
        assert_eq!(clone.finds(rule, Level::Error, words).origin, Origin::Ours);
        let theirs = clone.review(Given { validator_only: true, ..Given::default() });
        assert_eq!(theirs, [], "{rule}");
        let then = clone.review(Given { moment: Moment::AtMerge, ..Given::default() });
        assert!(then.iter().any(|finding| finding.rule == rule && finding.level == Level::Error));
    }
}

#[test]
fn a_clone_that_asks_for_less_is_told() {
    let clone = Clone::new();
    let checklist = spec(clone.release, false);
    let docs = format!("docs/AIConformance-{}.yaml", clone.release);
    let start = checklist.find("    - id: gang_scheduling\n").unwrap();
    let (before, after) = checklist.split_at(start);
    clone.write(&docs, &format!("{before}{}", after.replacen("level: MUST", "level: SHOULD", 1)));
    clone.finds("level_unchanged", Level::Warning, "of this clone says SHOULD");
    clone.write(&docs, &format!("{before}{}", after.replacen("id: gang_scheduling", "id: other", 1)));
    clone.finds("level_unchanged", Level::Warning, "does not ask for it");
    let given = Given { templates: Some(clone.root().join("docs")), ..Given::default() };
    let chosen = clone.review(given);
    assert!(chosen.iter().all(|finding| !finding.says.contains("of this clone")), "{chosen:#?}");
}

#[test]
fn every_rule_says_what_it_asks_in_one_line() {
    for rule in super::RULES {
        assert!(
            !rule.asks.is_empty() && !rule.asks.contains('\n') && !rule.asks.ends_with('.'),
            "{}",
            rule.id
        );
    }
}

#[test]
fn what_was_signed_is_every_file_as_it_was() {
    use crate::signature::{FILE, sign};
    let clone = Clone::new();
    let key = crate::signature::SigningKey::of_seed([7; 32]);
    let other = crate::signature::SigningKey::of_seed([8; 32]);
    let says = |key: Option<&crate::signature::SigningKey>| -> Vec<(Level, String, String)> {
        let verify_key = key.map(crate::signature::SigningKey::public);
        let findings = clone.review(Given { verify_key, ..Given::default() });
        let ours = findings.into_iter().filter(|finding| finding.rule == "signature");
        ours.map(|finding| (finding.level, finding.file, finding.says)).collect()
    };
    let is = |key: Option<&crate::signature::SigningKey>, level: Level, file: &str, words: &str| {
        let all = says(key);
        assert!(
            all.iter().any(|(weight, at, says)| *weight == level && at == file && says.contains(words)),
            "{words}: {all:?}"
        );
    };
    assert_eq!(says(None), []);
    is(Some(&key), Level::Error, FILE, "has not signed this submission");
    let files = crate::files::Files::of(&clone.product());
    let digests =
        files.all.iter().map(|file| (file.name.clone(), files.digest(&file.name).unwrap())).collect();
    clone.file(FILE, &String::from_utf8(sign(&key, &digests, serde_json::json!({})).unwrap()).unwrap());
    is(None, Level::Note, FILE, "was not verified");
    is(Some(&key), Level::Note, FILE, "has signed what");
    assert_eq!(says(Some(&key)).len(), 1);
    is(Some(&other), Level::Error, FILE, "another key has signed this");
    clone.file("proof.md", "changed");
    clone.file("more.md", "x");
    is(None, Level::Error, "proof.md", "changed after it was signed");
    is(None, Level::Error, "more.md", "not among those that were signed");
    std::fs::remove_file(clone.product().join("proof.md")).unwrap();
    is(None, Level::Error, "proof.md", "is not there");
    clone.file(FILE, "{}");
    is(None, Level::Error, FILE, "this is no signature");
}

#[test]
fn links_weigh_as_much_as_is_known_of_them() {
    let clone = Clone::new();
    clone.answer("gang_scheduling", "[proof.md]", "[proof.md, \"https://docs.cirrus.test/gangs#how\"]");
    clone.change("https://cirrus.test/\"", " https://cirrus.test/\"");
    let gangs = "https://docs.cirrus.test/gangs#how";
    let all = links(&[clone.product()], &Given::default());
    assert!(all.contains(gangs) && all.contains("https://cirrus.test/"), "{all:?}");
    assert_eq!(all.len(), 6, "{all:?}");

    let answered = |reached: Reached| {
        let mut answers: crate::reach::Answers =
            all.iter().map(|link| (link.clone(), Reached::Fine)).collect();
        answers.insert(gangs.to_owned(), reached);
        let findings = clone.review(Given { links: Some(answers), ..Given::default() });
        findings.into_iter().filter(|finding| finding.rule == "link_reachable").collect::<Vec<_>>()
    };
    assert_eq!(answered(Reached::Fine), []);
    for (reached, level, words) in [
        (
            Reached::Moved("https://docs.cirrus.test/new".into()),
            Level::Note,
            "link to \"https://docs.cirrus.test/new\"",
        ),
        (Reached::Unverified("the server refuses this program (403)".into()), Level::Unverified, "(403)"),
        (Reached::Broken("there is no host docs.cirrus.test".into()), Level::Error, "there is no host"),
    ] {
        let findings = answered(reached);
        let [found] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!((found.level, found.requirement.as_str()), (level, "gang_scheduling"));
        assert!(found.says.contains(words) && found.says.contains(gangs), "{}", found.says);
        assert!(found.snippet.contains(gangs) && found.column > 1, "{found:?}");
    }
    clone.is_silent("link_reachable");
}

#[test]
fn a_link_that_notes_name_is_asked_too_and_weighs_less() {
    let clone = Clone::new();
    let before = links(&[clone.product()], &Given::default());
    clone.answer(
        "gang_scheduling",
        "notes: \"Shown.\"",
        "notes: \"How: [guide](https://docs.cirrus.test/how_(gangs)), and https://cirrus.test/a.\"",
    );
    let all = links(&[clone.product()], &Given::default());
    let new: Vec<&String> = all.difference(&before).collect();
    assert_eq!(new, ["https://cirrus.test/a", "https://docs.cirrus.test/how_(gangs)"]);
    let answers = all.iter().map(|link| {
        let reached = if new.contains(&link) { Reached::Broken("404".into()) } else { Reached::Fine };
        (link.clone(), reached)
    });
    let findings = clone.review(Given { links: Some(answers.collect()), ..Given::default() });
    let broken = findings.iter().filter(|finding| finding.rule == "link_reachable");
    let broken: Vec<_> = broken.map(|found| (found.level, found.requirement.as_str())).collect();
    assert_eq!(broken, [(Level::Warning, "gang_scheduling"); 2]);

    // However many there are, evidence is asked.
    let many: String = (0..600).map(|number| format!(" https://cirrus.test/{number}")).collect();
    clone.answer("gang_scheduling", "How:", &many);
    let all = links(&[clone.product()], &Given::default());
    assert!(all.len() == 500 && before.is_subset(&all), "{}", all.len());
}

#[test]
fn what_could_not_be_verified_neither_passes_nor_fails() {
    let clone = Clone::new();
    let all = links(&[clone.product()], &Given::default());
    let reviewed = |reached: Reached| {
        let links = all.iter().map(|link| (link.clone(), reached.clone())).collect();
        let members = Some(members("Cirrus Systems\n"));
        review(&[clone.product()], &Given { links: Some(links), members, ..Given::default() })
    };
    let unverified = reviewed(Reached::Unverified("no answer".into()));
    assert!(unverified.valid() && unverified.submissions[0].accepted);
    assert_eq!((unverified.count(Level::Unverified), unverified.count(Level::Error)), (all.len(), 0));
    assert_eq!(unverified.not_checked, [""; 0]);
    let table = crate::show::table(&unverified, false, false);
    assert!(table.contains("could not verify[link_reachable]"), "{table}");
    assert!(table.contains(&format!(", {} could not be verified)", all.len())), "{table}");
    assert!(crate::show::markdown(&unverified, false).contains("| could not verify | "));
    assert!(crate::show::github(&unverified).contains("::could not verify: whether"));

    let broken = reviewed(Reached::Broken("404".into()));
    assert!(!broken.valid() && broken.submissions[0].accepted, "the validator's word stays its own");
}

#[test]
fn a_broken_link_is_told_however_many_others_there_are() {
    let clone = Clone::new();
    let many: String = (0..300).map(|number| format!(", \"https://cirrus.test/{number}\"")).collect();
    clone.answer("gang_scheduling", "[proof.md]", &format!("[proof.md{many}]"));
    let all = links(&[clone.product()], &Given::default());
    let answers = all.into_iter().map(|link| {
        let broken = link.ends_with("/299");
        let reached = if broken { Reached::Broken("404".into()) } else { Reached::Unverified("403".into()) };
        (link, reached)
    });
    let findings = clone.review(Given { links: Some(answers.collect()), ..Given::default() });
    assert!(findings.iter().any(|finding| finding.level == Level::Error), "{}", findings.len());
}
