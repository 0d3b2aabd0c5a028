//! Files that come with the program, files beside the built-in adapters, and what is wrong in a file.

use super::*;
use crate::acts::means::Means;
use crate::adapters::BUILT_IN;
use crate::marks::Facts;
use crate::reading::Reading;
use aiconform_model::{Change, Object};
use proptest::prelude::*;

const NATIVE: &str = include_str!("kube-native.toml");
const VOLCANO: &str = include_str!("volcano.toml");
const PODS: &str = include_str!("kueue-pods.toml");
const JOB: &str = include_str!("kueue-job.toml");

fn read(text: &str) -> AdapterFile {
    AdapterFile::read(text, "a.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn built_in(id: &str) -> &'static dyn Adapter {
    BUILT_IN.iter().copied().find(|adapter| adapter.id() == id).unwrap()
}

fn objects(gang: &Gang) -> Vec<&(Kind, Value)> {
    gang.group.iter().chain(&gang.members).collect()
}

#[test]
fn what_is_shipped_is_read_and_known_to_the_check() {
    for file in shipped() {
        assert!(crate::CHECK.adapters.contains(&file.id()), "{}", file.id());
        // Until somebody has seen Volcano at work, what fails there is not held against it.
        assert_eq!(file.tried, file.id() != "volcano");
        for needed in file.needs() {
            let there = crate::CHECK.needs.iter().any(|permission| {
                (permission.group, permission.resource, permission.verbs)
                    == (needed.group, needed.resource, needed.verbs)
            });
            assert!(there, "the check does not ask for {needed:?}");
        }
    }
}

#[test]
fn the_example_of_the_guide_is_read() {
    let guide = include_str!("../../../../../../docs/guide/adapter.md");
    let (_, rest) = guide.split_once("## A whole example\n").unwrap();
    let (example, _) = rest.split_once("\n## ").unwrap();
    let text: Vec<&str> = example.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    assert_eq!(read(&text.join("\n")).id(), "mine");
}

#[test]
fn a_file_gives_the_same_gangs_as_the_built_in_adapter() {
    let template = Template::example();
    for (text, id) in [(NATIVE, "kube-native"), (PODS, "kueue/pods"), (JOB, "kueue/job")] {
        let (file, code) = (read(text), built_in(id));
        for wanted in
            [Wanted::whole("g", 4), Wanted { name: "g".into(), size: 4, least: 2 }, Wanted::whole("h", 1)]
        {
            let (theirs, ours) =
                (file.gang(&wanted, &template).unwrap(), code.gang(&wanted, &template).unwrap());
            assert_eq!(objects(&theirs), objects(&ours), "{id}");
            assert_eq!(theirs.derived, ours.derived, "{id}");
        }
        assert_eq!(file.single("s", &template).unwrap(), code.single("s", &template).unwrap(), "{id}");
        assert_eq!(file.can(&Value::Null), code.can(&json!({"dialect": "1.37"})), "{id}");
        assert_eq!(file.timeout(), code.timeout(), "{id}");
    }
}

#[test]
fn a_queue_is_written_with_its_quota_and_held_or_open() {
    let file = read(PODS);
    let capacity = Capacity {
        trial: "near-miss",
        namespace: "n",
        prefix: "",
        means: Means::Slots,
        resource: "slots/x",
        canary: "slots/y",
        quota: 3,
        held: true,
        preempts: false,
    };
    let profile = Profile::default();
    let given = |capacity: &Capacity| {
        let values = file.of_trial(capacity, "r", &profile);
        let objects = file.all(&file.cluster_objects, &values).unwrap();
        objects.into_iter().map(|(_, object)| object).collect::<Vec<_>>()
    };
    let held = given(&capacity);
    assert_eq!(held[1]["metadata"]["name"], "aiconform-r-kueue-pods-file-near-miss");
    assert_eq!(held[1]["spec"]["stopPolicy"], "Hold");
    let quota = "/spec/resourceGroups/0/flavors/0/resources/2";
    assert_eq!(held[1].pointer(quota), Some(&json!({"name": "slots/x", "nominalQuota": "3"})));
    assert_eq!(given(&Capacity { held: false, ..capacity })[1]["spec"]["stopPolicy"], "None");
    let queue = AdapterFile::using(file.cluster_objects.iter(), &["quota", "held"]).unwrap();
    assert!(queue.contains("kind: ClusterQueue"), "the patch of a quota is the queue's");
}

#[test]
fn pods_end_by_themselves_unless_what_makes_them_may_not_have_it() {
    let template = Template::example();
    let jobs = read(JOB);
    let (_, job) = &jobs.gang(&Wanted::whole("g", 4), &template).unwrap().members[0];
    for pod in [&template.member("g", 0), &template.single("s"), &job["spec"]["template"]] {
        assert!(
            pod["spec"]["activeDeadlineSeconds"].as_u64().is_some_and(|seconds| seconds >= 1800),
            "{pod}"
        );
        // Nor do they have a machine bought: they are for nodes that are there.
        let terms =
            "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        assert_eq!(pod.pointer(&format!("{terms}/0/matchFields/0/values/0")), Some(&json!("node-0")));
    }
    let text = JOB
        .replace("api = \"batch/v1\"\nkind = \"Job\"", "api = \"apps/v1\"\nkind = \"Deployment\"")
        .replace("apiVersion: batch/v1\nkind: Job", "apiVersion: apps/v1\nkind: Deployment");
    let (kind, maker) = &read(&text).gang(&Wanted::whole("g", 4), &template).unwrap().members[0];
    assert_eq!(kind.kind, "Deployment");
    assert!(maker.pointer("/spec/template/spec/containers").is_some());
    assert_eq!(maker.pointer("/spec/template/spec/activeDeadlineSeconds"), None);
}

/// How the judge reads the objects of a product: by the signs that the evidence has.
fn as_stored(file: &AdapterFile) -> Reading {
    let mut facts = json!({"tried": false});
    Facts { signs: file.signs().cloned(), ..Facts::default() }.write(&mut facts);
    Reading::of(Adapter::id(file), Facts::read(&facts).unwrap().signs.as_ref())
}

#[test]
fn volcano_is_written_as_its_public_api_says() {
    let file = &shipped()[0];
    let gang = file.gang(&Wanted { name: "g".into(), size: 4, least: 2 }, &Template::example()).unwrap();
    let (kind, group) = &gang.group[0];
    assert_eq!(kind.to_string(), "PodGroup (scheduling.volcano.sh/v1beta1)");
    let queue = "aiconform-run-volcano-trial";
    assert_eq!(group["spec"], json!({"minMember": 2, "queue": queue, "priorityClassName": "low"}));
    assert_eq!(group["metadata"]["labels"]["aiconform.dev/role"], "group");
    assert_eq!(gang.members.len(), 4);
    let (_, pod) = &gang.members[3];
    assert_eq!(pod["metadata"]["name"], "g-3");
    assert_eq!(pod["metadata"]["annotations"]["scheduling.k8s.io/group-name"], "g");
    assert_eq!(pod["spec"]["schedulerName"], "volcano");
    let (_, single) = file.single("s", &Template::example()).unwrap();
    assert_eq!(single["spec"]["schedulerName"], "volcano");
    assert_eq!(single["metadata"]["annotations"]["scheduling.volcano.sh/queue-name"], queue);
    assert!(single["metadata"]["annotations"].get("scheduling.k8s.io/group-name").is_none());
}

#[test]
fn volcanos_no_is_its_condition_and_not_its_phase() {
    let reading = as_stored(&shipped()[0]);
    let kind = Kind::namespaced("scheduling.volcano.sh", "v1beta1", "PodGroup", "podgroups");
    let group = |conditions: Value| {
        Object(json!({"metadata": {"name": "g"}, "status": {"phase": "Inqueue", "conditions": conditions}}))
    };
    let refused = group(json!([{"type": "Unschedulable", "status": "True", "message": "3/4 tasks"}]));
    assert_eq!(reading.refusal(&kind, &refused), Some(("g".into(), "3/4 tasks".into())));
    assert_eq!(reading.queued(&kind, &refused), Some("g".into()));
    assert_eq!(reading.in_force(&kind, &refused, Change::Modified), Some(("g".into(), true)));
    let bound = group(json!([{"type": "Scheduled", "status": "True", "message": "ready"}]));
    assert_eq!(reading.refusal(&kind, &bound), None);
    let untouched = Object(json!({"metadata": {"name": "g"}, "spec": {"minMember": 4}}));
    assert_eq!(reading.in_force(&kind, &untouched, Change::Added), None);
}

#[test]
fn an_id_of_a_built_in_adapter_is_taken() {
    for text in [VOLCANO.to_owned(), NATIVE.replacen("kube-native/file", "plain", 1)] {
        let error = AdapterFile::read(&text, "a.toml").unwrap_err();
        assert!(error.why.contains("built-in adapter") && error.column == 6, "{error}");
    }
}

#[test]
fn kai_is_written_as_its_public_api_says() {
    let file = &shipped()[1];
    let template = Template::example();
    let gang = file.gang(&Wanted::whole("g", 4), &template).unwrap();
    let (kind, group) = &gang.group[0];
    assert_eq!(kind.to_string(), "PodGroup (scheduling.run.ai/v2alpha2)");
    let queue = "aiconform-run-kai-trial";
    assert_eq!(group["spec"], json!({"minMember": 4, "queue": queue, "priorityClassName": "low"}));
    let (_, pod) = &gang.members[0];
    assert_eq!(pod["metadata"]["annotations"]["pod-group-name"], "g");
    assert_eq!(pod["metadata"]["annotations"]["kai.scheduler/skip-podgrouper"], "true");
    assert_eq!(file.single("s", &template).unwrap().1["metadata"]["labels"]["kai.scheduler/queue"], queue);

    let reading = as_stored(file);
    let refused = Object(json!({"metadata": {"name": "g"}, "status": {"schedulingConditions": [
        {"type": "UnschedulableOnNodePool", "status": "True", "nodePool": "default", "message": "no"}]}}));
    assert_eq!(reading.refusal(kind, &refused), Some(("g".into(), "no".into())));
    let counted =
        Object(json!({"metadata": {"name": "g"}, "status": {"resourcesStatus": {"requested": {}}}}));
    assert_eq!(reading.refusal(kind, &counted), None);
    assert_eq!(reading.in_force(kind, &counted, Change::Modified), Some(("g".into(), true)));
}

/// What reading says of the file with one text of it changed: line, column, and why.
fn wrong(file: &str, from: &str, to: &str) -> (usize, usize, String) {
    assert!(file.contains(from), "{from}");
    let error = file::read(&file.replacen(from, to, 1), "a.toml", &["kueue/job"]).unwrap_err();
    assert!(error.to_string().starts_with("a.toml, line "), "{error}");
    (error.line, error.column, error.why)
}

/// Line and column of a text in a file.
fn at(file: &str, text: &str) -> (usize, usize) {
    let error = FileError::at("", file, file.find(text).unwrap(), "");
    (error.line, error.column)
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_place() {
    let names = at(NATIVE, "{{ name }}");
    let shows = at(NATIVE, "$.status.conditions");
    for (file, from, to, (line, column), says) in [
        (NATIVE, "id = ", "# id = ", (1, 1), "missing field `id`"),
        (NATIVE, "product = ", "produkt = ", at(NATIVE, "product = "), "unknown field `produkt`"),
        (NATIVE, "\"elastic\"", "\"fly\"", at(NATIVE, "\"elastic\""), "unknown variant `fly`"),
        (NATIVE, "\"kube-native/file\"", "\"Native\"", at(NATIVE, "\"kube-native/file\""), "lower-case"),
        (NATIVE, "\"kube-native/file\"", "\"kueue/job\"", at(NATIVE, "\"kube-native/file\""), "built-in"),
        (NATIVE, "{{ name }}", "{{ nam }}", (names.0, names.1 + 3), "no value \"nam\" here; there are: run"),
        (NATIVE, "{{ name }}", "{{ name", (names.0 + 1, 1), "does not render: syntax error"),
        (
            NATIVE,
            "{{ name }}",
            "{{ name.first }}",
            (names.0, names.1 + 3),
            "does not render: undefined value",
        ),
        (NATIVE, "{{ name }}", "{{ name | upper }}", (names.0, names.1 + 10), "unknown filter"),
        (NATIVE, "gang: {minCount", "gang: }minCount", at(NATIVE, "apiVersion: sch"), "no YAML"),
        (
            NATIVE,
            "\napiVersion: scheduling.k8s.io/v1beta1\n",
            "\n",
            at(NATIVE, "apiVersion: sch"),
            "without apiVersion",
        ),
        (
            NATIVE,
            "  name: {{ name }}\n",
            "  name: other\n",
            at(NATIVE, "apiVersion: sch"),
            "must be {{ name }}",
        ),
        (
            NATIVE,
            "  schedulingGroup:",
            "  containers:",
            at(NATIVE, "spec:\n  schedulingGroup:"),
            "may only add",
        ),
        (NATIVE, "single = \"\"", "", at(NATIVE, "[pods]"), "either `member` and `single`, or `wrap`"),
        (
            NATIVE,
            "kind = \"PodGroup\"\ngang",
            "kind = \"Group\"\ngang",
            at(NATIVE, "\"PodGroup\"\ngang"),
            "not among",
        ),
        (NATIVE, "[?@.type ==", "[?@.type =", (shows.0, shows.1 + 28), "no JSONPath"),
        (NATIVE, "reason: Unschedulable", "reason: Other", shows, "finds nothing in the example"),
        (
            NATIVE,
            "metadata: {name: gang}",
            "metadata: {name: ]}",
            at(NATIVE, "metadata: {name: gang}"),
            "no YAML",
        ),
        (
            VOLCANO,
            "{{ 0 if held else quota }}",
            "{{ quota }}",
            at(VOLCANO, "[\"hold-back\""),
            "quota: no cluster-wide",
        ),
        (
            VOLCANO,
            "minMember: {{ least }}",
            "minMember: 4",
            at(VOLCANO, "[\"hold-back\""),
            "elastic: nothing",
        ),
        (VOLCANO, "cluster_wide = true", "", at(VOLCANO, "apiVersion: sch"), "belongs to a namespace"),
        (JOB, "{{ pod }}", "{}", at(JOB, "apiVersion: batch"), "does not hold {{ pod }}"),
        (JOB, "\"quota\", ", "\"hold-back\", ", at(JOB, "[\"quota\""), "hold-back: pods that"),
    ] {
        let (found_line, found_column, why) = wrong(file, from, to);
        assert!(why.contains(says), "{from} -> {to}: {why}");
        assert_eq!((found_line, found_column), (line, column), "{from} -> {to}: {why}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_an_adapter_or_a_place_inside_it(text in ".{0,80}") {
        if let Err(error) = AdapterFile::read(&text, "a.toml") {
            prop_assert!(error.line <= text.matches('\n').count() + 1);
        }
    }

    /// A good file with something put into it, or cut out of it, anywhere.
    #[test]
    fn a_changed_file_gives_an_adapter_or_a_place_inside_it(
        which in 0_usize..4, from in 0_usize..4000, length in 0_usize..30, put in "[-a-z{}%\"'\\[\\]$.?@:\n ]{0,6}",
    ) {
        let mut text = [NATIVE, VOLCANO, PODS, JOB][which].to_owned();
        let from = from % text.len();
        let end = (from + length).min(text.len());
        text.replace_range(from..end, &put);
        if let Err(error) = file::read(&text, "a.toml", &[]) {
            let line = text.split('\n').nth(error.line - 1);
            prop_assert!(line.is_some_and(|line| error.column <= line.chars().count() + 1), "{}", error);
        }
    }
}
