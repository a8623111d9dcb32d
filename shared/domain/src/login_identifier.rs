//! Claims: the identities that users sign in with. Each claim belongs to at most one account.

use std::fmt;

use super::phone::Phone;
pub use super::provider::Provider;
use super::text::{self, Bounds};
use super::{Error, Result};

/// A sign-in identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoginIdentifier {
    /// A phone number that was proved by a code.
    Phone(Phone),
    /// A username that the user chose.
    Username(Username),
    /// A user as a sign-in provider identifies them.
    Provider {
        /// The provider.
        provider: Provider,
        /// The provider's id of the user.
        subject: Subject,
    },
}

impl LoginIdentifier {
    /// What vouches for it, as clients know it: `phone`, `username`, or a provider's name.
    #[must_use]
    pub const fn provider_name(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Username(_) => "username",
            Self::Provider { provider, .. } => provider.name(),
        }
    }
}

/// It is part of a key, and the keys of stores are short: those of the table have at most 2,048 bytes.
const MOST_BYTES: usize = 2_000;

/// A name for signing in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// A new username: 1 to 64 visible characters without white space, in NFC; upper and lower case are different.
    /// Invisible characters are allowed only inside emojis, so no two usernames differ only in something invisible.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "must have 1 to 64 characters and no spaces";
        const USERNAME: Bounds = Bounds::line("username", 1, 64, RULE);
        let refused = |rule| Err(Error::Invalid { field: "username", rule });
        let name = USERNAME.kept(text)?;
        if name.contains(char::is_whitespace) {
            refused(RULE)
        } else if text::hides_nothing(&name) {
            Ok(Self(name))
        } else {
            refused("has characters that cannot be seen")
        }
    }

    /// A username exactly as it is stored. Usernames stored before names were composed stay valid.
    pub fn stored(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid { field: "username", rule: "must have 1 to 64 characters and no spaces" };
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if (1..=MOST_BYTES).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// The composed form (NFC) of this name, if it differs from this one.
    #[must_use]
    pub fn composed(&self) -> Option<Self> {
        let composed = text::composed(&self.0);
        (composed != self.0).then(|| Self(composed.into_owned()))
    }

    /// The decomposed form (NFD) of this name, if it differs from this one. An older account may be stored under it.
    #[must_use]
    pub fn decomposed(&self) -> Option<Self> {
        let decomposed = text::decomposed(&self.0);
        (decomposed != self.0).then(|| Self(decomposed.into_owned()))
    }

    /// The username as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some usernames are phone numbers or email addresses, so a username is never logged.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username")
    }
}

/// A provider's id of a user.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid { field: "snsid", rule: "must have 1 to 128 visible characters" };
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=128).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// The subject as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_subjects_are_bounded() {
        assert!(Username::parse("小明").is_ok());
        for bad in ["", "a b", "a\u{0}", &"a".repeat(65)] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Subject::parse("oGZUI0egBJY1zhBYw2KhdUfwVJJE").is_ok());
        for bad in ["", "a b", "é", &"a".repeat(129)] {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn claims_do_not_show_themselves_in_logs() {
        let claim = LoginIdentifier::Username(Username::parse("13912345678").unwrap());
        assert!(!format!("{claim:?}").contains("139"));
    }
}
