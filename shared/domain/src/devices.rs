//! Devices of signed-in users: how devices are told apart, and where their notifications are sent.

use std::sync::Arc;

use async_trait::async_trait;

use super::account::{Account, Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::identity::SignedIn;
use super::session::{PushService, PushTokens, Session, SessionId};
use super::{Error, Result};

/// The address for a device's notifications.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAddress {
    token: String,
    platform: u8,
}

impl PushAddress {
    /// Parses a token of 1 to 512 printable bytes and the platform of the service that issued it: 0 or empty for
    /// Android, 1 for iOS.
    pub fn parse(token: &str, platform: &str) -> Result<Self> {
        const TOKEN: Error = Error::Invalid { field: "pushToken", rule: "must have 1 to 512 printable bytes" };
        const PLATFORM: Error = Error::Invalid { field: "platform", rule: "must be 0 (Android) or 1 (iOS)" };
        let token = token.trim();
        let platform = match platform.trim() {
            "" | "0" => 0,
            "1" => 1,
            _ => return Err(PLATFORM),
        };
        let fits = (1..=PushTokens::MAX_BYTES).contains(&token.len()) && !token.chars().any(char::is_control);
        if fits { Ok(Self { token: token.to_owned(), platform }) } else { Err(TOKEN) }
    }

    /// The address as part of a session.
    #[must_use]
    pub fn into_tokens(self) -> PushTokens {
        PushTokens { device: Some((self.token, self.platform)), ..PushTokens::default() }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// 0 for Android, 1 for iOS.
    #[must_use]
    pub fn platform(&self) -> u8 {
        self.platform
    }
}

/// A messenger client's token in a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Holding {
    /// The session.
    pub session: SessionId,
    /// The service that issued the token.
    pub service: PushService,
    /// The token.
    pub token: String,
}

/// The store of push addresses. An address is stored in its session.
#[async_trait]
pub trait DeviceStore: Send + Sync {
    /// Sets another address for the caller's session, if `id` is the caller's own in the device API, and returns the
    /// account after the change. Takes one round trip; [`Error::Unauthenticated`] when the session has ended,
    /// [`Error::NotYours`] when the id belongs to another user.
    async fn set_address(&self, caller: Caller, id: u64, address: &PushAddress, now: Timestamp) -> Result<Account>;

    /// Adds these tokens to the caller's session, and returns the account after the change. Takes one round trip;
    /// [`Error::Unauthenticated`] when the session has ended.
    async fn bind(&self, caller: Caller, tokens: &PushTokens, now: Timestamp) -> Result<Account>;

    /// Removes these tokens from the caller's session. If the session does not have all of them, nothing is written and
    /// the account is returned. Takes one round trip; [`Error::Unauthenticated`] when the session has ended.
    async fn unbind(&self, caller: Caller, tokens: &PushTokens, now: Timestamp) -> Result<Option<Account>>;

    /// Removes each token from its session, if the session still has it. Takes one round trip.
    async fn take_tokens(&self, user: UserId, held: &[Holding]) -> Result<()>;

    /// Removes the address from those of these sessions that still exist. Takes one round trip.
    async fn take_addresses(&self, user: UserId, sessions: &[SessionId]) -> Result<()>;

    /// Ends the caller's session, including its address. Takes one round trip; [`Error::Unauthenticated`] when it had
    /// ended before.
    async fn end_living_session(&self, caller: Caller, now: Timestamp) -> Result<()>;
}

/// Keeps each device's address in one session only, so that signing out of that session stops the device's
/// notifications.
pub struct Devices {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store of sessions.
    pub store: Arc<dyn DeviceStore>,
}

impl Devices {
    /// Registers a device that has just signed in: removes its address from its earlier sessions, and returns whether
    /// none of those was active. A device is recognised by its address. A device without an address could be any device
    /// that signed in through this API.
    pub async fn settle(&self, signed_in: &SignedIn) -> Result<bool> {
        let (account, caller) = (&signed_in.account, signed_in.caller);
        let (own, now) = (account.sessions.get(&caller.session), self.clock.now());
        let same = |session: &Session| {
            let twin = |own: &Session| token_of(own).is_none() || token_of(own) == token_of(session);
            session.is_active(now) && own.is_some_and(|own| own.api == session.api && twin(own))
        };
        let known = account.sessions.iter().any(|(id, session)| *id != caller.session && same(session));
        self.take_from_others(account, caller).await?;
        Ok(!known)
    }

