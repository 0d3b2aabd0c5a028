use super::*;
use crate::RunVerdict;
use aiconform_evidence::Folder;
use aiconform_model::{EventKind, Scope, Sink, catalogue};
use serde_json::json;
use std::fmt::Write;

const PRODUCT: &str = "[metadata]
platform_name = \"Stratus\"
platform_version = \"4.2\"
vendor_name = \"Cirrus Systems\"
website_url = \"https://cirrus.test/\"
documentation_url = \"https://docs.cirrus.test/\"
product_logo_url = \"https://cirrus.test/stratus.svg\"
description = \"A platform above the clouds.\"
contact_email_address = \"stratus@cirrus.test\"
k8s_conformance_url = \"https://github.com/cncf/k8s-conformance/tree/master/v1.37/stratus\"
";

const JUNIT: &str = "<testsuites><testsuite name=\"aiconform.dev/aiconform\" tests=\"1\" failures=\"0\">\
    <testcase name=\"TestGangScheduling\" classname=\"a\" time=\"1\"/></testsuite></testsuites>";

/// A template with every requirement of the release.
fn template() -> String {
    let mut template = String::from("metadata:\n  kubernetesVersion: v1.37\n");
    for key in ["platformName", "platformVersion", "vendorName", "websiteUrl", "repoUrl"] {
        let _ = writeln!(template, "  {key}: \"[{key}]\"");
    }
    template.push_str("spec:\n");
    let mut category = "";
    for requirement in catalogue::requirements() {
        let Some(level) = requirement.level("1.37") else { continue };
        if category != requirement.category {
            category = &requirement.category;
            let _ = writeln!(template, "  {category}:");
        }
        let (id, level) = (&requirement.id, level.word());
        let _ = writeln!(
            template,
            "    - id: {id}\n      description: \"Sentence.\"\n      level: {level}\n      status: \"\"\n      evidence: []\n      notes: \"\""
        );
    }
    template
}

/// Judges every run as passed; `differs` is what it says of a run under pseudonyms.
struct Runs {
    differs: bool,
}

impl RunFolders for Runs {
    fn judge(&self, folder: &Utf8Path, _: bool) -> Result<JudgedRun, String> {
        let facts = fs_err::read(folder.join("run.json")).map_err(|error| error.to_string())?;
        let facts: serde_json::Value = serde_json::from_slice(&facts).map_err(|error| error.to_string())?;
        let is_derived = facts.get("derived").is_some();
        let word = if self.differs && is_derived { "inconclusive" } else { "passed" };
        let verdict = json!({"requirements": [{"requirement": "gang_scheduling", "verdict": word}]});
        let log = format!("context {}", facts["cluster"]["context"]);
        Ok(JudgedRun {
            release: "1.37".into(),
            verdicts: vec![RunVerdict {
                requirement: "gang_scheduling".into(),
                test: "TestGangScheduling".into(),
                passed: true,
                simulated: false,
                not_applicable: false,
                word: word.into(),
                why: "all pods of a gang started, or none".into(),
                against: Vec::new(),
                failed_by_interpretation_alone: false,
            }],
            views: vec![
                ("verdict.json".into(), verdict.to_string().into_bytes()),
                ("junit.xml".into(), JUNIT.into()),
                ("summary.md".into(), log.into_bytes()),
            ],
            facts,
        })
    }
}

/// A run, a clone of the programme, what the vendor says, and the order for a demonstration of it.
fn prepared() -> (tempfile::TempDir, Order) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap();
    let run = Folder::create(&folder.join("run")).unwrap();
    run.write(&Scope::new("gang_scheduling", "plain"), EventKind::Stopped { why: "it ended".into() });
    let facts = json!({"cluster": {"version": "v1.37.2", "context": "cirrus-west-7"}, "release": "1.37"});
    run.finish(&facts).unwrap();
    fs_err::create_dir_all(folder.join("program/docs")).unwrap();
    fs_err::write(folder.join("program/docs/AIConformance-1.37.yaml"), template()).unwrap();
    fs_err::write(folder.join("product.toml"), PRODUCT).unwrap();
    let order = Order {
        run: folder.join("run"),
        also: Vec::new(),
        program: folder.join("program"),
        product: folder.join("product.toml"),
        output: folder.join("v1.37/stratus"),
        members: None,
        demo: true,
        upstream: Vec::new(),
        sign: None,
        pseudonyms: Some(Pseudonyms { key: KeyFile::New(folder.join("key")), hide: Vec::new() }),
    };
    (temporary, order)
}

