//! The site of a made-up programme, with submissions that are as they should be, that are broken, and that are hostile.

use super::{ItemKind, Mark, Product, Programme, SiteError, gather};
use aiconform_model::catalogue::{Level, requirements};
use camino::Utf8Path;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;

#[path = "../../tests/pages/mod.rs"]
mod checked;

struct Clone(tempfile::TempDir);

/// What a page must not take for anything but letters.
const HOSTILE: &str = "\\\"'></a></td></style></title><script>alert(1)</script><img src=x onerror=alert(1)>&lt;&amp;{{7*7}}{% raw %}\\u202eevil\\u0007-->]]>";

/// A product file; `answer` gives status, evidence and notes of a requirement.
fn product(
    release: &str,
    name: &str,
    answer: impl Fn(&str) -> (&'static str, &'static str, &'static str),
) -> String {
    let mut text = format!(
        "metadata:\n  kubernetesVersion: v{release}\n  platformName: \"{name}\"\n  platformVersion: \"4.2\"\n  vendorName: \"Cirrus Systems\"\n  websiteUrl: \"https://cirrus.test/\"\n  documentationUrl: \"https://docs.cirrus.test/\"\n  productLogoUrl: \"https://cirrus.test/stratus.svg\"\n  description: \"A platform above the clouds.\"\n  contactEmailAddress: \"person@cirrus.test\"\n  k8sConformanceUrl: \"https://github.com/cncf/k8s-conformance/tree/master/v{release}/stratus\"\nspec:\n"
    );
    let mut category = "";
    for requirement in requirements() {
        let Some(level) = requirement.level(release) else { continue };
        if requirement.category != category {
            category = &requirement.category;
            let _ = writeln!(text, "  {category}:");
        }
        let (status, evidence, notes) = answer(&requirement.id);
        let _ = write!(
            text,
            "    - id: {0}\n      description: \"Sentence of {0}.\"\n      level: {1}\n      status: \"{status}\"\n      evidence: {evidence}\n      notes: \"{notes}\"\n",
            requirement.id,
            level.word()
        );
    }
    text
}

impl Clone {
    fn write(&self, name: &str, content: &str) {
        let file = self.0.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn new() -> Clone {
        let clone = Clone(tempfile::tempdir().unwrap());
        for release in ["1.35", "1.36"] {
            clone.write(
                &format!("docs/AIConformance-{release}.yaml"),
                &product(release, "[Name]", |_| ("", "[]", "")),
            );
        }
        let documents = |_: &str| ("Implemented", "[\"https://docs.cirrus.test/a?b=1&c=2\"]", "");
        clone.write("v1.35/Stratus/PRODUCT.yaml", &product("1.35", "Cirrus Stratus", documents));
        clone.write(
            "v1.36/stratus/PRODUCT.yaml",
            &product("1.36", "Cirrus Stratus", |id| match id {
                "gang_scheduling" => {
                    ("Implemented", "[junit.xml, \"https://docs.cirrus.test/\"]", "Two lines.\\nOf notes.")
                }
                "secure_accelerator_access" => ("Implemented", "[\"junit.xml#TestGangScheduling\"]", ""),
                "pod_autoscaling" => ("Implemented", "[junit.xml]", ""),
                "ai_inference" => ("Implemented", "[proof.md]", ""),
                "accelerator_metrics" => {
                    ("Implemented", "[\"https://github.com/cirrus/proof/blob/v1/a.md\"]", "")
                }
                "ai_service_metrics" => ("Implemented", "[\"https://docs.cirrus.test/\"]", ""),
                "robust_controller" => ("Implemented", "[nowhere.md]", ""),
                "cluster_autoscaling" => ("N/A", "[]", "There are no pools of nodes."),
                "gpu_sharing" => ("Partially Implemented", "[]", ""),
                "virtualized_accelerator" => ("Not Implemented", "[]", ""),
                "disaggregated_inference" => ("Perhaps", "[]", ""),
                _ => ("", "[]", ""),
            }),
        );
        clone.write("v1.36/stratus/proof.md", "# Proof\n");
        clone.write(
            "v1.36/stratus/junit.xml",
            "<testsuites tests=\"2\" failures=\"0\"><testsuite name=\"a\" tests=\"2\" failures=\"0\" skipped=\"1\"><testcase classname=\"a\" name=\"TestGangScheduling\" time=\"1\"/><testcase classname=\"a\" name=\"TestPodAutoscaling\" time=\"0\"><skipped message=\"none\"/></testcase></testsuite></testsuites>\n",
        );
        clone
    }

    fn hostile(&self) {
        let text = product("1.36", "Evil", |_| ("S", "[E]", "N"));
        let text: String = text
            .lines()
            .map(|line| {
                let line = line.replace("\"S\"", &format!("\"{HOSTILE}\"")).replace("\"N\"", &format!("\"{HOSTILE}\"")).replace(
                    "[E]",
                    &format!("[\"https://evil.test/{HOSTILE}\", \"javascript:alert(1)\", \"https://good.test@evil.test/\", \"data:text/html,x\", \"{HOSTILE}\", \"http://evil.test/fine\"]"),
                );
                match line.split_once(": \"") {
                    Some((key, _)) if line.starts_with("  ") && !line.starts_with("   ") => {
                        format!("{key}: \"https://evil.test/{HOSTILE}\"\n")
                    }
                    _ => format!("{line}\n"),
                }
            })
            .collect();
        self.write("v1.36/a\"><img src=x>&'/PRODUCT.yaml", &text);
        self.write(
            "v1.36/A\"><img src=x>&'/PRODUCT.yaml",
            &format!("{text}  \"{HOSTILE}\":\n    - id: \"{HOSTILE}\"\n"),
        );
        self.write("v1.36/stratuS/PRODUCT.yaml", "metadata: [\n\u{0}");
        self.write("v1.36/CON/PRODUCT.yaml", "just a text");
        self.write("v1.36/云/PRODUCT.yaml", "metadata:\n  platformName: 1\nspec:\n  networking: 1\n");
        self.write("v9.99/later/PRODUCT.yaml", &text);
        self.write("docs/AIConformance-1.35.yaml", &format!("spec:\n  \"{HOSTILE}\":\n    - id: \"{HOSTILE}\"\n      level: MUST\n      description: \"{HOSTILE}\"\n    - id: \"..\"\n      level: MUST\n    - id: \"\"\n    - id: \"a b\"\n"));
    }

    fn gather(&self) -> Result<Programme, SiteError> {
        gather(Utf8Path::from_path(self.0.path()).unwrap(), None, "aiconform 0")
    }
}

fn find<'a>(programme: &'a Programme, release: &str, folder: &str) -> &'a Product {
    let release = programme.releases.iter().find(|found| found.name == release).unwrap();
    release.products.iter().find(|product| product.folder == folder).unwrap()
}

