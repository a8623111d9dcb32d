//! Cuts links out of users' texts before a device shows them. A push notification looks like a message of the app, but
//! strangers choose nicknames, messages and names of groups.
//!
//! A link is a text that a reader could type into a browser: a scheme with `://`, a name with a dot before two letters
//! or more, or an IPv4 address. It includes all following text up to a space.

/// The replacement for a link.
const CUT: char = '…';
/// The start of a link without a dot, after its scheme.
const SCHEME: &str = "://";

/// The text without its links. A dot of another script counts as `.`, and invisible characters do not hide a link.
pub(crate) fn cut(text: &str) -> String {
    let original: Vec<char> = text.chars().filter(|c| !is_hidden(*c)).collect();
    let folded: Vec<char> = original.iter().copied().map(fold).collect();
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(mark) = next_mark(&folded, at) {
        let start = mark - folded[at..mark].iter().rev().take_while(|c| is_part(**c)).count();
        let end = mark + folded[mark..].iter().take_while(|c| is_part(**c) || is_joint(**c)).count();
        // A full stop or a comma after the link belongs to the sentence.
        let end = end - folded[mark..end].iter().rev().take_while(|c| ".,!?:;)".contains(**c)).count();
        let end = end.max(mark + 1);
        shown.extend(&original[at..start]);
        shown.push(CUT);
        at = end;
    }
    shown.extend(&original[at..]);
    shown
}

/// The next mark of a link: the colon of a scheme, or a dot of a name or an address.
fn next_mark(text: &[char], from: usize) -> Option<usize> {
    (from..text.len()).find(|at| {
        let rest = &text[*at..];
        SCHEME.chars().zip(rest).filter(|(expected, found)| expected == *found).count() == SCHEME.len()
            || rest[0] == '.' && (ends_in_a_domain(text, *at) || is_in_an_address(text, *at))
    })
}

/// Whether the dot at `at` is between a name and a word of at least two Latin letters.
fn ends_in_a_domain(text: &[char], at: usize) -> bool {
    let follows_name = at.checked_sub(1).is_some_and(|before| text[before].is_alphanumeric());
    let letters = text[at + 1..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let is_punycode = text[at + 1..].starts_with(&['x', 'n', '-', '-']);
    follows_name && (letters >= 2 || is_punycode)
}

/// Whether the dot at `at` is the first of an IPv4 address.
fn is_in_an_address(text: &[char], at: usize) -> bool {
    let start = at - text[..at].iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let address: String = text[start..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').collect();
    address.trim_end_matches('.').parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether a character can be in a link before its mark.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.@+%~".contains(c)
}

/// Whether a character can only be after the mark.
fn is_joint(c: char) -> bool {
    c.is_ascii_graphic() && !"\"'<>`{}|\\^".contains(c)
}

/// Whether a character is invisible, so that it could only hide a link.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// A character as a browser reads it in an address: full-width forms and the dots of other scripts.
fn fold(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff61}' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_cut() {
        for (text, expected) in [
            ("see https://evil.example/a?b=c#d now", "see … now"),
            ("HTTP://evil", "…"),
            ("weixin://dl/business", "…"),
            ("go to evil.com.", "go to …."),
            ("(www.evil.co.uk/path)", "(…)"),
            ("mail me@evil.com, please", "mail …, please"),
            ("点击evil.com领奖", "点击…领奖"),
            ("苹果.com/login", "苹果…"),
            ("ｅｖｉｌ．ｃｏｍ", "…"),
            ("evil。com", "…"),
            ("e\u{200b}vil.\u{2060}com", "…"),
            ("xn--80ak6aa92e.xn--p1ai", "…"),
            ("http://127.0.0.1:8080/x and 10.0.0.1", "… and …"),
            ("a.io b.io", "… …"),
            ("evil.com", "…"),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_link_stays() {
        for text in [
            "",
            "小明",
            "你好。我是小明",
            "at 8.30, 3.5 km",
            "v1.2.3",
            "U.S.A.",
            "e.g. this",
            "Dr. No",
            "…",
            "a / b",
            "1:2",
            "好.好",
        ] {
            assert_eq!(cut(text), text);
        }
    }

    #[test]
    fn what_is_left_has_no_link_and_cutting_ends() {
        let parts = ["a", ".", "com", "://", " ", "好", "。", "1", "/", "\u{200b}", "…", "@"];
        for n in 0..parts.len().pow(4) {
            let text: String = (0..4_u32).map(|place| parts[n / parts.len().pow(place) % parts.len()]).collect();
            let once = cut(&text);
            assert_eq!(cut(&once), once, "{text:?}");
        }
    }
}
