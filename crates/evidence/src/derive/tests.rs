use super::*;
use crate::Stored;
use aiconform_model::object::{Kind, Object};
use aiconform_model::{Change, EventKind, Scope, Sink};
use proptest::prelude::*;
use std::fmt::Write;

const UUID: &str = "0fafe70b-3caf-40c5-abc2-6993dcf76f58";
const MACHINE: &str = "9ec60576a391455f96a7fa4e591212eb";

/// Names that must not be left anywhere.
const NAMES: &[&str] = &[
    "cirrus-gpu-17",
    "rack7.stratus.corp",
    "acme-ml-team",
    "etcd-cirrus-gpu-17",
    "secret-trainer-7d9f6c5b8d-x2x4z",
    "10.17.3.4",
    "10-17-3-4",
    "10.17.3.0",
    "203.0.113.77",
    "fd12:3456::7",
    UUID,
    "0fafe70b_3caf_40c5_abc2_6993dcf76f58",
    MACHINE,
    "i-0abc123def456",
    "eu-cloud-7b",
    "jane@stratus.corp",
    "joe.doe",
    "registry.stratus.corp",
    "api.stratus.corp",
    "prod-stratus",
    "123456789012",
    "SN-4711-ABC",
    "like-ours",
];

fn digest_of_container() -> String {
    "c0ffee11".repeat(8)
}

/// A run with names in every place.
fn run(folder: &Utf8Path) {
    let written = Folder::create(folder).unwrap();
    let scope = Scope::new("gang_scheduling", "pool/cirrus-gpu-17");
    let container = digest_of_container();
    let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "cirrus-gpu-17", "uid": UUID, "labels": {"kubernetes.io/hostname": "cirrus-gpu-17",
            "topology.kubernetes.io/zone": "eu-cloud-7b", "node.kubernetes.io/instance-type": "large-8"},
            "annotations": {"x/json": "{\"on\":\"cirrus-gpu-17\",\"ip\":\"10.17.3.4\",\n\"text\":\"\\ncirrus-gpu-17\"}"}},
        "spec": {"providerID": "aws:///eu-cloud-7b/i-0abc123def456"},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.17.3.4"}, {"type": "Hostname", "address": "rack7.stratus.corp"},
            {"type": "ExternalIP", "address": "203.0.113.77"}, {"type": "InternalIP", "address": "fd12:3456::7"}],
            "nodeInfo": {"machineID": MACHINE, "systemUUID": UUID.to_uppercase(), "kubeletVersion": "v1.37.2"}}});
    let watch = |kind: Kind, object: &Value| EventKind::Watch {
        kind,
        change: Change::Added,
        object: Object::new(object.clone()),
    };
    written.write(&scope, watch(Kind::node(), &node));
    let pod = json!({"metadata": {"name": "etcd-cirrus-gpu-17", "namespace": "kube-system"}, "spec": {"nodeName": "cirrus-gpu-17",
        "containers": [{"image": "registry.stratus.corp/team/app:1@sha256:".to_owned() + &"ab".repeat(32)}]},
        "status": {"containerStatuses": [{"containerID": format!("containerd://{container}")}], "podIP": "10.17.3.4"}});
    written.write(&scope, watch(Kind::pod(), &pod));
    let own = json!({"metadata": {"name": "member-0", "namespace": "aiconform-c2152ea1-kueue"}, "spec": {"nodeName": "cirrus-gpu-17"}});
    written.write(&scope, watch(Kind::pod(), &own));
    // In a namespace of the platform, the label says whose a pod is; a node is never the run's own.
    let labelled = json!({"metadata": {"name": "c2152ea1-member-1", "namespace": "acme-ml-team",
        "labels": {"aiconform.dev/run": "c2152ea1"}}, "spec": {"nodeName": "like-ours"}});
    written.write(&scope, watch(Kind::pod(), &labelled));
    let alike = json!({"metadata": {"name": "like-ours", "namespace": "aiconform-c2152ea1-kueue"}});
    written.write(&scope, watch(Kind::pod(), &alike));
    written.write(&scope, EventKind::Exchange {
        method: "GET".into(),
        path: "/api/v1/namespaces/acme-ml-team/pods/secret-trainer-7d9f6c5b8d-x2x4z?fieldSelector=spec.nodeName%3Dcirrus-gpu-17".into(),
        status: 403,
        request: None,
        response: Some(json!({"message": "User \"joe.doe\" cannot get resource in \"acme-ml-team\"; ask jane@stratus.corp at https://api.stratus.corp:6443/help or https://kubernetes.io/docs"})),
        milliseconds: 3,
    });
    written.write(&scope, EventKind::Scrape {
        endpoint: "http://rack7.stratus.corp:9400/metrics".into(),
        status: 200,
        content_type: "text/plain".into(),
        text: format!("# HELP DCGM_FI_DEV_GPU_UTIL x\nDCGM_FI_DEV_GPU_UTIL{{gpu=\"0\",UUID=\"GPU-{UUID}\",Hostname=\"cirrus-gpu-17\",pod=\"secret-trainer-7d9f6c5b8d-x2x4z\",serial=\"SN-4711-ABC\"}} 9\n"),
        cut: None,
        why: String::new(),
        milliseconds: 3,
    });
    written.write(
        &scope,
        EventKind::Hindrance {
            who: "kubelet".into(),
            what: format!(
                "cgroup kubepods-pod{}.slice on 10-17-3-4.acme-ml-team.pod",
                UUID.replace('-', "_")
            ),
            why: "route 10.17.3.0/24 by (cirrus-gpu-17), on rack7: 1.2.3".into(),
        },
    );
    let keyed = json!({"by node": {"cirrus-gpu-17": {"free": 3}}, "list": ["cirrus-gpu-17", UUID]});
    written.write(&scope, EventKind::Phase { phase: "round".into(), data: keyed });
    let blob = written.blob(format!("log of cirrus-gpu-17 {UUID}\n").as_bytes()).unwrap();
    written.write(
        &scope,
        EventKind::Fact { name: "log".into(), value: json!({ "blob": blob, "caBundle": "Y2lycnVz" }) },
    );
    written
        .finish(&json!({"release": "1.37", "checks": ["gang_scheduling"], "id": "c2152ea1",
            "cluster": {"context": "arn:aws:eks:eu-cloud-7:123456789012:cluster/prod-stratus", "fingerprint": UUID}}))
        .unwrap();
}

