//! Which texts are phone numbers, and which numbers they are.

use std::collections::BTreeSet;

use super::*;
use crate::crypto::SystemRandom;
use crate::{random, text};

#[test]
fn numbers_are_read_as_people_and_clients_write_them() {
    for (zone, number, e164) in [
        ("86", "13912345678", "+8613912345678"),
        ("+86", "13912345678", "+8613912345678"),
        ("", "13912345678", "+8613912345678"),
        ("86", " 139 1234-5678 ", "+8613912345678"),
        ("", "+8613912345678", "+8613912345678"),
        ("86", "+8613912345678", "+8613912345678"),
        ("", "139-5551-2348", "+8613955512348"),
        ("86", "139.5551.2349", "+8613955512349"),
        ("86", "008613955512351", "+8613955512351"),
        ("86", "8613955512352", "+8613955512352"),
        ("", " 8613955512352", "+8613955512352"),
        ("86", "(+86)13955512353", "+8613955512353"),
        ("", "＋８６１３９５５５１２３５４", "+8613955512354"),
        ("86", "\u{202d}139\u{a0}5551\u{ad}2355\u{202c}", "+8613955512355"),
        ("1", "(415) 555-2671", "+14155552671"),
        ("1", "(415)555-2671", "+14155552671"),
        ("1", "415-555-2671", "+14155552671"),
        ("1", "1-650-253-0000", "+16502530000"),
        ("1", "0016502530000", "+16502530000"),
        ("44", "07911 123456", "+447911123456"),
        ("44", "7911 123456", "+447911123456"),
        ("44", "0044 7400 123456", "+447400123456"),
        ("44", "+44 (0) 7400 123456", "+447400123456"),
        ("", "0044 7400 123456", "+447400123456"),
        ("852", "51234567", "+85251234567"),
        ("881", "612345678", "+881612345678"),
        ("", "+881 612 345 678", "+881612345678"),
    ] {
        let read = Phone::parse(zone, number).map(|phone| phone.e164().to_owned());
        assert_eq!(read.unwrap_or_default(), e164, "{zone} {number}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for (zone, number) in [
        ("86", ""),
        ("86", "1"),
        ("86", "12345678901234567890"),
        ("86", "abc"),
        ("86", "1395551236a"),
        ("1", "415-555-CALL"),
        ("86", "139123456780"),
        ("0", "13912345678"),
        ("-86", "13912345678"),
        ("999", "13912345678"),
        ("999999", "13912345678"),
        ("US", "4155552671"),
        ("1", "+8613912345678"),
        ("1", "008613912345678"),
        ("8 6", "13912345678"),
        ("86", "１３９１２３４５６７８abc"),
        ("86", "139 1234 5678 ext. 5"),
        ("", "tel:+8613912345678"),
        ("", "++8613912345678"),
        ("", "+"),
    ] {
        assert!(Phone::parse(zone, number).is_err(), "{zone} {number}");
    }
    assert!(Phone::parse("86", &"1".repeat(1_000_000)).is_err());
    assert!(Phone::parse(&"1".repeat(1_000_000), "1").is_err());
}

#[test]
fn the_parts_of_a_number() {
    let phone = Phone::parse("86", "13912345678").unwrap();
    assert_eq!((phone.zone(), phone.national(), phone.block()), (86, "13912345678", "+861391234"));
    let phone = Phone::parse("852", "51234567").unwrap();
    assert_eq!((phone.zone(), phone.national()), (852, "51234567"));
}

#[test]
fn a_stored_number_stays_one() {
    // At present no numbers in China begin with 100.
    let phone: Phone = "+8610012345678".parse().unwrap();
    assert_eq!((phone.e164(), phone.zone(), phone.national()), ("+8610012345678", 86, "10012345678"));
    for bad in ["", "+", "8613912345678", "+86", "+86 13912345678", "+9991234567", "+0123456789", "+1234567890123456"] {
        assert!(bad.parse::<Phone>().is_err(), "{bad}");
    }
}

#[test]
fn a_number_does_not_show_itself_in_logs() {
    let phone = Phone::parse("86", "13912345678").unwrap();
    assert!(!format!("{phone:?}").contains("139"));
}

#[test]
fn texts_go_to_mobiles_only() {
    for (number, takes) in [
        ("+8613912345678", true),
        ("+14155552671", true),
        ("+447400123456", true),
        ("+881612345678", true),
        // Landline, toll-free, shared cost, premium, personal, pager, VoIP.
        ("+861065529988", false),
        ("+864001234567", false),
        ("+868001234567", false),
        ("+18002530000", false),
        ("+19002345678", false),
        ("+442070313000", false),
        ("+447012345678", false),
        ("+447640123456", false),
        ("+81501234567", false),
        ("+815012345678", false),
        ("+80012345678", false),
        ("+979123456789", false),
    ] {
        let read = Phone::parse("", number).is_ok_and(|phone| phone.takes_texts().is_ok());
        assert_eq!(read, takes, "{number}");
    }
}

#[test]
fn a_country_that_shares_the_code_1_can_be_the_zone() {
    for (zone, number, e164) in [
        ("1876", "2101234", "+18762101234"),
        ("+1 876".replace(' ', "").as_str(), "210-1234", "+18762101234"),
        ("1876", "8762101234", "+18762101234"),
        ("1876", "+18762101234", "+18762101234"),
        ("1242", "3591234", "+12423591234"),
    ] {
        assert_eq!(Phone::parse(zone, number).unwrap().e164(), e164, "{zone} {number}");
    }
    for (zone, number) in [("1212", "5552671"), ("1876", "4155552671"), ("1100", "2101234"), ("2876", "2101234")] {
        assert!(Phone::parse(zone, number).is_err(), "{zone} {number}");
    }
}

#[test]
fn a_country_is_a_calling_code_or_a_region() {
    let phone = |number: &str| Phone::parse("", number).unwrap();
    let has = |country: &str, number: &str| Country::parse(country).unwrap().has(&phone(number));
    let (california, canada, jamaica) = ("+14155552671", "+15062345678", "+18762101234");
    for (country, number, within) in [
        ("1", california, true),
        ("1", jamaica, true),
        ("US", california, true),
        ("US", canada, false),
        ("US", jamaica, false),
        ("CA", canada, true),
        ("JM", jamaica, true),
        ("86", "+8613912345678", true),
        ("CN", "+8613912345678", true),
        ("CN", "+85251234567", false),
        ("881", "+881612345678", true),
        ("44", "+447797712345", true),
        ("GB", "+447797712345", false),
        ("JE", "+447797712345", true),
    ] {
        assert_eq!(has(country, number), within, "{country} {number}");
    }
    for bad in ["", "999", "10", "us", "USA", "U1", "UK", "XX", "0", "+1", "1000", "-1", "1 ", "*"] {
        assert_eq!(Country::parse(bad), None, "{bad}");
    }
}

/// Spellings of the examples in libphonenumber's metadata, and how Python's `phonenumbers` parses them. The script next
/// to the table generates it.
const SPELLINGS: &str = include_str!("../../tests/phones/spellings.tsv");

struct Spelled {
    zone: &'static str,
    region: &'static str,
    kind: &'static str,
    e164: &'static str,
    text: String,
}

fn spellings() -> impl Iterator<Item = Spelled> {
    SPELLINGS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        let [zone, region, kind, e164, text] = columns[..] else { panic!("{line}") };
        Spelled { zone, region, kind, e164, text: serde_json::from_str(text).unwrap() }
    })
}

