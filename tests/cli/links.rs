//! What `review --online` must not do, whatever a submission says. That it asks rightly is tested in its library, on servers
//! of this machine: which is just what the command line must never ask.

use super::aiconform;
use std::net::TcpListener;

#[test]
fn a_submission_cannot_make_it_ask_this_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let product = format!(
        "metadata:\n  websiteUrl: http://127.0.0.1:{port}/\n  documentationUrl: http://127.0.0.1/\n  repoUrl: http://[::1]/\n  productLogoUrl: http://169.254.169.254/latest/meta-data/\n"
    );
    std::fs::write(folder.path().join("PRODUCT.yaml"), product).unwrap();

    let said = aiconform(&["review", "PRODUCT.yaml", "--online", "-o", "json"], folder.path());
    assert_eq!(said.code, 1, "{}", said.talk);
    assert!(
        said.talk.contains("4 links: 0 answer, 0 have moved, 4 could not be verified, 0 are broken"),
        "{}",
        said.talk
    );
    let review: serde_json::Value = serde_json::from_str(&said.data).unwrap();
    let findings = review["submissions"][0]["findings"].as_array().unwrap();
    let lines: Vec<(&str, u64)> = findings
        .iter()
        .filter(|finding| finding["rule"] == "link_reachable")
        .map(|finding| (finding["level"].as_str().unwrap(), finding["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(lines, [("unverified", 2), ("unverified", 3), ("unverified", 4), ("unverified", 5)]);
    for words in [format!("port {port} "), "(127.0.0.1)".into(), "(::1)".into(), "(169.254.169.254)".into()] {
        assert!(said.data.contains(&words), "{words}: {}", said.data);
    }
    assert!(listener.accept().is_err(), "nobody came");

    let said = aiconform(&["review", "PRODUCT.yaml", "--online", "--validator-only"], folder.path());
    assert_eq!(said.code, 2, "{}", said.talk);
    let said = aiconform(&["review", "PRODUCT.yaml"], folder.path());
    assert!(said.data.contains("not checked: links:"), "{}", said.data);
    assert_eq!(said.talk, "", "nothing is asked unless somebody wants it");
}
