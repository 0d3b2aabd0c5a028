use super::*;
use camino::Utf8Path;
use proptest::prelude::*;
use serde_json::json;

/// The first test of RFC 8032, section 7.1: a seed and its public key.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PRIVATE_PREFIX: &str = "302e020100300506032b657004220420";
const PUBLIC_PREFIX: &str = "302a300506032b6570032100";

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn pem(tag: &str, content: &str) -> String {
    pem::encode(&pem::Pem::new(tag, bytes(content)))
}

fn keys(folder: &Utf8Path, seed: &str) -> SigningKey {
    let file = folder.join("key.pem");
    std::fs::write(&file, pem("PRIVATE KEY", &format!("{PRIVATE_PREFIX}{seed}"))).unwrap();
    SigningKey::read(&file).unwrap()
}

fn folder() -> (tempfile::TempDir, camino::Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    (folder, path)
}

fn envelope() -> (Vec<u8>, PublicKey) {
    let (_folder, path) = folder();
    let key = keys(&path, SEED);
    let files = BTreeMap::from([
        ("PRODUCT.yaml".to_owned(), "ab".repeat(32)),
        ("run/run.json".to_owned(), "cd".repeat(32)),
    ]);
    (sign(&key, &files, json!({"tool": "aiconform"})).unwrap(), key.public())
}

#[test]
fn what_is_signed_is_what_the_specification_says() {
    let said = pre_authentication("http://example.com/HelloWorld", b"hello world");
    assert_eq!(said, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(pre_authentication("", "é".as_bytes()), "DSSEv1 0  2 é".as_bytes());
}

#[test]
fn keys_are_those_of_the_standard() {
    let (_folder, path) = folder();
    let key = keys(&path, SEED);
    let file = path.join("public.pem");
    std::fs::write(&file, pem("PUBLIC KEY", &format!("{PUBLIC_PREFIX}{PUBLIC}"))).unwrap();
    assert_eq!(PublicKey::read(&file).unwrap(), key.public());
    // The signature of the empty message in that test.
    assert_eq!(
        key.sign(b""),
        bytes(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
    );
    assert!(!format!("{key:?}").contains(&SEED[..16]));
}

#[test]
fn what_was_signed_is_read_and_verified() {
    let (envelope, key) = envelope();
    let signed = read(&envelope).unwrap();
    assert_eq!(signed.files["run/run.json"], "cd".repeat(32));
    assert_eq!(signed.keys(), [key.id()]);
    assert_eq!(signed.check(&key), Check::Valid);
    let (_folder, path) = folder();
    let other = keys(&path, &"11".repeat(32)).public();
    assert_eq!(signed.check(&other), Check::Other(vec![key.id()]));
}

#[test]
fn every_change_of_an_envelope_is_found() {
    let (envelope, key) = envelope();
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    let payload: Value =
        serde_json::from_slice(&STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = payload.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let mut envelope = envelope.clone();
        envelope["payload"] = STANDARD.encode(changed.to_string()).into();
        read(envelope.to_string().as_bytes())
    };
    for (pointer, value) in [
        ("/subject/0/digest/sha256", json!("ef".repeat(32))),
        ("/subject/0/name", json!("other.md")),
        ("/predicate", json!({"tool": "other"})),
        ("/subject", json!([])),
    ] {
        assert_eq!(with(pointer, value).unwrap().check(&key), Check::Invalid, "{pointer}");
    }
    for (pointer, value, words) in [
        ("/_type", json!("https://in-toto.io/Statement/v0.1"), "Statement/v0.1"),
        ("/predicateType", json!("https://slsa.dev/provenance/v1"), "slsa"),
        ("/subject/0/digest", json!({"md5": "x"}), "no SHA-256"),
        ("/subject/0/name", json!("run/run.json"), "twice"),
        ("/subject", json!("x"), "no in-toto Statement"),
    ] {
        let why = with(pointer, value).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    let changed = |pointer: &str, value: Value| {
        let mut changed = envelope.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        read(changed.to_string().as_bytes())
    };
    let mut sig = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    sig[3] ^= 1;
    assert_eq!(
        changed("/signatures/0/sig", STANDARD.encode(&sig).into()).unwrap().check(&key),
        Check::Invalid
    );
    assert_eq!(changed("/signatures/0/sig", "".into()).unwrap().check(&key), Check::Invalid);
    // The id of a key is a hint that nobody signs.
    assert_eq!(changed("/signatures/0/keyid", "x".into()).unwrap().check(&key), Check::Valid);
    for (pointer, value, words) in [
        ("/payloadType", json!("text/plain"), "text/plain"),
        ("/signatures", json!([]), "nobody"),
        ("/signatures/0/sig", json!("%"), "no Base64"),
        ("/payload", json!("e30="), "no in-toto Statement"),
        ("/payload", json!(1), "no DSSE envelope"),
    ] {
        let why = changed(pointer, value).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_file_that_is_no_such_key_is_told_and_nothing_of_it() {
    let (_folder, path) = folder();
    let file = path.join("key.pem");
    let private = pem("PRIVATE KEY", &format!("{PRIVATE_PREFIX}{SEED}"));
    let public = pem("PUBLIC KEY", &format!("{PUBLIC_PREFIX}{PUBLIC}"));
    let rsa = pem("PRIVATE KEY", "302e0201003005");
    for (text, words) in [
        ("no PEM", "make one with"),
        ("", "make one with"),
        (public.as_str(), "a public one"),
        (rsa.as_str(), "of another kind"),
        (&private.replace("PRIVATE", "ENCRYPTED PRIVATE"), "decrypt it first"),
        (&private.replace("PRIVATE", "EC PRIVATE"), "of another kind"),
    ] {
        std::fs::write(&file, text).unwrap();
        let why = SigningKey::read(&file).unwrap_err().to_string();
        assert!(why.contains(words) && why.contains("key.pem") && !why.contains(&private[30..50]), "{why}");
    }
    for (text, words) in [
        ("no PEM", "-pubout"),
        (private.as_str(), "nobody else's business"),
        (&pem("PUBLIC KEY", &format!("{PUBLIC_PREFIX}{PUBLIC}00")), "of another kind"),
        (&pem("CERTIFICATE", PUBLIC), "of another kind"),
    ] {
        std::fs::write(&file, text).unwrap();
        let why = PublicKey::read(&file).unwrap_err().to_string();
        assert!(why.contains(words) && !why.contains(&private[30..50]), "{why}");
    }
    assert!(matches!(PublicKey::read(&path.join("none")), Err(KeyError::Io(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_an_envelope_or_a_sentence(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_bit_of_a_signed_payload_can_be_turned(bit in 0_usize..2000) {
        let (envelope, key) = envelope();
        let mut envelope: Value = serde_json::from_slice(&envelope).unwrap();
        let mut payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let bit = bit % (payload.len() * 8);
        payload[bit / 8] ^= 1 << (bit % 8);
        envelope["payload"] = STANDARD.encode(payload).into();
        if let Ok(signed) = read(envelope.to_string().as_bytes()) {
            prop_assert_eq!(signed.check(&key), Check::Invalid);
        }
    }
}
