//! KWOK's stages (what its nodes and pods become, and when) as part of its configuration.
//!
//! As objects of the cluster KWOK 0.8.0 lists them once, and may keep the first few it has read for all that there are: it
//! notes them by the version of the whole list, which is known before its last item is. Then it makes nodes ready and
//! never a pod, or neither, until the API server's next bookmark, and what it has passed over by then it never looks at
//! again. Seen in 2 of 94 starts, of which one made no node and no pod ready.

/// Manifests of KWOK with their stages at the end of its configuration.
pub fn with_stages(manifests: &str) -> String {
    let (stages, others): (Vec<&str>, Vec<&str>) =
        manifests.split("\n---\n").partition(|object| object.lines().any(|line| line == "kind: Stage"));
    let lines = stages.iter().flat_map(|stage| std::iter::once("---").chain(stage.lines()));
    let stages: String = lines.map(|line| format!("    {line}\n")).collect();
    let configured =
        |object: &str| object.replacen("\nkind: ConfigMap\n", &format!("\n{stages}kind: ConfigMap\n"), 1);
    others.into_iter().map(configured).collect::<Vec<_>>().join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_stand_in_the_configuration_and_are_no_objects() {
        let manifests = "kind: Namespace\n---\napiVersion: v1\ndata:\n  kwok.yaml: |\n    options: {}\nkind: ConfigMap\n\
                         metadata: {}\n---\nkind: Stage\nspec: {}\n---\nkind: Stage\nspec:\n  next: {}\n";
        assert_eq!(
            with_stages(manifests),
            "kind: Namespace\n---\napiVersion: v1\ndata:\n  kwok.yaml: |\n    options: {}\n    ---\n    kind: Stage\n    \
             spec: {}\n    ---\n    kind: Stage\n    spec:\n      next: {}\nkind: ConfigMap\nmetadata: {}"
        );
    }
}
