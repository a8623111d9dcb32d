//! The few cryptographic primitives used for secrets, all from one library.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{constant_time, digest, hmac, rand};

use crate::random::Random;

/// The operating system's cryptographically secure generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// HMAC-SHA-256 of `message` with one of our own keys.
#[must_use]
pub fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    hmac_sha256(key, message)
}

/// HMAC-SHA-256 of `message` with a key of any length, for signatures that other services define.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(&key, message).as_ref());
    tag
}

/// Whether two secrets are equal. The comparison takes a time that depends only on their lengths.
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

/// SHA-256 of `message`, for values that are random enough to need no key.
#[must_use]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    digest
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

/// SHA-1 in hexadecimal, for services whose signatures use it. Nothing of our own depends on it.
#[must_use]
pub fn sha1_hex(message: &[u8]) -> String {
    hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message).as_ref())
}

/// Length of the nonce of [`seal`] in bytes.
pub const NONCE_BYTES: usize = 12;

/// AES-256-GCM of `plain`, with the tag at the end, bound to `associated`. A nonce must be used for only one message
/// with each key.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "the key has the cipher's length, and messages are far below its bound")]
pub fn seal(key: &[u8; 32], nonce: [u8; NONCE_BYTES], associated: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut message = plain.to_vec();
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .and_then(|key| {
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated), &mut message)
        })
        .expect("AES-256-GCM takes a key of 32 bytes and messages below 64 GiB");
    message
}

/// Decrypts the result of [`seal`]; `None` when any part of it was changed.
#[must_use]
pub fn open(key: &[u8; 32], nonce: [u8; NONCE_BYTES], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut message = sealed.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let opened =
        key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(associated), &mut message).ok()?.len();
    message.truncate(opened);
    Some(message)
}

/// An Ed25519 key pair from a 32-byte seed: the private half as PKCS #8 and the public half as its 32 bytes.
#[must_use]
pub fn ed25519(seed: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32])> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let public = pair.public_key().as_ref().try_into().ok()?;
    Some((pair.to_pkcs8v1().ok()?.as_ref().to_vec(), public))
}

/// A key pair on the curve P-256 from a secret number of 32 bytes: the private half as PKCS #8 and the public half as
/// the coordinates `x` and `y`. `None` if the number is zero or not below the order of the group.
#[must_use]
pub fn p256(secret: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32], [u8; 32])> {
    // A PrivateKeyInfo (RFC 5208) with an ECPrivateKey (RFC 5915), whose lengths are always the same.
    const BEGIN: &[u8] = b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\
        \xce\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20";
    const BEFORE_PUBLIC: &[u8] = b"\xa1\x44\x03\x42\x00";
    let private = PrivateKey::from_private_key(&ECDH_P256, secret).ok()?;
    let public = private.compute_public_key().ok()?;
    // 4, which says that both coordinates follow, and the coordinates.
    let (_, coordinates) = public.as_ref().split_first()?;
    let (x, y) = coordinates.split_at_checked(32)?;
    let pkcs8 = [BEGIN, secret, BEFORE_PUBLIC, public.as_ref()].concat();
    Some((pkcs8, x.try_into().ok()?, y.try_into().ok()?))
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
    fn sha_1_is_written_in_lower_case() {
        // The one-block message of FIPS 180-1, appendix A.
        assert_eq!(sha1_hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn what_is_sealed_opens_unchanged_and_only_as_it_was_sealed() {
        let (key, nonce) = ([1; 32], [2; NONCE_BYTES]);
        let sealed = seal(&key, nonce, b"for one", b"secret");
        assert_eq!(sealed.len(), 6 + 16);
        assert_eq!(open(&key, nonce, b"for one", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(open(&key, nonce, b"for two", &sealed), None);
        assert_eq!(open(&[3; 32], nonce, b"for one", &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open(&key, nonce, b"for one", &changed), None, "{place}");
        }
    }

    #[test]
    fn a_p256_key_has_the_public_half_of_its_number() {
        // The key of RFC 6979, appendix A.2.5.
        let bytes = |hex: &str| {
            let digits: Vec<_> = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
            digits.iter().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<u8>>()
        };
        let secret = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let (_, x, y) = p256(&secret.try_into().unwrap()).unwrap();
        assert_eq!(x[..], bytes("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"));
        assert_eq!(y[..], bytes("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"));
        assert!(p256(&[0; 32]).is_none() && p256(&[0xff; 32]).is_none());
    }

    #[test]
    fn a_mac_is_hmac_sha_256() {
        // The message of RFC 4231's first case under a key of our length; the tag is what other libraries compute.
        let tag = mac(&[0x0b; 32], b"Hi There");
        assert_eq!(tag[..4], [0x19, 0x8a, 0x60, 0x7e]);
    }
}
