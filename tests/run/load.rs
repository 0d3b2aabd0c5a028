//! Devices that pose as a maker's are put to work by a load: ours, and one of somebody else's in an image of his own.

use super::accelerators::{outcomes, verdicts};
use super::components::skipped;
use super::timed;
use super::{Lab, left, program, text, works};
use std::path::Path;
use std::process::Command;

const IMAGE: &str = "registry.example.com/foreign/load:1";

/// An image with Python and the foreign load: every file that Python has open when it has what the load needs.
fn image(folder: &Path) -> std::path::PathBuf {
    const FILES: &str = "import ctypes, json, sys, time, os, encodings.idna
files = {m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)}
files |= {l.split()[-1] for l in open('/proc/self/maps') if '/' in l}
# Libraries are looked for by shorter names, which are links.
here = lambda f: [os.path.join(os.path.dirname(f), n) for n in os.listdir(os.path.dirname(f)) if '.so' in n]
files |= {n for f in list(files) if '.so' in f for n in here(f) if os.path.realpath(n) == f}
print('\\n'.join([os.path.realpath(sys.executable), *sorted(f for f in files if os.path.isfile(f))]))";
    let output = Command::new("python3").args(["-c", FILES]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let mut lines = said.lines();
    let python = lines.next().unwrap().to_owned();
    let mut files: Vec<(String, Vec<u8>)> =
        lines.map(|path| (path.trim_start_matches('/').to_owned(), std::fs::read(path).unwrap())).collect();
    // Where the loader is looked for, and where libraries are.
    let needs = Command::new("ldd").arg(&python).output().unwrap();
    for path in text(&needs.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
    {
        files.push((path.trim_start_matches('/').to_owned(), std::fs::read(path).unwrap()));
    }
    files.push(("load.py".into(), include_bytes!("load.py").to_vec()));
    files.sort();
    files.dedup_by(|one, other| one.0 == other.0);
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    let file = folder.join("foreign.tar");
    std::fs::write(&file, aiconform_images::archive(IMAGE, &files, &python).unwrap()).unwrap();
    std::fs::write(folder.join("python"), python).unwrap();
    file
}

fn metrics(lab: &Lab, folder: &Path, profile: &str) -> (String, String, Vec<String>) {
    let file = folder.with_extension("toml");
    std::fs::write(&file, profile).unwrap();
    let mut command = program();
    command.args(["run", "--kubeconfig", &lab.kubeconfig, "--only", "accelerator_metrics", "--profile"]);
    let output = command.arg(&file).arg("--output-dir").arg(folder).output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    let found = verdicts(folder).remove("accelerator_metrics").unwrap_or_else(|| panic!("{said}"));
    (found.0, found.1 + &said, outcomes(folder))
}

#[test]
fn devices_of_a_maker_are_put_to_work_by_a_load_and_one_that_lies_shows_nothing() {
    timed!();
    if std::env::var("AICONFORM_THOROUGH").is_err() {
        return skipped("only with --thorough");
    }
    let lab = Lab::to_be_spoilt("simulator --pose nvidia");
    let before = left(&lab);
    let directory = tempfile::tempdir().unwrap();
    // What a user has who names nothing.
    let (verdict, why, found) = metrics(&lab, &directory.path().join("own"), "");
    assert_eq!(verdict, "passed", "{why}");
    assert!(found.iter().all(|claim| claim.ends_with("\"met\"")), "{found:#?}");

    let archive = image(directory.path());
    let python = std::fs::read_to_string(directory.path().join("python")).unwrap();
    let socket = Path::new(&lab.kubeconfig).with_file_name("node").join("containerd.sock");
    let import = ["ctr", "-a", socket.to_str().unwrap(), "-n", "k8s.io", "images", "import"];
    let import = [&import[..], &[archive.to_str().unwrap()]].concat();
    works(&[&["lab", "--name", &lab.name, "exec", "--"], &import[..]].concat());
    let foreign = |lie: &str| {
        let profile = format!(
            "[limits]\naccelerator_metrics.show = 15\n[load.nvidia]\nimage = {IMAGE:?}\ncommand = [{python:?}, \"/load.py\", {lie:?}]\n"
        );
        metrics(&lab, &directory.path().join(lie), &profile)
    };
    let (verdict, why, _) = foreign("honest");
    assert_eq!(verdict, "passed", "{why}");
    // It says that it worked, and nothing did.
    let (verdict, why, found) = foreign("idle");
    assert_eq!(verdict, "failed", "{why}");
    assert!(
        found.iter().any(|claim| claim.contains("utilisation_follows_the_load") && claim.contains("unmet")),
        "{found:#?}"
    );
    for (lie, words) in [
        ("short", "the program ended before it was told to"),
        ("stranger", "and the container was given GPU-"),
    ] {
        let (verdict, why, _) = foreign(lie);
        assert_eq!(verdict, "inconclusive", "{lie}: {why}");
        assert!(why.contains(words), "{lie}: {why}");
    }
    // An exporter that asks its devices every 30 s, with the patience that runs outside a lab have.
    works(&["lab", "--name", &lab.name, "break", "samples-every-half-minute"]);
    let patient = "[limits]\naccelerator_metrics.show = 90\n";
    let (verdict, why, found) = metrics(&lab, &directory.path().join("seldom"), patient);
    assert_eq!(verdict, "passed", "{why}");
    assert!(found.iter().all(|claim| claim.ends_with("\"met\"")), "{found:#?}");
    assert_eq!(left(&lab), before);
}
