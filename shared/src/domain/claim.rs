//! What people sign in with. Each claim belongs to one account at most.

use std::fmt;

use super::phone::Phone;
pub use super::provider::Provider;
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

/// A name to sign in with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// 1 to 64 characters without white space or control characters; capitals count as different.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid { field: "username", rule: "has 1 to 64 characters and no spaces" };
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if (1..=64).contains(&text.chars().count()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
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
