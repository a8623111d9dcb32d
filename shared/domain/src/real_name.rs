//! Real names and identity card numbers: written once, and never readable in the table or in a log.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::account::{Caller, UserId};
use super::clock::{CHINA_STANDARD_TIME, Clock, Timestamp};
use super::text::Bounds;
use super::{Error, Fault, Result};

/// A user's real name and identity card number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityDocument {
    name: String,
    number: String,
}

impl IdentityDocument {
    /// A name of 1 to 64 characters, and an 18-digit number of mainland China (GB 11643-1999). Its check digit must be
    /// right, and the date of birth in it must exist and must not be in the future.
    pub fn parse(name: &str, number: &str, now: Timestamp) -> Result<Self> {
        const NAME: Bounds = Bounds::line("real name", 1, 64, "must have 1 to 64 characters and no control characters");
        const NUMBER: Error = Error::Invalid {
            field: "identity number",
            rule: "must be the 18-digit number of a mainland identity card",
        };
        let (name, number) = (NAME.trimmed(name)?, number.trim().to_ascii_uppercase());
        let born = digits(&number).and_then(|digits| birthday(&digits)).ok_or(NUMBER)?;
        // The date of birth is a date in China's time zone.
        if born > now.plus(CHINA_STANDARD_TIME).day() {
            return Err(NUMBER);
        }
        Ok(Self { name, number })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number. An `X` in it is a capital.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }
}

/// Neither part is ever logged.
impl fmt::Debug for IdentityDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityDocument")
    }
}

/// The digits of a number whose check digit is right (ISO 7064, MOD 11-2: `X` stands for ten).
fn digits(number: &str) -> Option<[u32; 18]> {
    let mut digits = [0; 18];
    if number.len() != digits.len() {
        return None;
    }
    for (place, character) in number.chars().enumerate() {
        digits[place] = if place == 17 && character == 'X' { 10 } else { character.to_digit(10)? };
    }
    // Each digit has twice the weight of the next one, modulo 11, and the sum of a valid number is 1.
    let sum = digits.iter().fold(0, |sum, digit| (sum * 2 + digit) % 11);
    // No region's code begins with 0.
    (sum == 1 && digits[0] != 0).then_some(digits)
}

/// The date of birth in a number, in days since 1970-01-01; `None` for a date that does not exist.
fn birthday(digits: &[u32; 18]) -> Option<i64> {
    let number = |places: &[u32]| places.iter().fold(0, |number, digit| number * 10 + i64::from(*digit));
    let (year, month, day) = (number(&digits[6..10]), number(&digits[10..12]), number(&digits[12..14]));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1800..=9999).contains(&year) && (1..=days).contains(&day)).then(|| day_number(year, month, day))
}

/// Days from 1970-01-01 to a date in the Gregorian calendar. Years begin in March here, so that a leap day is the last
/// day.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

/// Encrypts data that only its owner may read. Data that was encrypted for one user cannot be decrypted for another.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Encrypts.
    async fn seal(&self, owner: UserId, plain: &[u8]) -> Result<Vec<u8>>;

    /// Decrypts.
    async fn open(&self, owner: UserId, sealed: &[u8]) -> Result<Vec<u8>>;
}

/// The result of writing a document.
#[derive(Clone, Debug)]
pub enum Written {
    /// The document is stored.
    Now,
    /// A document was stored before: this one, still encrypted. Nothing was written.
    Before(Vec<u8>),
}

/// The store of encrypted documents. Each method checks the session in the same round trip and returns
/// [`Error::Unauthenticated`] when the session has ended.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Stores an encrypted document, unless there is one already.
    async fn write(&self, caller: Caller, sealed: &[u8], now: Timestamp) -> Result<Written>;

    /// The caller's encrypted document. [`Error::NotFound`] when the account does not exist any more.
    async fn read(&self, caller: Caller, now: Timestamp) -> Result<Option<Vec<u8>>>;
}

/// Stores identity documents.
pub struct RealNames {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Encrypts the documents.
    pub vault: Arc<dyn Vault>,
    /// The store of the documents.
    pub store: Arc<dyn DocumentStore>,
}

