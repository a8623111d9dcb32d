//! The few primitives everything secret is made of, all from one library.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{constant_time, hmac, rand};

use crate::domain::random::Random;

/// The operating system's cryptographically secure generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// HMAC-SHA-256 of `message`.
#[must_use]
pub fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(&key, message).as_ref());
    tag
}

/// Whether two secrets are the same, in a time that depends only on their lengths.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// A 32-byte key for one purpose, derived from a secret by HKDF-SHA-256 (RFC 5869) with the purpose as `info`.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "32 bytes are always within what HKDF-SHA-256 can give")]
pub fn derive(secret: &[u8], purpose: &str) -> [u8; 32] {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, b"handset")
        .extract(secret)
        .expand(&[purpose.as_bytes()], Length)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within HKDF's bounds");
    key
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An Ed25519 key pair from a 32-byte seed: the private half as PKCS #8 and the public half as its 32 bytes.
#[must_use]
pub fn ed25519(seed: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32])> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let public = pair.public_key().as_ref().try_into().ok()?;
    Some((pair.to_pkcs8v1().ok()?.as_ref().to_vec(), public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_purpose_and_by_secret() {
        assert_ne!(derive(b"a", "x"), derive(b"a", "y"));
        assert_ne!(derive(b"a", "x"), derive(b"b", "x"));
        assert_eq!(derive(b"a", "x"), derive(b"a", "x"));
    }

    #[test]
    fn a_mac_is_hmac_sha_256() {
        // The message of RFC 4231's first case under a key of our length; the tag is what other libraries compute.
        let tag = mac(&[0x0b; 32], b"Hi There");
        assert_eq!(tag[..4], [0x19, 0x8a, 0x60, 0x7e]);
    }
}
