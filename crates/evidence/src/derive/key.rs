//! The key of the pseudonyms, which the vendor keeps.

use camino::{Utf8Path, Utf8PathBuf};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// Bytes of a key.
const LENGTH: usize = 32;

/// A key: who has it finds the pseudonym of a name again, and so can try names.
pub struct Key {
    hmac: hmac::Key,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

/// A key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is there already.
    #[error("{0} is there already, and a key is never written over another; use it with --key")]
    There(Utf8PathBuf),
    /// The file holds something else.
    #[error("{0} is no key of pseudonyms, which is a line of 64 hexadecimal digits; make one with --new-key")]
    Form(Utf8PathBuf),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a key")]
    Random,
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else; its content is in no error.
    pub fn read(file: &Utf8Path) -> Result<Key, KeyError> {
        let text = fs_err::read(file)?;
        let text = std::str::from_utf8(&text).map(str::trim).unwrap_or_default();
        let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(16)).collect();
        match digits {
            Some(digits) if digits.len() == 2 * LENGTH => {
                let bytes: Vec<u8> = digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect();
                Ok(Key::of(&bytes))
            }
            _ => Err(KeyError::Form(file.into())),
        }
    }

    /// Makes a key; it is forgotten unless it is kept.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> Result<Key, KeyError> {
        let mut bytes = [0; LENGTH];
        SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::Random)?;
        Ok(Key::of(&bytes))
    }

    /// Keeps a key in a new file that only its owner can read.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn keep(&self, file: &Utf8Path) -> Result<(), KeyError> {
        let text: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        let mut opened = opened.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => KeyError::There(file.into()),
            kind => KeyError::Io(std::io::Error::new(kind, format!("{file}: {error}"))),
        })?;
        Ok(writeln!(opened, "{text}")?)
    }

    pub(super) fn of(bytes: &[u8]) -> Key {
        Key { hmac: hmac::Key::new(hmac::HMAC_SHA256, bytes), bytes: bytes.to_owned() }
    }

    /// Numbers that nobody without the key can tell from chance, always the same for the same parts.
    pub(super) fn numbers(&self, parts: &[&[u8]], count: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(count);
        let mut block = 0_u32;
        while numbers.len() < count {
            let mut context = hmac::Context::with_key(&self.hmac);
            context.update(&block.to_be_bytes());
            for part in parts {
                // With its length, so that no two lists of parts are the same text.
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            let tag = context.sign();
            let words = tag.as_ref().chunks_exact(4);
            numbers.extend(words.map(|word| word.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))));
            block += 1;
        }
        numbers.truncate(count);
        numbers
    }
}
