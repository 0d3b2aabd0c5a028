//! The signature of a submission: an in-toto Statement v1 about its files in a DSSE envelope, with Ed25519.
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

mod key;

pub use key::{KeyError, PublicKey, SigningKey};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Name of the envelope in a submission.
pub const FILE: &str = "attestation.dsse.json";
/// Type of the envelope's payload.
const PAYLOAD: &str = "application/vnd.in-toto+json";
/// Type that the payload gives itself.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// Type of what is said of the files.
pub const PREDICATE: &str = "https://aiconform.dev/submission/v1";

#[derive(Serialize, Deserialize)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

#[derive(Serialize, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// Content of an envelope, whoever signed it.
#[derive(Clone, Debug)]
pub struct Signed {
    /// SHA-256 of each file, by its name from the folder.
    pub files: BTreeMap<String, String>,
    /// Predicate: what is said of them.
    pub predicate: Value,
    payload: Vec<u8>,
    signatures: Vec<(String, Vec<u8>)>,
}

/// Result of checking an envelope with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The key has signed it as it is.
    Valid,
    /// It says that this key has signed it, and it has not, or not this.
    Invalid,
    /// Others have signed it, by the ids that they give themselves.
    Other(Vec<String>),
}

/// Bytes that are signed in place of the payload, so that one of another type is never taken for it.
fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Signs files, each with its SHA-256, and what is said of them; gives the envelope.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn sign(
    key: &SigningKey,
    files: &BTreeMap<String, String>,
    predicate: Value,
) -> serde_json::Result<Vec<u8>> {
    let subject = files.iter().map(|(name, digest)| Subject {
        name: name.clone(),
        digest: BTreeMap::from([("sha256".to_owned(), digest.clone())]),
    });
    let statement = Statement {
        kind: STATEMENT.into(),
        subject: subject.collect(),
        predicate_type: PREDICATE.into(),
        predicate,
    };
    let payload = serde_json::to_vec(&statement)?;
    let sig = STANDARD.encode(key.sign(&pre_authentication(PAYLOAD, &payload)));
    let signatures = vec![Signature { keyid: key.public().id(), sig }];
    let envelope = Envelope { payload: STANDARD.encode(payload), payload_type: PAYLOAD.into(), signatures };
    let mut bytes = serde_json::to_vec_pretty(&envelope)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads an envelope; that somebody has signed it is not checked.
///
/// # Errors
/// A sentence that says what does not fit.
pub fn read(bytes: &[u8]) -> Result<Signed, String> {
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no DSSE envelope: {error}"))?;
    if envelope.payload_type != PAYLOAD {
        return Err(format!(
            "its payload is {}, not {PAYLOAD}",
            crate::finding::quoted(&envelope.payload_type)
        ));
    }
    let decode = |text: &str| {
        // The specification lets either alphabet be used.
        STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .map_err(|_| "it has a part that is no Base64".to_owned())
    };
    let payload = decode(&envelope.payload)?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| format!("its payload is no in-toto Statement: {error}"))?;
    for (found, expected) in [(&statement.kind, STATEMENT), (&statement.predicate_type, PREDICATE)] {
        if found != expected {
            return Err(format!("it is {}, not {expected}", crate::finding::quoted(found)));
        }
    }
    let mut files = BTreeMap::new();
    for subject in statement.subject {
        let name = crate::finding::quoted(&subject.name);
        let digest = subject.digest.get("sha256").ok_or_else(|| format!("{name} has no SHA-256 in it"))?;
        if files.insert(subject.name.clone(), digest.clone()).is_some() {
            return Err(format!("{name} stands in it twice"));
        }
    }
    if envelope.signatures.is_empty() {
        return Err("nobody has signed it".into());
    }
    let signatures: Result<Vec<_>, String> = envelope
        .signatures
        .iter()
        .map(|signature| Ok((signature.keyid.clone(), decode(&signature.sig)?)))
        .collect();
    Ok(Signed { files, predicate: statement.predicate, payload, signatures: signatures? })
}

impl Signed {
    /// Ids of the keys that are said to have signed it.
    pub fn keys(&self) -> Vec<String> {
        self.signatures.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Checks whether a key has signed it. The id of a key is only a hint: what the key says counts.
    pub fn check(&self, key: &PublicKey) -> Check {
        let bytes = pre_authentication(PAYLOAD, &self.payload);
        if self.signatures.iter().any(|(_, signature)| key.verifies(&bytes, signature)) {
            Check::Valid
        } else if self.signatures.iter().any(|(id, _)| *id == key.id()) {
            Check::Invalid
        } else {
            Check::Other(self.keys())
        }
    }
}

#[cfg(test)]
mod tests;
