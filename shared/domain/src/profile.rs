//! Profiles: the data that users see of each other.

use super::text::Bounds;
use super::{Error, Result};

/// A user's display name. The APIs' documentation calls it nickname and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

impl Nickname {
    /// 1 to 64 characters, at least one of them visible and none a control character; spaces around them are dropped.
    pub fn parse(text: &str) -> Result<Self> {
        const NICKNAME: Bounds =
            Bounds::line("nickname", 1, 64, "must have 1 to 64 characters and no control characters");
        Self::within(text, &NICKNAME)
    }

    /// A nickname for an API with other bounds.
    pub fn within(text: &str, bounds: &Bounds) -> Result<Self> {
        bounds.trimmed(text).map(Self)
    }

    /// No nickname.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// The nickname as text; empty for none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A line of text that a user writes about themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateLine(String);

impl StateLine {
    /// Up to 140 characters; line breaks are the only control characters allowed. An empty or blank line removes it.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "must have at most 140 characters and no control characters";
        const STATE: Bounds = Bounds { controls: &['\n'], ..Bounds::line("state", 0, 140, RULE) };
        STATE.kept(text).map(Self)
    }

    /// No line.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// The line as text; empty for none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The location of a user's picture: a path on this service (`/images/…`) or an absolute URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar(String);

impl Avatar {
    /// The path of one of our own pictures, or an http(s) URL of 12 to 256 characters, which is stored and never
    /// fetched.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid {
            field: "avatar",
            rule: "must be the path of an uploaded picture, or an http(s) URL of 12 to 256 characters",
        };
        let own = text.strip_prefix("/images/").is_some_and(|name| super::media::ImageName::parse(name).is_ok());
        let plain = text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\'));
        let url = (text.starts_with("http://") || text.starts_with("https://")) && (12..=256).contains(&text.len());
        if own || (url && plain) { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// No picture.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// The path of an uploaded picture.
    #[must_use]
    pub fn of_image(name: &super::media::ImageName) -> Self {
        Self(format!("/images/{name}"))
    }

    /// The location as text. It starts with `/` if the picture is stored here, and is empty for none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A change to a profile; fields that are `None` stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// A new nickname.
    pub name: Option<Nickname>,
    /// A new state line.
    pub state: Option<StateLine>,
    /// A new picture.
    pub avatar: Option<Avatar>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames_are_counted_in_characters() {
        assert_eq!(Nickname::parse(" 小明 ").unwrap().as_str(), "小明");
        assert!(Nickname::parse(&"明".repeat(64)).is_ok());
        for bad in ["", "   ", "a\u{0}b", "a\nb", &"明".repeat(65)] {
            assert!(Nickname::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_state_line_may_be_empty_and_has_an_end() {
        assert!(StateLine::parse("").is_ok());
        assert!(StateLine::parse(&"好".repeat(140)).is_ok());
        for bad in ["\u{7}", &"好".repeat(141)] {
            assert!(StateLine::parse(bad).is_err());
        }
    }

    #[test]
    fn an_avatar_is_a_web_address_or_one_of_ours() {
        assert!(Avatar::parse("https://example.com/a.jpg").is_ok());
        for bad in [
            "",
            "/etc/passwd",
            "/images/../x",
            "javascript:alert(1)",
            "ftp://example.com/a.jpg",
            "http://x",
            "https://example.com/a b",
            "https://example.com/\"onerror=",
        ] {
            assert!(Avatar::parse(bad).is_err(), "{bad}");
        }
        assert!(Avatar::parse(&format!("https://{}", "a".repeat(256))).is_err());
    }
}