fn everything(folder: &Utf8Path) -> String {
    let mut text = String::new();
    for entry in walk(folder) {
        let _ = writeln!(text, "{entry}\n{}", std::fs::read_to_string(&entry).unwrap());
    }
    text
}

fn walk(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    entries.flat_map(|entry| if entry.is_dir() { walk(&entry) } else { vec![entry] }).collect()
}

fn derived(key: &Key) -> (tempfile::TempDir, Utf8PathBuf, Utf8PathBuf, Names) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(directory.path()).unwrap();
    let (from, to) = (path.join("from"), path.join("to"));
    run(&from);
    let names = Names::of(&from, key, &["large-8".into()], &[]).unwrap();
    names.derive(&from, &to).unwrap();
    (directory, from, to, names)
}

#[test]
fn no_name_is_left_and_the_rest_stays() {
    let (_directory, from, to, names) = derived(&Key::of(&[7; 32]));
    let text = everything(&to);
    for name in NAMES.iter().map(|name| (*name).to_owned()).chain([
        digest_of_container(),
        UUID.to_uppercase(),
        "large-8".into(),
    ]) {
        assert!(everything(&from).contains(&name), "{name} is not in the original");
        assert!(!text.contains(&name), "{name} is left: {text}");
    }
    assert!(!text.contains("Y2lycnVz"), "a certificate is left");
    for kept in [
        "member-0",
        "c2152ea1-member-1",
        "aiconform-c2152ea1-kueue",
        "kube-system",
        "https://kubernetes.io/docs",
        "v1.37.2",
        "gang_scheduling",
        "spec.nodeName%3D",
        "DCGM_FI_DEV_GPU_UTIL",
        "\"round\"",
        ": 1.2.3",
        "containerd://",
        "GPU-",
    ] {
        assert!(text.contains(kept), "{kept} is gone: {text}");
    }
    // The digest of an image is public; what names a container is not.
    assert!(text.contains(&format!("@sha256:{}", "ab".repeat(32))));
    let pseudonym = |name: &str| names.replaced().find(|(_, own, _)| *own == name).unwrap().2.to_owned();
    let node = pseudonym("cirrus-gpu-17");
    assert_eq!(text.matches(&node).count(), everything(&from).matches("cirrus-gpu-17").count() - 1, "{node}");
    assert!(text.contains(&format!("{}/24", pseudonym("10.17.3.0/24").trim_end_matches("/24"))));
    assert_eq!(pseudonym("10-17-3-4"), pseudonym("10.17.3.4").replace('.', "-"));
    assert!(pseudonym("10.17.3.4").starts_with(pseudonym("10.17.3.0/24").trim_end_matches("0/24")));
    assert_eq!(pseudonym(MACHINE).len(), 32);
    assert_eq!(names.kept().map(|(_, name)| name).collect::<Vec<_>>(), ["kube-system"]);
}