#[test]
fn every_spelling_of_the_table_is_the_number_that_it_is() {
    let (mut count, mut regions) = (0, BTreeSet::new());
    for Spelled { zone, region, kind, e164, text } in spellings() {
        let phone = Phone::parse(zone, &text).unwrap_or_else(|error| panic!("{zone} {text:?}: {error}"));
        assert_eq!(phone.e164(), e164, "{zone} {text:?}");
        assert_eq!(phone.region(), Country::parse(region), "{e164}");
        assert_eq!(phone.takes_texts().is_ok(), kind == "mobile", "{e164} {kind}");
        assert_eq!(e164.parse::<Phone>().unwrap(), phone);
        (count, _) = (count + 1, regions.insert(region));
    }
    assert!(count >= 300 && regions.len() >= 40, "{count} spellings, {} regions", regions.len());
}

#[test]
fn a_letter_or_a_sign_anywhere_in_a_number_is_refused() {
    for Spelled { zone, text, .. } in spellings().step_by(7) {
        for wrong in
            ["a", "A", "o", "l", "O", "Ａ", "а", "٪", "#", "*", ",", ";", "+", "x", "e", "①", "²", "\u{0}", "\u{20e3}"]
        {
            for at in text.char_indices().map(|(at, _)| at).chain([text.len()]).step_by(3) {
                let (before, after) = text.split_at(at);
                let wrong = if wrong == "+" && !before.contains(|c| text::digit(c).is_some()) { "++" } else { wrong };
                let text = format!("{before}{wrong}{after}");
                assert!(Phone::parse(zone, &text).is_err(), "{zone} {text:?}");
            }
        }
    }
}

