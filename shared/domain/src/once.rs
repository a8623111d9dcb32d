//! Requests that make something, and that a client may repeat without making it twice.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::crypto;
use super::{Error, Result};

/// A request that a client marked with a key. Whoever repeats it with the same key gets what the first one made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    key: String,
    digest: String,
}

impl Once {
    /// Maximum length of a key in characters. UUIDs are far shorter.
    const LONGEST: usize = 128;

    /// A request with this key. `request` is what must be the same when it is repeated: the operation and the body.
    pub fn new(key: &str, request: &[&[u8]]) -> Result<Self> {
        let fits = (1..=Self::LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            const RULE: &str = "must have 1 to 128 visible ASCII characters";
            return Err(Error::Invalid { field: "Idempotency-Key", rule: RULE });
        }
        let hash = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(crypto::sha256(bytes));
        // Hashes have one length, so two different requests cannot run together into the same bytes.
        let parts: Vec<_> = request.iter().map(|part| hash(part)).collect();
        Ok(Self { key: hash(key.as_bytes()), digest: hash(parts.concat().as_bytes()) })
    }

    /// The key as it is stored: a hash, so it always has the same length.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The hash of the request as it is stored.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_request() {
        let once = |key: &str, parts: &[&[u8]]| Once::new(key, parts).unwrap();
        let first = once("a", &[b"POST /v1/groups", b"{}"]);
        assert_eq!(first, once("a", &[b"POST /v1/groups", b"{}"]));
        assert_eq!(first.key(), once("a", &[b"other", b""]).key());
        assert_ne!(first.digest(), once("a", &[b"POST /v1/group", b"s{}"]).digest());
        assert_ne!(first.key(), once("b", &[b"POST /v1/groups", b"{}"]).key());
        for bad in ["", "a b", "\u{e9}", &"a".repeat(129)] {
            assert!(Once::new(bad, &[]).is_err(), "{bad:?}");
        }
    }
}
