//! Accounts. A single account identifies a user in all APIs.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::app_data::AppData;
use super::clock::Timestamp;
use super::id::DeviceId;
pub use super::id::{User, UserId};
use super::login_identifier::{Provider, Subject};
use super::network::{NetworkHash, SignInNetworks};
use super::phone::Phone;
use super::policy::Policy;
use super::profile::ProfileChange;
use super::rooms::room::RoomId;
use super::session::{Session, SessionId};
use super::{Error, NotSignedIn, Result};

/// The user who makes a request, as a verified token names them. The store checks whether the session is still active,
/// in the same call that does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user: UserId,
    /// The session of that account.
    pub session: SessionId,
}

/// The stored password of an account. The account's claims by phone and username have a copy of it, because a sign-in
/// reads the claim first.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret {
    /// The hash, in PHC form; `None` when there is no password.
    pub hash: Option<String>,
    /// How often it was changed. A sign-in succeeds only if this version is still the one that was checked, so a
    /// session that began with an old password cannot outlive the change.
    pub version: u64,
}

impl Secret {
    /// The secret after the password was removed.
    #[must_use]
    pub const fn removed(&self) -> Self {
        Self { hash: None, version: self.version + 1 }
    }

    /// The secret after a change to another hash.
    #[must_use]
    pub fn next(&self, hash: String) -> Self {
        Self { hash: Some(hash), version: self.version + 1 }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(version {})", self.version)
    }
}

/// A sign-in provider's user who signs in to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of the user.
    pub subject: Subject,
    /// When it was linked.
    pub since: Timestamp,
}

/// An account as it is stored in the table.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The phone number that it signs in with, in E.164, if a code has proved one.
    pub phone: Option<String>,
    /// The nickname; empty when none is set.
    pub name: String,
    /// The state line; empty when none is set.
    pub state: String,
    /// The picture; empty when none is set.
    pub avatar: String,
    /// The username that it signs in with, if the user has chosen one.
    pub username: Option<String>,
    /// Its password, if it has one.
    pub secret: Secret,
    /// The user's data in the rooms API besides the profile: `sex`, `age`, `email`, `phone` (a contact detail),
    /// `country`, `province`, `city`, `career`, `login_type`.
    pub details: BTreeMap<String, String>,
    /// The room number that the rooms API gave the account.
    pub room: Option<String>,
    /// The account's personal room, which has that number. Accounts from before there were such rooms get theirs the
    /// next time the rooms API shows them.
    pub room_id: Option<RoomId>,
    /// Its id in the device API, if it has used that API.
    pub device_id: Option<DeviceId>,
    /// When the account was created.
    pub created: Timestamp,
    /// When a code proved that the number belongs to the user, if that was recorded.
    pub phone_proved: Option<Timestamp>,
    /// When the number, the password or a sign-in provider of the account last changed, if that was recorded.
    pub updated: Option<Timestamp>,
    /// The sign-in providers whose users sign in to this account, in the order in which they were linked.
    pub linked: Vec<Linked>,
    /// The data of the Supabase API, if it was read with the account.
    pub app: AppData,
    /// How often the nickname, the state line or the picture was changed.
    pub looks: u64,
    /// The last authenticated request that wrote something. This time is saved with a write that happens anyway, never
    /// with a write of its own.
    pub seen: Option<Timestamp>,
    /// Its sessions. Ended sessions are among them until a sign-in removes them.
    pub sessions: BTreeMap<SessionId, Session>,
    /// The networks from which it signed in.
    pub networks: SignInNetworks,
}

impl Account {
    /// Whether the account knows one of these hashes of a network.
    #[must_use]
    pub fn knows(&self, policy: &Policy, hashes: &[NetworkHash], now: Timestamp) -> bool {
        let signed_in =
            |hash: &NetworkHash| self.networks.get(hash).is_some_and(|seen| seen.plus(policy.known_address_for) > now);
        let has_session = |hash: &NetworkHash| {
            self.sessions.values().any(|session| session.is_active(now) && session.network.as_ref() == Some(hash))
        };
        hashes.iter().any(|hash| signed_in(hash) || has_session(hash))
    }

    /// A new account with nothing but a session.
    #[must_use]
    pub fn new(id: UserId, session: (SessionId, Session), now: Timestamp) -> Self {
        Self {
            id,
            phone: None,
            name: String::new(),
            state: String::new(),
            avatar: String::new(),
            username: None,
            secret: Secret::default(),
            details: BTreeMap::new(),
            room: None,
            room_id: None,
            device_id: None,
            created: now,
            phone_proved: None,
            updated: None,
            linked: Vec::new(),
            app: AppData::default(),
            looks: 0,
            seen: Some(now),
            networks: session.1.network.iter().map(|network| (network.clone(), now)).collect(),
            sessions: BTreeMap::from([session]),
        }
    }

