//! A user's data in the rooms API: the profile, and details that are shown to nobody else.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::account::{Account, Caller};
use super::clock::{Clock, Timestamp};
use super::identity::Identity;
use super::login_identifier::Username;
use super::phone;
use super::profile::{Avatar, Nickname};
use super::text::{self, Bounds};
use super::{Error, Fault, Result};

/// A detail. Every detail may be empty, and none of them can be used to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// 0 male, 1 female, 2 unknown.
    Sex,
    /// Age in years, as digits.
    Age,
    /// An email address. It is not verified.
    Email,
    /// A contact phone number. It is not verified.
    Phone,
    /// The country.
    Country,
    /// The province or municipality.
    Province,
    /// The city.
    City,
    /// The profession.
    Career,
    /// How the account was created: 0 without a provider, 1 `WeChat`, 2 QQ, 3 Weibo.
    LoginType,
    /// The name that a sign-in provider has for a user who did not choose a username.
    DisplayName,
}

impl Detail {
    /// The detail's name in the account. Except for the last one, it is also the name in the API's documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sex => "sex",
            Self::Age => "age",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Country => "country",
            Self::Province => "province",
            Self::City => "city",
            Self::Career => "career",
            Self::LoginType => "login_type",
            Self::DisplayName => "display_name",
        }
    }

    /// The value to store; spaces around it are dropped.
    pub fn parse(self, text: &str) -> Result<String> {
        let text = text.trim();
        let (keeps, rule) = match self {
            Self::Sex => (matches!(text, "0" | "1" | "2"), "must be 0 (male), 1 (female) or 2 (unknown)"),
            Self::LoginType => (matches!(text, "0" | "1" | "2" | "3"), "must be 0, 1, 2 or 3"),
            Self::Age => {
                let whole = text.bytes().all(|byte| byte.is_ascii_digit());
                (whole && text.parse::<u8>().is_ok_and(|age| age <= 150), "must be a whole number up to 150")
            }
            Self::Email => (is_email(text), "must be an email address of at most 254 characters"),
            Self::Phone => (is_number(text), "must be a phone number of at most 32 characters, without letters"),
            Self::Country | Self::Province | Self::City | Self::Career | Self::DisplayName => {
                let rule = "must have at most 64 characters and no control characters";
                return Bounds::line(self.name(), 0, 64, rule).trimmed(text);
            }
        };
        let field = self.name();
        if text.is_empty() || keeps { Ok(text.to_owned()) } else { Err(Error::Invalid { field, rule }) }
    }

    /// The account's value, or the empty string.
    #[must_use]
    pub fn of(self, account: &Account) -> &str {
        account.details.get(self.name()).map(String::as_str).unwrap_or_default()
    }
}

fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ','));
    let plain = plain && text::hides_nothing(text);
    let parts = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    plain && parts && text.len() <= 254
}

fn is_number(text: &str) -> bool {
    text.chars().count() <= 32 && phone::is_number(text)
}

/// Details by name.
pub type Details = BTreeMap<String, String>;

/// The details of a new account: those that were sent and are not empty.
pub fn parse<'a>(given: impl IntoIterator<Item = (Detail, Option<&'a str>)>) -> Result<Details> {
    let mut details = parse_change(given)?;
    details.retain(|_, value| !value.is_empty());
    Ok(details)
}

/// The details to change: those that were sent. An empty value removes the detail.
pub fn parse_change<'a>(given: impl IntoIterator<Item = (Detail, Option<&'a str>)>) -> Result<Details> {
    let given = given.into_iter().filter_map(|(detail, text)| Some((detail, text?)));
    given.map(|(detail, text)| Ok((detail.name().to_owned(), detail.parse(text)?))).collect()
}

/// A change to a user's data; fields that are `None` or missing stay unchanged.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// A new nickname.
    pub name: Option<Nickname>,
    /// A new picture.
    pub avatar: Option<Avatar>,
    /// New details.
    pub details: Details,
}

impl PersonChange {
    /// The account after the change.
    #[must_use]
    pub fn apply(&self, mut account: Account) -> Account {
        if let Some(name) = &self.name {
            name.as_str().clone_into(&mut account.name);
        }
        if let Some(avatar) = &self.avatar {
            avatar.as_str().clone_into(&mut account.avatar);
        }
        account.details.extend(self.details.clone());
        account
    }
}