#[test]
fn every_answer_has_the_mark_of_what_is_named_for_it() {
    let programme = Clone::new().gather().unwrap();
    let stratus = find(&programme, "v1.36", "stratus");
    let marks = [
        ("gang_scheduling", Mark::Tested),
        // The fragment names a test of another requirement.
        ("secure_accelerator_access", Mark::Attested),
        // Its test was skipped.
        ("pod_autoscaling", Mark::Attested),
        ("ai_inference", Mark::Attested),
        ("accelerator_metrics", Mark::Attested),
        ("ai_service_metrics", Mark::Documents),
        ("robust_controller", Mark::NoEvidence),
        ("cluster_autoscaling", Mark::NotApplicable),
        ("gpu_sharing", Mark::Partial),
        ("virtualized_accelerator", Mark::NotImplemented),
        ("disaggregated_inference", Mark::OtherStatus),
        ("driver_runtime_management", Mark::Open),
    ];
    for (id, mark) in marks {
        let answer = stratus.answers.iter().find(|answer| answer.requirement == id).unwrap();
        assert_eq!(answer.mark, mark, "{id}");
    }
    let kind =
        |id: &str| stratus.answers.iter().find(|answer| answer.requirement == id).unwrap().evidence[0].kind;
    assert_eq!(
        (kind("pod_autoscaling"), kind("secure_accelerator_access")),
        (ItemKind::TestSkipped, ItemKind::OtherTests)
    );
    let musts = stratus.musts;
    assert_eq!((musts.tested, musts.attested, musts.documents, musts.none, musts.other), (1, 4, 1, 1, 1));
    assert_eq!(
        musts.all(),
        requirements().iter().filter(|found| found.level("1.36") == Some(Level::Must)).count()
    );
    // The folder has another name in capitals, and is the same product.
    assert_eq!(programme.releases[1].again, 1);
    assert_eq!(
        programme.releases[1].asks[0].sentence,
        format!("Sentence of {}.", programme.releases[1].asks[0].id)
    );
}

