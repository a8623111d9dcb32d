//! Codes in the form in which clients send them.

use std::fmt;

use crate::{Error, Result, text};

/// The value that a client sent as a code.
#[derive(Clone, PartialEq, Eq)]
pub enum Typed {
    /// A string, as the user typed it.
    Text(String),
    /// A number. It has lost the leading zeros of the code.
    Number(i64),
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A value that may be a code is never logged.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

/// A well-formed code: it has the right number of digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Parses digits of any script; white space, dashes and invisible characters are ignored. A number gets its leading
    /// zeros back. Anything else cannot be a code and is refused before it counts as a try.
    pub fn parse(typed: &Typed, digits: u32) -> Result<Self> {
        const MOST: usize = 128;
        let code = match typed {
            Typed::Text(text) if text.len() > MOST => String::new(),
            Typed::Text(text) => text::typed(text),
            Typed::Number(number) => format!("{number:0width$}", width = digits as usize),
        };
        let fits = code.len() == digits as usize && code.bytes().all(|byte| byte.is_ascii_digit());
        if fits { Ok(Self(code)) } else { Err(Error::Invalid { field: "code", rule: length(digits) }) }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code is never logged.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// The rule on a code's length. The template allows 6 to 9 digits.
const fn length(digits: u32) -> &'static str {
    match digits {
        6 => "must have 6 digits",
        7 => "must have 7 digits",
        8 => "must have 8 digits",
        _ => "must have 9 digits",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_came_as_a_number_gets_its_zeros_back() {
        let number = |number| Code::parse(&Typed::Number(number), 6).map(|code| code.0);
        for (sent, code) in [(0, "000000"), (12, "000012"), (12_345, "012345"), (123_456, "123456")] {
            assert_eq!(number(sent).unwrap(), code);
        }
        for bad in [-1, -12_345, 1_234_567, i64::MIN, i64::MAX] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_typed_is_a_code_when_it_has_its_digits() {
        let text = |text: &str, digits| Code::parse(&Typed::Text(text.to_owned()), digits).map(|code| code.0);
        for good in ["123456", " 123 456\n", "123-456", "１２３４５６", "١٢٣٤٥٦", "\u{200e}123456\u{feff}"]
        {
            assert_eq!(text(good, 6).unwrap(), "123456", "{good:?}");
        }
        assert_eq!(text("012345678", 9).unwrap(), "012345678");
        for bad in
            ["", " ", "12", "12345", "1234567", "abcdef", "12345a", "+12345", "12345.", "-12345", "123456\u{301}"]
        {
            let refused = text(bad, 6);
            assert!(matches!(refused, Err(Error::Invalid { field: "code", rule: "must have 6 digits" })), "{bad:?}");
        }
        assert!(text(&"1".repeat(1_000_000), 6).is_err() && text(&" ".repeat(1_000_000), 6).is_err());
    }

    #[test]
    fn a_code_does_not_show_itself_in_logs() {
        assert_eq!(format!("{:?}", Code::parse(&Typed::Number(123_456), 6).unwrap()), "Code");
    }
}