/// Whether a parsed number matches the typed digits: these end with it, and nothing precedes it except prefixes for
/// dialling. In five countries the rules add digits to the dialled number or remove some.
fn says(typed: &str, phone: &Phone) -> bool {
    let national = phone.national();
    let ends = |with: Option<&str>| with.is_some_and(|with| with.len() >= 4 && typed.ends_with(with));
    ends(Some(national))
        || match phone.zone() {
            // A 15 after the area code becomes a 9 before it in the international form.
            54 => national.strip_prefix('9').is_some_and(|national| {
                (2..=4).any(|area| {
                    let (area, number) = national.split_at(area);
                    typed.ends_with(&format!("{area}15{number}"))
                })
            }),
            // The area code may be left out in a place with only one.
            261 => ends(national.strip_prefix("20")),
            378 => ends(national.strip_prefix("0549")),
            672 => ends(national.strip_prefix('3')),
            _ => false,
        }
}

#[test]
fn no_input_becomes_another_number_than_its_digits_say() {
    let random = &SystemRandom;
    let zones: Vec<u16> = (1..1000).filter(|zone| plan::is_calling_code(*zone)).collect();
    assert!(zones.len() > 200);
    let (mut read, mut refused) = (0, 0);
    for round in 0..20_000 {
        let pick = |below: u64| usize::try_from(random::below(random, below)).unwrap();
        let zone = zones[pick(zones.len() as u64)];
        let some =
            |count: usize| (0..count).map(|_| char::from(b'0' + u8::try_from(pick(10)).unwrap())).collect::<String>();
        // A likely prefix with random digits, and every third time an example with one digit changed.
        let digits = if round % 3 == 0 {
            let spelled = spellings().nth(pick(2_000)).unwrap();
            let mut digits = spelled.e164[1..].to_owned();
            let at = pick(digits.len() as u64);
            digits.replace_range(at..=at, &some(1));
            digits
        } else {
            format!(
                "{}{}",
                ["", "0", "00", "1", "011", &zone.to_string(), &format!("00{zone}")][pick(7)],
                some(3 + pick(12))
            )
        };
        let plus = ["", "+"][pick(2)];
        let zone = if pick(2) == 0 { zone.to_string() } else { String::new() };
        match Phone::parse(&zone, &format!("{plus}{digits}")) {
            Err(_) => refused += 1,
            Ok(phone) => {
                read += 1;
                assert!(zone.is_empty() || phone.zone().to_string() == zone, "{zone} {plus}{digits} {}", phone.e164());
                assert!(says(&digits, &phone), "{zone} {plus}{digits} {}", phone.e164());
                assert!(plus.is_empty() || digits.starts_with(&phone.zone().to_string()), "{digits} {}", phone.e164());
                assert_eq!(Phone::parse("", phone.e164()).unwrap(), phone);
                let separated: String = digits.chars().flat_map(|digit| [digit, '-']).collect();
                assert_eq!(Phone::parse(&zone, &format!("({plus}{separated}\u{200e})")).unwrap(), phone);
            }
        }
    }
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
}
