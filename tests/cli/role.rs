//! The role that `aiconform rbac` prints, by what is given.

use super::{aiconform, fails};
use std::path::Path;

#[test]
fn the_permissions_of_an_adapter_in_a_file_are_printed() {
    let guide = include_str!("../../docs/guide/adapter.md");
    let (_, rest) = guide.split_once("## A whole example\n").unwrap();
    let (example, _) = rest.split_once("\n## ").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = example.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    std::fs::write(folder.path().join("mine.toml"), lines.join("\n")).unwrap();
    let without = aiconform(&["rbac"], folder.path()).data;
    let with = aiconform(&["rbac", "--adapter-file", "mine.toml"], folder.path());
    assert_eq!(with.code, 0, "{}", with.talk);
    assert_eq!(with.data.matches("scheduling.example.com").count(), 2, "{}", with.data);
    assert!(!without.contains("scheduling.example.com"));
}

/// The verbs that the role has on a resource.
fn verbs(role: &str, resource: &str) -> Vec<String> {
    let rules = role.split("- apiGroups:").filter(|rule| rule.contains(&format!("  - {resource}\n")));
    let lines = rules.flat_map(|rule| rule.split_once("verbs:").map_or("", |(_, verbs)| verbs).lines());
    lines.filter_map(|line| line.trim().strip_prefix("- ").map(str::to_owned)).collect()
}

fn role(arguments: &[&str], folder: &Path) -> String {
    let said = aiconform(&[&["rbac"], arguments].concat(), folder);
    assert_eq!((said.code, said.talk.as_str()), (0, ""), "{arguments:?}");
    said.data
}

#[test]
fn the_role_is_the_one_that_a_run_with_the_profile_needs() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("team.toml", "namespace = \"team-a\"\n");
    write("nodes.toml", "[consent]\nnodes = true\n");
    let role = |arguments: &[&str]| role(arguments, folder.path());
    let any = role(&[]);
    let team = role(&["--profile", "team.toml"]);
    assert!(verbs(&any, "namespaces").contains(&"create".to_owned()), "{any}");
    assert_eq!(verbs(&team, "namespaces"), ["get", "list"], "{team}");
    assert!(any.contains("namespace: default") && team.matches("namespace: team-a").count() == 2, "{team}");
    assert_eq!(team, role(&["--profile", "team.toml", "--namespace", "team-a"]));
    // What a consent is for is asked for with it, and where nothing is said of any.
    let only = ["--only", "cluster_autoscaling"];
    let pods = |arguments: &[&str]| verbs(&role(&[&only[..], arguments].concat()), "pods");
    assert!(pods(&[]).contains(&"create".to_owned()));
    assert_eq!(pods(&["--profile", "team.toml"]), ["get", "list", "watch"]);
    assert_eq!(pods(&["--profile", "nodes.toml"]), pods(&[]));
    assert_eq!(pods(&["--profile", "team.toml", "--consent", "nodes"]), pods(&[]));
}

#[test]
fn a_profile_that_does_not_fit_is_said() {
    let files = tempfile::tempdir().unwrap();
    let profile = files.path().join("team.toml");
    std::fs::write(&profile, "namespace = \"team-a\"\n").unwrap();
    let profile = profile.to_str().unwrap();
    let words = ["--namespace is team-b", "the profile names the namespace team-a", "leave --namespace out"];
    fails(&["rbac", "--profile", profile, "--namespace", "team-b"], 2, &words);
    std::fs::write(profile, "namespaces = 1\n").unwrap();
    fails(&["rbac", "--profile", profile], 2, &["line 1, column 1", "namespaces"]);
    fails(&["rbac", "--consent", "luck"], 2, &["nothing called \"luck\"", "nodes"]);
}