/// Stores users' data. Every method checks the session in the write itself and returns [`Error::Unauthenticated`] when
/// the session has ended.
#[async_trait]
pub trait PersonStore: Send + Sync {
    /// Writes the change and returns the account. Takes one round trip, and two for the first detail of an account.
    async fn change_person(&self, caller: Caller, change: &PersonChange, now: Timestamp) -> Result<Account>;

    /// Writes the change, gives the account a new username and frees the old one, all or nothing, in one round trip.
    /// Returns `false` when the account has changed since it was read; [`Error::Taken`] when the username is taken.
    /// Either result shows whether the username was free, so it counts against the limit of the IP address and the
    /// account's limit of look-ups, or fails with [`Error::Limited`]. A taken username is counted in a second round
    /// trip.
    async fn rename(
        &self,
        caller: Caller,
        from: Option<IpAddr>,
        before: &Account,
        username: &Username,
        change: &PersonChange,
        now: Timestamp,
    ) -> Result<bool>;

    /// Ends the caller's session, in one round trip.
    async fn sign_out(&self, caller: Caller, now: Timestamp) -> Result<()>;
}

/// Changes users' data.
pub struct People {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The identity service.
    pub identity: Arc<Identity>,
    /// The store of users' data.
    pub store: Arc<dyn PersonStore>,
}

/// How often a change of username is tried when another change of the account interferes.
const ATTEMPTS: usize = 8;

impl People {
    /// Writes the change, including a new username if there is one, and returns the account.
    pub async fn change(
        &self,
        caller: Caller,
        from: Option<IpAddr>,
        username: Option<Username>,
        change: &PersonChange,
    ) -> Result<Account> {
        let Some(username) = username else {
            return self.store.change_person(caller, change, self.clock.now()).await;
        };
        for _ in 0..ATTEMPTS {
            let before = self.identity.account(caller).await?;
            let now = self.clock.now();
            // A username that was stored before names were composed is still the same name.
            if before.username.as_deref().is_some_and(|name| text::composed(name) == username.as_str()) {
                return self.store.change_person(caller, change, now).await;
            }
            self.identity.looks_new(&username, from).await?;
            if self.store.rename(caller, from, &before, &username, change, now).await? {
                let named = Account { username: Some(username.as_str().to_owned()), ..before };
                return Ok(change.apply(named));
            }
        }
        Err(Fault::new("changing a username", "the account changed at every attempt").into())
    }

    /// Ends the caller's session.
    pub async fn sign_out(&self, caller: Caller) -> Result<()> {
        self.store.sign_out(caller, self.clock.now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_keep_their_rules() {
        for (detail, good) in [
            (Detail::Sex, "2"),
            (Detail::Age, "0"),
            (Detail::Email, "never@gmail.com"),
            (Detail::Phone, "18752000500"),
            (Detail::Phone, "+86 187-5200"),
            (Detail::Phone, "（021）6552.9988"),
            (Detail::City, "上海"),
            (Detail::LoginType, "3"),
        ] {
            assert_eq!(detail.parse(&format!(" {good} ")).unwrap(), good);
            assert_eq!(detail.parse("").unwrap(), "");
        }
        for (detail, bad) in [
            (Detail::Sex, "3"),
            (Detail::Sex, "male"),
            (Detail::Age, "-1"),
            (Detail::Age, "+1"),
            (Detail::Age, "151"),
            (Detail::Email, "never"),
            (Detail::Email, "a b@c"),
            (Detail::Phone, "call me"),
            (Detail::Phone, "--"),
            (Detail::Phone, "1395551236a"),
            (Detail::Email, "ne\u{200b}ver@gmail.com"),
            (Detail::City, "\u{3164}"),
            (Detail::DisplayName, "\u{202e}moT"),
            (Detail::Career, &"a".repeat(65)),
            (Detail::Country, "a\u{0}"),
        ] {
            assert!(detail.parse(bad).is_err(), "{detail:?} {bad}");
        }
    }

    #[test]
    fn an_empty_detail_is_kept_only_to_take_one_away() {
        let given = || [(Detail::Sex, Some("1")), (Detail::City, Some("")), (Detail::Age, None)];
        assert_eq!(parse(given()).unwrap().len(), 1);
        assert_eq!(parse_change(given()).unwrap().len(), 2);
    }
}
