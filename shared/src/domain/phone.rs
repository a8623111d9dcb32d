//! Phone numbers, in E.164.

mod typed;

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use self::typed::Typed;
use super::{Error, Result};

/// The calling code of a number without a zone: the documents of all five APIs assume it.
const DEFAULT_ZONE: u16 = 86;

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
    /// A number is digits of any script, separators, invisible characters and at most one `+`, before the first digit.
    /// Everything else is refused: a letter is never read as a digit of a keypad. The number may have the prefix of
    /// calls abroad, the calling code or the national prefix in front. Where it names its calling code, `zone` has to
    /// be the same.
    pub fn parse(zone: &str, number: &str) -> Result<Self> {
        let zone = typed::zone(zone)?;
        if zone.is_some_and(|zone| main_region(zone).is_none()) {
            return Err(UNKNOWN_ZONE);
        }
        let invalid = || if zone.is_some() { NOT_IN_ZONE } else { INVALID };
        let typed = Typed::read(number).ok_or_else(invalid)?;
        let read: Vec<_> = readings(zone.unwrap_or(DEFAULT_ZONE), &typed).into_iter().flatten().collect();
        let other_zone = !read.is_empty();
        let mut fitting = read.into_iter().filter(|phone| zone.is_none_or(|zone| zone == phone.zone));
        let Some(first) = fitting.next() else { return Err(if other_zone { OTHER_ZONE } else { invalid() }) };
        // `49151…` in zone 49 could be a fixed line of a place with the code 4915, but without its zero it is a mobile.
        let mobile = if first.takes_texts().is_ok() { None } else { fitting.find(|phone| phone.takes_texts().is_ok()) };
        Ok(mobile.unwrap_or(first))
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

    /// The region of the number, as ISO 3166 writes it. Several regions share a calling code: 1 is the United States,
    /// Canada, Jamaica and others. `None` for a number of no country, such as one of a satellite phone.
    #[must_use]
    pub fn region(&self) -> Option<Country> {
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&self.number()?)?;
        Country::region(&region.as_region_str())
    }

    /// Refuses a number that is known to be no mobile phone's: nobody can read a text there, and some of them earn
    /// money from every text. Where mobiles and fixed lines look alike, as in the United States, the number passes.
    pub fn takes_texts(&self) -> Result<()> {
        use PhoneNumberType::{FixedLineOrMobile, Mobile, Unknown};
        let kind = self.number().map_or(Unknown, |number| PHONE_NUMBER_UTIL.get_number_type(&number));
        if matches!(kind, Mobile | FixedLineOrMobile | Unknown) { Ok(()) } else { Err(Error::NotMobile) }
    }

    fn number(&self) -> Option<PhoneNumber> {
        PHONE_NUMBER_UTIL.parse(&self.e164, None).ok()
    }

    /// A number that libphonenumber read, if there can be one like it.
    fn valid(number: &PhoneNumber) -> Option<Self> {
        let zone = u16::try_from(number.country_code).ok()?;
        let valid = PHONE_NUMBER_UTIL.is_valid_number(number);
        valid.then(|| Self { e164: PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned(), zone })
    }
}

/// Whether a text is written as numbers are, whether or not there is one like it.
#[must_use]
pub fn is_number(text: &str) -> bool {
    Typed::read(text).is_some()
}

/// What a number may be, the likeliest first: what libphonenumber makes of it in the zone; the zone's own calling code
/// without `+` in front, where libphonenumber takes it for the start of a national number; and `00` in front, which
/// people write for `+` also where another prefix is dialled for calls abroad.
fn readings(zone: u16, typed: &Typed) -> [Option<Phone>; 3] {
    let Typed { plus, digits } = typed;
    let read = |text: &str, region| {
        let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
        Phone::valid(&number)
    };
    let international = |digits: &str| read(&format!("+{digits}"), None);
    if *plus {
        return [international(digits), None, None];
    }
    let national = match main_region(zone) {
        // These have no region to dial from.
        Some(Region::World) => international(&format!("{zone}{digits}")),
        region => read(digits, region),
    };
    let own_code = digits.starts_with(&zone.to_string()).then(|| international(digits));
    let zeros = digits.strip_prefix("00").map(international);
    [national, own_code.flatten(), zeros.flatten()]
}

/// The region that most numbers of a calling code belong to; `None` for what is no calling code.
fn main_region(zone: u16) -> Option<Region> {
    PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(zone))
}

impl FromStr for Phone {
    type Err = Error;

    /// From E.164 as it is stored. Numbers are judged when they come in: one that is stored stays one, even when its
    /// country has changed its numbers since.
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let digits = digits.filter(|digits| (4..=15).contains(&digits.len())).ok_or(INVALID)?;
        let mut zones = (1..=3).filter_map(|length| digits[..length].parse().ok());
        let zone = zones.find(|zone| main_region(*zone).is_some()).filter(|_| !digits.starts_with('0'));
        let zone = zone.ok_or(INVALID)?;
        Ok(Self { e164: text.to_owned(), zone })
    }
}

/// A phone number never reaches a log, so this tells no more than the country.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(+{}…)", self.zone)
    }
}

/// A calling code, or one of the regions that share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Country {
    /// A calling code, with every region that has it.
    Zone(u16),
    /// A region, as two capital letters of ISO 3166.
    Region([u8; 2]),
}

impl Country {
    /// A calling code of one to three digits, or the two capital letters of a region that has numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(region) = Self::region(text) {
            let code =
                Region::from_code(text).ok().and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
            return code.map(|_| region);
        }
        let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|zone| digits && *zone > 0).map(Self::Zone)
    }

    fn region(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self::Region(letters))
    }

    /// Whether a number belongs here.
    #[must_use]
    pub fn has(self, phone: &Phone) -> bool {
        match self {
            Self::Zone(zone) => phone.zone() == zone,
            Self::Region(_) => phone.region() == Some(self),
        }
    }
}

const INVALID: Error = Error::Invalid {
    field: "number",
    rule: "is not a valid phone number; outside mainland China write + and the country code before it",
};
const NOT_IN_ZONE: Error = Error::Invalid {
    field: "number",
    rule: "is not a valid phone number; write it without the country code, which has a field of its own",
};
const UNKNOWN_ZONE: Error =
    Error::Invalid { field: "zone", rule: "must be a country calling code in digits, such as 86 or 1" };
const OTHER_ZONE: Error = Error::Invalid { field: "zone", rule: "is not the country code that the number starts with" };
#[cfg(test)]
mod tests;