    /// A new account whose owner has just proved with a code that `phone` is theirs.
    #[must_use]
    pub fn with_phone(id: UserId, phone: &Phone, session: (SessionId, Session), now: Timestamp) -> Self {
        let phone = Some(phone.e164().to_owned());
        Self { phone, phone_proved: Some(now), ..Self::new(id, session, now) }
    }

    /// Whether nobody can sign in to it: it has no number, no username and no sign-in provider.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.phone.is_none() && self.username.is_none() && self.linked.is_empty()
    }

    /// Whether this session is one of its active sessions at the time `now`.
    #[must_use]
    pub fn has_session(&self, session: SessionId, now: Timestamp) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.is_active(now))
    }

    /// Fails for a session that is not active, with the reason.
    pub fn check_session(&self, session: SessionId, now: Timestamp) -> Result<()> {
        match self.sessions.get(&session) {
            Some(session) if session.is_active(now) => Ok(()),
            Some(_) => Err(Error::Unauthenticated(NotSignedIn::Expired)),
            None => Err(Error::Unauthenticated(NotSignedIn::Ended)),
        }
    }

    /// The sessions to end so that at most `room` remain when another sign-in needs a place: ended ones first, then the
    /// oldest.
    #[must_use]
    pub fn sessions_to_end(&self, room: usize, now: Timestamp) -> Vec<SessionId> {
        let mut by_age: Vec<_> =
            self.sessions.iter().map(|(id, session)| (session.is_active(now), session.began, *id)).collect();
        by_age.sort_unstable();
        let dead = by_age.iter().filter(|(lives, ..)| !lives).count();
        let end = by_age.len().saturating_sub(room).max(dead);
        by_age.into_iter().take(end).map(|(_, _, id)| id).collect()
    }
}

/// The result of counting a presigned upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The upload is counted now.
    Done,
    /// This many bytes were counted for this presigned upload before.
    Before(u64),
    /// The owner has deleted it.
    Deleted,
    /// The account has no space for the upload, or no such presigned upload was issued to the account.
    Full,
}

/// Changes to profiles whose client shows the result. The session is checked in the write itself.
#[async_trait]
pub trait ProfileStore: Send + Sync {
    /// Changes the profile and returns the account after the change. With a `version`, only on the condition that
    /// [`Account::looks`] still has this value; otherwise [`super::Error::ConditionFailed`]. Takes one round trip.
    async fn edit_profile(
        &self,
        caller: Caller,
        change: &ProfileChange,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<Account>;
}

/// Changes to accounts by their signed-in owners. Every method checks the session in the write itself and returns
/// [`super::Error::Unauthenticated`] when the session has ended; each is one round trip.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Changes the profile.
    async fn change_profile(&self, caller: Caller, change: &ProfileChange, now: Timestamp) -> Result<()>;

    /// Records that the caller owns the picture or voice note that is about to be stored under `name`, and counts its
    /// bytes; all or nothing. Without a size, this records that a presigned upload was issued, and only checks that
    /// some space is left. [`super::Error::Full`] when there is not enough space.
    async fn record_upload(&self, caller: Caller, name: &str, bytes: Option<u64>, now: Timestamp) -> Result<()>;

    /// Counts the bytes of a presigned upload, once. The session is not checked.
    async fn count_upload(&self, owner: UserId, name: &str, bytes: u64) -> Result<Counted>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::PushTokens;

    fn session(began: i64, expires: i64) -> Session {
        let (began, expires) = (Timestamp::from_millis(began), Timestamp::from_millis(expires));
        Session {
            generation: 0,
            moved: began,
            began,
            expires,
            ends: expires,
            api: String::new(),
            push: PushTokens::default(),
            network: None,
            method: None,
            device: None,
            used: None,
            seen_generation: None,
        }
    }

    #[test]
    fn a_further_sign_in_ends_the_dead_and_then_the_oldest() {
        let id = |n| SessionId::from_bytes([n; 12]);
        let now = Timestamp::from_millis(100);
        let phone = Phone::parse("86", "13912345678").unwrap();
        let mut account = Account::with_phone(UserId::new(1).unwrap(), &phone, (id(1), session(30, 200)), now);
        account.sessions.extend([(id(2), session(10, 200)), (id(3), session(50, 60)), (id(4), session(20, 200))]);
        assert_eq!(account.sessions_to_end(9, now), [id(3)]);
        assert_eq!(account.sessions_to_end(2, now), [id(3), id(2)]);
        assert_eq!(account.sessions_to_end(1, now), [id(3), id(2), id(4)]);
    }

    #[test]
    fn ids_fit_a_double() {
        assert!(UserId::new((1 << 53) - 1).is_some());
        assert!(UserId::new(1 << 53).is_none());
        assert!("0".parse::<UserId>().is_err());
        let id = UserId::generate(&crate::crypto::SystemRandom);
        assert_eq!(id.to_string().parse::<UserId>().unwrap(), id);
    }
}
