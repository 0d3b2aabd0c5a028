//! The Gateway API's own tests beside ours: what passes ours passes them, on both gateways. The lab's own gateway, in whose place
//! breakages are, serves what our checks make and not all of what these tests make first. Long, so only with `--thorough`.

use super::timed;
use super::{aiconform, is_gone, is_short, kubectl, works};
use std::collections::BTreeMap;

/// Results of the core tests of a class.
fn results(lab: &str, class: &str) -> BTreeMap<String, String> {
    let class = format!("-gateway-class={class}");
    let output = aiconform(
        lab,
        &[
            "exec",
            "--",
            "gateway-conformance",
            &class,
            "-allow-crds-mismatch",
            "-supported-features=Gateway,HTTPRoute,ReferenceGrant",
            "-test.v",
            "-test.timeout=8m",
        ],
    );
    // The next one makes the same namespaces.
    for namespace in
        ["gateway-conformance-infra", "gateway-conformance-app-backend", "gateway-conformance-web-backend"]
    {
        kubectl(lab, &["wait", "--for=delete", &format!("namespace/{namespace}"), "--timeout=90s"]);
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: BTreeMap<String, String> = said
        .lines()
        .filter_map(|line| line.strip_prefix("    --- "))
        .filter_map(|line| {
            let (result, rest) = line.split_once(": TestConformance/")?;
            let name = rest.split_whitespace().next()?;
            (result != "SKIP" && !name.contains('/')).then(|| (name.to_owned(), result.to_owned()))
        })
        .collect();
    // What did not come to its end has passed nothing.
    assert!(output.status.success() && !found.is_empty(), "{said}");
    found
}

#[test]
fn the_tests_of_the_api_itself_pass_on_both_gateways() {
    timed!();
    if is_short() {
        return;
    }
    let lab = "testconformance";
    works(lab, &["up", "--with", "traefik,envoy-gateway,gateway-conformance"]);
    for class in ["traefik", "envoy-gateway"] {
        let all = results(lab, class);
        let failed: Vec<_> = all.iter().filter(|(_, result)| *result != "PASS").collect();
        assert!(failed.is_empty(), "{class}: {failed:?}");
        let routes = all.keys().filter(|name| name.starts_with("HTTPRoute")).count();
        assert!(routes >= 20, "{class}: {all:?}");
    }
    works(lab, &["down"]);
    is_gone(lab);
}
