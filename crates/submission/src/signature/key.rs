//! Keys of Ed25519 in the files that other programs make and read.

use camino::{Utf8Path, Utf8PathBuf};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// Bytes before the 32 of a public key of Ed25519 (RFC 8410, section 4).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

/// A key that verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// A key cannot be used. What is in its file is told in no error.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no private key of Ed25519.
    #[error(
        "{0} is no private key of Ed25519 that can be used{1}; make one with `openssl genpkey -algorithm ed25519 -out {0}`"
    )]
    Private(Utf8PathBuf, &'static str),
    /// It is no public key of Ed25519.
    #[error(
        "{0} is no public key of Ed25519{1}; make it of the private one with `openssl pkey -in PRIVATE -pubout -out {0}`"
    )]
    Public(Utf8PathBuf, &'static str),
}

/// The content of a PEM file with the words that begin it.
fn content(file: &Utf8Path) -> Result<Option<(String, Vec<u8>)>, std::io::Error> {
    let read = pem::parse(fs_err::read(file)?).ok();
    Ok(read.map(|read| (read.tag().to_owned(), read.into_contents())))
}

impl SigningKey {
    /// Reads a private key: PKCS#8 in PEM.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(file: &Utf8Path) -> Result<SigningKey, KeyError> {
        let wrong = |why| KeyError::Private(file.to_owned(), why);
        match content(file)? {
            None => Err(wrong("")),
            Some((tag, _)) if tag == "ENCRYPTED PRIVATE KEY" => {
                Err(wrong(" (it is encrypted: decrypt it first)"))
            }
            Some((tag, _)) if tag == "PUBLIC KEY" => Err(wrong(" (it is a public one)")),
            Some((tag, bytes)) if tag == "PRIVATE KEY" => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes);
                pair.map(SigningKey).map_err(|_| wrong(" (it is of another kind)"))
            }
            Some(_) => Err(wrong(" (it is of another kind)")),
        }
    }

    /// A key of which everybody knows how it was made.
    #[cfg(test)]
    pub(crate) fn of_seed(seed: [u8; 32]) -> SigningKey {
        SigningKey(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_owned())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_owned()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey of {}", self.public().id())
    }
}

impl PublicKey {
    /// Reads a public key: SubjectPublicKeyInfo in PEM.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(file: &Utf8Path) -> Result<PublicKey, KeyError> {
        let wrong = |why| KeyError::Public(file.to_owned(), why);
        match content(file)? {
            None => Err(wrong("")),
            Some((tag, _)) if tag.ends_with("PRIVATE KEY") => {
                Err(wrong(" (it is a private one, which is nobody else's business)"))
            }
            Some((tag, bytes)) if tag == "PUBLIC KEY" => match bytes.strip_prefix(&PREFIX) {
                Some(key) if key.len() == 32 => Ok(PublicKey(key.to_owned())),
                _ => Err(wrong(" (it is of another kind)")),
            },
            Some(_) => Err(wrong(" (it is of another kind)")),
        }
    }

    /// Its id: the SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> String {
        let hash = Sha256::new().chain_update(PREFIX).chain_update(&self.0).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(bytes, signature).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PublicKey {}", self.id())
    }
}
