//! The site of a made-up programme: made whole or not at all, and opened in a browser.

use super::{Said, aiconform};
use aiconform_model::catalogue;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// A checklist, or the answers of a product to it.
fn product(release: &str, name: &str, status: &str, evidence: &str) -> String {
    let mut text = format!(
        "metadata:\n  kubernetesVersion: v{release}\n  platformName: \"{name}\"\n  platformVersion: \"4.2\"\n  vendorName: \"Cirrus Systems\"\nspec:\n"
    );
    let mut category = "";
    for requirement in catalogue::requirements() {
        let Some(level) = requirement.level(release) else { continue };
        if category != requirement.category {
            category = &requirement.category;
            let _ = writeln!(text, "  {category}:");
        }
        let _ = writeln!(
            text,
            "    - id: {0}\n      description: \"Sentence of {0}.\"\n      level: {1}\n      status: \"{status}\"\n      evidence: [{evidence}]\n      notes: \"<script>alert(1)</script>\"",
            requirement.id,
            level.word()
        );
    }
    text
}

fn program(folder: &Path) {
    let write = |name: &str, content: &str| {
        let file = folder.join("program").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    };
    for release in ["1.36", "1.37"] {
        write(&format!("docs/AIConformance-{release}.yaml"), &product(release, "[Name]", "", ""));
        let links = "\"https://docs.cirrus.test/\"";
        write(
            &format!("v{release}/stratus/PRODUCT.yaml"),
            &product(release, "Cirrus Stratus", "Implemented", links),
        );
    }
    write(
        "v1.37/nimbus/PRODUCT.yaml",
        &product("1.37", "Nimbus \\\"><img src=x>", "Implemented", "proof.md"),
    );
    write("v1.37/nimbus/proof.md", "# Proof\n");
}

fn site(folder: &Path, target: &str) -> Said {
    aiconform(&["site", "program", "--output-dir", target], folder)
}

/// Names and contents of all files in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            all.extend(
                files(&entry.path()).into_iter().map(|(inner, content)| (format!("{name}/{inner}"), content)),
            );
        } else {
            all.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    all
}

#[test]
fn a_site_is_made_whole_and_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path());
    let made = site(folder.path(), "sites/one");
    assert_eq!((made.code, made.data.as_str()), (0, "sites/one/index.html\n"), "{}", made.talk);
    assert!(made.talk.contains("3 submissions of 2 releases"), "{}", made.talk);
    std::fs::create_dir(folder.path().join("two")).unwrap();
    assert_eq!(site(folder.path(), "two").code, 0);
    let (one, two) = (files(&folder.path().join("sites/one")), files(&folder.path().join("two")));
    assert!(one == two && one.contains_key("products/v1.37/nimbus.html"), "{:?}", one.keys());
    let data: serde_json::Value = serde_json::from_slice(&one["site.json"]).unwrap();
    assert_eq!(data["releases"][1]["products"][0]["answers"][0]["mark"], "documents");
    let left: Vec<_> = std::fs::read_dir(folder.path().join("sites")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_site_that_cannot_be_made_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path());
    let before = files(folder.path());
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let said = aiconform(arguments, folder.path());
        assert!(said.code == code && said.talk.contains(words), "{arguments:?}: {} {}", said.code, said.talk);
        assert_eq!(said.data, "");
        assert_eq!(files(folder.path()), before);
    };
    fails(&["site", "program"], 2, "--output-dir");
    fails(&["site", "nowhere", "--output-dir", "out"], 2, "nowhere: there is no such folder");
    fails(&["site", "program/docs", "--output-dir", "out"], 2, "program/docs is no clone of the programme");
    fails(&["site", "program/v1.37", "--output-dir", "out"], 2, "v1.37/NAME/PRODUCT.yaml");
    fails(&["site", "program", "--output-dir", "program"], 2, "is not empty");
    fails(&["site", "program", "--output-dir", "program/docs/AIConformance-1.37.yaml"], 2, "is no folder");
    fails(&["site", "program", "--output-dir", "/"], 2, "name a new folder");
    fails(&["site", "program", "--output-dir", "/proc/site"], 3, "nothing can be written in /proc");
    std::fs::write(folder.path().join("program/docs/AIConformance-1.37.yaml"), "spec: [").unwrap();
    let said = site(folder.path(), "out");
    assert!(
        said.code == 2 && said.talk.contains("the checklist of release 1.37 cannot be read"),
        "{}",
        said.talk
    );
    assert!(!folder.path().join("out").exists());
}

/// Opens a page in a browser that cannot resolve any name, and gives what is on stdout.
fn open(address: &str, more: &str) -> String {
    let output = super::axe::browser(&[
        "--enable-logging=stderr".to_owned(),
        "--window-size=1280,1000".to_owned(),
        more.to_owned(),
        address.to_owned(),
    ]);
    let talk = String::from_utf8_lossy(&output.stderr);
    // What a page may not load, run or find is told on the console.
    assert!(output.status.success() && !talk.contains("CONSOLE"), "{address}: {talk}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn pages_of_every_kind_open_without_an_error_and_the_front_page_can_be_searched() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path());
    assert_eq!(site(folder.path(), "site").code, 0);
    let address = |page: &str| format!("file://{}/site/{page}", folder.path().display());
    let pages = [
        "releases/v1.37.html",
        "products/v1.37/nimbus.html",
        "requirements/gang_scheduling.html",
        "about.html",
    ];
    for page in pages {
        let picture = folder.path().join("page.png");
        open(&address(page), &format!("--screenshot={}", picture.display()));
        assert!(std::fs::metadata(&picture).unwrap().len() > 20_000, "{page} is blank");
        super::axe::is_accessible(&folder.path().join("site").join(page));
    }
    super::axe::is_accessible(&folder.path().join("site/index.html"));
    let all = open(&address("index.html"), "--dump-dom");
    assert!(
        all.contains("2 of 2 products") && !all.contains("<form id=\"filter\" class=\"filter\" hidden"),
        "{all}"
    );
    let found = open(&address("index.html#find=stratus%20cirrus"), "--dump-dom");
    assert!(found.contains("1 of 2 products") && found.matches("<tr data-text").count() == 2, "{found}");
    assert_eq!(found.matches("hidden=\"\"><th scope=\"row\">").count(), 1, "{found}");
    assert!(found.contains("&lt;img src=x&gt;") && !found.contains("<img"), "{found}");
}