    /// Sets another address for the device of the caller's session. `id` is the caller's id in the device API. Users
    /// with older sessions, who have no such id yet, send the account's own id.
    pub async fn set_address(&self, caller: Caller, id: u64, address: &PushAddress) -> Result<()> {
        let account = self.store.set_address(caller, id, address, self.clock.now()).await?;
        self.take_from_others(&account, caller).await
    }

    /// Adds push tokens of a messenger client to the caller's session, and removes them from the account's other
    /// sessions: they belong to one device, which has signed in again.
    pub async fn bind(&self, caller: Caller, tokens: &PushTokens) -> Result<()> {
        let account = self.store.bind(caller, tokens, self.clock.now()).await?;
        let held: Vec<_> =
            holdings(&account, tokens).into_iter().filter(|held| held.session != caller.session).collect();
        self.take(account.id, &held).await
    }

    /// Removes the push tokens of one session of the account.
    pub async fn forget(&self, account: &Account, session: SessionId) -> Result<()> {
        let Some(push) = account.sessions.get(&session).map(|session| &session.push) else { return Ok(()) };
        let held = push.services.iter();
        let held: Vec<_> =
            held.map(|(service, token)| Holding { session, service: *service, token: token.clone() }).collect();
        if push.device.is_some() {
            self.store.take_addresses(account.id, &[session]).await?;
        }
        if held.is_empty() { Ok(()) } else { self.store.take_tokens(account.id, &held).await }
    }

    /// Removes push tokens of a messenger client from all of the account's sessions that have them. It is not an error
    /// when none has them.
    pub async fn unbind(&self, caller: Caller, tokens: &PushTokens) -> Result<()> {
        match self.store.unbind(caller, tokens, self.clock.now()).await? {
            Some(account) => self.take(account.id, &holdings(&account, tokens)).await,
            None => Ok(()),
        }
    }

    async fn take(&self, user: UserId, held: &[Holding]) -> Result<()> {
        if held.is_empty() { Ok(()) } else { self.store.take_tokens(user, held).await }
    }

    /// Ends the caller's session.
    pub async fn sign_out(&self, caller: Caller) -> Result<()> {
        self.store.end_living_session(caller, self.clock.now()).await
    }

    async fn take_from_others(&self, account: &Account, caller: Caller) -> Result<()> {
        let Some(own) = account.sessions.get(&caller.session).and_then(token_of) else { return Ok(()) };
        let holds = |(id, session): &(&SessionId, &Session)| **id != caller.session && token_of(session) == Some(own);
        let holders: Vec<_> = account.sessions.iter().filter(holds).map(|(id, _)| *id).collect();
        if holders.is_empty() { Ok(()) } else { self.store.take_addresses(account.id, &holders).await }
    }
}

/// Which sessions have which of these tokens.
fn holdings(account: &Account, tokens: &PushTokens) -> Vec<Holding> {
    let of = |(id, session): (&SessionId, &Session)| {
        let held = session.push.services.iter().filter(|(service, held)| tokens.services.get(service) == Some(held));
        let held = held.map(|(service, token)| Holding { session: *id, service: *service, token: token.clone() });
        held.collect::<Vec<_>>()
    };
    account.sessions.iter().flat_map(of).collect()
}

/// The token of a session's device.
fn token_of(session: &Session) -> Option<&str> {
    session.push.device.as_ref().map(|(token, _)| token.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_token_and_a_platform() {
        let address = PushAddress::parse(" baidu_push_channel_id ", "").unwrap();
        assert_eq!((address.token(), address.platform()), ("baidu_push_channel_id", 0));
        assert_eq!(address.into_tokens().device, Some(("baidu_push_channel_id".into(), 0)));
        assert_eq!(PushAddress::parse("a", "1").unwrap().platform(), 1);
        for (token, platform) in
            [("", "0"), (" ", "0"), ("a\nb", "0"), (&"a".repeat(513), "0"), ("a", "2"), ("a", "-1"), ("a", "ios")]
        {
            assert!(PushAddress::parse(token, platform).is_err(), "{token:?} {platform}");
        }
    }
}
