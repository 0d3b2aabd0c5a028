//! What a run may do: credentials that do not work, the printed role, and less than that.

use super::timed;
use super::{Lab, left, program, read, text, works};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

#[test]
fn credentials_that_do_not_work_are_said() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let config = |name: &str, user: Value| {
        let mut config: Value = serde_json::from_str(&read(Path::new(&lab.kubeconfig))).unwrap();
        config["users"][0]["user"] = user;
        let path = directory.path().join(name);
        std::fs::write(&path, config.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // A certificate of the lab's own authority that was good until yesterday.
    let pki = Path::new(&lab.kubeconfig).parent().unwrap().join("pki");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, "aiconform-lab");
    let issuer = rcgen::Issuer::new(authority, rcgen::KeyPair::from_pem(&read(&pki.join("ca.key"))).unwrap());
    let mut leaf = rcgen::CertificateParams::new(Vec::new()).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "lab-admin");
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2020, 1, 2));
    let key = rcgen::KeyPair::generate().unwrap();
    let (certificate, private) = (directory.path().join("crt"), directory.path().join("key"));
    std::fs::write(&certificate, leaf.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();

    let expired =
        config("expired", serde_json::json!({"client-certificate": certificate, "client-key": private}));
    let unknown = config("unknown", serde_json::json!({"token": "nobody"}));
    for kubeconfig in [expired, unknown] {
        let folder = directory.path().join("run");
        let output = program()
            .args(["run", "--kubeconfig", &kubeconfig, "--output-dir"])
            .arg(&folder)
            .output()
            .unwrap();
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{talk}");
        assert!(talk.contains("renew the kubeconfig"), "{talk}");
        assert!(!folder.exists());
    }
}

/// Lines of the API server's own audit log.
fn audited(lab: &Lab) -> impl Iterator<Item = String> {
    let log = Path::new(&lab.kubeconfig).parent().unwrap().join("logs/audit.ndjson");
    BufReader::new(std::fs::File::open(log).unwrap()).lines().map(Result::unwrap)
}

/// Since there were so many lines: the run watched, and read nothing again and again.
fn nothing_was_polled(lab: &Lab, before: usize) {
    let mut reads: BTreeMap<String, usize> = BTreeMap::new();
    let mut watches = 0;
    for line in audited(lab).skip(before) {
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["user"]["username"] != "system:serviceaccount:default:aiconform" {
            continue;
        }
        match event["verb"].as_str() {
            Some("watch") => watches += 1,
            Some("get" | "list") => *reads.entry(event["requestURI"].to_string()).or_default() += 1,
            _ => {}
        }
    }
    assert!(watches > 3, "{watches} watches");
    // The plan and the run each detect the subjects; a node is read when slots are put on it and taken away.
    let polled: Vec<_> = reads.iter().filter(|(_, count)| **count > 8).collect();
    assert!(!reads.is_empty() && polled.is_empty(), "{polled:?}");
}

#[test]
fn the_printed_role_is_enough_and_less_is_inconclusive() {
    timed!();
    let lab = Lab::up();
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = lab.with_role(directory.path(), &["--namespace", "default"]);
    let kubeconfig = kubeconfig.as_str();
    let before = audited(&lab).count();

    // Of one requirement: each detects its subjects by itself, and what is read then is counted below.
    let plan = works(&["plan", "--kubeconfig", kubeconfig, "--only", "gang_scheduling"]);
    assert!(plan.contains("kube-native: would be tried") && !plan.contains("you may not"), "{plan}");
    let folder = directory.path().join("enough");
    let arguments = [
        "run",
        "--kubeconfig",
        kubeconfig,
        "--rounds",
        "1",
        "--only",
        "gang_scheduling",
        "--adapter",
        "kube-native,kueue/job",
        "--output-dir",
    ];
    let output = program().args(arguments).arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(left(&lab), Vec::<String>::new());
    nothing_was_polled(&lab, before);

    // Other ways to make slots need no more, and prove what they can.
    for (capacity, decides, absent) in
        [("devices", "kube-native", "kueue/job"), ("quota", "kueue/job", "kube-native")]
    {
        let profile = directory.path().join(format!("{capacity}.toml"));
        std::fs::write(&profile, format!("[gang_scheduling]\ncapacity = \"{capacity}\"\n")).unwrap();
        let folder = directory.path().join(capacity);
        let output = program().args(arguments).arg(&folder).arg("--profile").arg(&profile).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        let verdict: Value = serde_json::from_str(&read(&folder.join("verdict.json"))).unwrap();
        let requirement = &verdict["requirements"][0];
        assert_eq!(requirement["deciding"], decides, "{requirement:#}");
        let subjects = requirement["subjects"].as_array().unwrap();
        let of = |id: &str| subjects.iter().find(|subject| subject["id"] == id).unwrap();
        assert_eq!(of(absent)["state"], "absent");
        // A quota that nothing is above shows admission only.
        let grade = if capacity == "quota" { "G1" } else { "G2" };
        assert_eq!(of(decides)["grade"]["level"], grade, "{requirement:#}");
        assert_eq!(left(&lab), Vec::<String>::new());
    }

    lab.kubectl(&["delete", "clusterrolebinding", "aiconform"]);
    let folder = directory.path().join("less");
    let output = program().args(arguments).arg(&folder).output().unwrap();
    let said = text(&output.stdout);
    assert!(matches!(output.status.code(), Some(3 | 4)), "{said}{}", text(&output.stderr));
    assert!(said.contains("INCONCLUSIVE") && said.contains("may not"), "{said}{}", text(&output.stderr));
}