fn left(folder: &tempfile::TempDir) -> Vec<String> {
    let names = fs_err::read_dir(folder.path()).unwrap().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_submission_is_made_whole_under_pseudonyms_with_the_key_that_it_was_made_with() {
    let (folder, order) = prepared();
    let made = make(&order, &Runs { differs: false }).unwrap();
    assert_eq!(made.files, ["PRODUCT.yaml", "junit.xml", "summary.md", "README.md", "run"]);
    assert!(made.signed_by.is_none() && made.names.unwrap().0 > 0);
    assert_eq!(left(&folder), ["key", "product.toml", "program", "run", "v1.37"]);
    let text = |name: &str| fs_err::read_to_string(order.output.join(name)).unwrap();
    for name in ["summary.md", "run/run.json", "run/events.ndjson"] {
        assert!(!text(name).contains("cirrus-west-7"), "{name}: {}", text(name));
    }
    assert!(text("PRODUCT.yaml").contains("status: \"Implemented\""));
    let preview = |key| {
        let pseudonyms = Pseudonyms { key, hide: Vec::new() };
        preview(&order.run, &pseudonyms, &[], &Runs { differs: false }).unwrap()
    };
    let shown = preview(KeyFile::Kept(order.output.join("../../key")));
    let (_, _, pseudonym) = shown.replaced.iter().find(|(_, name, _)| name == "cirrus-west-7").unwrap();
    assert!(text("summary.md").contains(pseudonym));
    // Made again, it would be written over.
    let again = make(&order, &Runs { differs: false }).unwrap_err().to_string();
    assert!(again.contains("is not empty; a submission is never written over another"), "{again}");
}

#[test]
fn runs_of_several_clusters_lie_beside_each_other_and_are_of_one_release() {
    let (folder, order) = prepared();
    let made =
        make(&Order { also: vec![order.run.clone()], ..order.clone() }, &Runs { differs: false }).unwrap();
    let names = ["junit.xml", "also-1/junit.xml", "also-1/summary.md", "run", "also-1/run"];
    assert!(names.iter().all(|name| made.files.iter().any(|file| file == name)), "{:?}", made.files);
    let text = |name: &str| fs_err::read_to_string(order.output.join(name)).unwrap();
    assert!(!text("also-1/summary.md").contains("cirrus-west-7"));
    assert_eq!(text("also-1/run/run.json"), text("run/run.json"), "one key for all");
    let none = folder.path().join("none").to_string_lossy().into_owned();
    let again = Order { also: vec![none.into()], output: order.output.with_file_name("other"), ..order };
    assert!(make(&again, &Runs { differs: false }).unwrap_err().to_string().contains("none"));
}

#[test]
fn names_as_they_were_seen_come_without_the_run() {
    let (folder, order) = prepared();
    let order = Order { pseudonyms: None, ..order };
    let made = make(&order, &Runs { differs: true }).unwrap();
    assert_eq!((made.files.len(), made.names), (4, None));
    assert!(!order.output.join("run").exists());
    assert!(fs_err::read_to_string(order.output.join("summary.md")).unwrap().contains("cirrus-west-7"));
    assert_eq!(left(&folder), ["product.toml", "program", "run", "v1.37"]);
}

#[test]
fn what_cannot_be_made_is_told_by_its_kind_and_leaves_nothing() {
    let told = |change: &dyn Fn(&mut Order), differs: bool| {
        let (folder, mut order) = prepared();
        change(&mut order);
        let error = make(&order, &Runs { differs }).unwrap_err();
        assert_eq!(left(&folder).iter().filter(|name| *name == "v1.37" || *name == "key").count(), 0);
        error
    };
    match told(&|_| {}, true) {
        NotMade::Differs(found) => assert!(found[0].contains("gang_scheduling: passed under its names")),
        other => panic!("{other:?}"),
    }
    match told(&|order| order.demo = false, false) {
        NotMade::Unsupported(reasons) => assert!(reasons.iter().all(|why| !why.contains("gang_scheduling"))),
        other => panic!("{other:?}"),
    }
    let members = |order: &mut Order| {
        let file = order.product.with_file_name("members.txt");
        fs_err::write(&file, "Nimbus (member)\n").unwrap();
        order.members = Some(file);
    };
    match told(&members, false) {
        NotMade::Invalid(table) => assert!(table.contains("vendor_member") && !table.contains("/.tmp")),
        other => panic!("{other:?}"),
    }
    for (change, words) in [
        (&(|order: &mut Order| order.output.set_file_name("..")) as &dyn Fn(&mut Order), "no folder of a"),
        (&|order| order.output = order.output.with_file_name("a").join("b"), "belongs into v1.37/NAME"),
        (&|order| order.run.set_file_name("none"), "none"),
        (&|order| order.program.set_file_name("none"), "no template for release 1.37"),
        (&|order| order.sign = Some(order.product.clone()), "is no private key"),
        (&|order| order.upstream = vec![order.product.clone()], "is no test artifact"),
    ] {
        match told(change, false) {
            NotMade::Input(why) => assert!(why.contains(words), "{why}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    assert!(matches!(told(&|order| order.output = "/proc/v1.37/x".into(), false), NotMade::Staging(_)));
}