impl RealNames {
    /// Stores the caller's identity document. It can be stored only once. Storing the same document again is not an
    /// error; another document gives [`Error::AlreadyWritten`].
    pub async fn write(&self, caller: Caller, document: &IdentityDocument) -> Result<()> {
        let plain = serde_json::to_vec(document).map_err(|error| Fault::new("writing an identity document", error))?;
        let sealed = self.vault.seal(caller.user, &plain).await?;
        match self.store.write(caller, &sealed, self.clock.now()).await? {
            Written::Now => Ok(()),
            Written::Before(sealed) if self.open(caller, &sealed).await? == *document => Ok(()),
            Written::Before(_) => Err(Error::AlreadyWritten),
        }
    }

    /// The identity document that the caller stored.
    pub async fn read(&self, caller: Caller) -> Result<Option<IdentityDocument>> {
        match self.store.read(caller, self.clock.now()).await? {
            Some(sealed) => self.open(caller, &sealed).await.map(Some),
            None => Ok(None),
        }
    }

    async fn open(&self, caller: Caller, sealed: &[u8]) -> Result<IdentityDocument> {
        let plain = self.vault.open(caller.user, sealed).await?;
        // The error of a parser may quote its input.
        serde_json::from_slice(&plain)
            .map_err(|_| Fault::new("reading an identity document", "it makes no sense").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01T16:00:00Z: midnight of 2026-03-02 in China.
    const NOW: Timestamp = Timestamp::from_millis(1_772_380_800_000);

    fn accepts(number: &str) -> bool {
        IdentityDocument::parse("张三", number, NOW).is_ok()
    }

    /// A number with this date of birth and a valid check digit.
    fn born(birthday: &str) -> String {
        let start = format!("110105{birthday}002");
        let numbers = "0123456789X".chars().map(|check| format!("{start}{check}"));
        numbers.into_iter().find(|number| digits(number).is_some()).unwrap()
    }

    #[test]
    fn the_standards_own_examples_are_right() {
        // GB 11643-1999, annex.
        for number in ["11010519491231002X", "440524188001010014", " 11010519491231002x "] {
            assert!(accepts(number), "{number}");
        }
        let document = IdentityDocument::parse(" 张三 ", "11010519491231002x", NOW).unwrap();
        assert_eq!((document.name(), document.number()), ("张三", "11010519491231002X"));
    }

    #[test]
    fn any_changed_digit_and_any_two_swapped_are_noticed() {
        let number = "11010519491231002X";
        for place in 0..17 {
            for digit in '0'..='9' {
                let mut changed: Vec<_> = number.chars().collect();
                if changed[place] != digit {
                    changed[place] = digit;
                    assert!(digits(&changed.iter().collect::<String>()).is_none(), "{changed:?}");
                }
            }
        }
        assert!(digits("11010519491231020X").is_none() && digits("110105194912310021").is_none());
    }

    #[test]
    fn the_birthday_existed_and_has_come() {
        for good in ["19000228", "20000229", "20240229", "20260301", "20260302"] {
            assert!(accepts(&born(good)), "{good}");
        }
        for bad in
            ["19000229", "20230229", "20261301", "20260001", "20260100", "20260431", "20260303", "17991231", "00010101"]
        {
            assert!(!accepts(&born(bad)), "{bad}");
        }
    }

    #[test]
    fn what_is_no_number_or_no_name_is_refused() {
        for bad in [
            "",
            "110105194912310",
            "11010519491231002",
            "1101051949123100２X",
            "X1010519491231002X",
            "000000000000000001",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
        for name in ["", "  ", "a\u{0}b", &"名".repeat(65)] {
            assert!(IdentityDocument::parse(name, "11010519491231002X", NOW).is_err(), "{name:?}");
        }
        assert!(IdentityDocument::parse(&"名".repeat(64), "11010519491231002X", NOW).is_ok());
    }

    #[test]
    fn nothing_of_it_shows_in_a_log() {
        let document = IdentityDocument::parse("张三", "11010519491231002X", NOW).unwrap();
        assert_eq!(format!("{document:?}"), "IdentityDocument");
    }
}