#[test]
fn the_derived_run_is_a_whole_run_that_names_its_original() {
    let (_directory, from, to, names) = derived(&Key::of(&[7; 32]));
    let (original, stored) = (Stored::open(&from).unwrap(), Stored::open(&to).unwrap());
    assert_eq!(
        stored.run["derived"]["from"],
        crate::digest(&std::fs::read(from.join("manifest.json")).unwrap())
    );
    assert_eq!(stored.evidence.events.len(), original.evidence.events.len());
    for (own, other) in original.evidence.events.iter().zip(&stored.evidence.events) {
        assert_eq!(
            (own.sequence, own.time, &own.scope.check),
            (other.sequence, other.time, &other.scope.check)
        );
    }
    // What an event calls a blob is what the blob is called.
    let EventKind::Fact { value, .. } = &stored.evidence.events.last().unwrap().kind else {
        panic!("no fact")
    };
    assert!(to.join("blobs").join(value["blob"].as_str().unwrap()).exists());
    assert_eq!(names.changes(&from).unwrap(), (stored.evidence.events.len(), 1));
}

#[test]
fn equal_stays_equal_with_the_key_and_only_with_it() {
    let texts: Vec<String> = [7, 7, 8]
        .iter()
        .map(|byte| {
            let (_directory, _, to, _) = derived(&Key::of(&[*byte; 32]));
            std::fs::read_to_string(to.join("events.ndjson"))
                .unwrap()
                .lines()
                .next()
                .unwrap()
                .split("\"object\"")
                .nth(1)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
}

#[test]
fn what_cannot_be_looked_through_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(directory.path()).unwrap();
    let folder = Folder::create(&path.join("run")).unwrap();
    folder.blob(&[0xff, 0xfe]).unwrap();
    folder.finish(&json!({})).unwrap();
    let refused = Names::of(&path.join("run"), &Key::of(&[7; 32]), &[], &[]);
    assert!(matches!(refused, Err(DeriveError::Blob(_))));
    let text = "a b cirrus-gpu-17";
    let (_directory, _, _, names) = derived(&Key::of(&[7; 32]));
    let left = names.look(text, || "x".into()).unwrap_err().to_string();
    assert!(left.contains("a name (node)") && !left.contains("cirrus"), "{left}");
}

#[test]
fn a_key_is_kept_for_its_owner_alone_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(directory.path()).unwrap().join("key");
    let key = Key::new().unwrap();
    key.keep(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Key::read(&file).unwrap().name("cirrus-gpu-17"), key.name("cirrus-gpu-17"));
    assert!(matches!(Key::new().unwrap().keep(&file), Err(KeyError::There(_))));
    let text = std::fs::read_to_string(&file).unwrap();
    for wrong in ["", "abc", &text.trim()[1..], &text.replace('\n', "00"), &"é".repeat(64)] {
        std::fs::write(&file, wrong).unwrap();
        let error = Key::read(&file).unwrap_err();
        assert!(matches!(error, KeyError::Form(_)) && !error.to_string().contains(text.trim()), "{error}");
    }
    assert!(matches!(Key::read(&file.with_file_name("none")), Err(KeyError::Io(_))));
    assert_eq!(format!("{key:?}"), "Key");
}

fn replacer(names: &[String]) -> Replacer {
    let key = Key::of(&[7; 32]);
    let mut collector = Collector::default();
    names.iter().for_each(|name| collector.hide(name));
    Replacer::new(&collector.finish(&key).0).unwrap()
}

#[test]
fn names_are_replaced_on_the_edges_of_words_only_the_longest_first() {
    let found = replacer(&["cirrus-1".into(), "cirrus-1-etcd".into(), "cirrus".into()]);
    let (one, long) = (found.text("cirrus-1").into_owned(), found.text("cirrus-1-etcd").into_owned());
    let same = |text: &str, expected: String| assert_eq!(found.text(text), expected, "{text}");
    same(
        "xcirrus-1 cirrus-12 cirrus_1 scirrus",
        "xcirrus-1 cirrus-12 cirrus_1 scirrus".replace("cirrus-12", &format!("{}-12", found.text("cirrus"))),
    );
    same("etcd-cirrus-1.svc", format!("etcd-{one}.svc"));
    same("cirrus-1-etcd,cirrus-1", format!("{long},{one}"));
    same(
        "\\ncirrus-1 %2Fcirrus-1 \\u003ccirrus-1 a~1cirrus-1",
        format!("\\n{one} %2F{one} \\u003c{one} a~1{one}"),
    );
    same("nothing here", "nothing here".into());
}

proptest! {
    #[test]
    fn whatever_the_names_and_the_text_none_is_left(
        names in proptest::collection::vec("[a-z]{2,6}-[a-z0-9]{3,6}", 1..12),
        between in proptest::collection::vec("[ .:/\"\\\\n%2F,xé0_-]{0,4}", 12..13),
    ) {
        let replacer = replacer(&names);
        let text: String = names.iter().zip(&between).flat_map(|(name, between)| [name.as_str(), between]).collect();
        let mut value = json!({ &text: [text.clone(), {"a": text.clone()}] });
        replacer.value(&mut value);
        prop_assert_eq!(replacer.left(&value.to_string()), None);
        prop_assert_eq!(replacer.left(&replacer.text(&text)), None);
    }
}
