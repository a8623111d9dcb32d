//! The cipher of all keys: AES-256-GCM with a separate key for each KMS key, all derived from one random root.
//!
//! A ciphertext consists of a version, the length (two bytes, big endian) and text of the key's ARN, the nonce, and the
//! cipher's output; the ARN and the encryption context are authenticated with it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Error;

/// The root's file in the data folder.
const FILE: &str = "kms.key";
const ROOT_BYTES: usize = 32;
const VERSION: u8 = 1;

/// The secret from which every key is derived. It does not implement `Debug`, so it cannot be logged.
pub struct Root([u8; ROOT_BYTES]);

impl Root {
    /// The root stored in a folder. It is created at the first start, and only its owner can read it; `None` keeps a
    /// new one in memory.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let Some(file) = folder.map(|folder| folder.join(FILE)) else { return Ok(Self::fresh()) };
        let at = || file.display().to_string();
        match std::fs::read(&file) {
            Ok(bytes) => {
                let wrong = || Error::io(at())(std::io::Error::new(ErrorKind::InvalidData, "not a key of 32 bytes"));
                Ok(Self(bytes.try_into().map_err(|_| wrong())?))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let root = Self::fresh();
                root.keep(&file).map_err(Error::io(at()))?;
                Ok(root)
            }
            Err(error) => Err(Error::io(at())(error)),
        }
    }

    fn fresh() -> Self {
        let mut root = [0; ROOT_BYTES];
        root.copy_from_slice(&random(ROOT_BYTES));
        Self(root)
    }

    /// Writes the root atomically.
    fn keep(&self, file: &Path) -> std::io::Result<()> {
        let fresh = file.with_extension("new");
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut written = options.open(&fresh)?;
        written.write_all(&self.0)?;
        written.sync_all()?;
        std::fs::rename(fresh, file)
    }

    /// Encrypts with the key of this ARN.
    pub fn seal(&self, key: &str, context: &BTreeMap<String, String>, plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random(NONCE_LEN));
        let mut secret = plaintext.to_vec();
        self.cipher(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(key, context)),
                &mut secret,
            )
            .expect("a request's body is far below what AES-256-GCM takes");
        let length = u16::try_from(key.len()).expect("an ARN has at most 2,048 characters");
        [&[VERSION][..], &length.to_be_bytes(), key.as_bytes(), &nonce, &secret].concat()
    }

    /// Decrypts what was sealed with the key of this ARN and the same context.
    pub fn open_sealed(&self, key: &str, context: &BTreeMap<String, String>, blob: &[u8]) -> Option<Vec<u8>> {
        let (_, rest) = split(blob)?;
        let (nonce, secret) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut secret = secret.to_vec();
        let aad = Aad::from(associated(key, context));
        let opened = self.cipher(key).open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut secret).ok()?.len();
        secret.truncate(opened);
        Some(secret)
    }

    fn cipher(&self, key: &str) -> LessSafeKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(key.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &mac.finalize().into_bytes());
        LessSafeKey::new(key.expect("SHA-256 gives as many bytes as AES-256 takes"))
    }
}

/// The ARN of the key that made a ciphertext.
pub fn key_of(blob: &[u8]) -> Option<&str> {
    std::str::from_utf8(split(blob)?.0).ok()
}

/// The key's ARN, and the rest.
fn split(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    let (version, rest) = blob.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    if *version == VERSION { rest.split_at_checked(u16::from_be_bytes(*length).into()) } else { None }
}

/// The additional authenticated data. A sorted map has exactly one JSON form.
fn associated(key: &str, context: &BTreeMap<String, String>) -> Vec<u8> {
    serde_json::json!([key, context]).to_string().into_bytes()
}

/// Random bytes.
pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(user: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("user".to_owned(), user.to_owned())])
    }

    #[test]
    fn a_ciphertext_opens_with_its_key_and_context_and_unchanged() {
        let root = Root::open(None).expect("a root");
        let blob = root.seal("arn:a", &context("1"), b"secret");
        assert_eq!(key_of(&blob), Some("arn:a"));
        assert!(!blob.windows(6).any(|window| window == b"secret"));
        assert_eq!(root.open_sealed("arn:a", &context("1"), &blob).as_deref(), Some(&b"secret"[..]));
        assert_ne!(root.seal("arn:a", &context("1"), b"secret"), blob);
        for (key, context) in [("arn:b", context("1")), ("arn:a", context("2")), ("arn:a", BTreeMap::new())] {
            assert_eq!(root.open_sealed(key, &context, &blob), None, "{key} {context:?}");
        }
        for place in 8..blob.len() {
            let mut changed = blob.clone();
            changed[place] ^= 1;
            assert_eq!(root.open_sealed("arn:a", &context("1"), &changed), None, "{place}");
        }
        assert_eq!(Root::open(None).expect("a root").open_sealed("arn:a", &context("1"), &blob), None);
    }
}
