//! Phone numbers, in E.164.

mod plan;
mod typed;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use self::typed::Typed;
use super::{Error, Result};

/// The calling code of a number without a zone: the documentation of five of the APIs assumes it.
const DEFAULT_ZONE: u16 = 86;

/// A valid phone number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    /// `+` and the digits, in E.164.
    e164: String,
    zone: u16,
}

impl Phone {
    /// Parses a calling code (with or without `+`; empty means 86) and a number as a user or a client writes it.
    ///
    /// A number consists of digits of any script, separators, invisible characters and at most one `+`, before the
    /// first digit. Everything else is refused; for example, letters are not converted to the digits of a keypad. The
    /// number may start with the prefix for international calls, the calling code or the national prefix. If it
    /// contains a calling code, that must be the same as `zone`.
    pub fn parse(zone: &str, number: &str) -> Result<Self> {
        let zone = typed::zone(zone)?;
        if let Some(zone) = zone.filter(|zone| !plan::is_calling_code(*zone)) {
            return Self::in_part_of_zone_1(zone, number);
        }
        let invalid = || if zone.is_some() { NOT_IN_ZONE } else { INVALID };
        let typed = Typed::read(number).ok_or_else(invalid)?;
        let read: Vec<_> = readings(zone.unwrap_or(DEFAULT_ZONE), &typed).into_iter().flatten().collect();
        let other_zone = !read.is_empty();
        let mut fitting = read.into_iter().filter(|phone| zone.is_none_or(|zone| zone == phone.zone));
        let Some(first) = fitting.next() else { return Err(if other_zone { OTHER_ZONE } else { invalid() }) };
        // `49151…` in zone 49 could be a landline in a place with the area code 4915. Since it lacks the leading zero
        // of a national number, it is a mobile.
        let mobile = if first.takes_texts().is_ok() { None } else { fitting.find(|phone| phone.takes_texts().is_ok()) };
        Ok(mobile.unwrap_or(first))
    }

    /// A number of one of the countries that share the calling code 1, if the client gives the code and the country's area
    /// code as the zone, such as `1876` for Jamaica: `SealTalk`'s apps have these in their list of countries.
    fn in_part_of_zone_1(zone: u16, number: &str) -> Result<Self> {
        let area = zone.checked_sub(1000).filter(|area| (200..1000).contains(area)).ok_or(UNKNOWN_ZONE)?;
        let typed = Typed::read(number).ok_or(NOT_IN_ZONE)?;
        let is_local = !typed.plus && typed.digits.len() <= 7;
        let whole = if is_local { format!("{area}{}", typed.digits) } else { number.to_owned() };
        let phone = Self::parse("1", &whole)?;
        match phone.region() {
            Some(Country::Region(region)) if !matches!(&region, b"US" | b"CA") => Ok(phone),
            _ => Err(UNKNOWN_ZONE),
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

    /// The block of ten thousand consecutive numbers that this number belongs to: everything except the last four
    /// digits. Toll fraudsters rent numbers in such blocks.
    #[must_use]
    pub fn block(&self) -> &str {
        &self.e164[..self.e164.len().saturating_sub(4)]
    }

    /// The region of the number, as an ISO 3166 code. Several regions share a calling code: 1 belongs to the United
    /// States, Canada, Jamaica and others. `None` for a number that belongs to no country, such as that of a satellite
    /// phone.
    #[must_use]
    pub fn region(&self) -> Option<Country> {
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&self.number()?)?;
        Country::letters(&region.as_region_str()).map(Country::Region)
    }

    /// Refuses a number that is known not to be a mobile number: nobody can read a text there, and the owners of some
    /// such numbers earn money from every text. In countries where mobile and landline numbers look alike, such as the
    /// United States, the number passes.
    pub fn takes_texts(&self) -> Result<()> {
        use PhoneNumberType::{FixedLineOrMobile, Mobile, Unknown};
        let kind = self.number().map_or(Unknown, |number| PHONE_NUMBER_UTIL.get_number_type(&number));
        if matches!(kind, Mobile | FixedLineOrMobile | Unknown) { Ok(()) } else { Err(Error::NotMobile) }
    }

    fn number(&self) -> Option<PhoneNumber> {
        PHONE_NUMBER_UTIL.parse(&self.e164, None).ok()
    }

    /// A number that libphonenumber parsed, if such a number can exist.
    fn valid(number: &PhoneNumber) -> Option<Self> {
        let zone = u16::try_from(number.country_code).ok()?;
        let valid = PHONE_NUMBER_UTIL.is_valid_number(number);
        valid.then(|| Self { e164: PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned(), zone })
    }
}

/// Loads the tables and regular expressions of libphonenumber, which otherwise happens at the first number that a client
/// sends. It takes several milliseconds. A function that reads numbers in most of its requests calls this while it
/// starts, when Lambda gives it more of the processor.
pub fn load() {
    LazyLock::force(&PHONE_NUMBER_UTIL);
}

/// Whether a text is written like a phone number, whether or not such a number exists.
#[must_use]
pub fn is_number(text: &str) -> bool {
    Typed::read(text).is_some()
}

/// The possible meanings of a number, the most likely first. The first is libphonenumber's reading of it in the zone.
/// The second treats the zone's own calling code without `+` in front as such, where libphonenumber takes it for the
/// start of a national number. The third treats a leading `00` as `+`, as people write it even in countries with
/// another prefix for international calls.
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
        // These calling codes have no region.
        Some(Region::World) => international(&format!("{zone}{digits}")),
        region => read(digits, region),
    };
    let own_code = digits.starts_with(&zone.to_string()).then(|| international(digits));
    let zeros = digits.strip_prefix("00").map(international);
    [national, own_code.flatten(), zeros.flatten()]
}

