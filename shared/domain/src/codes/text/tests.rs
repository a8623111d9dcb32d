//! Texts to the byte, the rules on hashes and lengths, and what the systems that read texts find in them.

use super::*;

const TEMPLATE: &str = "{code} is your verification code. It expires in {minutes} minutes.";
const MINUTES: Duration = Duration::from_mins(5);
/// Google's example of a hash.
const HASH: &str = "FA+9qCX9VSu";

fn app(hash: &str) -> AppHash {
    AppHash::parse(hash).expect("a hash")
}

/// The text for an app, or for a client that is none.
fn text(host: Option<&str>, allowed: &[&str], asked: Option<&str>) -> String {
    let allowed = allowed.iter().map(|hash| app(hash)).collect();
    CodeText::new(TEMPLATE, host, allowed).write("042137", MINUTES, asked.map(app).as_ref())
}

#[test]
fn a_text_has_the_lines_that_are_set_to_the_byte() {
    let plain = "042137 is your verification code. It expires in 5 minutes.";
    let site = "042137 is your verification code. It expires in 5 minutes.\n@app.example.com #042137";
    let hash = "042137 is your verification code. It expires in 5 minutes.\nFA+9qCX9VSu";
    let both = "042137 is your verification code. It expires in 5 minutes.\n@app.example.com #042137 FA+9qCX9VSu";
    let host = Some("app.example.com");
    assert_eq!(text(None, &[], None), plain);
    assert_eq!(text(host, &[], None), site);
    assert_eq!(text(None, &[HASH], Some(HASH)), hash);
    assert_eq!(text(host, &["AAAAAAAAAAA", HASH], Some(HASH)), both);
    assert_eq!((text(None, &[HASH], None).as_str(), text(host, &[HASH], None).as_str()), (plain, site));
}

#[test]
fn a_text_is_not_addressed_to_an_app_that_is_not_allowed() {
    for allowed in [&[][..], &["AAAAAAAAAAA"], &["fa+9qCX9VSu"]] {
        assert_eq!(text(None, allowed, Some(HASH)), text(None, &[], None), "{allowed:?}");
    }
}

#[test]
fn minutes_are_rounded_up_and_a_template_may_repeat_the_code() {
    let text = CodeText::new("验证码{code}，{minutes}分钟内有效。{code}", Some("localhost"), vec![]);
    let written = text.write("12345678", Duration::from_secs(90), None);
    assert_eq!(written, "验证码12345678，2分钟内有效。12345678\n@localhost #12345678");
}

#[test]
fn a_hash_has_eleven_characters_of_base64() {
    for good in [HASH, "/+fFHMslLWT", "EvsSSj4C6vl"] {
        assert_eq!(AppHash::from_field(Some(good)).unwrap(), Some(app(good)));
    }
    for none in [None, Some(""), Some("  ")] {
        assert_eq!(AppHash::from_field(none).unwrap(), None);
    }
    for bad in ["FA+9qCX9VS", "FA+9qCX9VSuA", "FA-9qCX9VSu", "FA_9qCX9VSu", "FA+9qCX9VS=", "FA+9qCX9VS\n", "ÄA+9qCX9VS"]
    {
        let refused = AppHash::from_field(Some(bad));
        assert!(matches!(refused, Err(Error::Invalid { field: "app_hash", .. })), "{bad:?}");
    }
}

#[test]
fn a_plus_that_came_as_a_space_is_a_plus() {
    for (sent, hash) in [("FA 9qCX9VSu", HASH), ("/ fFHMslLWT", "/+fFHMslLWT"), (" A 9qCX9VS ", "+A+9qCX9VS+")] {
        assert_eq!(AppHash::from_field(Some(sent)).unwrap(), Some(app(hash)), "{sent:?}");
    }
}

#[test]
fn a_text_that_becomes_too_long_is_refused() {
    let check = |letters: usize, host: Option<&str>, apps: Vec<AppHash>| {
        CodeText::new(&("x".repeat(letters) + "{code}"), host, apps).check_length(6, MINUTES)
    };
    // A code has 6 characters, `\n@localhost #` and it 19, and a hash with the sign before it 12.
    assert_eq!(check(154, None, vec![]), Ok(()));
    assert_eq!(check(155, None, vec![]), Err(TextTooLong::ForSms));
    assert_eq!(check(135, Some("localhost"), vec![]), Ok(()));
    assert_eq!(check(136, Some("localhost"), vec![]), Err(TextTooLong::ForSms));
    assert_eq!(check(122, None, vec![app(HASH)]), Ok(()));
    assert_eq!(check(123, None, vec![app(HASH)]), Err(TextTooLong::ForApps));
    assert_eq!(check(103, Some("localhost"), vec![app(HASH)]), Ok(()));
    assert_eq!(check(104, Some("localhost"), vec![app(HASH)]), Err(TextTooLong::ForApps));
    let chinese = |apps| CodeText::new(&("验".repeat(50) + "{code}"), None, apps).check_length(6, MINUTES);
    assert_eq!(chinese(vec![]), Ok(()), "56 characters");
    assert_eq!(chinese(vec![app(HASH)]), Err(TextTooLong::ForApps), "168 bytes");
}

