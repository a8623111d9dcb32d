//! Ids as short text: the number in base 62, for clients that expect ids to be strings.
//!
//! Each id has exactly one text and each text at most one id, so a text identifies a user as well as the number does.
//! No translation is stored, and two texts never mean the same id.

use super::id::{Id, Kind};
use super::{Error, Result};

/// The digits, in ascending order of their bytes.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u64 = 62;
/// 62^8 < 2^53 < 62^9.
const LONGEST: usize = 9;

/// The text of an id: 1 to 9 letters and digits.
#[must_use]
pub fn encode<K: Copy>(id: Id<K>) -> String {
    let mut rest = id.get();
    let mut digits = Vec::with_capacity(LONGEST);
    while rest > 0 {
        let digit = usize::try_from(rest % BASE).unwrap_or_default();
        digits.push(char::from(DIGITS[digit]));
        rest /= BASE;
    }
    digits.iter().rev().collect()
}

/// The id with this text. Only a text that [`encode`] produces is an id: `01` is not `1`.
pub fn decode<K: Kind + Copy>(text: &str) -> Result<Id<K>> {
    let none = || Error::NotFound(K::NAME);
    if text.len() > LONGEST || text.starts_with('0') {
        return Err(none());
    }
    let digit = |byte| DIGITS.binary_search(&byte).ok().and_then(|digit| u64::try_from(digit).ok());
    let number = text.bytes().try_fold(0, |number: u64, byte| Some(number * BASE + digit(byte)?));
    number.and_then(Id::new).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::account::{User, UserId};
    use crate::crypto::SystemRandom;
    use crate::random;

    const LAST: u64 = (1 << 53) - 1;

    #[test]
    fn every_id_survives_its_text() {
        let edges = (0..9).flat_map(|power| [BASE.pow(power) - 1, BASE.pow(power), BASE.pow(power) + 1]);
        let random = (0..10_000).map(|_| UserId::generate(&SystemRandom).get());
        let mut texts = HashSet::new();
        let numbers: HashSet<u64> = edges.chain([1, LAST - 1, LAST]).chain(random).filter(|n| *n > 0).collect();
        for number in &numbers {
            let id = UserId::new(*number).unwrap();
            let text = encode(id);
            assert!(text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
            assert_eq!(decode(&text).unwrap(), id, "{text}");
            texts.insert(text);
        }
        assert_eq!(texts.len(), numbers.len());
    }

    #[test]
    fn every_text_that_means_somebody_is_the_only_one() {
        for _ in 0..10_000 {
            let length = 1 + random::below(&SystemRandom, 10);
            // A random printable ASCII character: mostly digits of this base, and a few others.
            let byte = |_| b' ' + u8::try_from(random::below(&SystemRandom, 95)).unwrap();
            let text: String = (0..length).map(byte).map(char::from).collect();
            if let Ok(id) = decode::<User>(&text) {
                assert_eq!(encode(id), text);
            }
        }
    }

    #[test]
    fn other_texts_are_nobody() {
        let beyond = UserId::new(LAST).map(encode).unwrap().replace(|_| true, "z");
        for bad in
            ["", "0", "01", "-1", "+1", " 1", "1 ", "a_b", "é", "１", &beyond, "1000000000", "99999999999999999999"]
        {
            assert!(matches!(decode::<User>(bad), Err(Error::NotFound("user"))), "{bad}");
        }
        assert_eq!(encode(UserId::new(61).unwrap()), "z");
        assert_eq!(encode(UserId::new(62).unwrap()), "10");
    }
}