/// The region that most numbers of a calling code belong to; `None` when there is no such calling code.
fn main_region(zone: u16) -> Option<Region> {
    PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(zone))
}

impl FromStr for Phone {
    type Err = Error;

    /// Parses E.164 as it is stored. Numbers are validated when clients send them. A stored number stays valid even if
    /// its country has changed its numbering plan since.
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let digits = digits.filter(|digits| (4..=15).contains(&digits.len())).ok_or(INVALID)?;
        let mut zones = (1..=3).filter_map(|length| digits[..length].parse().ok());
        let zone = zones.find(|zone| plan::is_calling_code(*zone)).filter(|_| !digits.starts_with('0'));
        let zone = zone.ok_or(INVALID)?;
        Ok(Self { e164: text.to_owned(), zone })
    }
}

/// A phone number is never logged, so this shows only the country.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(+{}…)", self.zone)
    }
}

/// A calling code, or one of the regions that share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Country {
    /// A calling code, including all regions that have it.
    Zone(u16),
    /// A region, as the two capital letters of its ISO 3166 code.
    Region([u8; 2]),
}

impl Country {
    /// A calling code, or the two capital letters of a region that has numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(letters) = Self::letters(text) {
            return plan::is_region(letters).then_some(Self::Region(letters));
        }
        let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|zone| digits && plan::is_calling_code(*zone)).map(Self::Zone)
    }

    fn letters(text: &str) -> Option<[u8; 2]> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
    }

    /// Whether a number belongs to it.
    #[must_use]
    pub fn has(self, phone: &Phone) -> bool {
        match self {
            Self::Zone(zone) => phone.zone() == zone,
            Self::Region(_) => phone.region() == Some(self),
        }
    }
}

impl fmt::Display for Country {
    /// As the parameter `AllowedCountries` writes it: `86`, `CA`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(zone) => zone.fmt(f),
            Self::Region(letters) => letters.iter().try_for_each(|letter| char::from(*letter).fmt(f)),
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