/// What the systems that read texts find in ours. Each reader is written after its specification or source; none of them
/// runs here.
mod readers {
    use super::*;

    /// The token with this mark at the start of `line`, and the rest of the line.
    fn marked(line: &str, mark: char) -> Option<(&str, &str)> {
        let rest = line.strip_prefix(mark)?;
        let (token, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()));
        (!token.is_empty()).then_some((token, rest))
    }

    /// Host, code and embedded host of a text. Source: <https://wicg.github.io/sms-one-time-codes/#parsing>.
    fn origin_bound(text: &str) -> Option<(&str, &str, Option<&str>)> {
        let line = text.rsplit(['\r', '\n']).next()?;
        let (host, rest) = marked(line, '@')?;
        let (code, rest) = marked(rest.strip_prefix(' ')?, '#')?;
        Some((host, code, rest.strip_prefix(' ').and_then(|rest| marked(rest, '%')).map(|(host, _)| host)))
    }

    /// Host, code and embedded host that Chromium finds, anywhere in a text: the first match of
    /// `(?:^|\s)@([a-zA-Z0-9.-]+) #([^#\s]+)(?: @([a-zA-Z0-9.-]+))?`.
    /// Source: `content/browser/sms/sms_parser.cc` of Chromium.
    fn chromium(text: &str) -> Option<(&str, &str, Option<&str>)> {
        let host_of = |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        let host_of = |text: &str| host_of(text).unwrap_or(text.len());
        let starts =
            text.match_indices('@').filter(|(at, _)| text[..*at].chars().next_back().is_none_or(char::is_whitespace));
        starts.map(|(at, _)| &text[at + 1..]).find_map(|rest| {
            let (host, rest) = rest.split_at(host_of(rest));
            let rest = rest.strip_prefix(" #")?;
            let (code, rest) = rest.split_at(rest.find(|c: char| c == '#' || c.is_whitespace()).unwrap_or(rest.len()));
            let embedded = rest.strip_prefix(" @").map(|rest| &rest[..host_of(rest)]).filter(|host| !host.is_empty());
            (!host.is_empty() && !code.is_empty()).then_some((host, code, embedded))
        })
    }

    #[test]
    fn the_readers_agree_with_the_examples_of_their_sources() {
        for (text, found) in [
            ("747723 is your code.\n\n@example.com #747723", Some(("example.com", "747723", None))),
            (
                "@example.com #747723 %ecommerce.example $future",
                Some(("example.com", "747723", Some("ecommerce.example"))),
            ),
            ("something @example.com #747723", None),
            ("#747723 %ecommerce.example @example.com", None),
            ("@example.com code #747723", None),
        ] {
            assert_eq!(origin_bound(text), found, "{text:?}");
        }
        for (text, found) in [
            ("<#> Hello World\nApp Hash: s3LhKBB0M33\n@example.com #123", Some(("example.com", "123", None))),
            ("@a.com @b.com #123", Some(("b.com", "123", None))),
            ("@top.com #123 @embedded.com", Some(("top.com", "123", Some("embedded.com")))),
            ("@example.com #1 can be short", Some(("example.com", "1", None))),
            ("@example.com  #12345", None),
            ("@username@a.com #123", None),
        ] {
            assert_eq!(chromium(text), found, "{text:?}");
        }
    }

    #[test]
    fn each_reader_finds_its_part_in_one_text() {
        let found = Some(("app.example.com", "042137", None));
        for asked in [None, Some(HASH)] {
            let text = text(Some("app.example.com"), &[HASH], asked);
            assert_eq!((origin_bound(&text), chromium(&text)), (found, found), "{text:?}");
            // Google's page once asked for the hash at the end; today it may be anywhere.
            assert_eq!(text.ends_with(HASH), asked.is_some(), "{text:?}");
        }
        let only_hash = text(None, &[HASH], Some(HASH));
        assert_eq!((origin_bound(&only_hash), chromium(&only_hash)), (None, None));
        assert!(only_hash.ends_with(HASH));
    }
}
