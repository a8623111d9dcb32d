//! Numbers as users type, copy and store them.

use super::UNKNOWN_ZONE;
use crate::Result;
use crate::text::{digit, is_dash, is_format};

/// E.164 allows 15 digits. The length of the text around them is limited before any parsing.
const MOST_CHARACTERS: usize = 64;
const MOST_DIGITS: usize = 24;

/// A number without the characters around its digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// Whether it starts with a plus.
    pub(super) plus: bool,
    /// Its digits, in ASCII.
    pub(super) digits: String,
}

impl Typed {
    /// `None` for a text that has a letter, a character that is not a separator, a plus after a digit, a second plus,
    /// or no digit.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.chars().nth(MOST_CHARACTERS).is_some() {
            return None;
        }
        let mut read = Self { plus: false, digits: String::new() };
        for c in text.chars() {
            if let Some(digit) = digit(c) {
                read.digits.push(digit);
            } else if is_plus(c) {
                if read.plus || !read.digits.is_empty() {
                    return None;
                }
                read.plus = true;
            } else if !is_separator(c) {
                return None;
            }
        }
        (1..=MOST_DIGITS).contains(&read.digits.len()).then_some(read)
    }
}

/// Parses a calling code as the user typed it: digits, with or without a leading `+` or zeros. `None` for an empty
/// text.
pub(super) fn zone(text: &str) -> Result<Option<u16>> {
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        return Err(UNKNOWN_ZONE);
    }
    let text: String = text.chars().filter(|c| !is_format(*c)).collect();
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits: Option<String> = text.strip_prefix(is_plus).unwrap_or(text).chars().map(digit).collect();
    digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(UNKNOWN_ZONE)
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '＋' | '﹢')
}

/// The characters that libphonenumber treats as punctuation, without its `x`; the dots of East Asian scripts; and
/// characters that address books and clipboards leave in numbers: soft hyphens, joiners, marks of the writing
/// direction.
fn is_separator(c: char) -> bool {
    let bracket = matches!(c, '(' | ')' | '[' | ']' | '（' | '）' | '［' | '］');
    let dot = matches!(c, '.' | '．' | '。' | '·' | '•' | '・' | '․' | '‧');
    let stroke = matches!(c, '/' | '／' | '~' | '⁓' | '∼' | '～');
    c.is_whitespace() || is_format(c) || is_dash(c) || bracket || dot || stroke
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(bool, String)> {
        Typed::read(text).map(|typed| (typed.plus, typed.digits))
    }

    #[test]
    fn a_number_is_its_digits_and_a_plus_before_them() {
        for (text, plus, digits) in [
            ("139-5551-2348", false, "13955512348"),
            ("139.5551.2349", false, "13955512349"),
            (" (415)\u{a0}555/2671 ", false, "4155552671"),
            ("(+86)139", true, "86139"),
            ("＋８６ １３９", true, "86139"),
            ("\u{202a}+86 139\u{202c}", true, "86139"),
            ("\u{2066}\u{200e}1\u{ad}3\u{200f}9\u{2069}\u{feff}", false, "139"),
            ("٠١٢٣٤٥٦٧٨٩ ۰۱۲ ०१२ ๐๑๒", false, "0123456789012012012"),
            ("𝟎𝟗𝟘𝟡𝟶𝟿", false, "090909"),
        ] {
            assert_eq!(read(text), Some((plus, digits.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "+",
            " ",
            "1a",
            "1395551236a",
            "a139",
            "13９x5",
            "139+5",
            "++86139",
            "139+",
            "139#",
            "*139",
            "139,1",
            "139;ext=1",
            "tel:+86139",
            "①②③",
            "一三九",
            "1²3",
            "1️⃣",
            "1\u{0}3",
            "1\u{301}3",
            "1_3",
            "½",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&"1".repeat(MOST_DIGITS + 1)), None);
        assert_eq!(read(&" ".repeat(1_000_000)), None);
    }

    #[test]
    fn a_zone_is_digits_alone() {
        for (text, read) in [
            ("", None),
            (" ", None),
            ("86", Some(86)),
            ("+86", Some(86)),
            (" ＋８６\u{200e}", Some(86)),
            ("0086", Some(86)),
            ("0", Some(0)),
        ] {
            assert_eq!(zone(text).unwrap(), read, "{text:?}");
        }
        for bad in ["+", "US", "8 6", "-86", "8a", "999999", "(86)", "86+", "8.6"] {
            assert!(zone(bad).is_err(), "{bad:?}");
        }
    }
}
