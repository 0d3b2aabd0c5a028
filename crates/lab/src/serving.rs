//! Certificates of webhooks: manifests that leave them to cert-manager, which a lab does not have, get one of the lab's
//! own authority.

use crate::error::LabError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use camino::Utf8Path;
use serde_json::json;

/// Service and Secret with which a part's webhooks, or whatever else of it, serve.
pub struct Serving {
    /// The Service by which the API server reaches them.
    pub service: &'static str,
    /// Its namespace, which is also the Secret's.
    pub namespace: &'static str,
    /// The Secret that holds certificate and key.
    pub secret: &'static str,
    /// Address of the Service, where it is called by that.
    pub address: Option<&'static str>,
}

impl Serving {
    /// Names for which the certificate stands.
    pub fn names(&self) -> Vec<String> {
        let name = format!("{}.{}.svc", self.service, self.namespace);
        let names = [name.clone(), format!("{name}.cluster.local")];
        names.into_iter().chain(self.address.map(str::to_owned)).collect()
    }

    /// Manifests without the objects of cert-manager, with the Secret that these would have led to, and with the lab's
    /// authority wherever a webhook is called.
    ///
    /// # Errors
    /// When a certificate cannot be read.
    pub fn certified(&self, manifests: &str, pki: &Utf8Path) -> Result<String, LabError> {
        let read =
            |extension: &str| fs_err::read_to_string(pki.join(format!("{}.{extension}", self.service)));
        let authority = fs_err::read_to_string(pki.join("ca.crt"))?;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": self.secret, "namespace": self.namespace},
            "stringData": {"tls.crt": read("crt")?, "tls.key": read("key")?, "ca.crt": authority}});
        let mut certified = trusting(manifests, self.secret, &BASE64_STANDARD.encode(&authority));
        certified.push_str(&format!("\n---\n{secret}\n"));
        Ok(certified)
    }
}

/// Manifests without cert-manager's objects and an empty Secret for a certificate, whose webhooks trust this authority.
fn trusting(manifests: &str, secret: &str, authority: &str) -> String {
    let name = format!("  name: {secret}");
    let kept = |object: &&str| {
        let has = |is: &dyn Fn(&str) -> bool| object.lines().any(is);
        let is_secret = has(&|line| line == "kind: Secret") && has(&|line| line == name);
        !is_secret && !has(&|line| line.starts_with("apiVersion: cert-manager.io/"))
    };
    let mut trusting = String::new();
    for object in manifests.split("\n---\n").filter(kept) {
        if !trusting.is_empty() {
            trusting.push_str("---\n");
        }
        for line in object.lines() {
            trusting.push_str(line);
            trusting.push('\n');
            // In a list the key stands behind a dash.
            if let Some(before) = line.strip_suffix("clientConfig:") {
                let indent = before.replace('-', " ");
                trusting.push_str(&format!("{indent}  caBundle: {authority}\n"));
            }
        }
    }
    trusting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_trust_the_lab_and_nothing_of_cert_manager_is_left() {
        let manifests = "kind: A\nwebhooks:\n- clientConfig:\n    service: s\n---\napiVersion: cert-manager.io/v1\nkind: Issuer\n---\nkind: Secret\nmetadata:\n  name: crt\n---\nkind: B\n";
        let wanted =
            "kind: A\nwebhooks:\n- clientConfig:\n    caBundle: Q0E=\n    service: s\n---\nkind: B\n";
        assert_eq!(trusting(manifests, "crt", "Q0E="), wanted);
    }
}