#[test]
fn pages_are_whole_and_links_lead_somewhere_whatever_the_submissions_say() {
    let clone = Clone::new();
    let files = checked::files(&clone.gather().unwrap());
    assert!(checked::check(&files) > 100);
    assert!(
        files.contains_key("products/v1.35/stratus.html")
            && files.contains_key("requirements/gang_scheduling.html")
    );
    clone.hostile();
    let programme = clone.gather().unwrap();
    let files = checked::files(&programme);
    checked::check(&files);
    let products: usize = programme.releases.iter().map(|release| release.products.len()).sum();
    assert_eq!((products, files.keys().filter(|name| name.starts_with("products/")).count()), (8, 8));
    for (name, content) in &files {
        let fine = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
        assert!(name.chars().all(fine) && name.len() < 200, "{name}");
        assert!(!name.split('/').any(|part| part.starts_with('.')), "{name}");
        assert!(!content.contains('\u{202e}') && !content.contains('\u{7}'), "{name}");
        assert!(!content.contains("person@"), "{name}: an address of a person");
        for link in [
            "href=\"javascript",
            "href=\"data:text",
            "href=\"https://good.test@",
            "href=\"https://evil.test/\\",
        ] {
            assert!(!content.contains(link), "{name}: {link}");
        }
    }
    let names: BTreeSet<String> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(names.len(), files.len());
    let broken = find(&programme, "v1.36", "stratuS");
    assert!(
        !broken.unreadable.is_empty() && broken.answers.iter().all(|answer| answer.mark == Mark::Unreadable)
    );
    assert!(files.values().any(|content| content.contains("href=\"http://evil.test/fine\"")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_text_stays_text(texts in proptest::collection::vec("(?s).{0,24}|[<>&\"'/ a-z\\]\\[!-]{0,24}", 4)) {
        let clone = Clone(tempfile::tempdir().unwrap());
        let quoted: Vec<String> = texts.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
        let text = product("1.36", "Name", |_| ("Status", "[Item]", "Note"));
        let text = text.replace("\"Name\"", &quoted[0]).replace("\"Status\"", &quoted[1]);
        let text = text.replace("Item", &quoted[2]).replace("\"Note\"", &quoted[3]);
        clone.write("v1.36/any/PRODUCT.yaml", &text);
        checked::check(&checked::files(&clone.gather().unwrap()));
    }
}

#[test]
fn the_same_clone_gives_the_same_bytes() {
    let clone = Clone::new();
    clone.hostile();
    let (one, other) = (clone.gather().unwrap(), clone.gather().unwrap());
    assert_eq!(checked::files(&one), checked::files(&other));
}

#[test]
fn what_is_too_much_is_cut() {
    let clone = Clone::new();
    let long = "x".repeat(5_000);
    let text = product("1.36", &long, |_| ("Implemented", "[E]", "N"));
    let items = vec![format!("\"https://a.test/{}\"", "y".repeat(300)); 100].join(",");
    let text = text.replacen("[E]", &format!("[{items}]"), 3).replace("[E]", "[]").replacen(
        "\"N\"",
        &format!("\"{long}\""),
        3,
    );
    clone.write("v1.36/long/PRODUCT.yaml", &text);
    let programme = clone.gather().unwrap();
    let long = find(&programme, "v1.36", "long");
    assert_eq!((long.answers[0].evidence.len(), long.answers[0].more), (30, 70));
    assert!(long.name.ends_with("(cut here)") && long.answers[0].notes.ends_with("(cut here)"));
    let files = checked::files(&programme);
    checked::check(&files);
    assert!(files["products/v1.36/long.html"].len() < 200_000, "{}", files["products/v1.36/long.html"].len());
}

#[test]
fn what_is_no_clone_is_said() {
    let clone = Clone::new();
    let root = Utf8Path::from_path(clone.0.path()).unwrap();
    let says = |path: &Utf8Path| gather(path, None, "").unwrap_err().to_string();
    assert!(says(&root.join("nowhere")).contains("there is no such folder"));
    for other in ["docs", "v1.36", "v1.36/stratus"] {
        assert!(says(&root.join(other)).contains("is no clone of the programme"), "{other}");
    }
    clone.write("docs/AIConformance-1.36.yaml", "spec: [");
    assert!(says(root).contains("the checklist of release 1.36 cannot be read"), "{}", says(root));
}
