//! What people sign in with. Each claim belongs to one account at most.

use std::fmt;

use super::phone::Phone;
pub use super::provider::Provider;
use super::text::{self, Bounds};
use super::{Error, Result};

/// A sign-in identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A phone that a code proved.
    Phone(Phone),
    /// A name that its owner chose.
    Username(Username),
    /// A person as a sign-in provider knows them.
    Provider {
        /// The provider.
        provider: Provider,
        /// Its id of the person.
        subject: Subject,
    },
}

/// The longest key of a partition of `DynamoDB` has 2,048 bytes, of which a claim's name takes some.
const MOST_BYTES: usize = 2_000;

/// A name to sign in with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// A new name: 1 to 64 visible characters without white space, in NFC; capitals count as different. Only emojis hold
    /// something invisible, so no two names differ by what cannot be seen.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "has 1 to 64 characters and no spaces";
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

    /// A name that an account may have, to the byte: those of before names were composed are still theirs.
    pub fn stored(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid { field: "username", rule: "has 1 to 64 characters and no spaces" };
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if (1..=MOST_BYTES).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// The same name as it is composed today, where that is another.
    #[must_use]
    pub fn composed(&self) -> Option<Self> {
        let composed = text::composed(&self.0);
        (composed != self.0).then(|| Self(composed.into_owned()))
    }

    /// The same name in pieces (NFD), where that is another: an account of before may have it.
    #[must_use]
    pub fn decomposed(&self) -> Option<Self> {
        let decomposed = text::decomposed(&self.0);
        (decomposed != self.0).then(|| Self(decomposed.into_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// People use numbers and addresses as names, so a name never reaches a log.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username")
    }
}

/// A provider's id of a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid { field: "snsid", rule: "has 1 to 128 visible characters" };
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=128).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// As text.
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
        let claim = Claim::Username(Username::parse("13912345678").unwrap());
        assert!(!format!("{claim:?}").contains("139"));
    }
}
