//! The calling codes and regions that exist.
//!
//! libphonenumber knows them too, but its tables and regular expressions take several milliseconds to load, and most
//! invocations need nothing else of it. A test compares both.

/// The calling codes, in ascending order.
const CALLING_CODES: [u16; 215] = [
    1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
    61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98, 211, 212, 213, 216, 218, 220, 221, 222, 223,
    224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246,
    247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 290,
    291, 297, 298, 299, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378,
    380, 381, 382, 383, 385, 386, 387, 389, 420, 421, 423, 500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590, 591,
    592, 593, 594, 595, 596, 597, 598, 599, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686,
    687, 688, 689, 690, 691, 692, 800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886, 888, 960, 961,
    962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 992, 993, 994, 995, 996, 998,
];

/// The regions that have numbers, as ISO 3166 codes in alphabetical order, separated by spaces.
const REGIONS: &str = "\
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG \
    EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT \
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR \
    LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF \
    NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD \
    SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW \
    TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Whether this is a calling code.
pub(super) fn is_calling_code(number: u16) -> bool {
    CALLING_CODES.binary_search(&number).is_ok()
}

/// Whether this region has numbers.
pub(super) fn is_region(letters: [u8; 2]) -> bool {
    REGIONS.as_bytes().chunks(3).any(|region| region.starts_with(&letters))
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

    use super::*;

    #[test]
    fn calling_codes_and_regions_are_those_of_libphonenumber() {
        for number in 0..=9_999 {
            let known = PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(number)).is_some();
            assert_eq!(is_calling_code(number), known, "{number}");
        }
        for (first, second) in (b'A'..=b'Z').flat_map(|first| (b'A'..=b'Z').map(move |second| (first, second))) {
            let letters = [first, second];
            let region = Region::from_code(std::str::from_utf8(&letters).unwrap()).ok();
            let known = region.and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region)).is_some();
            assert_eq!(is_region(letters), known, "{}", letters.escape_ascii());
        }
    }
}
