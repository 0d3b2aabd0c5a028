//! Files that come with the program, and what is wrong in a file.

use super::*;
use proptest::prelude::*;

const KUBERAY: &str = include_str!("kuberay.toml");

fn read(text: &str) -> Result<Operator, FileError> {
    file::read(text, "o.toml", &[])
}

#[test]
fn what_is_shipped_is_read_and_known_to_the_check() {
    let ids: Vec<&str> = shipped().iter().map(Operator::id).collect();
    assert_eq!(ids, IDS);
    // The judge finds in the facts what the file said.
    for operator in shipped() {
        assert_eq!(&Plan::of(&operator.facts()).unwrap(), operator.plan());
        assert_eq!(operator.facts()["tried"], operator.plan().tried);
    }
    assert!(Operator::read(KUBERAY, "o.toml").unwrap_err().why.contains("built-in"));
}

#[test]
fn permissions_of_an_operator_are_those_of_its_kinds() {
    let kueue = shipped().iter().find(|operator| operator.id() == "kueue/clusterqueue").unwrap();
    let needs: Vec<_> = kueue.needs().iter().map(|need| (need.resource, need.verbs == WRITTEN)).collect();
    assert_eq!(needs, [("resourceflavors", true), ("clusterqueues", true)]);
    let needs = read(KUBERAY).unwrap().needs();
    let found: Vec<_> = needs.iter().map(|need| (need.group, need.resource, need.verbs)).collect();
    assert_eq!(found, [("ray.io", "rayclusters", WRITTEN), ("", "pods", MADE), ("", "services", MADE)]);
    // What is shipped asks for no more than the check does.
    let of_check = crate::CHECK.all_needs();
    for need in shipped().iter().flat_map(Operator::needs) {
        let covers = |own: &&Permission| (own.group, own.resource) == (need.group, need.resource);
        let own = of_check.iter().find(covers).unwrap();
        assert!(need.verbs.iter().all(|verb| own.verbs.contains(verb)), "{need:?}");
    }
}

/// Whether some pod of an object, as a template in it, may be scheduled anywhere else than on the node.
fn roams(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return value.as_array().is_some_and(|all| all.iter().any(roams));
    };
    let node = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    let held = value.pointer(node) == Some(&json!("the-node"));
    (object.contains_key("containers") && !held) || object.values().any(roams)
}

#[test]
fn what_operators_make_of_ours_has_no_autoscaler_bring_a_node() {
    let term = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["the-node"]}]});
    let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [], "affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}}});
    let pod = pod.to_string();
    let values = json!({"run": "its-run", "name": "its-name", "namespace": "its-namespace", "image": "its-image", "node": "the-node", "pod": pod,
        "held_pod": pod, "held_job_pod": pod});
    for operator in shipped() {
        let mut objects = vec![operator.valid(&values).unwrap(), operator.invalid(&values).unwrap()];
        objects.extend(operator.change(&values).unwrap());
        objects.extend(operator.before(&values).unwrap().into_iter().map(|(_, object)| object));
        assert!(!objects.iter().any(roams), "{}", operator.id());
    }
}

/// The file with one thing changed, and the error's place and words.
fn wrong(old: &str, new: &str) -> (usize, usize, String) {
    assert!(KUBERAY.contains(old), "{old}");
    let error = read(&KUBERAY.replacen(old, new, 1)).unwrap_err();
    (error.line, error.column, error.why)
}

#[test]
fn what_is_wrong_in_a_file_has_its_place() {
    let line = |text: &str| KUBERAY[..KUBERAY.find(text).unwrap()].matches('\n').count() + 1;
    let (at, column, why) = wrong("controller =", "controler =");
    assert_eq!((at, column), (line("controller ="), 1));
    assert!(why.contains("controler"), "{why}");
    let (at, _, why) = wrong("template: {{ pod }}", "template: {{ pods }}");
    assert_eq!(at, line("template: {{ pod }}"));
    assert!(why.contains("\"pods\"") && why.contains("held_pod"), "{why}");
    let (at, _, why) = wrong("again = \"Service\"", "again = \"Servant\"");
    assert_eq!(at, line("again ="));
    assert!(why.contains("not among the file's children"), "{why}");
    let (at, _, why) = wrong("\"$.status.observedGeneration\"", "\"$.status[\"");
    assert_eq!(at, line("observed ="));
    assert!(why.contains("JSONPath") || !why.is_empty(), "{why}");
    let (at, _, why) = wrong("api = \"ray.io/v1\"", "api = \"v1\"");
    assert_eq!(at, line("api = \"ray.io/v1\""));
    assert!(why.contains("group"), "{why}");
    let (.., why) = wrong("kind: RayCluster", "kind: RayJob");
    assert!(why.contains("not among the file's kinds"), "{why}");
    let (.., why) = wrong("name: {{ name }}", "name: other");
    assert!(why.contains("must be {{ name }}"), "{why}");
}

#[test]
fn what_would_not_be_refused_or_not_be_a_change_is_found_before_anything_is_asked() {
    let start = KUBERAY.find("invalid = '''").unwrap();
    let end = start + KUBERAY[start..].find("'''\n# Kueue").unwrap();
    let text = format!("{}invalid = '''\nspec: {{}}\n{}", &KUBERAY[..start], &KUBERAY[end..]);
    assert!(read(&text).unwrap_err().why.contains("nothing to refuse"));
    let start = KUBERAY.find("patch = '''").unwrap();
    let end = start + KUBERAY[start..].find("'''\nshows").unwrap();
    let text =
        format!("{}patch = '''\nmetadata: {{labels: {{a: b}}}}\n{}", &KUBERAY[..start], &KUBERAY[end..]);
    assert!(read(&text).unwrap_err().why.contains("nothing to follow"));
}

proptest! {
    #[test]
    fn any_text_is_an_operator_or_an_error_with_a_place_inside_it(text in ".{0,120}") {
        if let Err(error) = read(&text) {
            prop_assert!(error.line <= text.matches('\n').count() + 1);
        }
    }

    /// A file that was cut off or scribbled in anywhere has a place for what is wrong.
    #[test]
    fn a_file_that_was_scribbled_in_is_read_or_has_a_place(at in 0_usize..2400, new in "[a-z{}'\"\\[\\]=$.\n]{0,3}") {
        let at = at.min(KUBERAY.len());
        let text = format!("{}{new}{}", &KUBERAY[..at], &KUBERAY[(at + 1).min(KUBERAY.len())..]);
        if let Err(error) = read(&text) {
            prop_assert!(error.line <= text.matches('\n').count() + 1, "{}", error);
        }
    }
}
