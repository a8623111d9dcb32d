//! Text that users read: names, and lines about themselves.
//!
//! It is stored in Unicode's composed form (NFC). Its length is counted in characters as users see them (extended
//! grapheme clusters, UAX #29), and it must contain something visible.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    DefaultIgnorableCodePoint, EmojiPresentation, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup,
};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed};
use unicode_segmentation::UnicodeSegmentation;

use super::{Error, Result};

const IGNORABLE: CodePointSetDataBorrowed<'_> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const PICTURES: CodePointSetDataBorrowed<'_> = CodePointSetData::new::<ExtendedPictographic>();
/// Pictures that are shown as colourful emoji without a selector.
const COLOURED: CodePointSetDataBorrowed<'_> = CodePointSetData::new::<EmojiPresentation>();
const CATEGORIES: CodePointMapDataBorrowed<'_, GeneralCategory> = CodePointMapData::<GeneralCategory>::new();

/// The average number of bytes that a character may have. Of the characters that keyboards offer, the flags of England,
/// Scotland and Wales have the most. Without this limit, a single character could have a million accents.
const BYTES: usize = 28;

/// The rules for a text.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The field, for errors.
    pub field: &'static str,
    /// The minimum number of characters. With 0 the text may be empty or blank, which removes it.
    pub least: usize,
    /// The maximum number of characters.
    pub most: usize,
    /// The maximum number of bytes in UTF-8.
    pub bytes: usize,
    /// Control characters that are allowed.
    pub controls: &'static [char],
    /// The bounds in words, as the end of a sentence that starts with the field.
    pub rule: &'static str,
}

impl Bounds {
    /// A single line with these limits on the number of characters.
    #[must_use]
    pub const fn line(field: &'static str, least: usize, most: usize, rule: &'static str) -> Self {
        Self { field, least, most, bytes: most * BYTES, controls: &[], rule }
    }

    /// The text to store: in NFC, without white space around it.
    pub fn trimmed(&self, text: &str) -> Result<String> {
        self.kept(text.trim())
    }

    /// The text to store: in NFC.
    pub fn kept(&self, text: &str) -> Result<String> {
        let refused = |rule| Error::Invalid { field: self.field, rule };
        // NFC never shortens a text to less than a third.
        if text.len() > 3 * self.bytes {
            return Err(refused(self.rule));
        }
        if self.least == 0 && text.trim().is_empty() {
            return Ok(String::new());
        }
        let text = composed(text);
        let counted = text.len() <= self.bytes && (self.least..=self.most).contains(&characters(&text));
        // U+2028 and U+2029 begin a new line like a line feed.
        let control = |c: char| {
            c.is_control() && !self.controls.contains(&c)
                || matches!(c, '\u{2028}' | '\u{2029}') && !self.controls.contains(&'\n')
        };
        if !counted || text.chars().any(control) {
            return Err(refused(self.rule));
        }
        if !shows_something(&text) {
            return Err(refused("shows nothing; it needs a character that can be seen"));
        }
        if !closes_its_directions(&text) {
            return Err(refused("has marks of the writing direction that do not come in pairs"));
        }
        Ok(text.into_owned())
    }
}

/// The text in NFC, in which the same letters have the same bytes, whatever keyboard they come from.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The text in NFD, in which each accent is a separate character.
#[must_use]
pub fn decomposed(text: &str) -> Cow<'_, str> {
    DecomposingNormalizerBorrowed::new_nfd().normalize(text)
}

