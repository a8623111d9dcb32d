//! Phone numbers, in E.164.

use std::fmt;
use std::str::FromStr;

use super::{Error, Result};

/// The calling code that a number without a region belongs to: the documents of all five APIs assume it.
const DEFAULT_ZONE: &str = "86";
/// E.164 allows 15 digits; what people type around them is bounded before any parsing.
const MAX_TYPED: usize = 40;

/// A valid phone number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    /// `+` and the digits.
    e164: String,
    zone: u16,
}

impl Phone {
    /// From a calling code (with or without `+`; empty means 86) and a number as a person or a client writes it.
    ///
    /// A number that starts with `+` is complete by itself and has to agree with a calling code given beside it.
    pub fn parse(zone: &str, number: &str) -> Result<Self> {
        let (zone, number) = (zone.trim(), number.trim());
        if zone.len() > 5 || number.is_empty() || number.len() > MAX_TYPED {
            return Err(INVALID);
        }
        let zone = zone.strip_prefix('+').unwrap_or(zone);
        let zone = if zone.is_empty() { None } else { Some(zone.parse::<u16>().map_err(|_| INVALID_ZONE)?) };
        let typed = if number.starts_with('+') {
            number.to_owned()
        } else {
            let zone = zone.map_or_else(|| DEFAULT_ZONE.to_owned(), |zone| zone.to_string());
            format!("+{zone}{number}")
        };
        let phone: Self = typed.parse()?;
        match zone {
            Some(zone) if zone != phone.zone => Err(INVALID_ZONE),
            _ => Ok(phone),
        }
    }

    /// E.164: `+` and the digits.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The country calling code.
    #[must_use]
    pub fn zone(&self) -> u16 {
        self.zone
    }

    /// The digits after the calling code.
    #[must_use]
    pub fn national(&self) -> &str {
        let zone_digits = self.zone.checked_ilog10().map_or(1, |log| log as usize + 1);
        &self.e164[1 + zone_digits..]
    }

    /// The block of ten thousand neighbouring numbers that this one lies in: everything but the last four digits.
    /// Toll fraud rents its numbers in such blocks.
    #[must_use]
    pub fn block(&self) -> &str {
        &self.e164[..self.e164.len().saturating_sub(4)]
    }
}

impl FromStr for Phone {
    type Err = Error;

    /// From a number with `+` and its calling code.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > MAX_TYPED {
            return Err(INVALID);
        }
        let number = phonenumber::parse(None, text).map_err(|_| INVALID)?;
        if !phonenumber::is_valid(&number) {
            return Err(INVALID);
        }
        let zone = number.code().value();
        Ok(Self { e164: number.format().mode(phonenumber::Mode::E164).to_string(), zone })
    }
}

/// A phone number never reaches a log, so this tells no more than the country.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(+{}…)", self.zone)
    }
}

const INVALID: Error = Error::Invalid { field: "number", rule: "is not a valid phone number" };
const INVALID_ZONE: Error = Error::Invalid { field: "zone", rule: "is not a calling code that fits the number" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_and_clients_write_them() {
        for (zone, number, e164) in [
            ("86", "13912345678", "+8613912345678"),
            ("+86", "13912345678", "+8613912345678"),
            ("", "13912345678", "+8613912345678"),
            ("86", " 139 1234-5678 ", "+8613912345678"),
            ("", "+8613912345678", "+8613912345678"),
            ("86", "+8613912345678", "+8613912345678"),
            ("1", "(415) 555-2671", "+14155552671"),
            ("44", "07911 123456", "+447911123456"),
            ("44", "7911 123456", "+447911123456"),
            ("852", "51234567", "+85251234567"),
        ] {
            assert_eq!(Phone::parse(zone, number).unwrap().e164(), e164, "{zone} {number}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (zone, number) in [
            ("86", ""),
            ("86", "1"),
            ("86", "12345678901234567890"),
            ("86", "abc"),
            ("86", "139123456780"),
            ("0", "13912345678"),
            ("-86", "13912345678"),
            ("999999", "13912345678"),
            ("1", "+8613912345678"),
            ("8 6", "13912345678"),
            ("86", "１３９１２３４５６７８abc"),
        ] {
            assert!(Phone::parse(zone, number).is_err(), "{zone} {number}");
        }
        assert!(Phone::parse("86", &"1".repeat(1_000_000)).is_err());
    }

    #[test]
    fn the_parts_of_a_number() {
        let phone = Phone::parse("86", "13912345678").unwrap();
        assert_eq!((phone.zone(), phone.national(), phone.block()), (86, "13912345678", "+861391234"));
        let phone = Phone::parse("852", "51234567").unwrap();
        assert_eq!((phone.zone(), phone.national()), (852, "51234567"));
    }

    #[test]
    fn a_number_does_not_show_itself_in_logs() {
        let phone = Phone::parse("86", "13912345678").unwrap();
        assert!(!format!("{phone:?}").contains("139"));
    }
}