/// How many characters users see.
#[must_use]
pub fn characters(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Whether fonts draw nothing for a character: Unicode ignores it by default, it only affects how others are displayed,
/// or it is one of the blanks that Unicode classifies as letters or symbols.
fn is_invisible(c: char) -> bool {
    const BLANKS: [char; 5] = ['\u{2800}', '\u{fffc}', '\u{13441}', '\u{13442}', '\u{1d159}'];
    IGNORABLE.contains(c) || is_format(c) || BLANKS.contains(&c)
}

/// Whether a character is visible on its own: it is not white space, not invisible, and not a mark that is drawn on
/// another character.
fn is_visible(c: char) -> bool {
    let drawn = !c.is_whitespace() && !c.is_control() && !is_invisible(c);
    drawn && !GeneralCategoryGroup::Mark.contains(CATEGORIES.get(c))
}

/// Whether a text contains a visible character.
#[must_use]
pub fn shows_something(text: &str) -> bool {
    text.chars().any(is_visible)
}

/// Whether every embedding, override and isolate of a writing direction is closed, in the right order, and nothing else
/// is closed. An open one would continue in the text around a name.
fn closes_its_directions(text: &str) -> bool {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push('\u{202c}'),
            '\u{2066}' | '\u{2067}' | '\u{2068}' => open.push('\u{2069}'),
            '\u{202c}' | '\u{2069}' if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Whether a text has no invisible characters except those that join an emoji. Two different texts that pass this test
/// never look the same because of invisible characters.
#[must_use]
pub fn hides_nothing(text: &str) -> bool {
    text.graphemes(true).all(|character| is_emoji(character) || !character.contains(is_invisible))
}

/// Whether a character is an emoji whose invisible parts all change how it looks (UTS #51): joiners between pictures,
/// the selector of the colourful form behind a picture that has another one, and the tags of a flag.
fn is_emoji(character: &str) -> bool {
    const JOINER: char = '\u{200d}';
    const COLOURFUL: char = '\u{fe0f}';
    const FLAG: char = '\u{1f3f4}';
    const END_OF_TAGS: char = '\u{e007f}';
    let is_tag = |c: &char| matches!(c, '\u{e0020}'..='\u{e007e}');
    let mut rest = character.chars().peekable();
    loop {
        let Some(picture) = rest.next().filter(|c| PICTURES.contains(*c)) else { return false };
        if !COLOURED.contains(picture) {
            rest.next_if_eq(&COLOURFUL);
        }
        if picture == FLAG && rest.next_if(is_tag).is_some() {
            while rest.next_if(is_tag).is_some() {}
            return rest.next() == Some(END_OF_TAGS) && rest.next().is_none();
        }
        // Skin tones are visible.
        while rest.next_if(|c| !is_invisible(*c)).is_some() {}
        match rest.next() {
            None => return true,
            Some(JOINER) => {}
            Some(_) => return false,
        }
    }
}

/// The decimal digit that a character represents, in any script.
#[must_use]
pub fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let is_digit = |c: char| CATEGORIES.get(c) == GeneralCategory::DecimalNumber;
    if !is_digit(c) {
        return None;
    }
    // In Unicode the ten digits of a script are consecutive, and where two such sequences touch, each has ten digits.
    let before = (0..u32::from(c)).rev().map_while(char::from_u32).take_while(|c| is_digit(*c)).count();
    u32::try_from(before % 10).ok().and_then(|value| char::from_digit(value, 10))
}

/// Whether a character only affects how others are displayed: soft hyphens, joiners, marks of the writing direction.
#[must_use]
pub fn is_format(c: char) -> bool {
    CATEGORIES.get(c) == GeneralCategory::Format
}

/// Dashes of all lengths, the minus sign, and the long-vowel mark, which Japanese keyboards produce instead of a dash.
#[must_use]
pub fn is_dash(c: char) -> bool {
    matches!(c, '-' | '−' | 'ー') || CATEGORIES.get(c) == GeneralCategory::DashPunctuation
}

/// Normalises a text that the user read in a message or a picture and typed: digits of any script and full-width
/// letters become ASCII, and white space, dashes and invisible characters are removed.
#[must_use]
pub fn typed(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && !is_format(*c) && !is_dash(*c));
    let narrow = |c: char| match c {
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => digit(c).unwrap_or(c),
    };
    kept.map(narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Bounds = Bounds::line("name", 1, 4, "has 1 to 4 characters");
    const FAMILY: &str = "👨‍👩‍👧‍👦";

    #[test]
    fn names_that_show_nothing_are_refused() {
        for c in [
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{3164}',
            '\u{2800}',
            '\u{feff}',
            '\u{180e}',
            '\u{115f}',
            '\u{1160}',
            '\u{ffa0}',
            '\u{34f}',
            '\u{fe0f}',
            '\u{202e}',
            '\u{e0020}',
            '\u{ad}',
            '\u{61c}',
            '\u{2061}',
            '\u{301}',
            '\u{20e3}',
            '\u{17b4}',
            '\u{1d159}',
            '\u{1d173}',
            ' ',
            '\u{a0}',
            '\u{3000}',
            '\u{1680}',
        ] {
            for text in [format!("{c}"), format!("{c}{c}"), format!("\u{200b}{c} ")] {
                if c != '\u{1680}' || text.trim().is_empty() {
                    assert!(NAME.trimmed(&text).is_err(), "{text:?}");
                }
            }
            let with_a_letter = format!("a{c}b");
            assert!(NAME.trimmed(&with_a_letter).is_ok() || c == '\u{202e}', "{with_a_letter:?}");
        }
        for good in ["a", "明", "-", "👍", "❤️", "1️⃣", "한", "ا", "नि", "\u{200e}a"] {
            assert!(NAME.trimmed(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn characters_are_what_people_see() {
        for text in [FAMILY, "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇨🇳", "👍🏽", "é", "e\u{301}", "각", "각", "क्षि"]
        {
            assert_eq!(characters(text), 1, "{text}");
            assert!(NAME.trimmed(&text.repeat(4)).is_ok(), "{text}");
            assert!(NAME.trimmed(&text.repeat(5)).is_err(), "{text}");
        }
        // One character, but more bytes than four characters may have.
        assert!(NAME.trimmed(&format!("a{}", "\u{301}".repeat(100))).is_err());
        assert!(NAME.trimmed(&"a".repeat(1_000_000)).is_err());
    }

    #[test]
    fn texts_are_kept_composed_and_without_spaces_around_them() {
        assert_eq!(NAME.trimmed(" cafe\u{301}\u{3000}").unwrap(), "caf\u{e9}");
        assert_eq!(NAME.trimmed("\u{1112}\u{1161}\u{11ab}").unwrap(), "한");
        let lines = Bounds { controls: &['\n'], ..Bounds::line("state", 0, 9, "has at most 9 characters") };
        assert_eq!(lines.kept(" e\u{301}\n").unwrap(), " \u{e9}\n");
        for blank in ["", " ", "\n \u{3000}"] {
            assert_eq!(lines.kept(blank).unwrap(), "");
        }
        for bad in ["a\tb", "\u{200b}", "\u{200b}\n", "a\u{0}", "\u{fff9}", "\u{fffc}", "\u{13441}", "\u{13430}"] {
            assert!(lines.kept(bad).is_err(), "{bad:?}");
        }
        // Two lines, however they are separated.
        assert_eq!(lines.kept("a\u{2028}b").unwrap(), "a\u{2028}b");
        for bad in ["a\nb", "a\u{2028}b", "a\u{2029}b"] {
            assert!(NAME.trimmed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn directions_are_closed_or_refused() {
        for good in ["a", "\u{202a}a\u{202c}", "\u{2067}\u{202e}a\u{202c}\u{2069}", "\u{200f}a"] {
            assert!(closes_its_directions(good), "{good:?}");
        }
        for bad in [
            "\u{202e}a",
            "a\u{202c}",
            "\u{202e}a\u{2069}",
            "\u{2066}\u{202e}a\u{2069}\u{202c}",
            "a\u{2066}",
            "\u{2069}a\u{2066}",
        ] {
            assert!(!closes_its_directions(bad), "{bad:?}");
            assert!(Bounds::line("name", 1, 64, "").trimmed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_an_emoji_holds_something_invisible() {
        for good in ["tom", "小明", FAMILY, "❤️", "❤️\u{200d}🔥", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é", "tom👍🏽", "🧔🏽\u{200d}♂️"]
        {
            assert!(hides_nothing(good), "{good:?}");
        }
        for bad in [
            "t\u{200b}om",
            "tom\u{fe0f}",
            "\u{202d}tom\u{202c}",
            "tom\u{3164}",
            "👍\u{200d}",
            "tom\u{ad}",
            "tom\u{fff9}",
            "tom\u{13441}",
            "tom\u{13430}",
            "tom\u{2800}",
            "tom\u{fffc}",
            "👍\u{fe0f}",
            "👍\u{fe00}",
            "👍\u{34f}",
            "👍\u{e0061}",
            "👍\u{e0061}\u{e007f}",
            "🏴\u{e0067}",
            "❤\u{fe0f}\u{fe0f}",
            "👍\u{200d}\u{200d}👍",
        ] {
            assert!(!hides_nothing(bad), "{bad:?}");
        }
    }

    #[test]
    fn every_script_has_its_ten_digits() {
        let digits: Vec<char> = ('\0'..=char::MAX).filter_map(digit).collect();
        assert!(digits.len() > 600 && digits.len().is_multiple_of(10), "{}", digits.len());
        for row in digits.chunks(10) {
            assert_eq!(row.iter().collect::<String>(), "0123456789");
        }
    }

    #[test]
    fn what_was_typed_is_read_in_any_script() {
        assert_eq!(typed(" ١٢٣-４５６\u{200f} "), "123456");
        assert_eq!(typed("７ｋＴC"), "7kTC");
    }
}
